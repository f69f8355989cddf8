// Which of many sockets can be read or written: one epoll set behind one descriptor of the event
// loop (epoll(7)).
//
// Asio keeps some 800 octets for each descriptor for ever, and makes a system call for each wait.
// Here a descriptor is registered once and reported for as long as it is ready for what its owner
// wants; a message costs a handful of such calls, an idle session none and no memory to speak of.
// Use from the event loop.
#pragma once

#include "balancer/net/unsent_octets.hpp"
#include "proto/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

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

    // Reports `descriptor` to `handler` from a turn of the loop. Nothing is reported when this
    // fails. REQUIRES: the listener outlives it or removes it.
    [[nodiscard]] Result<void> add(int descriptor, Interest interest, Handler handler);
    // REQUIRES: added.
    [[nodiscard]] Result<void> change(int descriptor, Interest interest);
    void set_handler(int descriptor, Handler handler);
    // Calls it once all that is ready now was reported.
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

    void wait();
    void report();
    void report_ready();
    void act();
    [[nodiscard]] Result<void> control(int operation, int descriptor, Interest interest);

    boost::asio::io_context& context_;
    boost::asio::posix::stream_descriptor set_;
    std::vector<Entry> entries_;  // by descriptor
    bool is_reporting_ = false;
    std::vector<std::function<void()>> deferred_;
    std::vector<std::function<void()>> acting_;  // of those, while they are called
    SpareUnsentOctets spare_unsent_;
};

}  // namespace millrace::net
