#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include "balancer/proxy_protocol/crc32c.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol::test {
namespace {

constexpr std::size_t kLengthMax = 16 + 0xFFFF;  // the longest there is

void expect_accepted(const Vector& vector) {
    const std::string stream = vector.bytes + "EHLO next\r\n";
    for (const auto& input : {vector.bytes, stream}) {
        const auto decoded = decode(input, kLengthMax);
        ASSERT_TRUE(decoded) << decoded.error().message();
        ASSERT_TRUE(*decoded);
        EXPECT_EQ((*decoded)->header, *vector.outcome.header);
        EXPECT_EQ((*decoded)->length, vector.bytes.size());
        EXPECT_EQ((*decoded)->version, vector.bytes.front() == 'P' ? 1U : 2U);
    }
    for (std::size_t length = 0; length < vector.bytes.size(); ++length) {
        const auto decoded = decode(std::string_view(vector.bytes).substr(0, length), kLengthMax);
        ASSERT_TRUE(decoded) << length << " octets: " << decoded.error().message();
        EXPECT_FALSE(*decoded) << length << " octets";
    }
}

void expect_refused(const Vector& vector) {
    const auto decoded = decode(vector.bytes, kLengthMax);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), vector.outcome.error) << decoded.error().message();
    for (std::size_t length = 0; length < vector.bytes.size(); ++length) {
        const auto beginning = decode(std::string_view(vector.bytes).substr(0, length), kLengthMax);
        const bool is_waiting = beginning && !*beginning;
        EXPECT_TRUE(is_waiting || beginning.error() == decoded.error())
            << length << " octets: another outcome";
    }
}

void expect_incomplete(const Vector& vector) {
    for (std::size_t length = 0; length <= vector.bytes.size(); ++length) {
        const auto decoded = decode(std::string_view(vector.bytes).substr(0, length), kLengthMax);
        ASSERT_TRUE(decoded) << length << " octets: " << decoded.error().message();
        EXPECT_FALSE(*decoded) << length << " octets";
    }
}

}  // namespace

Outcome local() {
    Header header;
    header.is_local = true;
    return {.header = header, .error = {}};
}

Outcome from(std::string_view source, std::uint16_t source_port, std::string_view destination,
             std::uint16_t destination_port, std::vector<Tlv> tlvs) {
    Header header;
    header.source = {.address = parse_address(source).value(), .port = source_port};
    header.destination = {.address = parse_address(destination).value(), .port = destination_port};
    header.tlvs = std::move(tlvs);
    return {.header = header, .error = {}};
}

Outcome refused(Errc errc) {
    return {.header = std::nullopt, .error = errc};
}

Outcome needs_more() {
    return {.header = std::nullopt, .error = {}};
}

std::string hex(std::string_view digits) {
    std::string bytes;
    int high = -1;
    for (const char c : digits) {
        if (c == ' ') {
            continue;
        }
        const int value = c <= '9' ? c - '0' : c - 'a' + 10;
        if (high < 0) {
            high = value;
            continue;
        }
        bytes.push_back(static_cast<char>(high * 16 + value));
        high = -1;
    }
    return bytes;
}

std::string big_endian(std::size_t number, std::size_t length) {
    std::string bytes;
    for (std::size_t i = length; i > 0; --i) {
        bytes.push_back(static_cast<char>(number >> 8 * (i - 1) & 0xFFU));
    }
    return bytes;
}

std::string v2(unsigned command, unsigned family, const std::string& following) {
    return hex("0d0a0d0a 000d0a51 5549540a") + big_endian(command, 1) + big_endian(family, 1) +
           big_endian(following.size(), 2) + following;
}

std::string ipv4_block() {
    return hex("c0000201 c6336402 1267 0019");
}

std::string ipv6_block() {
    return hex(
        "20010db8 00000000 00000000 00000001"
        "20010db8 00000000 00000000 00000002 1267 0019");
}

std::string tlv(unsigned type, std::string_view value) {
    return big_endian(type, 1) + big_endian(value.size(), 2) + std::string(value);
}

std::string with_checksum(std::string header) {
    header += tlv(kTlvCrc32c, std::string(4, '\0'));
    header.replace(14, 2, big_endian(header.size() - 16, 2));
    return header.replace(header.size() - 4, 4, big_endian(crc32c(header), 4));
}

void expect_outcomes(const std::vector<Vector>& vectors) {
    testing::Test::RecordProperty("vectors", static_cast<int>(vectors.size()));
    for (const auto& vector : vectors) {
        SCOPED_TRACE(vector.name + ": " + testing::PrintToString(vector.bytes));
        if (vector.outcome.header) {
            expect_accepted(vector);
        } else if (vector.outcome.error) {
            expect_refused(vector);
        } else {
            expect_incomplete(vector);
        }
    }
}

}  // namespace millrace::proxy_protocol::test
