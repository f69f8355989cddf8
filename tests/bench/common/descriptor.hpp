// A file descriptor and its end. Empty (-1) after a move.
#pragma once

#include <utility>

#include <unistd.h>

namespace millrace::bench {

class Descriptor {
 public:
    Descriptor() = default;

    explicit Descriptor(int number) : number_(number) {}

    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() { close(); }

    [[nodiscard]] int number() const { return number_; }

    [[nodiscard]] bool is_open() const { return number_ >= 0; }

    void close() {
        if (is_open()) {
            ::close(std::exchange(number_, -1));
        }
    }

 private:
    int number_ = -1;
};

}  // namespace millrace::bench
