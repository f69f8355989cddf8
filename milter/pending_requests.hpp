// The publish requests that wait for one origin service: what is still to be sent, what awaits its
// response, and what became of each.
//
// Every request that was added comes out of take_answers() exactly once. A request is sent again
// when the connection that carried it is lost, because a balancer that restarted closed it without
// having read the request. Sending twice is harmless: a record replaces its like. Pure; the number
// of requests is bounded by kCountMax. Not thread-safe.
#pragma once

#include "proto/rpc.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::milter {

class PendingRequests {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    static constexpr std::size_t kCountMax = 4096;
    static constexpr std::string_view kTimedOut = "no answer in time";

    struct Answer {
        std::uint64_t id = 0;
        bool is_stored = false;
        std::string reason;  // when not stored
    };

    // REQUIRES: id is larger than every id added before.
    void add(std::uint64_t id, std::string frame, TimePoint deadline);

    // The frames to send on the connection that is open now, in order; each is given once.
    [[nodiscard]] std::string take_unsent(TimePoint now);

    // A response to a request that is not (or no longer) waiting is ignored.
    void respond(const PublishResponse& response);
    // What was sent and not answered is to be sent again.
    void lose_connection();
    // What was sent more than once has failed: the service drops every connection.
    void fail_repeated(std::string_view reason);
    void fail_all(std::string_view reason);
    // Fails what has passed its deadline; `unsent_reason` is why there was no connection. The
    // earliest time at which one of them was sent, so that the caller can tell a dead connection
    // from a slow service.
    std::optional<TimePoint> expire(TimePoint now, std::string_view unsent_reason);

    [[nodiscard]] std::vector<Answer> take_answers();

    [[nodiscard]] bool is_empty() const { return requests_.empty(); }

    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

 private:
    struct Request {
        std::string frame;
        TimePoint deadline;
        TimePoint sent_at;
        int sends = 0;
        bool is_sent = false;
    };

    std::map<std::uint64_t, Request> requests_;
    std::vector<Answer> answers_;
};

}  // namespace millrace::milter
