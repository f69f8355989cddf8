#include "balancer/session/content.hpp"

#include "balancer/session/failure_reply.hpp"

#include <algorithm>

namespace millrace::session {

namespace {

constexpr std::uint64_t kFinalDotLength = 3;  // octets, no part of a message's size (RFC 1870, 3)

constexpr std::size_t kDotsShare = 64;

}  // namespace

Content::Piece Content::take(std::string_view bytes) {
    const smtp::DataScanner::Scan scan = scanner_.scan(bytes);
    octets_ += scan.length;
    is_complete_ = scan.is_complete;
    if (!refusal_ && scan.bare_lf && limits_.reject_bare_newline) {
        refusal_ = bare_newline_reply();
        discard();
    }
    const std::uint64_t size = octets_ - std::min(octets_, kFinalDotLength);
    if (!refusal_ && limits_.octets_max > 0 && size > limits_.octets_max) {
        refusal_ = too_big_reply();
        discard();
    }
    Piece piece;
    piece.consumed = scan.length;
    piece.is_complete = scan.is_complete;
    if (!is_discarding_) {
        piece.passed = bytes.substr(0, scan.length);
        keep(piece.passed);
    }
    return piece;
}

void Content::discard() {
    is_discarding_ = true;
    forget_replay();
}

void Content::keep_for_replay(std::size_t octets_max, ReplayBudget* budget,
                              std::uint64_t declared) {
    replay_max_ = octets_max;
    // Dots that are stuffed and the final one are not declared. More than is kept fills the copy.
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(declared, octets_max));
    expected_ = size + size / kDotsShare + kFinalDotLength;
    share_ = ReplayShare(budget);
}

void Content::keep(std::string_view passed) {
    if (!is_replayable_) {
        return;
    }
    if (!has_room_for(passed.size())) {
        forget_replay();
        return;
    }
    share_.append(passed);
}

// Memory is taken in growing steps and accounted for as taken, not as filled.
bool Content::has_room_for(std::size_t octets) {
    const std::size_t needed = share_.copy().size() + octets;
    if (needed > replay_max_) {
        return false;
    }
    if (needed > share_.octets()) {
        const std::size_t wanted = std::max(expected_, 2 * share_.octets());
        const std::size_t step = std::min(std::max(needed, wanted), replay_max_);
        return share_.grow_to(step);
    }
    return true;
}

void Content::forget_replay() {
    is_replayable_ = false;
    share_.give_back();
}

}  // namespace millrace::session
