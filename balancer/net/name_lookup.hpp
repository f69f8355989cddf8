// What a host name stands for, asked without making the event loop wait: the system's resolver
// blocks, so it is called on a thread of its own, one name after the other.
//
// The system answers from its own sources (/etc/hosts, DNS, what nsswitch.conf names) and tells no
// time to live.
#pragma once

#include "proto/endpoint.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace millrace::net {

struct NameAnswer {
    std::vector<Address> addresses;  // in the resolver's order, empty after a failure
    std::string error;               // what went wrong, for people
};

// May block for long. Called from one thread, never for two names at a time.
using LookUp = std::function<NameAnswer(const std::string& host)>;

// getaddrinfo(3), for addresses of the families that this host has.
[[nodiscard]] NameAnswer look_up_with_system(const std::string& host);

class LookupThread {
 public:
    using Answered = std::function<void(const std::string& host, const NameAnswer& answer)>;

    // `answered` is called from `executor`, which is to be that of the loop that owns this.
    LookupThread(boost::asio::any_io_executor executor, LookUp look_up, Answered answered);
    LookupThread(const LookupThread&) = delete;
    LookupThread& operator=(const LookupThread&) = delete;
    // Nothing is answered any more. A lookup under way cannot be ended and may take many seconds:
    // the thread is then left to itself and ends behind it. It owns all that it touches, and it
    // touches neither the executor nor `answered` again.
    ~LookupThread();

    // REQUIRES: the last question for this name is answered; so no more wait than there are names.
    void ask(std::string host);

 private:
    struct Shared;

    static void run(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace millrace::net
