#include "tests/integration/net/segments.hpp"

#include <stdexcept>

#include <linux/tcp.h>  // knows more than <netinet/tcp.h>, and cannot be included beside it
#include <netinet/in.h>
#include <sys/socket.h>

namespace millrace::test {

unsigned segments_received(int descriptor) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) {
        throw std::runtime_error("TCP_INFO");
    }
    return info.tcpi_segs_in;
}

}  // namespace millrace::test
