// How long a node works on a message.
#pragma once

#include "tests/bench/common/draws.hpp"
#include "tests/bench/common/event_loop.hpp"

#include <cstdint>

namespace millrace::bench {

struct Service {
    enum class Kind { exponential, constant };

    Kind kind = Kind::exponential;
    Seconds mean{0};
    std::uint64_t seed = 1;

    // Of message `number`: the same work wherever it is done, faster or slower.
    [[nodiscard]] Seconds time(std::uint64_t number) const {
        return kind == Kind::constant ? mean : mean * exponential(seed, Stream::service, number);
    }
};

}  // namespace millrace::bench
