// The truth about every message of a simulation, what nodes and Postfix made of it, and the rules
// that must hold between them. A rule that was broken is a violation; one is too many.
#pragma once

#include "proto/origin.hpp"
#include "tests/sim/chance.hpp"
#include "tests/sim/timeline.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sim {

struct Message {
    std::size_t number = 0;
    std::string sender;
    std::vector<std::string> recipients;
    std::string xforward;  // command lines
    std::size_t xforward_lines = 0;
    std::string content;              // with its final dot
    std::optional<unsigned> refusal;  // the code with which we must refuse the content

    Address peer;  // the Postfix host
    // Recipients that go another way, in the message that Postfix makes of them.
    Message* rest = nullptr;

    // The truth about its origin.
    std::string queue_id;  // empty: Postfix does not tell
    bool is_local = false;
    std::optional<Endpoint> client;  // as XFORWARD names it
    std::optional<OriginRecord> record;
    bool is_record_told = false;  // the store answered in time

    // What nodes did.
    std::set<std::string> said;          // replies to its commands, each with its label
    std::size_t dots = 0;                // nodes that received all of the content
    std::vector<std::string> taken_for;  // recipients that node had accepted

    // What Postfix heard.
    bool is_mail_refused = false;
    bool is_mail_ours = false;  // accepted before a node was asked
    std::vector<std::string> accepted;
    std::size_t outcomes = 0;

    // The origin that a node must be told; nothing when it is unknown.
    [[nodiscard]] std::optional<Endpoint> origin() const;
};

struct Totals {
    std::uint64_t sessions = 0;
    std::uint64_t messages = 0;
    std::uint64_t accepted = 0;  // 2xx that Postfix heard for a message or recipient
    std::uint64_t refused = 0;   // 4xx and 5xx
    std::uint64_t failovers = 0;
    std::uint64_t reused = 0;    // connections that were taken again
    std::uint64_t bypassed = 0;  // messages
    std::uint64_t split = 0;     // recipients that were sent in a message of their own
    std::uint64_t events = 0;
};

class Ledger {
 public:
    Ledger(const Timeline& timeline, bool is_verbose)
        : timeline_(timeline), is_verbose_(is_verbose) {}

    [[nodiscard]] Message& add_message();
    // The message with that sender; nullptr when there is none.
    [[nodiscard]] Message* find(std::string_view sender);

    void violation(std::string text);
    void trace(std::string_view who, std::string_view what);

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    [[nodiscard]] std::deque<Message>& messages() { return messages_; }

    // A node has the whole content (rules R2, R6).
    void content_received(Message& message, std::string_view content,
                          std::vector<std::string> recipients);
    // Postfix heard this reply to a command of the message, or to its content: rule R1.
    void reply_heard(Message& message, std::string_view label, std::string_view wire);

    Totals totals;

 private:
    [[nodiscard]] bool is_ours(const Message& message, std::string_view label,
                               std::string_view wire) const;

    const Timeline& timeline_;
    bool is_verbose_;
    std::deque<Message> messages_;
    std::vector<std::string> violations_;
};

// The label of a command in a node's replies, so that each can be told from every other.
[[nodiscard]] std::string label_of(const Message& message, std::string_view command);

}  // namespace millrace::sim
