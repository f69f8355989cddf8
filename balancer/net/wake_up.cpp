#include "balancer/net/wake_up.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>

#include <sys/eventfd.h>

namespace millrace::net {

namespace {

int new_event() {
    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) {
        throw boost::system::system_error(errno, boost::system::system_category(), "eventfd");
    }
    return event;
}

}  // namespace

WakeUp::WakeUp() : event_(new_event()) {}

void WakeUp::ring() const {
    static_cast<void>(::eventfd_write(event_.number(), 1));  // fails if it has rung 2^64 - 1 times
}

}  // namespace millrace::net
