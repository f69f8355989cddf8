// Lines as values of the configuration, each as every kind of value there is: what is understood
// is written and read again as the same, and numbers are what plain arithmetic says.

#include "balancer/config/host_port.hpp"
#include "balancer/config/node_line.hpp"
#include "balancer/config/route_line.hpp"
#include "balancer/config/values.hpp"
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/units.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

using millrace::fuzz::require;
namespace config = millrace::config;
namespace pool = millrace::pool;

namespace {

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

// The number in front and the word behind it, as one would do it by hand.
std::optional<std::uint64_t> plain_quantity(std::string_view text, std::string_view unit,
                                            std::uint64_t factor) {
    if (!text.ends_with(unit) || text.size() == unit.size() || text.size() > 200) {
        return std::nullopt;
    }
    text.remove_suffix(unit.size());
    constexpr std::uint64_t kMax = ~std::uint64_t{0};
    std::uint64_t number = 0;
    for (const char c : text) {
        const auto digit = static_cast<unsigned char>(c - '0');
        if (digit > 9 || number > (kMax - digit) / 10) {
            return std::nullopt;
        }
        number = number * 10 + digit;
    }
    return number <= kMax / factor ? std::optional(number * factor) : std::nullopt;
}

void check_units(std::string_view text) {
    require(text.size() > 200 || millrace::parse_count(text) == plain_quantity(text, "", 1));
    const auto size = millrace::parse_size(text);
    if (size) {
        require(millrace::parse_size(millrace::format_size(*size)) == size);
        const auto kibi = plain_quantity(text, "k", 1U << 10U);
        require(!kibi || size == kibi);
        require(config::parse_octets(text).has_value() == (*size <= 1ULL << 40U));
    }
    const auto time = millrace::parse_duration(text);
    if (time) {
        require(time->count() >= 0);
        require(millrace::parse_duration(millrace::format_duration(*time)) == time);
        require(!config::parse_time(text) || time->count() > 0);
        require(config::parse_time_or_zero(text).has_value() ==
                (*time <= std::chrono::hours(24) * 365));
    }
}

void check_addresses(std::string_view text) {
    if (const auto address = millrace::parse_address(text)) {
        require(millrace::parse_address(millrace::to_string(*address)) == address);
        require(config::parse_host_name('[' + std::string(text) + ']').has_value());
    }
    if (const auto endpoint = millrace::parse_endpoint(text)) {
        require(millrace::parse_endpoint(millrace::to_string(*endpoint)) == endpoint);
        require(!endpoint->address.is_v4() || !config::parse_host_port(text));
    }
    if (const auto network = millrace::parse_network(text)) {
        require(millrace::parse_network(millrace::to_string(*network)) == network);
        require(network->contains(network->base));
    }
    if (const auto listen = millrace::parse_listen_address(text)) {
        require(millrace::parse_listen_address(millrace::to_string(*listen)) == listen);
    }
    if (const auto place = config::parse_host_port(text)) {
        require(place->host + ':' + std::to_string(place->port) == text);
        require(place->host.size() <= 254 && config::parse_host_name(place->host));
    }
    if (const auto networks = config::parse_networks(text)) {
        const auto commas = std::count(text.begin(), text.end(), ',');
        require(networks->size() == static_cast<std::size_t>(commas) + 1);
    }
}

void check_words(std::string_view text) {
    if (const auto offer = config::parse_offer(text); offer && text != "off") {
        require(config::parse_offer(upper(text)) == offer);
    }
    const auto name = config::parse_host_name(text);
    require(!name || *name == text);
    require(config::parse_any_text(text).has_value() == !text.empty());
    const auto selection = millrace::proxy_protocol::parse_tlv_selection(text);
    if (selection && !selection->has_message_data()) {
        require(text.find("e4") == std::string_view::npos);
    }
    if (const auto map = millrace::proxy_protocol::parse_tlv_map(text)) {
        for (const unsigned type : {map->address, map->port, map->queue_id, map->record}) {
            require(type >= 0xE0 && type <= 0xEF);
        }
        require(map->helo != map->name && map->address != map->record);
    }
}

std::string written(const pool::NodeOptions& node) {
    std::string line = node.name + ' ';
    line += node.host.empty() ? millrace::to_string(node.endpoint)
                              : node.host + ':' + std::to_string(node.endpoint.port);
    line += " weight=" + std::to_string(node.weight);
    line += node.is_maxconn_auto ? " maxconn=auto:" : " maxconn=";
    line += std::to_string(node.maxconn);
    line += node.is_backup ? " backup" : "";
    line += node.is_disabled ? " disabled" : "";
    constexpr std::array<std::string_view, 3> kProxy{"v2", "v1", "off"};
    return line.append(" send-proxy=")
        .append(kProxy[static_cast<unsigned>(node.dialect.send_proxy)]);
}

void check_node(std::string_view text) {
    const auto parsed = config::parse_node(text, {});
    if (const auto* fault = std::get_if<config::NodeFault>(&parsed)) {
        require(!fault->expected.empty());
        return;
    }
    const auto& node = std::get<pool::NodeOptions>(parsed);
    require(!node.name.empty() && node.name.size() <= 63 && node.endpoint.port != 0);
    require(pool::has_address(node) == node.host.empty());
    const auto again = config::parse_node(written(node), {});
    require(std::holds_alternative<pool::NodeOptions>(again));
    require(written(std::get<pool::NodeOptions>(again)) == written(node));
}

// The rule without its values, and what stood for them.
void check_route(std::string_view text) {
    if (text.find("file:") != std::string_view::npos) {
        return;  // fuzz_config has lists of its own
    }
    const auto parsed = config::parse_route(text);
    if (const auto* fault = std::get_if<config::RouteFault>(&parsed)) {
        require(!fault->expected.empty());
        return;
    }
    const auto& rule = std::get<config::RouteLine>(parsed);
    auto values = text;
    require(config::take_word(values) == rule.pool && config::take_word(values) == "if");
    const std::string criterion(config::take_word(values));
    millrace::session::MessageTraits message;
    for (const auto item : config::split_list(values)) {
        if (criterion.ends_with("-domain") && item != "<>") {
            const std::string domain = (item.starts_with('.') ? "x" : "") + upper(item);
            require(rule.route.domains.contains(domain));
            message.sender_domain = domain;
            message.recipient_domain = domain;
            require(rule.route.matches(message));
        } else if (criterion == "origin" || criterion == "peer") {
            message.origin = message.peer = millrace::parse_network(item).value().base;
            require(rule.route.matches(message));
        } else if (criterion == "size-over") {
            message.size = rule.route.size;
            require(!rule.route.matches(message));
            ++message.size;
            require(rule.route.matches(message));
        }
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = millrace::fuzz::text_of(data, size);
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        check_units(line);
        check_addresses(line);
        check_words(line);
        check_node(line);
        check_route(line);
    }
    return 0;
}
