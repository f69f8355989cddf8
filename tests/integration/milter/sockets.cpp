#include "tests/integration/milter/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace::test {
namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

template <typename Native>
Address pack(const Native& native) {
    Address address;
    std::memcpy(&address.storage, &native, sizeof(native));
    address.length = sizeof(native);
    return address;
}

Address to_native(const UnixPath& path) {
    sockaddr_un native{};
    native.sun_family = AF_UNIX;
    path.path.copy(&native.sun_path[0], sizeof(native.sun_path) - 1);
    return pack(native);
}

Address to_native(const Endpoint& endpoint) {
    if (endpoint.address.is_v4()) {
        sockaddr_in native{};
        native.sin_family = AF_INET;
        native.sin_port = htons(endpoint.port);
        native.sin_addr.s_addr = htonl(endpoint.address.to_v4().to_uint());
        return pack(native);
    }
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(endpoint.port);
    const auto octets = endpoint.address.to_v6().to_bytes();
    std::memcpy(&native.sin6_addr, octets.data(), octets.size());
    return pack(native);
}

Address to_native(const ListenAddress& address) {
    return std::visit([](const auto& one) { return to_native(one); }, address);
}

int require(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

bool is_readable(int descriptor, std::chrono::milliseconds patience) {
    pollfd polled{descriptor, POLLIN, 0};
    return poll(&polled, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(tls_, other.tls_);
    return *this;
}

Socket Socket::listen_on(const ListenAddress& address) {
    Address native = to_native(address);
    Socket socket(
        require(::socket(native.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    if (const auto* unix_path = std::get_if<UnixPath>(&address)) {
        ::unlink(unix_path->path.c_str());
    } else {
        const int on = 1;
        setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    require(::bind(socket.descriptor_, native.generic(), native.length), "bind");
    require(::listen(socket.descriptor_, SOMAXCONN), "listen");
    return socket;
}

Socket Socket::connect_to(const ListenAddress& address) {
    Address native = to_native(address);
    Socket socket(
        require(::socket(native.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    require(::connect(socket.descriptor_, native.generic(), native.length), "connect");
    return socket;
}

Socket Socket::accept() const {
    return Socket(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

bool Socket::secure(const TlsContext& context) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as to a file
    tls_ = {SSL_new(context.get()), SSL_free};
    return SSL_set_fd(tls_.get(), descriptor_) == 1 && SSL_accept(tls_.get()) == 1;
}

Endpoint Socket::local_endpoint() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    require(getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &length), "name");
    if (storage.ss_family == AF_INET) {
        sockaddr_in native{};
        std::memcpy(&native, &storage, sizeof(native));
        return {boost::asio::ip::address_v4{ntohl(native.sin_addr.s_addr)}, ntohs(native.sin_port)};
    }
    sockaddr_in6 native{};
    std::memcpy(&native, &storage, sizeof(native));
    return {boost::asio::ip::address_v6::loopback(), ntohs(native.sin6_port)};
}

bool Socket::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t count =
            tls_ != nullptr ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                            : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::optional<std::string> Socket::receive(std::size_t length,
                                           std::chrono::milliseconds patience) const {
    std::string bytes;
    std::array<char, 4096> buffer{};
    while (bytes.size() < length) {
        const bool is_here = tls_ != nullptr && SSL_pending(tls_.get()) > 0;
        if (!is_here && !is_readable(descriptor_, patience)) {
            return std::nullopt;
        }
        const std::size_t room = std::min(buffer.size(), length - bytes.size());
        const ssize_t count = tls_ != nullptr
                                  ? SSL_read(tls_.get(), buffer.data(), static_cast<int>(room))
                                  : ::recv(descriptor_, buffer.data(), room, 0);
        if (count <= 0) {
            return std::nullopt;
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return bytes;
}

std::optional<std::string> Socket::receive_some() const {
    std::array<char, 16384> buffer{};
    const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count > 0 ? std::optional{std::string(buffer.data(), static_cast<std::size_t>(count))}
                     : std::nullopt;
}

bool Socket::is_closed_by_peer(std::chrono::milliseconds patience) const {
    char octet = 0;
    return is_readable(descriptor_, patience) && ::recv(descriptor_, &octet, 1, 0) <= 0;
}

void Socket::shut_down() const {
    ::shutdown(descriptor_, SHUT_RDWR);
}

void Socket::reset() {
    const linger at_once{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close();
}

void Socket::close() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
    descriptor_ = -1;
}

PrivateDirectory::PrivateDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "millrace-test-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    }
    path_ = pattern;
}

PrivateDirectory::~PrivateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Endpoint free_endpoint(const std::string& address) {
    return Socket::listen_on(Endpoint{*parse_address(address), 0}).local_endpoint();
}

}  // namespace millrace::test
