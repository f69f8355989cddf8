#include "tests/sim/message_maker.hpp"

#include <string>
#include <string_view>

namespace millrace::sim {

namespace {

constexpr std::string_view kEnd = ".\r\n";

std::string make_line(Chance& chance) {
    using namespace std::string_literals;
    switch (chance.below(8)) {
        case 0:
            return "";
        case 1:
            return "..";
        case 2:
            return "..dots";
        case 3:
            return "a\rb\r"s;
        case 4:
            return "nul\0and eight bits \xFF\xC3"s;
        default:
            return std::string(chance.below(70), 'x');
    }
}

std::string make_content(Chance& chance) {
    std::size_t lines = chance.below(6);
    if (chance.percent(8)) {
        lines = chance.between(50, 500);
    }
    std::string content;
    for (std::size_t i = 0; i < lines; ++i) {
        content += make_line(chance) + "\r\n";
    }
    if (chance.percent(1)) {
        content += std::string(chance.between(50000, 200000), 'y') + "\r\n";
    }
    return content;
}

void make_origin(Message& message, Chance& chance) {
    const auto number = static_cast<std::uint32_t>(message.number);
    const std::size_t kind = chance.below(6);
    if (kind == 0) {
        message.is_local = true;
        message.xforward = "XFORWARD SOURCE=LOCAL\r\n";
        message.xforward_lines = 1;
        return;
    }
    if (kind == 1) {
        return;  // Postfix says nothing
    }
    const std::string address = "203.0.113." + std::to_string(1 + number % 250);
    message.queue_id = "4Q" + std::to_string(number);
    message.client =
        Endpoint{parse_address(address).value(), static_cast<std::uint16_t>(1024 + number)};
    message.xforward = "XFORWARD ADDR=" + address +
                       " PORT=" + std::to_string(message.client->port) +
                       "\r\nXFORWARD PROTO=ESMTP HELO=h" + std::to_string(number) +
                       " IDENT=" + message.queue_id + " SOURCE=REMOTE\r\n";
    message.xforward_lines = 2;
    if (kind == 2) {
        return;  // nothing in the store
    }
    OriginRecord record{{std::string(kIngress), QueueId::parse(message.queue_id).value()},
                        *message.client,
                        {},
                        "smtpd",
                        "192.0.2.1",
                        {}};
    record.origin.endpoint = *message.client;
    if (kind == 4) {  // the client is a trusted relay
        record.origin.endpoint.address =
            parse_address("2001:db8::" + std::to_string(number)).value();
    }
    if (kind == 5) {  // a record of an earlier message
        record.connected.address = parse_address("198.51.100.200").value();
        record.origin.endpoint = record.connected;
    }
    message.record = record;
}

}  // namespace

void make_message(Message& message, const MessageRules& rules, Chance& chance) {
    const std::size_t recipients = chance.percent(80) ? 1 : chance.between(2, 5);
    for (std::size_t i = 0; i < recipients; ++i) {
        message.recipients.push_back('m' + std::to_string(message.number) + 'r' +
                                     std::to_string(i) +
                                     chance.one_of({"@example.org", "@example.com"}));
    }
    message.content = make_content(chance);
    const bool is_small = rules.size_limit == 0 || message.content.size() + 10 < rules.size_limit;
    if (is_small && chance.percent(4)) {
        const std::size_t at = chance.below(message.content.size() + 1);
        message.content.insert(
            at, chance.one_of<std::string_view>({"x\n", "x\n.\n", "x\n.\r\nz", "x\n\n"}));
        if (!message.content.ends_with("\r\n")) {
            message.content += "\r\n";  // the final dot needs a line of its own
        }
        if (rules.is_bare_newline_refused) {
            message.refusal = 550;
        }
    }
    if (rules.size_limit > 0 && !message.refusal && message.content.size() > rules.size_limit) {
        message.refusal = 552;
    }
    message.content += kEnd;
    make_origin(message, chance);
}

}  // namespace millrace::sim
