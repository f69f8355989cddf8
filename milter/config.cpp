#include "milter/config.hpp"

#include "proto/runtime/tls.hpp"
#include "proto/runtime/units.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace::milter {
namespace {

using namespace std::chrono_literals;

// Postfix gives a milter 300 s for the end of a message; mail should not wait nearly as long.
constexpr Duration kTimeoutMax = 2min;

constexpr const char* kPemFile = "the /PATH of a file in PEM";

const ConfigKey& find_row(std::string_view name) {
    const auto& keys = config_keys();
    return *std::find_if(keys.begin(), keys.end(),
                         [&](const ConfigKey& key) { return key.name == name; });
}

// The values of a key as given, or else its default, each turned by `parse` into an optional.
template <typename Parse>
auto read_all(const ConfigValues& values, std::string_view name, Parse parse) {
    const ConfigKey& row = find_row(name);
    std::vector<ConfigValue> texts;
    if (const auto* given = values.find(row.name)) {
        texts = *given;
    } else if (!row.default_text.empty()) {
        texts.push_back({row.default_text, "default"});
    }
    std::vector<typename decltype(parse(std::string_view{}))::value_type> all;
    for (const ConfigValue& text : texts) {
        auto value = parse(text.text);
        if (!value) {
            refuse_value(row.name, text, row.expected);
        }
        if (std::find(all.begin(), all.end(), *value) != all.end()) {
            refuse_value(row.name, text, "each value once");
        }
        all.push_back(*std::move(value));
    }
    return all;
}

// REQUIRES: the key has a default.
template <typename Parse>
auto read(const ConfigValues& values, std::string_view name, Parse parse) {
    return read_all(values, name, parse).front();
}

std::string read_text(const ConfigValues& values, const std::string& name) {
    const auto* given = values.find(name);
    return given == nullptr ? std::string{} : given->front().text;
}

std::optional<unsigned> parse_mode(std::string_view text) {
    const bool is_octal = (text.size() == 3 || (text.size() == 4 && text.front() == '0')) &&
                          text.find_first_not_of("01234567") == std::string_view::npos;
    if (!is_octal) {
        return std::nullopt;
    }
    unsigned mode = 0;
    for (const char digit : text) {
        mode = mode * 8 + static_cast<unsigned>(digit - '0');
    }
    return mode;
}

std::optional<Duration> parse_timeout(std::string_view text) {
    const auto timeout = parse_duration(text);
    return timeout && *timeout > 0ms && *timeout <= kTimeoutMax ? timeout : std::nullopt;
}

std::optional<PublishPolicy> parse_policy(std::string_view text) {
    if (text == "any") {
        return PublishPolicy::any;
    }
    return text == "all" ? std::optional{PublishPolicy::all} : std::nullopt;
}

std::optional<Verdict> parse_verdict(std::string_view text) {
    if (text == "accept") {
        return Verdict::accept;
    }
    return text == "tempfail" ? std::optional{Verdict::tempfail} : std::nullopt;
}

std::optional<std::string> parse_host_name(std::string_view text) {
    const bool is_clean =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    const bool is_name = !text.empty() && text.size() <= SmtpClient::kTextMax && is_clean;
    return is_name ? std::optional{std::string{text}} : std::nullopt;
}

ProcessIdentity read_identity(const ConfigValues& values) {
    ProcessIdentity identity{read_text(values, "user"), read_text(values, "group")};
    if (identity.user.empty() && !identity.group.empty()) {
        refuse_value("group", values.find("group")->front(), "'user' to be set as well");
    }
    return identity;
}

TrackerOptions read_tracker(const ConfigValues& values) {
    TrackerOptions tracker;
    tracker.trusted_relays = read_all(values, "trusted-relays", parse_network);
    const auto names = read_all(values, "ingress-name", parse_host_name);
    tracker.ingress_name = names.empty() ? std::string{} : names.front();
    return tracker;
}

// On TCP records would be open to everybody between, and anybody could pose as a balancer. On a
// Unix-domain socket TLS would do nothing, and whoever asks for it should know.
void check_tls(const ConfigValues& values, const PublisherOptions& publisher) {
    const auto is_tcp = [](const ListenAddress& service) {
        return std::holds_alternative<Endpoint>(service);
    };
    const auto& services = publisher.services;
    const auto tcp = std::find_if(services.begin(), services.end(), is_tcp);
    if (tcp != services.end() && !publisher.tls) {
        const auto index = static_cast<std::size_t>(tcp - services.begin());
        refuse_value("origin", values.find("origin")->at(index),
                     "tls-cert, tls-key and tls-ca to be set as well, or unix:/PATH: over TCP "
                     "records are published with TLS only");
    }
    for (const char* key : {"tls-cert", "tls-name"}) {
        const auto* given = values.find(key);
        if (given != nullptr && tcp == services.end()) {
            refuse_value(key, given->front(),
                         "an 'origin' that is ADDRESS:PORT: there is no TLS on a Unix socket");
        }
    }
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
    static const std::vector<ConfigKey> keys{
        {"log-level", "How much is logged.", "info", "debug, info, warning or error"},
        {"log-target", "Where log lines go.", "stderr", "stderr or syslog"},
        {"user", "The user to become when started as root.", "", "the name of a user"},
        {"group", "The group to become; without it, the user's own.", "", "the name of a group"},
        {"listen", "Where Postfix connects.", "inet:127.0.0.1:10029",
         "inet:ADDRESS:PORT or unix:/PATH"},
        {"listen-mode", "The mode of a Unix-domain socket.", "0660",
         "an octal file mode such as 0660"},
        {"origin", "An origin service of a balancer, which records are published to.",
         "unix:/run/millrace/origin.sock", "unix:/PATH or ADDRESS:PORT", true},
        {"tls-cert", "The certificate that is shown to balancers on TCP, in PEM.", "", kPemFile},
        {"tls-key", "Its private key, in PEM.", "", kPemFile},
        {"tls-ca", "The certificates of those who may sign a balancer's, in PEM.", "", kPemFile},
        {"tls-name",
         "What a balancer's certificate must name; without it, the address connected to.", "",
         "a host name or an address"},
        {"publish", "Whether one service must acknowledge a record, or all of them.", "any",
         "any or all"},
        {"timeout", "How long a message waits for the acknowledgement.", "2s",
         "a duration from 1ms to 2m, such as 2s"},
        {"on-error", "What becomes of a message whose origin could not be published.", "accept",
         "accept or tempfail"},
        {"trusted-relays",
         "Clients that pass on mail of others: the origin is the client behind them.", "",
         "a network such as 192.0.2.0/24 or an address", true},
        {"ingress-name", "The name under which records are filed; without it, macro j of Postfix.",
         "", "the host name that Postfix gives in EHLO"},
    };
    return keys;
}

Config make_config(const ConfigValues& values) {
    Config config;
    config.log_level = read(values, "log-level", parse_log_level);
    config.log_target = read(values, "log-target", parse_log_target);
    config.identity = read_identity(values);
    config.listen = read(values, "listen", parse_listen_address);
    config.listen_mode = read(values, "listen-mode", parse_mode);
    config.publisher.services = read_all(values, "origin", parse_listen_address);
    config.publisher.policy = read(values, "publish", parse_policy);
    config.publisher.timeout = read(values, "timeout", parse_timeout);
    config.publisher.tls = read_tls_files(values);
    const auto names = read_all(values, "tls-name", parse_host_name);
    config.publisher.tls_name = names.empty() ? std::string{} : names.front();
    check_tls(values, config.publisher);
    config.on_error = read(values, "on-error", parse_verdict);
    config.tracker = read_tracker(values);
    return config;
}

}  // namespace millrace::milter
