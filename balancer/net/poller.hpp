// Which of many sockets can be read or written: one epoll set (epoll(7)), and the loop that waits
// on it.
//
// Asio keeps some 800 octets for each descriptor for ever, and makes a system call for each wait.
// Here a descriptor is registered once and reported for as long as it is ready for what its owner
// wants; a message costs a handful of such calls, an idle session none and no memory to speak of.
// Asio, whose loop serves all that is rare, is one of those who wait in the set (docs/adr/0018).
// Use from the event loop, but for executor().
#pragma once

#include "balancer/net/descriptor.hpp"
#include "balancer/net/unsent_octets.hpp"
#include "balancer/net/wake_up.hpp"
#include "proto/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

struct epoll_event;

namespace millrace::net {

struct Interest {
    bool read = false;
    bool write = false;

    friend bool operator==(const Interest&, const Interest&) = default;
};

// A connection that has failed or is closed in both directions is ready for everything, whatever
// its owner wants; trying tells why.
struct Ready {
    bool read = false;
    bool write = false;
    bool has_failed = false;
};

// Who is told. An object and a number of its own choice instead of a function object: a report
// comes with every read of every session.
class ReadinessListener {
 public:
    ReadinessListener() = default;
    ReadinessListener(const ReadinessListener&) = delete;
    ReadinessListener& operator=(const ReadinessListener&) = delete;
    virtual ~ReadinessListener() = default;

    // May do anything.
    virtual void is_ready(std::uint64_t key, Ready ready) = 0;
};

class Poller {
 public:
    struct Handler {
        ReadinessListener* listener = nullptr;  // none: nobody wants to know
        std::uint64_t key = 0;
    };

    // Throws boost::system::system_error when the system has no descriptor left for it.
    explicit Poller(boost::asio::io_context& context);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() = default;

    // The event loop, until the context is stopped; from a handler, or by who posts to executor().
    void run();
    // One turn of it, without a wait.
    void poll();

    // For other threads: what they post to the context itself is found only with what comes next.
    [[nodiscard]] boost::asio::any_io_executor executor() const {
        return WakingExecutor(context_.get_executor(), wake_up_);
    }

    // Reports `descriptor` to `handler` from a turn of the loop. Nothing is reported when this
    // fails. REQUIRES: the listener outlives it or removes it.
    [[nodiscard]] Result<void> add(int descriptor, Interest interest, Handler handler);
    // REQUIRES: added.
    [[nodiscard]] Result<void> change(int descriptor, Interest interest);
    void set_handler(int descriptor, Handler handler);
    // Calls it once all that is ready now was reported, in the same turn or the next.
    void defer(std::function<void()> action);
    // Its last report was the last. REQUIRES: added, and it is closed before the loop's next turn.
    void remove(int descriptor);

    // For the streams that are reported from here.
    [[nodiscard]] SpareUnsentOctets& spare_unsent() { return spare_unsent_; }

 private:
    struct Entry {
        Handler handler;
        std::uint32_t generation = 0;
    };

    void turn(int timeout);
    void report(std::span<const epoll_event> events);
    void act();
    void make_room(int descriptor);
    [[nodiscard]] Result<void> control(int operation, int descriptor, std::uint32_t events);

    boost::asio::io_context& context_;
    // Without work Asio would end at its first turn.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
    Descriptor set_;
    WakeUp wake_up_;
    std::vector<Entry> entries_;  // by descriptor
    bool is_reporting_ = false;
    std::vector<std::function<void()>> deferred_;
    std::vector<std::function<void()>> acting_;  // of those, while they are called
    SpareUnsentOctets spare_unsent_;
};

}  // namespace millrace::net
