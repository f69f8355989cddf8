// The content of one message on its way through: where it ends, whether it may pass, and a copy of
// its beginning for another node.
//
// Octets pass unchanged (rule R2). A bare LF or too many octets turn the message into a refusal:
// from there on nothing is passed on, but the content is read to its real end, so that the session
// stays in step and the client hears the reason. The copy is kept while it fits `replay_max`, and
// the memory that all copies may take together.
#pragma once

#include "balancer/session/replay_budget.hpp"
#include "balancer/smtp/data_scanner.hpp"
#include "balancer/smtp/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::session {

struct ContentLimits {
    std::uint64_t octets_max = 0;  // as on the wire, without the final dot; 0: none
    bool reject_bare_newline = true;
};

class Content {
 public:
    explicit Content(const ContentLimits& limits) : limits_(limits) {}

    // How much of the beginning is kept, in octets; nothing at first. `declared` is what the sender
    // says that there will be, 0 if it does not: memory for as much of it as is kept is taken at
    // once, when the content begins. REQUIRES: the budget, if there is one, outlives this.
    void keep_for_replay(std::size_t octets_max, ReplayBudget* budget, std::uint64_t declared = 0);

    struct Piece {
        std::string_view passed;   // what the node gets, empty once refused or discarded
        std::size_t consumed = 0;  // octets of the input that were content
        bool is_complete = false;  // the final dot is among them
    };

    // REQUIRES: no piece was complete before.
    [[nodiscard]] Piece take(std::string_view bytes);

    // Nothing more is passed on; what is left of the content is read and dropped.
    void discard();

    // Why the message must not pass, once that is known.
    [[nodiscard]] const std::optional<smtp::Reply>& refusal() const { return refusal_; }

    // All octets passed so far, from the first, when they can be given to another node.
    [[nodiscard]] bool is_replayable() const { return is_replayable_; }

    [[nodiscard]] std::string_view replay() const { return share_.copy(); }

    [[nodiscard]] bool is_complete() const { return is_complete_; }

    [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
    void keep(std::string_view passed);
    [[nodiscard]] bool has_room_for(std::size_t octets);
    void forget_replay();

    ContentLimits limits_;
    smtp::DataScanner scanner_;
    std::size_t replay_max_ = 0;
    std::size_t expected_ = 0;
    ReplayShare share_;
    std::uint64_t octets_ = 0;
    std::optional<smtp::Reply> refusal_;
    bool is_replayable_ = true;
    bool is_complete_ = false;
    bool is_discarding_ = false;
};

}  // namespace millrace::session
