// All that a simulation leaves to chance comes out of here, and thus out of its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>

namespace millrace::sim {

class Chance {
 public:
    explicit Chance(std::uint64_t seed) : engine_(seed) {}

    // 0 to bound - 1.
    [[nodiscard]] std::size_t below(std::size_t bound) { return engine_() % bound; }

    [[nodiscard]] std::size_t between(std::size_t least, std::size_t most) {
        return least + below(most - least + 1);
    }

    [[nodiscard]] bool percent(std::size_t share) { return below(100) < share; }

    template <typename T>
    [[nodiscard]] T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + below(choices.size()));
    }

 private:
    std::mt19937_64 engine_;
};

}  // namespace millrace::sim
