#include "balancer/config/listener_config.hpp"

#include "balancer/config/section.hpp"
#include "balancer/config/values.hpp"
#include "balancer/origin/resolution.hpp"

#include <array>
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
    const Section origin(values, "origin");
    options.origin_order = origin.read("order", origin::parse_order);
    options.tempfail_unknown_origin =
        origin.read("on-missing", one_of<bool>({{"pass", false}, {"tempfail", true}}));
    return options;
}

std::vector<Network> read_networks(const Section& section) {
    std::vector<Network> all;
    for (const auto& networks : section.read_all("trusted-networks", parse_networks)) {
        all.insert(all.end(), networks.begin(), networks.end());
    }
    return all;
}

}  // namespace

ListenerConfig read_listener(const ConfigValues& values, const std::string& name) {
    const Section section(values, "listener.*", name);
    ListenerConfig config;
    config.name = name;
    config.binds = section.read_all("bind", parse_endpoint);
    if (config.binds.empty()) {
        section.refuse_missing("bind");
    }
    config.pool = section.read("pool", parse_any_text);
    config.trusted_networks = read_networks(section);
    config.max_sessions = section.read("max-sessions", number_in<std::size_t>(1, kSessionsMax));
    config.session = read_session(values, section);
    return config;
}

}  // namespace millrace::config
