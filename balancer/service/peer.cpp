#include "balancer/service/peer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

namespace millrace::service {
namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

Result<Peer> peer_process(int descriptor) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return last_error();
    }
    PeerCredentials peer;
    peer.user = credentials.uid;
    // The kernel says how much room it wants when there is too little.
    socklen_t octets = 0;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, nullptr, &octets) != 0 &&
        errno == ERANGE) {
        peer.groups.resize(octets / sizeof(gid_t));
        if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &octets) != 0) {
            return last_error();
        }
    }
    peer.groups.push_back(credentials.gid);
    return Peer(std::move(peer));
}

template <typename SocketAddress>
SocketAddress copy_address(const asio::generic::stream_protocol::endpoint& endpoint) {
    SocketAddress address{};
    std::memcpy(&address, endpoint.data(), std::min(sizeof address, endpoint.size()));
    return address;
}

Endpoint peer_address(const asio::generic::stream_protocol::endpoint& endpoint) {
    if (endpoint.protocol().family() == AF_INET) {
        const auto address = copy_address<sockaddr_in>(endpoint);
        return {asio::ip::address_v4(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
    }
    const auto address = copy_address<sockaddr_in6>(endpoint);
    asio::ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    return {unmapped(asio::ip::address_v6(bytes)), ntohs(address.sin6_port)};
}

// Fits any entry of a sane directory; one that does not fit is as good as absent.
constexpr std::size_t kEntryLengthMax = 65536;

}  // namespace

Result<Peer> peer_of(Socket& socket) {
    error_code error;
    const auto local = socket.local_endpoint(error);
    if (error) {
        return error;
    }
    if (local.protocol().family() == AF_UNIX) {
        return peer_process(socket.native_handle());
    }
    const auto remote = socket.remote_endpoint(error);
    if (error) {
        return error;
    }
    return Peer(peer_address(remote));
}

std::optional<uid_t> find_user(const std::string& name) {
    std::vector<char> buffer(kEntryLengthMax);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr) {
        return std::nullopt;
    }
    return found->pw_uid;
}

std::optional<gid_t> find_group(const std::string& name) {
    std::vector<char> buffer(kEntryLengthMax);
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr) {
        return std::nullopt;
    }
    return found->gr_gid;
}

}  // namespace millrace::service
