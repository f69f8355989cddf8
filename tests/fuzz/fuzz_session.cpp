// A whole session, driven from all sides by a script: what Postfix and a node say, slots, origins,
// time. The shell (session_shell.hpp) checks the rules; here the input becomes events.
//
// The first line chooses options, each further line is one event: a letter, then its argument.
//
//   > < TEXT   Postfix, the node, says this line        ) ( TEXT   this, without a line end
//   & TEXT     Postfix, in one segment with what follows
//   b N        Postfix sends N lines of content         g N  slot on node N     r N  refused
//   c          the node is connected                    x N  it closes, with an error
//   k N        it takes N octets of what waits          w N  and no more than N from now on
//   u          it has spoken, unseen                    f n e  the record: found, none, failure
//   t N        N seconds pass                           q  Postfix closes       s  shut down

#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/session_shell.hpp"

#include <algorithm>
#include <charconv>
#include <string>

using millrace::fuzz::SessionShell;
namespace session = millrace::session;
namespace pool = millrace::pool;

namespace {

constexpr std::size_t kLengthMax = 8192;

std::shared_ptr<session::RelayOptions> relay_of(std::string_view options) {
    auto relay = std::make_shared<session::RelayOptions>();
    relay->pool = "scanners";
    relay->replay_max = options.find('o') != std::string_view::npos ? 40 : 20000;
    relay->reuse.is_on = options.find('k') != std::string_view::npos;
    return relay;
}

millrace::fuzz::SessionSetup setup_of(std::string_view options) {
    const auto has = [options](char c) { return options.find(c) != std::string_view::npos; };
    millrace::fuzz::SessionSetup setup;
    session::SessionOptions& own = setup.session;
    own.listener = "filter";
    own.hostname = "millrace.example.org";
    own.mode = has('l') ? session::Mode::lmtp : session::Mode::smtp;
    own.offered = {true, true, true, true, true, true, millrace::smtp::XforwardAttributes::all()};
    own.message_size_limit = has('z') ? 200 : 0;
    own.reject_bare_newline = !has('b');
    own.tempfail_unknown_origin = has('u');
    own.limits.recipients = 3;
    const auto first = relay_of(options);
    if (has('y')) {
        first->bypass_pool = 1;
    }
    setup.relays = {first, relay_of(options)};
    if (has('d')) {
        session::Route rule;
        rule.pool = 1;
        rule.domains = session::DomainList({"example.net"});
        own.routes.rules.push_back(rule);
    }
    setup.node.name = "scan0";
    setup.node.endpoint = millrace::parse_endpoint("198.51.100.10:10024").value();
    setup.node.dialect.send_proxy = has('p')   ? pool::SendProxy::v2
                                    : has('1') ? pool::SendProxy::v1
                                               : pool::SendProxy::off;
    return setup;
}

unsigned number_of(std::string_view text, unsigned max) {
    unsigned number = 0;
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::min(number, max);
}

millrace::OriginRecord record() {
    const auto client = millrace::parse_endpoint("203.0.113.66:4711").value();
    millrace::OriginRecord record{
        {"mx1.example.org", millrace::QueueId::parse("4jW9801pfMz1bY05").value()},
        client,
        {client, "mail.example.net", {}, "mail.example.net", "ESMTP", {}, {}, {}},
        {},
        {},
        {}};
    return record;
}

// What both sides and the pool do.
class Script {
 public:
    explicit Script(std::string_view options) : shell_(setup_of(options)) {}

    void play(char event, std::string_view text) {
        if (play_line(event, text) || play_node(event, text)) {
            return;
        }
        switch (event) {
            case 'g':
                return shell_.slot_granted(number_of(text, 2));
            case 'r':
                return shell_.slot_refused(static_cast<pool::RefusalReason>(number_of(text, 3)),
                                           text.ends_with('!'));
            case 'f':
                return shell_.origin_found(std::optional(record()));
            case 'n':
                return shell_.origin_found(std::optional<millrace::OriginRecord>());
            case 'e':
                return shell_.origin_found(make_error_code(millrace::OriginErrc::malformed));
            case 't':
                return shell_.time_passes(std::chrono::seconds(number_of(text, 1000)));
            case 's':
                return shell_.shut_down();
            case 'q':
                return shell_.postfix_closes();
            default:
                return;
        }
    }

    void end() { shell_.run_out(); }

 private:
    bool play_line(char event, std::string_view text) {
        if (event == '&') {
            held_.append(text).append("\r\n");
        } else if (event == '>') {
            shell_.postfix_says(std::exchange(held_, {}).append(text).append("\r\n"));
        } else if (event == ')') {
            shell_.postfix_says(std::exchange(held_, {}).append(text));
        } else if (event == '<') {
            shell_.node_says(std::string(text).append("\r\n"));
        } else if (event == '(') {
            shell_.node_says(text);
        } else if (event == 'b') {
            std::string lines;
            for (unsigned i = number_of(text, 1000); i > 0; --i) {
                lines +=
                    "a line of content that says nothing, eighty octets long with its line "
                    "end..\r\n";
            }
            shell_.postfix_says(lines);
        } else {
            return false;
        }
        return true;
    }

    bool play_node(char event, std::string_view text) {
        using boost::system::errc::make_error_code;
        if (event == 'c') {
            shell_.node_connects();
        } else if (event == 'x') {
            const unsigned number = number_of(text, 200);
            shell_.node_closes(make_error_code(static_cast<boost::system::errc::errc_t>(number)));
        } else if (event == 'k') {
            shell_.node_takes(number_of(text, 100000));
        } else if (event == 'w') {
            shell_.limit_node(number_of(text, 100000));
        } else if (event == 'u') {
            shell_.node_speaks_unseen();
        } else {
            return false;
        }
        return true;
    }

    SessionShell shell_;
    std::string held_;  // of Postfix's segment
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = millrace::fuzz::text_of(data, std::min(size, kLengthMax));
    const auto take_line = [&rest] {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        return line;
    };
    Script script(take_line());
    while (!rest.empty()) {
        const auto line = take_line();
        if (line.empty()) {
            continue;
        }
        const auto text = line.substr(1);
        script.play(line.front(), text.substr(text.starts_with(' ') ? 1 : 0));
    }
    script.end();
    return 0;
}
