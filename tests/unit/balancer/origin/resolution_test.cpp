#include "balancer/origin/resolution.hpp"

#include "tests/support/origin_builder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::origin {
namespace {

using test::endpoint;
using test::origin_record;

const std::vector<Source> kStoreFirst = {Source::store, Source::xforward};
const std::vector<Source> kXforwardFirst = {Source::xforward, Source::store};

ClaimedClient claimed(std::string_view address, std::uint16_t port = 4711) {
    ClaimedClient client;
    client.endpoint = endpoint(address, port);
    client.helo = "claimed.example.net";
    return client;
}

ClaimedClient local_submission() {
    ClaimedClient client;
    client.is_local = true;
    return client;
}

// The client behind a trusted relay at 198.51.100.1.
OriginRecord record_behind_relay() {
    OriginRecord record = origin_record("4XyZ12");
    record.connected = endpoint("198.51.100.1", 4711);
    return record;
}

struct Case {
    std::string name;
    std::vector<Source> order;
    std::optional<ClaimedClient> claimed;
    std::optional<OriginRecord> record;
    Source source;
    std::string address;  // empty: no origin
    bool is_mismatch;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name;
}

class ResolutionCases : public ::testing::TestWithParam<Case> {};

TEST_P(ResolutionCases, GiveTheOriginThatIsBelieved) {
    const Case& c = GetParam();
    const Resolution resolution = resolve(c.order, c.claimed, c.record);
    EXPECT_EQ(resolution.source, c.source);
    EXPECT_EQ(resolution.is_mismatch, c.is_mismatch);
    ASSERT_EQ(resolution.origin.has_value(), !c.address.empty());
    if (resolution.origin) {
        EXPECT_EQ(millrace::to_string(resolution.origin->endpoint.address), c.address);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Resolution, ResolutionCases,
    ::testing::Values(
        Case{"RecordOfTheSameClient", kStoreFirst, claimed("203.0.113.66"), origin_record("A1"),
             Source::store, "203.0.113.66", false},
        Case{"RecordBehindATrustedRelay", kStoreFirst, claimed("198.51.100.1"),
             record_behind_relay(), Source::store, "203.0.113.66", false},
        Case{"MappedAddressIsTheSameClient", kStoreFirst, claimed("::ffff:203.0.113.66"),
             origin_record("A1"), Source::store, "203.0.113.66", false},
        Case{"Ipv6", kStoreFirst, claimed("2001:db8::66"), origin_record("A1", "2001:db8::66"),
             Source::store, "2001:db8::66", false},
        Case{"StaleRecordOfAnotherClient", kStoreFirst, claimed("203.0.113.99"),
             origin_record("A1"), Source::xforward, "203.0.113.99", true},
        Case{"StaleRecordOfTheSameRelay", kStoreFirst, claimed("198.51.100.1", 4712),
             record_behind_relay(), Source::xforward, "198.51.100.1", true},
        Case{"UnknownClaimedPortIsNoDifference", kStoreFirst, claimed("203.0.113.66", 0),
             origin_record("A1"), Source::store, "203.0.113.66", false},
        Case{"NoRecord", kStoreFirst, claimed("203.0.113.99"), std::nullopt, Source::xforward,
             "203.0.113.99", false},
        Case{"XforwardFirst", kXforwardFirst, claimed("198.51.100.1"), record_behind_relay(),
             Source::xforward, "198.51.100.1", false},
        Case{"StoreOnlyWithoutRecord",
             {Source::store},
             claimed("203.0.113.66"),
             std::nullopt,
             Source::none,
             "",
             false},
        Case{"StoreOnlyWithStaleRecord",
             {Source::store},
             claimed("203.0.113.99"),
             origin_record("A1"),
             Source::none,
             "",
             true},
        Case{"RecordThatNobodyConfirms", kStoreFirst, std::nullopt, origin_record("A1"),
             Source::none, "", true},
        Case{"AddressUnavailable", kStoreFirst, ClaimedClient{}, origin_record("A1"), Source::none,
             "", true},
        Case{"NothingKnown", kStoreFirst, std::nullopt, std::nullopt, Source::none, "", false},
        Case{"LocalSubmission", kStoreFirst, local_submission(), std::nullopt, Source::local, "",
             false},
        Case{"LocalSubmissionUnderARecycledQueueId", kStoreFirst, local_submission(),
             origin_record("A1"), Source::local, "", true}),
    [](const ::testing::TestParamInfo<Case>& parameter) { return parameter.param.name; });

TEST(Resolution, LocalWithAnAddressIsThatClient) {
    ClaimedClient client = claimed("192.0.2.7");
    client.is_local = true;
    const Resolution resolution = resolve(kStoreFirst, client, std::nullopt);
    EXPECT_EQ(resolution.source, Source::xforward);
    ASSERT_TRUE(resolution.origin);
    EXPECT_EQ(resolution.origin->endpoint, client.endpoint);
}

TEST(Resolution, TellsAllThatXforwardSaid) {
    ClaimedClient client = claimed("192.0.2.7");
    client.name = "mx.example.net";
    client.protocol = "ESMTP";
    SmtpClient want;
    want.endpoint = endpoint("192.0.2.7", 4711);
    want.name = "mx.example.net";
    want.helo = "claimed.example.net";
    want.protocol = "ESMTP";
    EXPECT_EQ(resolve(kStoreFirst, client, std::nullopt).origin, want);
}

TEST(Resolution, RecordWithoutAnOriginAddressIsNotBelieved) {
    OriginRecord record = origin_record("A1");
    record.origin.endpoint = {};
    const Resolution resolution = resolve(kStoreFirst, claimed("203.0.113.66"), record);
    EXPECT_EQ(resolution.source, Source::xforward);
    EXPECT_TRUE(resolution.is_mismatch);
}

TEST(Resolution, OrderIsParsed) {
    EXPECT_EQ(parse_order("store,xforward"), kStoreFirst);
    EXPECT_EQ(parse_order("xforward, store"), kXforwardFirst);
    EXPECT_EQ(parse_order("store"), std::vector<Source>{Source::store});
}

TEST(Resolution, OrdersThatSayNothingClearAreRefused) {
    for (const std::string_view text :
         {"", ",", "store,", ",store", "store,store", "local", "none", "Store", "store xforward"}) {
        EXPECT_FALSE(parse_order(text)) << text;
    }
}

TEST(Resolution, SourcesHaveTheNamesOfTheMetrics) {
    EXPECT_EQ(to_string(Source::store), "store");
    EXPECT_EQ(to_string(Source::xforward), "xforward");
    EXPECT_EQ(to_string(Source::local), "local");
    EXPECT_EQ(to_string(Source::none), "none");
}

}  // namespace
}  // namespace millrace::origin
