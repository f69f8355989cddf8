// A set of octets as a table, so that asking it costs one load whatever the set is.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace millrace::smtp {

class OctetSet {
 public:
    // What `is_member` says of each char.
    template <typename Predicate>
    constexpr explicit OctetSet(Predicate is_member) {
        for (std::size_t octet = 0; octet < members_.size(); ++octet) {
            members_[octet] = is_member(static_cast<char>(octet));
        }
    }

    [[nodiscard]] constexpr bool contains(char c) const {
        return members_[static_cast<unsigned char>(c)];
    }

    // How many octets at the front of `text` are members.
    [[nodiscard]] constexpr std::size_t prefix_length(std::string_view text) const {
        std::size_t length = 0;
        while (length < text.size() && contains(text[length])) {
            ++length;
        }
        return length;
    }

    [[nodiscard]] constexpr bool contains_all(std::string_view text) const {
        return prefix_length(text) == text.size();
    }

 private:
    std::array<bool, 256> members_{};
};

}  // namespace millrace::smtp
