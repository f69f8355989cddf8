#include "balancer/net/asio_set.hpp"

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/execution_context.hpp>

namespace millrace::net {

namespace {

using Reactor = boost::asio::detail::epoll_reactor;

int set_of(const Reactor& reactor);

// Asio has no public name for it. An explicit instantiation may name a private member
// ([temp.spec.general]/6); an Asio without this one does not compile (docs/adr/0018).
template <int Reactor::*set>
struct PrivateSet {
    friend int set_of(const Reactor& reactor) { return reactor.*set; }
};

template struct PrivateSet<&Reactor::epoll_fd_>;

}  // namespace

int asio_set(boost::asio::io_context& context) {
    boost::asio::execution_context& services = context;
    auto& reactor = boost::asio::use_service<Reactor>(services);
    reactor.init_task();  // else nobody looks into the set before there is a socket or a timer
    return set_of(reactor);
}

}  // namespace millrace::net
