#include "balancer/net/memory_trim.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>

#include <malloc.h>

namespace millrace::net {

namespace {

constexpr std::size_t kMany = 8;  // sessions; what fewer leave behind stays for the next ones
constexpr std::chrono::milliseconds kPause{500};

constexpr int kMegabyte = 1 << 20;

}  // namespace

void keep_memory_between_messages() {
    // Above this a piece of memory is the system's own affair.
    ::mallopt(M_MMAP_THRESHOLD, 2 * kMegabyte);
    ::mallopt(M_TRIM_THRESHOLD, 4 * kMegabyte);
}

void MemoryTrim::sessions_changed(std::size_t count) {
    count_ = count;
    most_ = std::max(most_, count);
    if (is_due_ || most_ < kMany || count > most_ / 2) {
        return;
    }
    is_due_ = true;
    timer_.expires_after(kPause);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            trim();
        }
    });
}

void MemoryTrim::trim() {
    is_due_ = false;
    most_ = count_;
    ::malloc_trim(0);
}

}  // namespace millrace::net
