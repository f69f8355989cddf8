// An open file descriptor: owned by one, closed with it.
#pragma once

#include <utility>

#include <unistd.h>

namespace millrace::net {

class Descriptor {
 public:
    Descriptor() = default;

    explicit Descriptor(int number) : number_(number) {}

    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, kNone)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() { close(); }

    [[nodiscard]] int number() const { return number_; }

    [[nodiscard]] bool is_open() const { return number_ != kNone; }

    void close() {
        if (is_open()) {
            ::close(std::exchange(number_, kNone));
        }
    }

 private:
    static constexpr int kNone = -1;

    int number_ = kNone;
};

}  // namespace millrace::net
