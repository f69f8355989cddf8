#include "milter/origin_publisher.hpp"

#include "proto/rpc.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace millrace::milter {
namespace {

using Clock = std::chrono::steady_clock;

int make_wake_descriptor() {
    const int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot create an eventfd");
    }
    return descriptor;
}

// Signals are for the main thread; a thread inherits the mask of the one that starts it.
template <typename Function>
std::thread start_without_signals(Function function) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread thread(std::move(function));
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return thread;
    } catch (...) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

std::vector<std::unique_ptr<OriginLink>> make_links(const PublisherOptions& options) {
    LinkTls tls{nullptr, options.tls_name};
    if (options.tls) {
        tls.credentials = std::make_shared<TlsCredentials>(*options.tls, TlsSide::client);
    }
    std::vector<std::unique_ptr<OriginLink>> links;
    for (const ListenAddress& service : options.services) {
        links.push_back(std::make_unique<OriginLink>(service, options.timeout, tls));
    }
    return links;
}

int poll_timeout(Clock::time_point until) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

}  // namespace

OriginPublisher::OriginPublisher(PublisherOptions options)
    : options_(std::move(options)), links_(make_links(options_)), wake_fd_(make_wake_descriptor()) {
    try {
        thread_ = start_without_signals([this] { run(); });
    } catch (...) {
        ::close(wake_fd_);
        throw;
    }
}

OriginPublisher::~OriginPublisher() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    wake();
    thread_.join();
    ::close(wake_fd_);
}

PublishOutcome OriginPublisher::publish(const OriginRecord& record) {
    const TimePoint deadline = Clock::now() + options_.timeout;
    Waiting waiting;
    waiting.has_answered.resize(options_.services.size());
    std::unique_lock lock(mutex_);
    const std::uint64_t id = ++last_id_;
    submissions_.push_back({id, encode_request({id, record}), deadline});
    waiting_.emplace(id, &waiting);
    lock.unlock();
    wake();
    lock.lock();
    wait(lock, waiting, deadline + kGrace);
    waiting_.erase(id);
    if (!waiting.is_decided) {
        for (std::size_t i = 0; i < waiting.has_answered.size(); ++i) {
            if (!waiting.has_answered[i]) {
                waiting.outcome.failures.push_back(
                    {to_string(options_.services[i]), "no answer in time"});
            }
        }
    }
    return std::move(waiting.outcome);
}

void OriginPublisher::wait(std::unique_lock<std::mutex>& lock, Waiting& waiting,
                           TimePoint deadline) const {
    const auto is_decided = [&] { return waiting.is_decided; };
    for (auto pause = kSlow; Clock::now() + pause < deadline; pause *= 2) {
        if (waiting.decided.wait_for(lock, pause, is_decided)) {
            return;
        }
        if (options_.on_slow) {
            lock.unlock();
            options_.on_slow();
            lock.lock();
        }
    }
    waiting.decided.wait_until(lock, deadline, is_decided);
}

void OriginPublisher::run() {
    std::vector<short> revents(links_.size());
    while (take_submissions()) {
        const TimePoint now = Clock::now();
        for (std::size_t i = 0; i < links_.size(); ++i) {
            links_[i]->advance(std::exchange(revents[i], short{0}), now);
            for (const PendingRequests::Answer& answer : links_[i]->take_answers()) {
                settle(i, answer);
            }
        }
        wait_for_events(revents);
    }
}

void OriginPublisher::wait_for_events(std::vector<short>& revents) const {
    std::vector<pollfd> polled{{wake_fd_, POLLIN, 0}};
    std::optional<TimePoint> until;
    for (const auto& link : links_) {
        polled.push_back({link->descriptor(), link->events(), 0});
        const auto wake_at = link->wake_at();
        if (wake_at && (!until || *wake_at < *until)) {
            until = wake_at;
        }
    }
    if (poll(polled.data(), polled.size(), until ? poll_timeout(*until) : -1) <= 0) {
        return;
    }
    for (std::size_t i = 0; i < revents.size(); ++i) {
        revents[i] = polled[i + 1].revents;
    }
    if (polled[0].revents != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t taken = ::read(wake_fd_, &count, sizeof(count));
    }
}

void OriginPublisher::wake() const {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

bool OriginPublisher::take_submissions() {
    std::vector<Submission> submissions;
    {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) {
            return false;
        }
        submissions.swap(submissions_);
    }
    for (const Submission& submission : submissions) {
        for (const auto& link : links_) {
            link->add(submission.id, submission.frame, submission.deadline);
        }
    }
    return true;
}

void OriginPublisher::settle(std::size_t service, const PendingRequests::Answer& answer) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.id);
    if (found == waiting_.end()) {
        return;
    }
    Waiting& waiting = *found->second;
    if (waiting.has_answered[service]) {
        return;
    }
    waiting.has_answered[service] = true;
    if (answer.is_stored) {
        ++waiting.outcome.stored_count;
    } else {
        waiting.outcome.failures.push_back({to_string(options_.services[service]), answer.reason});
    }
    decide(waiting);
}

void OriginPublisher::decide(Waiting& waiting) const {
    const bool is_any = options_.policy == PublishPolicy::any;
    const PublishOutcome& outcome = waiting.outcome;
    const std::size_t needed = is_any ? 1 : links_.size();
    const std::size_t possible = links_.size() - outcome.failures.size();
    if (waiting.is_decided || (outcome.stored_count < needed && possible >= needed)) {
        return;
    }
    waiting.outcome.is_stored = outcome.stored_count >= needed;
    waiting.is_decided = true;
    waiting.decided.notify_one();
}

}  // namespace millrace::milter
