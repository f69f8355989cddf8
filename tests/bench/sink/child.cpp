#include "tests/bench/sink/child.hpp"

#include "balancer/proxy_protocol/header.hpp"
#include "tests/bench/common/content.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace millrace::bench {

namespace {

constexpr std::string_view kGreeting = "220 [127.0.0.1] ESMTP bench service ready\r\n";
constexpr std::string_view kKeywords =
    "250-[127.0.0.1]\r\n250-VRFY\r\n250-PIPELINING\r\n250-SIZE\r\n250-ENHANCEDSTATUSCODES\r\n"
    "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
    "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n";
constexpr std::string_view kOk = "250 2.1.0 Ok\r\n";
constexpr std::string_view kEnd = "\r\n.\r\n";
constexpr std::size_t kHeaderMax = 536;  // what Postfix takes

}  // namespace

Child::Child(EventLoop& loop, const ChildOptions& options, NodeCounts& counts, Freed freed)
    : loop_(loop),
      options_(options),
      counts_(counts),
      freed_(std::move(freed)),
      link_(loop, [this] { work(); }) {}

void Child::serve(net::Descriptor connection) {
    ++counts_.connections;
    begun_ = Clock::now();
    is_lmtp_ = false;
    recipients_ = 0;
    replies_.clear();
    link_.open(std::move(connection), !options_.replies_apart);
    stage_ = Stage::header;
    if (options_.proxy == ProxyHeader::off) {
        greet();
        link_.send(std::exchange(replies_, {}));
    }
}

void Child::greet() {
    switch (options_.fault.kind) {
        case Fault::Kind::turn_away:
            ++counts_.turned_away;
            link_.send("421 4.3.2 Service not available\r\n");
            leave();
            return;
        case Fault::Kind::silent:
            ++counts_.not_greeted;
            stage_ = Stage::silent;
            return;
        default:
            stage_ = Stage::command;
            reply(kGreeting);
    }
}

void Child::work() {
    while (stage_ != Stage::free && stage_ != Stage::working && take_next()) {
    }
    if (stage_ == Stage::free) {
        return;
    }
    if (!replies_.empty()) {
        link_.send(std::exchange(replies_, {}));
    }
    if (link_.is_at_end() && stage_ != Stage::working) {
        leave();
    }
}

bool Child::take_next() {
    switch (stage_) {
        case Stage::header:
            return take_header();
        case Stage::command:
            return take_command();
        case Stage::content:
            return take_content();
        case Stage::free:
        case Stage::working:
        case Stage::silent:
            break;
    }
    return false;
}

bool Child::take_header() {
    const auto decoded = proxy_protocol::decode(link_.input(), kHeaderMax);
    if (!decoded || (*decoded && (*decoded)->version != static_cast<unsigned>(options_.proxy))) {
        ++counts_.bad_headers;
        leave();
        return false;
    }
    if (!*decoded) {
        return false;
    }
    if ((*decoded)->header.is_local) {
        ++counts_.checks;
    }
    link_.consume((*decoded)->length);
    greet();
    return stage_ == Stage::command;
}

bool Child::take_command() {
    const std::string_view line = link_.take_line();
    if (line.empty()) {
        return false;
    }
    answer(line);
    return stage_ != Stage::free;
}

// amavisd compares without regard to case; the programs that are measured write capitals.
void Child::answer(std::string_view line) {
    if (line.starts_with("EHLO ") || line.starts_with("LHLO ")) {
        is_lmtp_ = line.starts_with('L');
        reply(kKeywords);
    } else if (line.starts_with("MAIL ")) {
        recipients_ = 0;
        reply(kOk);
    } else if (line.starts_with("RCPT ")) {
        ++recipients_;
        reply(kOk);
    } else if (line == "DATA\r\n" && recipients_ > 0) {
        stage_ = Stage::content;
        searched_ = 0;
        reply("354 End data with <CR><LF>.<CR><LF>\r\n");
    } else if (line.starts_with("XFORWARD ") || line == "RSET\r\n" || line == "NOOP\r\n") {
        reply(kOk);
    } else if (line == "QUIT\r\n") {
        link_.send(replies_ + "221 2.0.0 Bye\r\n");
        leave();
    } else {
        reply("502 5.5.1 Error: command not implemented\r\n");
    }
}

bool Child::take_content() {
    const std::string_view input = link_.input();
    if (cut()) {
        return false;
    }
    const std::size_t end = input.find(kEnd, searched_);
    if (end == std::string_view::npos) {
        searched_ = input.size() - std::min(input.size(), kEnd.size() - 1);
        return false;
    }
    begin_work(input.substr(0, end + 2));
    link_.consume(end + kEnd.size());
    return false;
}

bool Child::cut() {
    if (options_.fault.kind != Fault::Kind::cut ||
        static_cast<double>(link_.input().size()) < options_.fault.value) {
        return false;
    }
    ++counts_.cut;
    leave();
    return true;
}

void Child::begin_work(std::string_view content) {
    const std::optional<std::uint64_t> number = verified_number(content);
    if (!number) {
        ++counts_.bad_messages;
    }
    stage_ = Stage::working;
    const Seconds time = options_.service.time(number.value_or(counts_.messages));
    counts_.worked += time;
    ++counts_.messages;
    const TimePoint end = Clock::now() + clock_time(time);
    const bool is_accepted = is_to_be_accepted(number.value_or(counts_.messages));
    loop_.at(end, [this, end, is_accepted] { finish_work(end, is_accepted); });
}

bool Child::is_to_be_accepted(std::uint64_t number) {
    if (options_.fault.kind != Fault::Kind::tempfail ||
        uniform(options_.service.seed, Stream::fault, number) >= options_.fault.value) {
        return true;
    }
    ++counts_.tempfailed;
    return false;
}

void Child::finish_work(TimePoint planned, bool is_accepted) {
    counts_.late_max = std::max<Seconds>(counts_.late_max, Clock::now() - planned);
    if (link_.is_at_end()) {
        ++counts_.abandoned;
    }
    const std::size_t verdicts = is_lmtp_ ? recipients_ : 1;
    for (std::size_t i = 0; i < verdicts; ++i) {
        reply(is_accepted ? "250 2.0.0 from " + options_.node + ": Ok: queued\r\n"
                          : "451 4.5.0 from " + options_.node + ": Error in processing\r\n");
    }
    recipients_ = 0;
    stage_ = Stage::command;
    work();
}

void Child::reply(std::string_view text) {
    if (options_.replies_apart) {
        link_.send(text);
        return;
    }
    replies_ += text;
}

void Child::leave() {
    link_.close();
    stage_ = Stage::free;
    counts_.held += Clock::now() - begun_;
    freed_(*this);
}

}  // namespace millrace::bench
