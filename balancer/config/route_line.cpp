#include "balancer/config/route_line.hpp"

#include "balancer/config/values.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::config {
namespace {

using Criterion = session::Route::Criterion;

constexpr std::size_t kListMax = 1'000'000;
constexpr std::size_t kDomainMax = 255;
constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kForm =
    "POOL if recipient-domain|sender-domain|origin|peer|size-over VALUE,... or file:/PATH";

RouteFault fault(std::string_view expected, std::string_view text) {
    return {std::string(expected).append(", not '").append(text).append("'")};
}

bool is_domain(std::string_view text) {
    return !text.empty() && text.size() <= kDomainMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                                     (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
               return is_plain || static_cast<unsigned char>(c) >= 0x80;
           });
}

// An address literal stands in brackets, as in an address.
bool is_mail_domain(std::string_view text, Criterion criterion) {
    const bool is_null_sender = text == "<>" && criterion == Criterion::sender_domain;
    const bool is_literal = text.size() > 2 && text.front() == '[' && text.back() == ']';
    return is_null_sender || is_literal || is_domain(text);
}

std::variant<std::vector<std::string>, RouteFault> read_list(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        return RouteFault{"a file that can be read: " + path + ": " + std::strerror(errno)};
    }
    std::vector<std::string> items;
    for (std::string line; std::getline(file, line);) {
        const std::string_view text =
            without_blanks(std::string_view(line).substr(0, std::min(line.find('#'), line.size())));
        if (!text.empty()) {
            items.emplace_back(text);
        }
        if (items.size() > kListMax) {
            return RouteFault{"a file of at most " + std::to_string(kListMax) + " values: " + path};
        }
    }
    if (file.bad()) {
        return RouteFault{"a file that can be read: " + path + ": " + std::strerror(errno)};
    }
    if (items.empty()) {
        return RouteFault{"a file with at least one value: " + path};
    }
    return items;
}

std::variant<std::vector<std::string>, RouteFault> read_items(std::string_view text) {
    if (text.starts_with(kFilePrefix)) {
        return read_list(std::string(text.substr(kFilePrefix.size())));
    }
    std::vector<std::string> items;
    for (const std::string_view item : split_list(text)) {
        items.emplace_back(item);
    }
    return items;
}

std::optional<RouteFault> set_domains(session::Route& route, std::vector<std::string> items) {
    for (const std::string& item : items) {
        if (!is_mail_domain(item, route.criterion)) {
            return fault("a domain such as example.org, or .example.org for all below it", item);
        }
    }
    route.domains = session::DomainList(std::move(items));
    return std::nullopt;
}

std::optional<RouteFault> set_networks(session::Route& route,
                                       const std::vector<std::string>& items) {
    for (const std::string& item : items) {
        const std::optional<Network> network = parse_network(item);
        if (!network) {
            return fault("a network such as 192.0.2.0/24, or an address", item);
        }
        route.networks.push_back(*network);
    }
    return std::nullopt;
}

std::optional<RouteFault> set_size(session::Route& route, const std::vector<std::string>& items) {
    const std::optional<std::uint64_t> size =
        items.size() == 1 ? parse_octets(items.front()) : std::nullopt;
    if (!size) {
        return fault("one size such as 10m", items.front());
    }
    route.size = *size;
    return std::nullopt;
}

std::optional<RouteFault> set_values(session::Route& route, std::vector<std::string> items) {
    switch (route.criterion) {
        case Criterion::recipient_domain:
        case Criterion::sender_domain:
            return set_domains(route, std::move(items));
        case Criterion::origin:
        case Criterion::peer:
            return set_networks(route, items);
        case Criterion::size_over:
            return set_size(route, items);
    }
    return std::nullopt;
}

}  // namespace

std::variant<RouteLine, RouteFault> parse_route(std::string_view line) {
    static const auto parse_criterion =
        one_of<Criterion>({{"recipient-domain", Criterion::recipient_domain},
                           {"sender-domain", Criterion::sender_domain},
                           {"origin", Criterion::origin},
                           {"peer", Criterion::peer},
                           {"size-over", Criterion::size_over}});
    const std::string_view pool = take_word(line);
    const std::string_view condition = take_word(line);
    const std::optional<Criterion> criterion = parse_criterion(take_word(line));
    if (pool.empty() || condition != "if" || !criterion || line.empty()) {
        return RouteFault{std::string(kForm)};
    }
    auto items = read_items(line);
    if (const auto* unreadable = std::get_if<RouteFault>(&items)) {
        return *unreadable;
    }
    RouteLine rule;
    rule.pool = pool;
    rule.route.criterion = *criterion;
    if (auto refused =
            set_values(rule.route, std::move(std::get<std::vector<std::string>>(items)))) {
        return *std::move(refused);
    }
    return rule;
}

}  // namespace millrace::config
