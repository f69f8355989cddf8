// Says once per address and minute who was turned away by a listener, and why: an attacker must not
// fill the log.
//
// Use from the event loop.
#pragma once

#include "proto/endpoint.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace millrace::net {

class RefusalLog {
 public:
    static constexpr std::chrono::minutes kLogAgain{1};

    explicit RefusalLog(std::string listener) : listener_(std::move(listener)) {}

    void note(const Address& peer, std::string_view reason);

 private:
    std::string listener_;
    std::map<Address, std::chrono::steady_clock::time_point> noted_;  // when last logged
};

}  // namespace millrace::net
