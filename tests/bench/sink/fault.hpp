// What is wrong with a node, on purpose.
#pragma once

#include <string>

namespace millrace::bench {

struct Fault {
    enum class Kind {
        none,
        refuse,     // nobody listens
        turn_away,  // the greeting is 421
        silent,     // no greeting, ever
        cut,        // the connection is closed when `value` octets of the content have come
        tempfail,   // 451 for the share `value` of the messages
    };

    Kind kind = Kind::none;
    double value = 0;
};

// Of "refuse", "turn-away", "silent", "cut=OCTETS", "tempfail=SHARE". Throws std::invalid_argument.
[[nodiscard]] Fault parse_fault(const std::string& text);

}  // namespace millrace::bench
