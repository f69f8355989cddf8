#include "balancer/session/failure_reply.hpp"

#include <string>

namespace millrace::session {

using smtp::make_reply;
using smtp::Reply;

namespace {

// What came from a node or the system may end up in a reply line: keep it printable and short.
std::string printable(std::string_view text) {
    constexpr std::size_t kLengthMax = 200;
    std::string result(text.substr(0, kLengthMax));
    for (char& octet : result) {
        if (octet < ' ' || octet > '~') {
            octet = '?';
        }
    }
    return result;
}

}  // namespace

Reply refusal_reply(const pool::Refusal& refusal) {
    if (refusal.were_all_down) {
        return make_reply(451, "4.3.2", "No filter node is up, try again later");
    }
    switch (refusal.reason) {
        case pool::RefusalReason::queue_full:
            return make_reply(451, "4.3.2", "All filter nodes are busy and the queue is full");
        case pool::RefusalReason::queue_timeout:
            return make_reply(451, "4.3.2", "All filter nodes are busy, waited too long");
        case pool::RefusalReason::no_other_node:
        case pool::RefusalReason::all_down:
            break;
    }
    return make_reply(451, "4.3.2", "Every filter node was tried without success");
}

Reply node_failed_reply(std::string_view detail) {
    return make_reply(451, "4.4.2", "Filter node failed: " + printable(detail));
}

Reply verdict_lost_reply(std::string_view detail) {
    return make_reply(451, "4.4.2",
                      "Filter node lost after end of data, message may be sent more than once: " +
                          printable(detail));
}

Reply unknown_origin_reply() {
    return make_reply(451, "4.3.0", "Origin of the message is not known, try again later");
}

Reply other_pool_reply() {
    return make_reply(452, "4.5.3", "Recipient takes another route, send it separately");
}

Reply mail_taken_reply() {
    return make_reply(250, "2.1.0", "Ok");
}

Reply shutting_down_reply() {
    return make_reply(421, "4.3.2", "Service is shutting down");
}

Reply idle_timeout_reply() {
    return make_reply(421, "4.4.2", "Idle for too long, closing connection");
}

Reply session_too_long_reply() {
    return make_reply(421, "4.4.2", "Session is too long, closing connection");
}

Reply too_many_messages_reply() {
    return make_reply(421, "4.7.0", "Too many messages in one session, closing connection");
}

Reply no_transaction_reply() {
    return make_reply(503, "5.5.1", "Need MAIL command");
}

Reply syntax_reply(const error_code& error) {
    if (error == smtp::Errc::unknown_parameter) {
        return make_reply(555, "5.5.4", "Unsupported parameter");
    }
    if (error == smtp::Errc::control_character) {
        return make_reply(500, "5.5.2", "Control characters are not allowed in a command");
    }
    if (error == smtp::Errc::bad_parameter_value || error == smtp::Errc::bad_attribute ||
        error == smtp::Errc::unknown_attribute) {
        return make_reply(501, "5.5.4", "Bad parameter: " + error.message());
    }
    return make_reply(501, "5.5.2", "Syntax error in arguments");
}

Reply bare_newline_reply() {
    return make_reply(550, "5.6.0", "Message refused: bare <LF> in the content");
}

Reply too_big_reply() {
    return make_reply(552, "5.3.4", "Message is larger than the limit");
}

}  // namespace millrace::session
