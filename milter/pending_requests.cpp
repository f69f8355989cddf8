#include "milter/pending_requests.hpp"

#include <algorithm>
#include <utility>

namespace millrace::milter {

void PendingRequests::add(std::uint64_t id, std::string frame, TimePoint deadline) {
    if (requests_.size() >= kCountMax) {
        answers_.push_back({id, false, "too many requests are waiting"});
        return;
    }
    Request request;
    request.frame = std::move(frame);
    request.deadline = deadline;
    requests_.emplace_hint(requests_.end(), id, std::move(request));
}

std::string PendingRequests::take_unsent(TimePoint now) {
    std::string bytes;
    for (auto& [id, request] : requests_) {
        if (!request.is_sent) {
            request.is_sent = true;
            request.sent_at = now;
            ++request.sends;
            bytes += request.frame;
        }
    }
    return bytes;
}

void PendingRequests::respond(const PublishResponse& response) {
    const auto found = requests_.find(response.id);
    if (found == requests_.end() || !found->second.is_sent) {
        return;
    }
    const bool is_stored = response.status == PublishStatus::stored;
    std::string reason;
    if (!is_stored) {
        reason = response.status == PublishStatus::refused ? "refused" : "unavailable";
        reason += response.reason.empty() ? "" : ": " + response.reason;
    }
    answers_.push_back({response.id, is_stored, std::move(reason)});
    requests_.erase(found);
}

void PendingRequests::lose_connection() {
    for (auto& [id, request] : requests_) {
        request.is_sent = false;
    }
}

void PendingRequests::fail_repeated(std::string_view reason) {
    for (auto at = requests_.begin(); at != requests_.end();) {
        if (at->second.sends < 2) {
            ++at;
            continue;
        }
        answers_.push_back({at->first, false, std::string{reason}});
        at = requests_.erase(at);
    }
}

void PendingRequests::fail_all(std::string_view reason) {
    for (const auto& [id, request] : requests_) {
        answers_.push_back({id, false, std::string{reason}});
    }
    requests_.clear();
}

std::optional<PendingRequests::TimePoint> PendingRequests::expire(TimePoint now,
                                                                  std::string_view unsent_reason) {
    std::optional<TimePoint> first_sent;
    for (auto at = requests_.begin(); at != requests_.end();) {
        const Request& request = at->second;
        if (request.deadline > now) {
            ++at;
            continue;
        }
        if (request.is_sent) {
            first_sent = std::min(first_sent.value_or(request.sent_at), request.sent_at);
        }
        const bool has_no_reason = request.is_sent || unsent_reason.empty();
        answers_.push_back(
            {at->first, false, std::string{has_no_reason ? kTimedOut : unsent_reason}});
        at = requests_.erase(at);
    }
    return first_sent;
}

std::vector<PendingRequests::Answer> PendingRequests::take_answers() {
    return std::exchange(answers_, {});
}

std::optional<PendingRequests::TimePoint> PendingRequests::next_deadline() const {
    const auto first = std::min_element(
        requests_.begin(), requests_.end(),
        [](const auto& a, const auto& b) { return a.second.deadline < b.second.deadline; });
    return first == requests_.end() ? std::nullopt : std::optional{first->second.deadline};
}

}  // namespace millrace::milter
