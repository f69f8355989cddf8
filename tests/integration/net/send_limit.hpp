// How much the kernel takes of what is sent to one peer, decided by the test: a write that stops at
// exactly the wanted octet, which small buffers only make likely.
//
// The test program's own sendmsg(2) and send(2) stand in for the system's. One limit at a time.
#pragma once

#include "proto/endpoint.hpp"

#include <cstddef>

namespace millrace::test {

class SendLimit {
 public:
    // Of what is sent to `receiver`, so many octets are taken, and then none.
    SendLimit(const Endpoint& receiver, std::size_t octets);
    SendLimit(const SendLimit&) = delete;
    SendLimit& operator=(const SendLimit&) = delete;

    ~SendLimit() { lift(); }

    // Whether something was not taken; false when that does not come about.
    [[nodiscard]] static bool is_reached();
    // From now on everything is taken.
    static void lift();
};

}  // namespace millrace::test
