#include "balancer/service/stream_acceptor.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <variant>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace millrace::service {
namespace {

[[noreturn]] void refuse(const ListenAddress& address, int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(),
                            "listen on " + to_string(address) + ": " + what);
}

enum class PathState { free, stale, in_use, no_socket };

PathState look_at(const asio::any_io_executor& executor, const std::string& path) {
    struct stat status {};

    if (::lstat(path.c_str(), &status) != 0) {
        return PathState::free;  // or out of reach, which bind will say
    }
    if (!S_ISSOCK(status.st_mode)) {
        return PathState::no_socket;
    }
    asio::local::stream_protocol::socket probe(executor);
    error_code error;
    probe.connect(asio::local::stream_protocol::endpoint(path), error);
    // A full backlog or a lack of permission still means that somebody may be there.
    return error == asio::error::connection_refused ? PathState::stale : PathState::in_use;
}

}  // namespace

StreamAcceptor::StreamAcceptor(const asio::any_io_executor& executor, const ListenAddress& address,
                               mode_t unix_mode)
    : acceptor_(executor) {
    try {
        if (const auto* path = std::get_if<UnixPath>(&address)) {
            listen_on_path(path->path, unix_mode);
        } else {
            listen_on_endpoint(std::get<Endpoint>(address));
        }
    } catch (const boost::system::system_error& error) {
        close();
        refuse(address, error.code().value(), "cannot bind");
    } catch (...) {
        close();
        throw;
    }
}

StreamAcceptor::~StreamAcceptor() {
    close();
}

std::uint16_t StreamAcceptor::port() const {
    error_code error;
    const auto endpoint = acceptor_.local_endpoint(error);
    if (error || endpoint.protocol().family() == AF_UNIX) {
        return 0;
    }
    asio::ip::tcp::endpoint local;
    local.resize(endpoint.size());
    std::memcpy(local.data(), endpoint.data(), endpoint.size());
    return local.port();
}

void StreamAcceptor::listen_on_path(const std::string& path, mode_t mode) {
    const ListenAddress address = UnixPath{path};
    switch (look_at(acceptor_.get_executor(), path)) {
        case PathState::in_use:
            refuse(address, EADDRINUSE, "somebody listens there");
        case PathState::no_socket:
            refuse(address, EEXIST, "the file is no socket");
        case PathState::stale:
            ::unlink(path.c_str());
            break;
        case PathState::free:
            break;
    }
    const asio::local::stream_protocol::endpoint endpoint(path);
    acceptor_.open(asio::generic::stream_protocol(endpoint.protocol()));
    // Linux gives the file the mode of the socket, less the umask: never wider than asked, from
    // its first moment. The chmod undoes what the umask took away.
    ::fchmod(acceptor_.native_handle(), mode);
    acceptor_.bind(endpoint);

    struct stat status {};

    if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &status) != 0) {
        refuse(address, errno, "cannot set its mode");
    }
    path_ = path;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    acceptor_.listen();
}

void StreamAcceptor::listen_on_endpoint(const Endpoint& endpoint) {
    const asio::ip::tcp::endpoint local(endpoint.address, endpoint.port);
    acceptor_.open(asio::generic::stream_protocol(local.protocol()));
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    if (endpoint.address.is_v6()) {
        // [::] must not take IPv4 as well: the operator named what is wanted.
        acceptor_.set_option(asio::ip::v6_only(true));
    }
    acceptor_.bind(local);
    acceptor_.listen();
}

void StreamAcceptor::close() {
    error_code ignored;
    acceptor_.close(ignored);

    struct stat status {};

    if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
    path_.clear();
}

}  // namespace millrace::service
