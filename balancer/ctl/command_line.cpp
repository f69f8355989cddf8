#include "balancer/ctl/command_line.hpp"

#include "proto/runtime/config_file.hpp"
#include "proto/runtime/units.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

namespace millrace::ctl {
namespace {

using admin::Command;
using admin::NodeOrder;
using admin::Subject;

constexpr Duration kWaitMax = std::chrono::hours(24 * 365);

constexpr std::string_view kUsage =
    "Usage: millracectl [--socket PATH] [--json] COMMAND\n"
    "\n"
    "Look at a running millrace-balancer and steer it.\n"
    "\n"
    "Commands:\n"
    "  show nodes                         every node: state, load, limits\n"
    "  show pools                         every pool: nodes, load, line\n"
    "  show queue                         the messages that wait for a node\n"
    "  node POOL/NODE ready               take messages again\n"
    "  node POOL/NODE drain [--wait TIME] no new message, checked on\n"
    "  node POOL/NODE maint [--wait TIME] no new message, no check\n"
    "  node POOL/NODE weight N            share of the messages, 1 to 256\n"
    "  node POOL/NODE maxconn N           messages at a time, 0: no limit\n"
    "  node POOL/NODE maxconn auto[:N]    learned from the node, N at most\n"
    "\n"
    "Options:\n"
    "  --socket PATH  the balancer's admin.listen (unix:/run/millrace/admin.sock)\n"
    "  --wait TIME    answer when the node has no message in transit, or after TIME (60s)\n"
    "  --json         print JSON instead of a table\n"
    "  --help, --version\n";

// A quotation is bounded: the argument may be anything.
std::string quoted(std::string_view text) {
    constexpr std::size_t kQuoteMax = 100;
    return "'" + std::string(text.substr(0, kQuoteMax)) + "'";
}

// The arguments, taken apart into options and words.
struct Words {
    CommandLine line;
    std::vector<std::string> words;
    std::optional<Duration> wait;
};

UnixPath parse_socket(const std::string& text) {
    const std::string address = text.starts_with('/') ? "unix:" + text : text;
    const std::optional<ListenAddress> parsed = parse_listen_address(address);
    if (!parsed || !std::holds_alternative<UnixPath>(*parsed)) {
        throw UsageError("--socket " + quoted(text) + ": expected unix:/PATH or /PATH");
    }
    return std::get<UnixPath>(*parsed);
}

Duration parse_wait(const std::string& text) {
    const std::optional<Duration> wait = parse_duration(text);
    if (!wait || *wait <= Duration::zero() || *wait > kWaitMax) {
        throw UsageError("--wait " + quoted(text) +
                         ": expected a duration such as 60s, up to 365d");
    }
    return *wait;
}

void take_value(const std::string& option, const std::string& value, Words& words) {
    if (option == "--socket") {
        words.line.socket = parse_socket(value);
    } else {
        words.wait = parse_wait(value);
    }
}

void take_flag(const std::string& option, CommandLine& line) {
    if (option == "--json") {
        line.is_json = true;
    } else if (option == "--help") {
        line.is_help = true;
    } else if (option == "--version") {
        line.is_version = true;
    } else {
        throw UsageError("unknown option " + quoted(option));
    }
}

Words take_apart(const std::vector<std::string>& arguments) {
    Words words;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (!argument.starts_with('-')) {
            words.words.push_back(argument);
            continue;
        }
        const std::size_t equals = argument.find('=');
        const std::string option = argument.substr(0, equals);
        if (option != "--socket" && option != "--wait") {
            take_flag(argument, words.line);
        } else if (equals != std::string::npos) {
            take_value(option, argument.substr(equals + 1), words);
        } else if (++i < arguments.size()) {
            take_value(option, arguments[i], words);
        } else {
            throw UsageError(option + " needs a value");
        }
    }
    return words;
}

Command parse_show(const std::vector<std::string>& words) {
    static constexpr std::array<std::pair<std::string_view, Subject>, 3> kSubjects{
        {{"nodes", Subject::nodes}, {"pools", Subject::pools}, {"queue", Subject::queue}}};
    for (const auto& [word, subject] : kSubjects) {
        if (words.size() == 2 && words[1] == word) {
            return admin::Show{subject};
        }
    }
    throw UsageError("show: expected one of nodes, pools, queue");
}

admin::NodeName parse_node(const std::string& text) {
    const std::size_t slash = text.find('/');
    const bool is_pair = slash != std::string::npos && slash != 0 && slash + 1 < text.size() &&
                         text.find('/', slash + 1) == std::string::npos;
    if (!is_pair) {
        throw UsageError("node " + quoted(text) + ": expected POOL/NODE, as in scanners/scan1");
    }
    return {text.substr(0, slash), text.substr(slash + 1)};
}

std::uint32_t parse_number(const std::string& what, const std::string& text) {
    const std::optional<std::uint64_t> number = parse_count(text);
    if (!number || *number > std::numeric_limits<std::uint32_t>::max()) {
        throw UsageError(what + " " + quoted(text) + ": expected a number");
    }
    return static_cast<std::uint32_t>(*number);
}

// "4", "auto", "auto:16".
admin::SetMaxconn parse_maxconn(admin::NodeName node, const std::string& text) {
    const std::string word = text.substr(0, text.find(':'));
    if (word != "auto") {
        return {std::move(node), parse_number("maxconn", text)};
    }
    if (word == text) {
        return {std::move(node), 0, true};
    }
    const std::uint32_t most = parse_number("maxconn auto", text.substr(word.size() + 1));
    if (most == 0) {
        throw UsageError("maxconn " + quoted(text) + ": expected auto, or auto:N with N from 1");
    }
    return {std::move(node), most, true};
}

Command parse_node_command(const std::vector<std::string>& words, std::optional<Duration> wait) {
    constexpr std::size_t kOrderWords = 3;  // node POOL/NODE ORDER
    if (words.size() < kOrderWords) {
        throw UsageError("node: expected POOL/NODE and ready, drain, maint, weight N or maxconn N");
    }
    admin::NodeName node = parse_node(words[1]);
    const std::string& order = words[2];
    for (const NodeOrder state : {NodeOrder::ready, NodeOrder::drain, NodeOrder::maint}) {
        if (words.size() == kOrderWords && order == to_string(state)) {
            return admin::SetState{std::move(node), state, wait};
        }
    }
    if (words.size() == kOrderWords + 1 && order == "weight") {
        return admin::SetWeight{std::move(node), parse_number(order, words[3])};
    }
    if (words.size() == kOrderWords + 1 && order == "maxconn") {
        return parse_maxconn(std::move(node), words[3]);
    }
    throw UsageError("node " + quoted(words[1]) +
                     ": expected ready, drain, maint, weight N or maxconn N");
}

Command parse_command(const Words& words) {
    if (words.words.empty()) {
        throw UsageError("expected a command: show or node");
    }
    if (words.words[0] == "show") {
        return parse_show(words.words);
    }
    if (words.words[0] == "node") {
        return parse_node_command(words.words, words.wait);
    }
    throw UsageError("unknown command " + quoted(words.words[0]) + ": expected show or node");
}

void check_wait(const Words& words) {
    const auto* order = std::get_if<admin::SetState>(&words.line.command);
    if (words.wait && (order == nullptr || order->order == NodeOrder::ready)) {
        throw UsageError("--wait goes with drain or maint: it ends when the node is empty");
    }
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    Words words = take_apart(arguments);
    if (!words.line.is_help && !words.line.is_version) {
        words.line.command = parse_command(words);
        check_wait(words);
    }
    return words.line;
}

std::string_view usage() {
    return kUsage;
}

}  // namespace millrace::ctl
