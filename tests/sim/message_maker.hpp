// Makes messages: content that is hard to pass unchanged, envelopes, and every kind of origin.
#pragma once

#include "tests/sim/chance.hpp"
#include "tests/sim/ledger.hpp"

#include <cstddef>

namespace millrace::sim {

struct MessageRules {
    bool is_bare_newline_refused = true;
    std::size_t size_limit = 0;  // 0: none
};

inline constexpr std::string_view kIngress = "mx1.example.org";

void make_message(Message& message, const MessageRules& rules, Chance& chance);

}  // namespace millrace::sim
