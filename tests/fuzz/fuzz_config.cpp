// A configuration file: each refusal is one line for the operator, and what is accepted means the
// same when it is printed and read again.
//
// Lists that a rule names are looked for in a directory of our own and nowhere else.

#include "balancer/config/config.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <optional>
#include <string>

using millrace::fuzz::require;
namespace config = millrace::config;

namespace {

constexpr std::string_view kName = "f";

const std::string& list_directory() {
    static const millrace::test::TempDir directory;
    static const std::string path = [] {
        std::ofstream(directory.file("good")) << "# list\nexample.org # one\n\n.example.net\n";
        std::ofstream(directory.file("bad")) << "not a domain\n";
        std::ofstream(directory.file("none")) << "\n# nothing\n";
        return directory.file("");
    }();
    return path;
}

// "file:/good" is "file:DIRECTORY/good".
std::optional<std::string> confined(std::string_view text) {
    constexpr std::string_view kPrefix = "file:";
    std::string result;
    for (auto at = text.find(kPrefix); at != std::string_view::npos; at = text.find(kPrefix)) {
        const auto path = text.substr(at, text.find('\n', at) - at);
        if (path.find("..") != std::string_view::npos) {
            return std::nullopt;
        }
        result.append(text.substr(0, at)).append(kPrefix).append(list_directory());
        text.remove_prefix(at + kPrefix.size());
    }
    return result.append(text);
}

void check_error(const millrace::ConfigError& error) {
    const std::string_view text = error.what();
    require(!text.empty() && text.find('\n') == std::string_view::npos);
    require(text.starts_with("f:") || text.starts_with("configuration: "));
}

std::optional<millrace::ConfigValues> parse(std::string_view text) {
    try {
        return millrace::parse_config(text, std::string(kName), config::config_keys());
    } catch (const millrace::ConfigError& error) {
        check_error(error);
        return std::nullopt;
    }
}

std::optional<config::Config> make(const millrace::ConfigValues& values) {
    try {
        return config::make_config(values);
    } catch (const millrace::ConfigError& error) {
        check_error(error);
        return std::nullopt;
    }
}

void require_same(const millrace::pool::NodeOptions& a, const millrace::pool::NodeOptions& b) {
    require(a.name == b.name && a.host == b.host && a.endpoint == b.endpoint);
    require(a.weight == b.weight && a.maxconn == b.maxconn);
    require(a.is_maxconn_auto == b.is_maxconn_auto && a.is_backup == b.is_backup);
    require(a.dialect.send_proxy == b.dialect.send_proxy);
    require(a.dialect.proxy_source == b.dialect.proxy_source);
    require(a.dialect.proxy_header.selection == b.dialect.proxy_header.selection);
    require(a.dialect.proxy_header.map == b.dialect.proxy_header.map);
}

void require_same(const config::PoolConfig& a, const config::PoolConfig& b) {
    require(a.pool.name == b.pool.name && a.pool.balance == b.pool.balance);
    require(a.pool.nodes.size() == b.pool.nodes.size());
    for (std::size_t i = 0; i < a.pool.nodes.size(); ++i) {
        require_same(a.pool.nodes[i], b.pool.nodes[i]);
    }
    require(a.pool.health.inter == b.pool.health.inter);
    require(a.pool.health.downinter == b.pool.health.downinter);
    require(a.pool.maxqueue == b.pool.maxqueue && a.pool.queue_timeout == b.pool.queue_timeout);
    require(a.relay.replay_max == b.relay.replay_max && a.relay.retries == b.relay.retries);
    require(a.relay.hash_key == b.relay.hash_key && a.relay.bypass_pool == b.relay.bypass_pool);
    require(a.relay.reuse.is_on == b.relay.reuse.is_on);
}

void require_same(const config::ListenerConfig& a, const config::ListenerConfig& b) {
    require(a.name == b.name && a.binds == b.binds && a.pool == b.pool);
    require(a.trusted_networks == b.trusted_networks && a.max_sessions == b.max_sessions);
    require(a.session.mode == b.session.mode && a.session.offered == b.session.offered);
    require(a.session.hostname == b.session.hostname);
    require(a.session.message_size_limit == b.session.message_size_limit);
    require(a.session.origin_order == b.session.origin_order);
    require(a.session.routes.rules.size() == b.session.routes.rules.size());
    for (std::size_t i = 0; i < a.session.routes.rules.size(); ++i) {
        const auto& one = a.session.routes.rules[i];
        const auto& other = b.session.routes.rules[i];
        require(one.pool == other.pool && one.criterion == other.criterion);
        require(one.domains == other.domains && one.networks == other.networks);
        require(one.size == other.size);
    }
}

void require_same(const config::Config& a, const config::Config& b) {
    require(a.log_level == b.log_level && a.log_target == b.log_target);
    require(a.identity.user == b.identity.user && a.identity.group == b.identity.group);
    require(a.replay_memory == b.replay_memory && a.http_listen == b.http_listen);
    require(a.origin.listen == b.origin.listen && a.origin.store == b.origin.store);
    require(a.origin.trusted_networks == b.origin.trusted_networks);
    require(a.admin.listen == b.admin.listen && a.admin.users == b.admin.users);
    require(a.pools.size() == b.pools.size() && a.listeners.size() == b.listeners.size());
    for (std::size_t i = 0; i < a.pools.size(); ++i) {
        require_same(a.pools[i], b.pools[i]);
    }
    for (std::size_t i = 0; i < a.listeners.size(); ++i) {
        require_same(a.listeners[i], b.listeners[i]);
        require(!config::pools_behind(a, a.listeners[i]).empty());
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = confined(millrace::fuzz::text_of(data, size));
    const auto values = text ? parse(*text) : std::nullopt;
    if (!values) {
        return 0;
    }
    const std::string printed = millrace::print_config(*values, config::config_keys());
    const auto again = parse(printed);
    require(again.has_value());
    require(millrace::print_config(*again, config::config_keys()) == printed);
    const auto made = make(*values);
    const auto made_again = make(*again);
    require(made.has_value() == made_again.has_value());
    if (made) {
        require_same(*made, *made_again);
    }
    return 0;
}
