#include "balancer/config/listener_config.hpp"

#include "balancer/config/route_line.hpp"
#include "balancer/config/section.hpp"
#include "balancer/config/values.hpp"
#include "balancer/origin/resolution.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

namespace millrace::config {
namespace {

constexpr std::size_t kSessionsMax = 1'000'000;

std::string system_host_name(const Section& section) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) {
        if (const auto usable = parse_host_name(name.data())) {
            return *usable;
        }
    }
    section.refuse_missing("hostname");
}

session::SessionLimits read_limits(const Section& section) {
    constexpr std::size_t kRecipientsMax = 100'000;
    constexpr unsigned kErrorsMax = 10'000;
    constexpr std::uint64_t kMessagesMax = 1'000'000'000;
    session::SessionLimits limits;
    limits.recipients = section.read("max-recipients", number_in<std::size_t>(1, kRecipientsMax));
    limits.errors = section.read("max-errors", number_in<unsigned>(1, kErrorsMax));
    limits.messages = section.read("max-messages", number_in<std::uint64_t>(1, kMessagesMax));
    limits.idle = section.read("idle-timeout", parse_time);
    limits.duration = section.read("max-session-time", parse_time);
    return limits;
}

session::SessionOptions read_session(const ConfigValues& values, const Section& section) {
    using session::Mode;
    session::SessionOptions options;
    options.listener = section.name();
    const auto hostname = section.read_optional("hostname", parse_host_name);
    options.hostname = hostname ? *hostname : system_host_name(section);
    options.mode = section.read("mode", one_of<Mode>({{"smtp", Mode::smtp}, {"lmtp", Mode::lmtp}}));
    options.offered = section.read("offer", parse_offer);
    options.message_size_limit = section.read("message-size-limit", parse_octets);
    options.reject_bare_newline =
        section.read("forbid-bare-newline", one_of<bool>({{"reject", true}, {"off", false}}));
    options.limits = read_limits(section);
    const Section origin(values, "origin");
    options.origin_order = origin.read("order", origin::parse_order);
    options.tempfail_unknown_origin =
        origin.read("on-missing", one_of<bool>({{"pass", false}, {"tempfail", true}}));
    return options;
}

std::vector<Network> read_networks(const Section& section, std::string_view key) {
    std::vector<Network> all;
    for (const auto& networks : section.read_all(key, parse_networks)) {
        all.insert(all.end(), networks.begin(), networks.end());
    }
    return all;
}

std::optional<session::ProxyAcceptance> read_accept_proxy(const Section& section) {
    session::ProxyAcceptance accepted;
    accepted.trusted_networks = read_networks(section, "proxy-trusted-networks");
    accepted.timeout = section.read("proxy-timeout", parse_time);
    if (!section.read("accept-proxy", one_of<bool>({{"on", true}, {"off", false}}))) {
        return std::nullopt;
    }
    if (accepted.trusted_networks.empty()) {
        section.refuse_missing("proxy-trusted-networks");
    }
    return accepted;
}

session::Routes read_routes(const Section& section, const PoolNames& pools) {
    const auto index_of = [&](const std::string& name) -> std::optional<session::PoolIndex> {
        const auto found = std::find(pools.begin(), pools.end(), name);
        return found == pools.end() ? std::nullopt : std::optional(found - pools.begin());
    };
    constexpr std::string_view kExpected =
        "the name of a pool, for which there is a section [pool.NAME]";
    session::Routes routes;
    const auto own = index_of(section.read("pool", parse_any_text));
    if (!own) {
        section.refuse("pool", kExpected);
    }
    routes.default_pool = *own;
    for (const ConfigValue& line : section.texts("use-pool")) {
        auto parsed = parse_route(line.text);
        if (const auto* fault = std::get_if<RouteFault>(&parsed)) {
            refuse_value(section.full_key("use-pool"), line, fault->expected);
        }
        auto& rule = std::get<RouteLine>(parsed);
        const std::optional<session::PoolIndex> pool = index_of(rule.pool);
        if (!pool) {
            refuse_value(section.full_key("use-pool"), line, kExpected);
        }
        rule.route.pool = *pool;
        routes.rules.push_back(std::move(rule.route));
    }
    return routes;
}

}  // namespace

ListenerConfig read_listener(const ConfigValues& values, const std::string& name,
                             const PoolNames& pools) {
    const Section section(values, "listener.*", name);
    ListenerConfig config;
    config.name = name;
    config.binds = section.read_all("bind", parse_endpoint);
    if (config.binds.empty()) {
        section.refuse_missing("bind");
    }
    config.pool = section.read("pool", parse_any_text);
    config.trusted_networks = read_networks(section, "trusted-networks");
    config.accept_proxy = read_accept_proxy(section);
    config.max_sessions = section.read("max-sessions", number_in<std::size_t>(1, kSessionsMax));
    config.session = read_session(values, section);
    config.session.routes = read_routes(section, pools);
    return config;
}

}  // namespace millrace::config
