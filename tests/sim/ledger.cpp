#include "tests/sim/ledger.hpp"

#include "balancer/origin/resolution.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

namespace millrace::sim {

std::optional<Endpoint> Message::origin() const {
    if (is_record_told && record && client && record->connected == *client) {
        return record->origin.endpoint;
    }
    return client;
}

std::string label_of(const Message& message, std::string_view command) {
    return 'm' + std::to_string(message.number) + ' ' + std::string(command);
}

Message& Ledger::add_message() {
    Message& message = messages_.emplace_back();
    message.number = messages_.size() - 1;
    message.sender = 'm' + std::to_string(message.number) + "@example.net";
    ++totals.messages;
    return message;
}

Message* Ledger::find(std::string_view sender) {
    const auto found =
        std::find_if(messages_.begin(), messages_.end(),
                     [&](const Message& message) { return message.sender == sender; });
    return found == messages_.end() ? nullptr : &*found;
}

void Ledger::violation(std::string text) {
    trace("VIOLATION", text);
    violations_.push_back(std::move(text));
}

void Ledger::trace(std::string_view who, std::string_view what) {
    if (!is_verbose_) {
        return;
    }
    const auto since = timeline_.now().time_since_epoch() - std::chrono::hours(1);
    std::cout << std::chrono::duration_cast<milliseconds>(since).count() << "ms " << who << ": ";
    for (const char octet : what.substr(0, 300)) {
        if (octet == '\r') {
            std::cout << "\\r";
        } else if (octet == '\n') {
            std::cout << "\\n";
        } else {
            std::cout << (octet >= ' ' && octet <= '~' ? octet : '?');
        }
    }
    std::cout << (what.size() > 300 ? "...\n" : "\n");
}

void Ledger::content_received(Message& message, std::string_view content,
                              std::vector<std::string> recipients) {
    const std::string name = label_of(message, "");
    if (++message.dots > 1) {
        violation("R6 " + name + "was given to two nodes with its final dot");
    }
    if (content != message.content) {
        violation("R2 " + name + "reached a node changed");
    }
    if (message.refusal) {
        violation("R2 " + name + "must not pass and reached a node");
    }
    message.taken_for = std::move(recipients);
}

bool Ledger::is_ours(const Message& message, std::string_view label, std::string_view wire) const {
    const bool is_verdict = label.front() == 'V';
    if (wire.starts_with("451 4.3.2 ") || wire.starts_with("451 4.4.2 ") ||
        wire.starts_with("451 4.3.0 ")) {
        return true;
    }
    const bool is_sent_away =
        label.front() == 'R' && label != "R0" && wire.starts_with("452 4.5.3 ");
    if (is_sent_away || (label == "M" && wire == "250 2.1.0 Ok\r\n")) {
        return true;
    }
    // The node was asked about MAIL when Postfix had its answer.
    if (message.is_mail_ours && !is_verdict && message.said.contains(std::string(wire)) &&
        wire.find(' ' + label_of(message, "M") + ' ') != std::string_view::npos) {
        return true;
    }
    if (message.refusal && is_verdict && wire.starts_with(std::to_string(*message.refusal))) {
        return true;
    }
    return message.is_mail_refused && !is_verdict && wire.starts_with("503 5.5.1 Need MAIL");
}

void Ledger::reply_heard(Message& message, std::string_view label, std::string_view wire) {
    const std::string name = label_of(message, label);
    const bool is_said = message.said.contains(std::string(wire)) &&
                         wire.find(' ' + name + ' ') != std::string_view::npos;
    if (!is_said && !is_ours(message, label, wire)) {
        violation("R1 " + name +
                  " was answered with what no node said of it: " + std::string(wire));
    }
    const bool is_positive = wire.front() == '2';
    if (label == "M") {
        message.is_mail_refused = !is_positive;
        message.is_mail_ours = is_positive && !is_said;
    } else if (label.front() == 'R' && is_positive) {
        message.accepted.push_back(message.recipients.at(std::stoul(std::string(label.substr(1)))));
    } else if (label.front() == 'V') {
        ++message.outcomes;
        ++(is_positive ? totals.accepted : totals.refused);
        if (is_positive && message.dots != 1) {
            violation("R1 " + name + " was accepted and no node has it");
        }
        if (is_positive && message.taken_for != message.accepted) {
            violation("R1 " + name + " was accepted for other recipients");
        }
    }
}

}  // namespace millrace::sim
