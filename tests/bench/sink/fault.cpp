#include "tests/bench/sink/fault.hpp"

#include <array>
#include <stdexcept>
#include <string_view>

namespace millrace::bench {

namespace {

struct Name {
    std::string_view text;
    Fault::Kind kind;
    bool has_value;
};

constexpr std::array kNames{
    Name{"refuse", Fault::Kind::refuse, false},    Name{"turn-away", Fault::Kind::turn_away, false},
    Name{"silent", Fault::Kind::silent, false},    Name{"cut", Fault::Kind::cut, true},
    Name{"tempfail", Fault::Kind::tempfail, true},
};

}  // namespace

Fault parse_fault(const std::string& text) {
    const std::size_t equals = text.find('=');
    const bool has_value = equals != std::string::npos;
    for (const Name& name : kNames) {
        if (text.substr(0, equals) == name.text && has_value == name.has_value) {
            return Fault{name.kind, has_value ? std::stod(text.substr(equals + 1)) : 0};
        }
    }
    throw std::invalid_argument(
        "fault = " + text + ": expected refuse, turn-away, silent, cut=OCTETS or tempfail=SHARE");
}

}  // namespace millrace::bench
