#include "balancer/config/pool_config.hpp"

#include "balancer/config/node_line.hpp"
#include "balancer/config/section.hpp"
#include "balancer/config/values.hpp"
#include "balancer/proxy_protocol/origin_tlvs.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::config {
namespace {

constexpr unsigned kCountMax = 1'000'000;
constexpr unsigned kErrorLimitMax = 1000;  // so many are remembered
constexpr std::size_t kHeaderMax = 4096;   // what the most generous receivers read at once

std::optional<pool::Balance> parse_balance(std::string_view text) {
    using pool::Balance;
    for (const Balance balance : {Balance::leastconn, Balance::roundrobin, Balance::random,
                                  Balance::first, Balance::hash, Balance::least_time}) {
        if (text == to_string(balance)) {
            return balance;
        }
    }
    return std::nullopt;
}

// "auto", "peer", or one address of each family.
std::optional<pool::ProxySource> parse_proxy_source(std::string_view text) {
    using Mode = pool::ProxySource::Mode;
    if (text == "auto" || text == "peer") {
        return pool::ProxySource{text == "auto" ? Mode::automatic : Mode::peer, {}};
    }
    pool::ProxySource source{Mode::fixed, {}};
    for (const std::string_view item : split_list(text)) {
        const std::optional<Address> address = parse_address(item);
        const bool is_usable =
            address && !address->is_unspecified() &&
            std::none_of(source.addresses.begin(), source.addresses.end(),
                         [&](const Address& other) { return other.is_v4() == address->is_v4(); });
        if (!is_usable) {
            return std::nullopt;
        }
        source.addresses.push_back(*address);
    }
    return source;
}

// What every header must have room for: signature and IPv6 addresses, the longest origin address,
// the checksum. Everything else can be left out of a header.
std::size_t smallest_header(const proxy_protocol::TlvSelection& selection) {
    constexpr std::size_t kTlvHead = 3;
    constexpr std::size_t kAddressTextMax = 39;
    constexpr std::size_t kChecksum = 4;
    std::size_t length = 16 + 36;
    length += selection.address ? kTlvHead + kAddressTextMax : 0;
    length += selection.checksum ? kTlvHead + kChecksum : 0;
    return length;
}

proxy_protocol::HeaderOptions read_header(const Section& section) {
    proxy_protocol::HeaderOptions header;
    header.selection = section.read("tlv", proxy_protocol::parse_tlv_selection);
    header.map =
        section.read_optional("tlv-map", proxy_protocol::parse_tlv_map).value_or(header.map);
    const std::size_t smallest = smallest_header(header.selection);
    header.length_max = section.read("proxy-header-max", number_in<std::size_t>(52, kHeaderMax));
    if (header.length_max < smallest) {
        section.refuse("proxy-header-max", "at least " + std::to_string(smallest) +
                                               " octets, which the addresses and the TLVs of"
                                               " 'tlv' that are never left out need");
    }
    return header;
}

pool::NodeDialect read_dialect(const Section& section) {
    pool::NodeDialect dialect;
    dialect.send_proxy = section.read("send-proxy", parse_send_proxy);
    dialect.proxy_source = section.read("proxy-source", parse_proxy_source);
    dialect.proxy_dst_port = section.read_optional("proxy-dst-port", parse_port);
    dialect.proxy_header = read_header(section);
    dialect.send_xforward =
        section.read("xforward", one_of<bool>({{"auto", true}, {"off", false}}));
    return dialect;
}

std::vector<pool::NodeOptions> read_nodes(const Section& section) {
    const pool::NodeDialect dialect = read_dialect(section);
    std::vector<pool::NodeOptions> nodes;
    for (const ConfigValue& line : section.texts("node")) {
        auto parsed = parse_node(line.text, dialect);
        if (const auto* fault = std::get_if<NodeFault>(&parsed)) {
            refuse_value(section.full_key("node"), line, fault->expected);
        }
        auto& node = std::get<pool::NodeOptions>(parsed);
        const bool is_taken = std::any_of(
            nodes.begin(), nodes.end(), [&](const auto& other) { return other.name == node.name; });
        if (is_taken) {
            refuse_value(section.full_key("node"), line,
                         "a name of its own for each node: '" + node.name + "' is taken");
        }
        nodes.push_back(std::move(node));
    }
    if (nodes.empty()) {
        section.refuse_missing("node");
    }
    return nodes;
}

// A number, or "off", which is 0.
std::optional<unsigned> parse_error_limit(std::string_view text) {
    return text == "off" ? 0U : number_in(0U, kErrorLimitMax)(text);
}

std::optional<Duration> parse_resolve_interval(std::string_view text) {
    const std::optional<Duration> interval = parse_time(text);
    return interval && *interval >= std::chrono::seconds(1) ? interval : std::nullopt;
}

pool::HealthOptions read_health(const Section& section) {
    using pool::CheckKind;
    pool::HealthOptions health;
    health.kind = section.read("check", one_of<CheckKind>({{"smtp", CheckKind::smtp},
                                                           {"tcp", CheckKind::tcp},
                                                           {"off", CheckKind::off}}));
    health.inter = section.read("inter", parse_time);
    health.fastinter = section.read("fastinter", parse_time);
    health.downinter = section.read_optional("downinter", parse_time);
    health.check_timeout = section.read("check-timeout", parse_time);
    health.rise = section.read("rise", number_in(1U, kCountMax));
    health.fall = section.read("fall", number_in(1U, kCountMax));
    health.error_limit = section.read("error-limit", parse_error_limit);
    health.error_window = section.read("error-window", parse_time);
    return health;
}

session::RelayOptions read_relay(const Section& section) {
    constexpr unsigned kRetriesMax = 100;
    session::RelayOptions relay;
    relay.pool = section.name();
    relay.connect_timeout = section.read("connect-timeout", parse_time);
    relay.greeting_timeout = section.read("greeting-timeout", parse_time);
    relay.command_timeout = section.read("command-timeout", parse_time);
    relay.data_timeout = section.read("data-timeout", parse_time);
    relay.reply_timeout = section.read("reply-timeout", parse_time);
    relay.retries = section.read("retries", number_in(1U, kRetriesMax));
    relay.replay_max = section.read("replay-max", parse_octets);
    relay.reuse.is_on = section.read("reuse", one_of<bool>({{"off", false}, {"safe", true}}));
    relay.reuse.idle = section.read("reuse-idle", parse_time);
    relay.reuse.messages_max = section.read("reuse-max-messages", number_in(1U, kCountMax));
    return relay;
}

std::optional<session::HashKey> read_hash_key(const Section& section, pool::Balance balance) {
    using session::HashKey;
    const HashKey key =
        section.read("hash-key", one_of<HashKey>({{"recipient-domain", HashKey::recipient_domain},
                                                  {"sender-domain", HashKey::sender_domain},
                                                  {"origin", HashKey::origin}}));
    return balance == pool::Balance::hash ? std::optional{key} : std::nullopt;
}

// A connection whose header carries something of one message can serve no other (rule R4).
void check_reuse(const Section& section, const PoolConfig& config) {
    for (const pool::NodeOptions& node : config.pool.nodes) {
        const bool has_message_data = node.dialect.send_proxy == pool::SendProxy::v2 &&
                                      node.dialect.proxy_header.selection.has_message_data();
        if (config.relay.reuse.is_on && has_message_data) {
            section.refuse("reuse",
                           "off, or 'tlv = off' (or send-proxy = v1 or off): with TLVs a "
                           "connection to node " +
                               node.name + " belongs to one message");
        }
    }
}

std::optional<std::string> read_bypass_pool(const Section& section) {
    const bool is_bypassed =
        section.read("on-pool-down", one_of<bool>({{"tempfail", false}, {"bypass", true}}));
    if (!is_bypassed) {
        return std::nullopt;
    }
    return section.read("bypass-pool", parse_any_text);
}

}  // namespace

PoolConfig read_pool(const ConfigValues& values, const std::string& name) {
    const Section section(values, "pool.*", name);
    PoolConfig config;
    config.pool.name = name;
    config.pool.balance = section.read("balance", parse_balance);
    config.pool.nodes = read_nodes(section);
    config.pool.resolve_interval = section.read("resolve-interval", parse_resolve_interval);
    config.pool.health = read_health(section);
    config.pool.slowstart = section.read("slowstart", parse_time_or_zero);
    config.pool.maxqueue = section.read("maxqueue", number_in<std::size_t>(0, kCountMax));
    config.pool.queue_timeout = section.read("queue-timeout", parse_time);
    config.relay = read_relay(section);
    config.relay.hash_key = read_hash_key(section, config.pool.balance);
    check_reuse(section, config);
    config.bypass_pool = read_bypass_pool(section);
    config.pool.refuses_when_down = config.bypass_pool.has_value();
    return config;
}

}  // namespace millrace::config
