// Origin records for tests: valid, and different where the test says so.
#pragma once

#include "proto/origin.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::test {

inline Endpoint endpoint(std::string_view address, std::uint16_t port) {
    return {parse_address(address).value(), port};
}

inline OriginKey origin_key(std::string_view queue_id, std::string ingress = "mx1.example.org") {
    return {std::move(ingress), QueueId::parse(queue_id).value()};
}

// A message from one client, which is also the one that connected.
inline OriginRecord origin_record(std::string_view queue_id,
                                  std::string_view address = "203.0.113.66") {
    OriginRecord record{origin_key(queue_id),
                        endpoint(address, 4711),
                        {},
                        "smtpd",
                        "192.0.2.25",
                        std::chrono::system_clock::time_point(std::chrono::seconds(1700000000))};
    record.origin.endpoint = record.connected;
    record.origin.name = "client.example.net";
    record.origin.helo = "mail.example.net";
    record.origin.protocol = "ESMTP";
    return record;
}

}  // namespace millrace::test
