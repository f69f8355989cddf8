// What the two halves of proto/admin.hpp share: between plain values and the fields that protobuf
// generates from admin.proto. Private to this directory: admin.cpp and admin_response.cpp.
#pragma once

#include "admin.pb.h"
#include "proto/admin.hpp"
#include "proto/frame.hpp"
#include "proto/origin.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace millrace::admin {

template <typename Message>
[[nodiscard]] bool parse(std::string_view payload, Message& message) {
    return payload.size() <= kFrameLengthMax &&
           message.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
}

[[nodiscard]] inline std::uint64_t to_wire(Milliseconds time) {
    return static_cast<std::uint64_t>(std::max(time, Milliseconds{0}).count());
}

// A foreign time is cut to what no addition overflows.
[[nodiscard]] inline Milliseconds from_wire(std::uint64_t milliseconds) {
    constexpr std::uint64_t kTimeMax = std::uint64_t{1} << 53U;
    return Milliseconds{static_cast<Milliseconds::rep>(std::min(milliseconds, kTimeMax))};
}

inline void to_wire(const NodeName& name, wire::AdminNodeName& message) {
    message.set_pool(clean_text(name.pool));
    message.set_node(clean_text(name.node));
}

[[nodiscard]] inline NodeName from_wire(const wire::AdminNodeName& message) {
    return {clean_text(message.pool()), clean_text(message.node())};
}

}  // namespace millrace::admin
