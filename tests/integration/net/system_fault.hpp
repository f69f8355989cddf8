// The n-th system call that an event loop makes on sockets fails, or does less than it could.
//
// The test program's own socket(2), connect(2), accept4(2), recv(2), sendmsg(2), send(2) and
// epoll_ctl(2) stand in for the system's; calls of other threads pass. One fault at a time.
#pragma once

#include "proto/endpoint.hpp"
#include "tests/integration/net/shell.hpp"

#include <cstddef>
#include <optional>

#include <sys/types.h>

namespace millrace::test {

// One octet is moved, though there are more.
inline constexpr int kShort = -1;

class SystemFault {
 public:
    // Of the calls that the loop of `shell` makes from now on, the n-th (from 0) has this fault: an
    // errno, or kShort. A call that knows no such fault succeeds.
    SystemFault(Shell& shell, std::size_t n, int fault);
    SystemFault(const SystemFault&) = delete;
    SystemFault& operator=(const SystemFault&) = delete;
    ~SystemFault();

    // Whether there was an n-th call.
    [[nodiscard]] bool is_reached() const;
    // Whether it could fail in that way, and did.
    [[nodiscard]] bool has_struck() const;
    // On a connection of `endpoint`'s, or on what listens there.
    [[nodiscard]] bool has_struck_at(const Endpoint& endpoint) const;
};

// The errno or kShort that a send on this descriptor meets; nothing: none.
[[nodiscard]] std::optional<int> next_send_fault(int descriptor);

}  // namespace millrace::test
