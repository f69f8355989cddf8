#include "balancer/net/name_resolver.hpp"

#include "balancer/pool/address_choice.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace millrace::net {

using pool::Milliseconds;

namespace {

constexpr Milliseconds kFirstRetry = std::chrono::seconds(1);

pool::Backoff until_first_answer(Milliseconds interval) {
    return {std::min(kFirstRetry, interval), interval};
}

LogLine name_line(const PoolDriver& driver, pool::NodeIndex node, std::string_view event) {
    const pool::NodeOptions& options = *driver.pool().node(node);
    LogLine line(driver.pool().options().name + '/' + options.name, event);
    line.add("host", options.host);
    line.add("address", has_address(options) ? to_string(options.endpoint) : "none");
    return line;
}

}  // namespace

NameResolver::Name::Name(boost::asio::io_context& context, Milliseconds resolve_interval)
    : interval(resolve_interval),
      first_answer(until_first_answer(resolve_interval)),
      timer(context) {}

void NameResolver::Name::shorten(Milliseconds resolve_interval) {
    interval = std::min(interval, resolve_interval);
    first_answer = until_first_answer(interval);
}

NameResolver::NameResolver(boost::asio::io_context& context, boost::asio::any_io_executor executor,
                           LookUp look_up)
    : context_(context),
      executor_(std::move(executor)),
      look_up_(std::move(look_up)),
      rng_(std::random_device{}()) {}

void NameResolver::add(PoolDriver& pool) {
    const pool::PoolOptions& options = pool.pool().options();
    for (pool::NodeIndex node = 0; node < options.nodes.size(); ++node) {
        const std::string& host = options.nodes[node].host;
        if (host.empty()) {
            continue;
        }
        Name& name = names_.try_emplace(host, context_, options.resolve_interval).first->second;
        name.shorten(options.resolve_interval);
        name.nodes.push_back({&pool, node});
    }
}

void NameResolver::start() {
    if (names_.empty()) {
        return;
    }
    thread_.emplace(executor_, look_up_, [this](const std::string& host, const NameAnswer& answer) {
        take(*names_.find(host), answer);
    });
    for (const auto& [host, name] : names_) {
        thread_->ask(host);
    }
}

void NameResolver::take(Entry& entry, const NameAnswer& answer) {
    const std::optional<Address> address =
        pool::choose_address(answer.addresses, entry.second.address);
    if (address) {
        resolved(entry, *address);
    } else {
        unresolved(entry, answer.error.empty() ? "no address that can be used" : answer.error);
    }
    ask_later(entry);
}

void NameResolver::resolved(Entry& entry, const Address& address) {
    auto& [host, name] = entry;
    name.address = address;
    for (const NamedNode& node : name.nodes) {
        const std::uint16_t port = node.pool->pool().node(node.node)->endpoint.port;
        node.pool->set_endpoint(node.node, Endpoint{address, port});
        if (name.is_failing) {
            log(LogLevel::info, name_line(*node.pool, node.node, "name resolved").text());
        }
    }
    name.is_failing = false;
}

void NameResolver::unresolved(Entry& entry, std::string_view reason) {
    auto& [host, name] = entry;
    for (const NamedNode& node : name.nodes) {
        node.pool->set_unresolved(node.node, reason);
        if (!name.is_failing) {
            LogLine line = name_line(*node.pool, node.node, "name not resolved");
            log(LogLevel::warning, line.add("reason", reason).text());
        }
    }
    name.is_failing = true;
}

void NameResolver::ask_later(Entry& entry) {
    Name& name = entry.second;
    name.timer.expires_after(name.address.is_unspecified() ? name.first_answer.next(rng_)
                                                           : pool::jittered(name.interval, rng_));
    name.timer.async_wait([this, &host = entry.first](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            thread_->ask(host);
        }
    });
}

}  // namespace millrace::net
