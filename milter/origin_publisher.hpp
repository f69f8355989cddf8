// Publishes origin records to every configured origin service at the same time and waits for their
// acknowledgement, never longer than the deadline (R10).
//
// libmilter serves SMTP sessions on many threads, so publish() is called by several at once. One
// thread of the publisher's own carries all connections (one to each service, requests matched to
// responses by id): a service that hangs delays only the answers that nobody but it can give, and
// with `any` the services that are slower than the first still get the record.
//
// The one shared object of the milter; the mutex guards what is declared below it, the connections
// belong to the thread. publish() returns kGrace after its deadline even if that thread were stuck.
#pragma once

#include "milter/origin_link.hpp"
#include "proto/origin.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/tls.hpp"
#include "proto/runtime/units.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace millrace::milter {

enum class PublishPolicy {
    any,  // one acknowledgement is enough
    all,  // every service must acknowledge
};

struct PublisherOptions {
    std::vector<ListenAddress> services;
    PublishPolicy policy = PublishPolicy::any;
    Duration timeout{2000};
    // Called by a thread that has waited kSlow in publish(), and after twice as long each time.
    std::function<void()> on_slow;
    std::optional<TlsFiles> tls = std::nullopt;  // for services on TCP
    std::string tls_name = {};                   // see LinkTls
};

struct PublishOutcome {
    struct Failure {
        std::string service;
        std::string reason;
    };

    bool is_stored = false;  // as the policy demands
    std::size_t stored_count = 0;
    std::vector<Failure> failures;  // known when the outcome was
};

class OriginPublisher {
 public:
    // The links fail a request at its deadline and say why; this is how long that may take.
    static constexpr std::chrono::milliseconds kGrace{50};
    static constexpr std::chrono::milliseconds kSlow{5};

    // Throws ConfigError for files that cannot be used, std::system_error when the thread cannot
    // be started.
    explicit OriginPublisher(PublisherOptions options);
    OriginPublisher(const OriginPublisher&) = delete;
    OriginPublisher& operator=(const OriginPublisher&) = delete;
    OriginPublisher(OriginPublisher&&) = delete;
    OriginPublisher& operator=(OriginPublisher&&) = delete;
    // REQUIRES: no thread is in publish().
    ~OriginPublisher();

    [[nodiscard]] PublishOutcome publish(const OriginRecord& record);

 private:
    using TimePoint = OriginLink::TimePoint;

    struct Submission {
        std::uint64_t id;
        std::string frame;
        TimePoint deadline;
    };

    // A call of publish() that waits.
    struct Waiting {
        PublishOutcome outcome;
        std::vector<bool> has_answered;  // by service
        bool is_decided = false;
        std::condition_variable decided;
    };

    void wait(std::unique_lock<std::mutex>& lock, Waiting& waiting, TimePoint deadline) const;
    void run();
    void wait_for_events(std::vector<short>& revents) const;
    void wake() const;
    [[nodiscard]] bool take_submissions();
    void settle(std::size_t service, const PendingRequests::Answer& answer);
    void decide(Waiting& waiting) const;

    PublisherOptions options_;
    std::vector<std::unique_ptr<OriginLink>> links_;  // the thread's own
    int wake_fd_;

    std::mutex mutex_;
    std::uint64_t last_id_ = 0;
    bool is_stopping_ = false;
    std::vector<Submission> submissions_;
    std::map<std::uint64_t, Waiting*> waiting_;

    std::thread thread_;
};

}  // namespace millrace::milter
