#include "balancer/proxy_protocol/origin_tlvs.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::proxy_protocol {
namespace {

constexpr std::size_t kLengthMax = 66000;

const Endpoint kSource{parse_address("192.0.2.1").value(), 4711};
const Endpoint kDestination{parse_address("198.51.100.2").value(), 10024};

OriginFacts everything() {
    return {.client = {parse_address("203.0.113.66").value(), 4711},
            .queue_id = "4jW9801pfMz1bY05",
            .helo = "mail.example.org",
            .name = "mx.example.org",
            .record = std::string("\x0A\x00\xFF", 3),
            .unique_id = "0f2c-17"};
}

HeaderOptions all_selected(std::size_t length_max = kLengthMax) {
    HeaderOptions options;
    options.selection.helo = true;
    options.selection.name = true;
    options.selection.record = true;
    options.length_max = length_max;
    return options;
}

Header decoded(const Result<std::string>& bytes) {
    return (*decode(bytes.value(), kLengthMax)).value().header;
}

std::vector<unsigned> types_of(const Header& header) {
    std::vector<unsigned> types;
    for (const auto& tlv : header.tlvs) {
        types.push_back(tlv.type);
    }
    return types;
}

TEST(OriginTlvs, AreReadBack) {
    const auto header =
        decoded(encode_origin_header(kSource, kDestination, everything(), all_selected()));
    EXPECT_EQ(header.source, kSource);
    EXPECT_EQ(header.destination, kDestination);
    EXPECT_EQ(decode_origin_tlvs(header, {}).value(), everything());
}

TEST(OriginTlvs, AreTextByDefaultSelection) {
    const auto header = decoded(encode_origin_header(kSource, kDestination, everything(), {}));
    const std::vector<Tlv> expected{
        {0xE4, "203.0.113.66"}, {0xE5, "4711"}, {0xE6, "4jW9801pfMz1bY05"}, {0x05, "0f2c-17"}};
    EXPECT_EQ(header.tlvs, expected);
    auto facts = everything();
    facts.client.address = parse_address("2001:db8:66::1").value();
    EXPECT_EQ(decoded(encode_origin_header(kSource, kDestination, facts, {})).tlvs.front(),
              (Tlv{0xE4, "2001:db8:66::1"}));
}

TEST(OriginTlvs, EndWithTheChecksumWhenItIsSelected) {
    HeaderOptions options;
    const auto with = encode_origin_header(kSource, kDestination, everything(), options).value();
    EXPECT_EQ(with.substr(with.size() - 7, 3), std::string("\x03\x00\x04", 3));
    options.selection.checksum = false;
    const auto without = encode_origin_header(kSource, kDestination, everything(), options).value();
    EXPECT_EQ(without.size() + 7, with.size());
}

TEST(OriginTlvs, SayNothingOfAnUnknownOrigin) {
    const auto header = decoded(encode_origin_header(kSource, kDestination, {}, all_selected()));
    EXPECT_TRUE(header.tlvs.empty());
    OriginFacts port_only;
    port_only.client.port = 4711;
    EXPECT_TRUE(decoded(encode_origin_header(kSource, kDestination, port_only, {})).tlvs.empty());
    OriginFacts unspecified;
    unspecified.client = {parse_address("::").value(), 4711};
    EXPECT_TRUE(decoded(encode_origin_header(kSource, kDestination, unspecified, {})).tlvs.empty());
    auto no_port = everything();
    no_port.client.port = 0;
    EXPECT_EQ(types_of(decoded(encode_origin_header(kSource, kDestination, no_port, {}))),
              (std::vector<unsigned>{0xE4, 0xE6, 0x05}));
}

TEST(OriginTlvs, LeaveOutNamesAndIdsThatAreTooLong) {
    auto facts = everything();
    facts.helo = std::string(65, 'h');
    facts.unique_id = std::string(65, 'u');
    const auto header = decoded(encode_origin_header(kSource, kDestination, facts, all_selected()));
    EXPECT_EQ(types_of(header), (std::vector<unsigned>{0xE4, 0xE5, 0xE6, 0xE8, 0xE9}));
    facts.helo.pop_back();
    facts.unique_id.pop_back();
    EXPECT_EQ(decode_origin_tlvs(
                  decoded(encode_origin_header(kSource, kDestination, facts, all_selected())), {})
                  .value(),
              facts);
}

TEST(OriginTlvs, AreDroppedInOrderAndTheAddressNever) {
    const std::vector<std::vector<unsigned>> steps{
        {0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0x05},
        {0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0x05},
        {0xE4, 0xE5, 0xE6, 0xE7, 0x05},
        {0xE4, 0xE5, 0xE6, 0x05},
        {0xE4, 0xE5, 0xE6},
        {0xE4, 0xE5},
        {0xE4},
    };
    std::vector<std::vector<unsigned>> seen;
    std::size_t length_max = 300;
    for (;; --length_max) {
        const auto bytes =
            encode_origin_header(kSource, kDestination, everything(), all_selected(length_max));
        if (!bytes) {
            EXPECT_EQ(bytes.error(), Errc::too_long);
            break;
        }
        EXPECT_LE(bytes->size(), length_max);
        const auto types = types_of(decoded(bytes));
        if (seen.empty() || seen.back() != types) {
            seen.push_back(types);
        }
    }
    EXPECT_EQ(seen, steps);
    // Fixed part, addresses, 0xE4 with "203.0.113.66", checksum.
    EXPECT_EQ(length_max, 16U + 12 + 3 + 12 + 7 - 1);
}

TEST(OriginTlvs, OfAnyLengthStayWithinTheSmallestLimitOfAnyReceiver) {
    const Endpoint source{parse_address("2001:db8:1111:2222:3333:4444:5555:6666").value(), 65535};
    OriginFacts facts{.client = source,
                      .queue_id = std::string(255, 'Q'),
                      .helo = std::string(64, 'h'),
                      .name = std::string(255, 'n'),
                      .record = std::string(65536, 'r'),
                      .unique_id = std::string(64, 'u')};
    const auto bytes = encode_origin_header(source, source, facts, all_selected(232));
    EXPECT_LE(bytes.value().size(), 232U);
    EXPECT_EQ(types_of(decoded(bytes)), (std::vector<unsigned>{0xE4, 0xE5}));
    facts.queue_id = "4jW9801pfMz1bY05";
    EXPECT_EQ(types_of(decoded(encode_origin_header(source, source, facts, all_selected(232)))),
              (std::vector<unsigned>{0xE4, 0xE5, 0xE6, 0x05}));
}

TEST(OriginTlvs, MoveWithTheMap) {
    auto options = all_selected();
    options.map = {.address = 0xEA,
                   .port = 0xEB,
                   .queue_id = 0xEC,
                   .helo = 0xED,
                   .name = 0xE4,
                   .record = 0xE5};
    const auto header = decoded(encode_origin_header(kSource, kDestination, everything(), options));
    EXPECT_EQ(types_of(header), (std::vector<unsigned>{0xEA, 0xEB, 0xEC, 0xED, 0xE4, 0xE5, 0x05}));
    EXPECT_EQ(decode_origin_tlvs(header, options.map).value(), everything());
    EXPECT_EQ(decode_origin_tlvs(header, {}).error(), TlvErrc::bad_address);
    options.length_max = encoded_length_v2(header, true) - 1;
    EXPECT_EQ(types_of(decoded(encode_origin_header(kSource, kDestination, everything(), options))),
              (std::vector<unsigned>{0xEA, 0xEB, 0xEC, 0xED, 0xE4, 0x05}));
}

Result<OriginFacts> facts_of(std::vector<Tlv> tlvs) {
    Header header;
    header.tlvs = std::move(tlvs);
    return decode_origin_tlvs(header, {});
}

TEST(OriginTlvs, OfOthersArePassedOver) {
    EXPECT_EQ(facts_of({{0x01, "h2"}, {0x20, "x"}, {0x01, "h2"}, {0xEA, "vpce"}}).value(),
              OriginFacts());
    EXPECT_EQ(facts_of({}).value(), OriginFacts());
    EXPECT_EQ(facts_of({{0xE5, "4711"}}).value(), OriginFacts());
}

TEST(OriginTlvs, RefuseDuplicates) {
    for (const unsigned type : {0xE4U, 0xE5U, 0xE6U, 0xE7U, 0xE8U, 0xE9U, 0x05U}) {
        const Tlv tlv{static_cast<std::uint8_t>(type), type == 0xE4 ? "192.0.2.1" : "25"};
        EXPECT_TRUE(facts_of({tlv})) << type;
        EXPECT_EQ(facts_of({tlv, {0x01, "h2"}, tlv}).error(), TlvErrc::duplicate) << type;
    }
}

TEST(OriginTlvs, RefuseWhatIsNoAddress) {
    for (const std::string_view text :
         {"", "192.0.2", "192.0.2.1 ", " 192.0.2.1", "192.0.2.01", "192.0.2.1:25", "[2001:db8::1]",
          "IPv6:2001:db8::1", "mail.example.org", "unknown", "fe80::1%eth0", "0.0.0.0",
          "::", "::ffff:0.0.0.0", "192.0.2.1\n"}) {
        EXPECT_EQ(facts_of({{0xE4, std::string(text)}}).error(), TlvErrc::bad_address) << text;
    }
    EXPECT_EQ(facts_of({{0xE4, std::string("192.0.2.1\0", 10)}}).error(), TlvErrc::bad_address);
    EXPECT_EQ(facts_of({{0xE4, "::ffff:192.0.2.1"}})->client.address,
              parse_address("192.0.2.1").value());
}

TEST(OriginTlvs, RefuseWhatIsNoPort) {
    for (const std::string_view text :
         {"", "0", "65536", "025", "-1", "+1", "25 ", "smtp", "\x11"}) {
        EXPECT_EQ(facts_of({{0xE4, "192.0.2.1"}, {0xE5, std::string(text)}}).error(),
                  TlvErrc::bad_port)
            << text;
    }
}

TEST(OriginTlvs, RefuseTextsThatWouldBreakALine) {
    for (const unsigned number : {0xE6U, 0xE7U, 0xE8U}) {
        const auto type = static_cast<std::uint8_t>(number);
        for (const auto& text : {std::string("a\nb"), std::string("a\0b", 3), std::string("\x7F"),
                                 std::string("\x1B[0m"), std::string(256, 'a')}) {
            EXPECT_EQ(facts_of({{type, text}}).error(), TlvErrc::bad_text) << number;
        }
        EXPECT_TRUE(facts_of({{type, std::string(255, 'a')}}));
        EXPECT_TRUE(facts_of({{type, "b\xC3\xBC"}}));
    }
}

TEST(OriginTlvs, PassOverAUniqueIdThatIsNoText) {
    EXPECT_EQ(facts_of({{0x05, "0f2c-17"}})->unique_id, "0f2c-17");
    EXPECT_EQ(facts_of({{0x05, std::string("\x00\x01", 2)}})->unique_id, "");
    EXPECT_EQ(facts_of({{0x05, std::string(128, 'u')}})->unique_id, "");
}

TEST(OriginTlvs, EveryErrorHasATextOfItsOwn) {
    EXPECT_EQ(make_error_code(TlvErrc::duplicate).message(), "origin TLV occurs twice");
    EXPECT_EQ(make_error_code(TlvErrc::bad_address).message(), "origin TLV is no address");
    EXPECT_EQ(make_error_code(TlvErrc::bad_port).message(), "origin TLV is no port");
    EXPECT_EQ(make_error_code(TlvErrc::bad_text).message(), "origin TLV is no text");
    EXPECT_EQ(make_error_code(static_cast<TlvErrc>(9)).message(), "unknown error of an origin TLV");
}

}  // namespace
}  // namespace millrace::proxy_protocol
