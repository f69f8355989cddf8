#include "balancer/proxy_protocol/origin_tlvs.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol {
namespace {

TEST(TlvSelection, IsReadFromItsNumbers) {
    EXPECT_EQ(parse_tlv_selection("e4,e5,e6,05,03"), TlvSelection());
    EXPECT_EQ(parse_tlv_selection(" E4 , e5,\te6,05,03 "), TlvSelection());
    EXPECT_EQ(parse_tlv_selection("off"), TlvSelection::none());
    const TlvSelection all{.address = true,
                           .port = true,
                           .queue_id = true,
                           .helo = true,
                           .name = true,
                           .record = true,
                           .unique_id = true,
                           .checksum = true};
    EXPECT_EQ(parse_tlv_selection("03,05,e9,e8,e7,e6,e5,e4"), all);
    auto address_only = TlvSelection::none();
    address_only.address = true;
    EXPECT_EQ(parse_tlv_selection("e4"), address_only);
}

TEST(TlvSelection, RefusesAnythingElse) {
    for (const std::string_view text :
         {"",  " ",    ",", "e4,", ",e4",  "e4,e4",  "e4 e5", "e4;e5", "ea", "e3",    "01",
          "4", "0xe4", "e", "e44", "none", "off,e4", "OFF",   "all",   "+4", "e4,off"}) {
        EXPECT_EQ(parse_tlv_selection(text), std::nullopt) << text;
    }
}

TEST(TlvSelection, KnowsWhetherItTellsOfOneMessage) {
    EXPECT_TRUE(TlvSelection().has_message_data());
    EXPECT_FALSE(TlvSelection::none().has_message_data());
    EXPECT_FALSE(parse_tlv_selection("03")->has_message_data());
    for (const std::string_view type : {"e4", "e5", "e6", "e7", "e8", "e9", "05"}) {
        EXPECT_TRUE(parse_tlv_selection(type)->has_message_data()) << type;
    }
}

TEST(TlvMap, MovesNumbers) {
    EXPECT_EQ(parse_tlv_map("e4=ea,e5=eb"), (TlvMap{.address = 0xEA, .port = 0xEB}));
    EXPECT_EQ(parse_tlv_map(" E4 = EF "), (TlvMap{.address = 0xEF}));
    EXPECT_EQ(parse_tlv_map("e4=e4"), TlvMap());
    EXPECT_EQ(parse_tlv_map("e4=e5,e5=e4"), (TlvMap{.address = 0xE5, .port = 0xE4}));
    EXPECT_EQ(parse_tlv_map("e4=e0,e5=e1,e6=e2,e7=e3,e8=ed,e9=ec"), (TlvMap{.address = 0xE0,
                                                                            .port = 0xE1,
                                                                            .queue_id = 0xE2,
                                                                            .helo = 0xE3,
                                                                            .name = 0xED,
                                                                            .record = 0xEC}));
}

TEST(TlvMap, RefusesAnythingElse) {
    for (const std::string_view text :
         {"", ",", "e4", "e4=", "=ea", "e4=ea,", "e4=ea,e4=eb", "e4=e5", "e4=ea,e5=ea", "05=ea",
          "03=ea", "e3=ea", "e4=f0", "e4=df", "e4=05", "e4=1", "e4=0xea", "e4:ea", "e4=ea=eb"}) {
        EXPECT_EQ(parse_tlv_map(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace millrace::proxy_protocol
