// Gives memory back to the system when many sessions have ended.
//
// The allocator keeps what was freed, and the memory of a session lies between that of others: ten
// thousand sessions that were there once would be paid for until the next restart. When the
// sessions have fallen to half of what they were, and they were many, the free pages are given
// back: half a second later, so that a crowd that leaves costs a few calls and not one for each
// session. From the event loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>

namespace millrace::net {

// Memory of a message goes back to the allocator and not to the system, up to some megabytes: the
// next message would get each page again from the kernel, cleared. Call once, early.
void keep_memory_between_messages();

class MemoryTrim {
 public:
    explicit MemoryTrim(boost::asio::io_context& context) : timer_(context) {}

    // After every change of their number.
    void sessions_changed(std::size_t count);

 private:
    void trim();

    boost::asio::steady_timer timer_;
    std::size_t count_ = 0;
    std::size_t most_ = 0;  // since memory was last given back
    bool is_due_ = false;
};

}  // namespace millrace::net
