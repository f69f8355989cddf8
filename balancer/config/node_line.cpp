#include "balancer/config/node_line.hpp"

#include "balancer/config/host_port.hpp"
#include "balancer/config/values.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::config {
namespace {

constexpr unsigned kWeightMax = 256;
constexpr unsigned kMaxconnMax = 100'000;
constexpr std::size_t kNameMax = 63;  // it stands in log lines and metric labels

std::vector<std::string_view> split_words(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.empty()) {
            return words;
        }
        const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_node_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '-' || c == '_' || c == '.';
           });
}

template <typename T, typename U>
bool assign(U& into, const std::optional<T>& value) {
    if (value) {
        into = *value;
    }
    return value.has_value();
}

// ADDRESS:PORT or HOSTNAME:PORT.
bool apply_place(std::string_view word, pool::NodeOptions& node) {
    if (const std::optional<Endpoint> endpoint = parse_endpoint(word)) {
        node.endpoint = *endpoint;
        return !endpoint->address.is_unspecified();
    }
    std::optional<HostPort> place = parse_host_port(word);
    if (!place) {
        return false;
    }
    node.host = std::move(place->host);
    node.endpoint.port = place->port;
    return true;
}

// "4", "auto", "auto:16".
bool apply_maxconn(std::string_view value, pool::NodeOptions& node) {
    constexpr std::string_view kAuto = "auto";
    node.is_maxconn_auto = value.substr(0, kAuto.size()) == kAuto;
    if (!node.is_maxconn_auto) {
        return assign(node.maxconn, number_in(0U, kMaxconnMax)(value));
    }
    value.remove_prefix(kAuto.size());
    node.maxconn = pool::kAutoMaxconn;
    return value.empty() || (value.front() == ':' &&
                             assign(node.maxconn, number_in(1U, kMaxconnMax)(value.substr(1))));
}

// What was expected instead of this word, or nothing when it was taken.
std::string_view apply_option(std::string_view word, pool::NodeOptions& node) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    if (word == "backup") {
        node.is_backup = true;
        return {};
    }
    if (word == "disabled") {
        node.is_disabled = true;
        return {};
    }
    if (name == "weight") {
        const bool is_good = assign(node.weight, number_in(1U, kWeightMax)(value));
        return is_good ? "" : "weight=N with N from 1 to 256";
    }
    if (name == "maxconn") {
        return apply_maxconn(value, node)
                   ? ""
                   : "maxconn=N with N from 0 (no limit) to 100000, auto, or auto:N with N from 1";
    }
    if (name == "send-proxy") {
        return assign(node.dialect.send_proxy, parse_send_proxy(value))
                   ? ""
                   : "send-proxy=v2, v1 or off";
    }
    return "weight=N, maxconn=N|auto, backup, disabled or send-proxy=v2|v1|off";
}

std::string_view option_name(std::string_view word) {
    return word.substr(0, word.find('='));
}

// The first option that stands twice; empty when none does.
std::string_view repeated_option(const std::vector<std::string_view>& words) {
    for (std::size_t i = 2; i < words.size(); ++i) {
        for (std::size_t earlier = 2; earlier < i; ++earlier) {
            if (option_name(words[earlier]) == option_name(words[i])) {
                return option_name(words[i]);
            }
        }
    }
    return {};
}

NodeFault fault(std::string_view expected, std::string_view word) {
    return {std::string{expected}.append(", not '").append(word).append("'")};
}

}  // namespace

std::optional<pool::SendProxy> parse_send_proxy(std::string_view text) {
    static const auto parse = one_of<pool::SendProxy>(
        {{"v2", pool::SendProxy::v2}, {"v1", pool::SendProxy::v1}, {"off", pool::SendProxy::off}});
    return parse(text);
}

std::variant<pool::NodeOptions, NodeFault> parse_node(std::string_view line,
                                                      const pool::NodeDialect& dialect) {
    const std::vector<std::string_view> words = split_words(line);
    if (words.size() < 2) {
        return NodeFault{"NAME ADDRESS:PORT and options, as in scan1 127.0.0.1:10024 maxconn=4"};
    }
    if (!is_node_name(words[0])) {
        return fault("a name of up to 63 letters, digits, '-', '_' and '.' first", words[0]);
    }
    pool::NodeOptions node;
    node.name = std::string{words[0]};
    if (!apply_place(words[1], node)) {
        return fault(
            "ADDRESS:PORT or HOSTNAME:PORT behind the name, as in 192.0.2.21:10024, "
            "[2001:db8::1]:10024 or scan1.example.com:10024",
            words[1]);
    }
    node.dialect = dialect;
    for (std::size_t i = 2; i < words.size(); ++i) {
        const std::string_view expected = apply_option(words[i], node);
        if (!expected.empty()) {
            return fault(expected, words[i]);
        }
    }
    if (const std::string_view twice = repeated_option(words); !twice.empty()) {
        return NodeFault{std::string{twice}.append(" once: remove one of the two")};
    }
    return node;
}

}  // namespace millrace::config
