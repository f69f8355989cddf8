#include "balancer/session/identity.hpp"

#include "balancer/proxy_protocol/header.hpp"

#include <gtest/gtest.h>

namespace millrace::session {
namespace {

using Mode = pool::ProxySource::Mode;

Address address(std::string_view text) {
    return parse_address(text).value();
}

Endpoint endpoint(std::string_view text) {
    return parse_endpoint(text).value();
}

smtp::Xforward xforward(std::string_view argument) {
    smtp::Xforward attributes;
    EXPECT_TRUE(smtp::parse_xforward(argument, attributes)) << argument;
    return attributes;
}

origin::Resolution from_store(std::string_view client) {
    origin::Resolution resolution;
    resolution.source = origin::Source::store;
    resolution.origin.emplace();
    resolution.origin->endpoint = endpoint(client);
    resolution.origin->name = "mail.far.example";
    resolution.origin->helo = "far";
    resolution.origin->protocol = "ESMTPS";
    return resolution;
}

// --- What XFORWARD claimed ----------------------------------------------------------------------

TEST(ClaimedClient, IsWhatXforwardSaid) {
    const auto said = xforward(
        "NAME=mx.example.net ADDR=IPv6:2001:db8::66 PORT=4711 PROTO=ESMTP "
        "HELO=mail SOURCE=REMOTE");
    const auto claimed = claimed_client(said);
    ASSERT_TRUE(claimed);
    EXPECT_FALSE(claimed->is_local);
    EXPECT_EQ(claimed->endpoint, endpoint("[2001:db8::66]:4711"));
    EXPECT_EQ(claimed->name, "mx.example.net");
    EXPECT_EQ(claimed->helo, "mail");
    EXPECT_EQ(claimed->protocol, "ESMTP");
}

TEST(ClaimedClient, IsNobodyWhenXforwardSaidNothing) {
    EXPECT_FALSE(claimed_client({}));
}

TEST(ClaimedClient, HasNoAddressWhenItIsUnavailable) {
    const auto claimed = claimed_client(xforward("ADDR=[UNAVAILABLE] PORT=4711 HELO=mail"));
    ASSERT_TRUE(claimed);
    EXPECT_TRUE(claimed->endpoint.address.is_unspecified());
    EXPECT_EQ(claimed->endpoint.port, 0);
}

TEST(ClaimedClient, IsLocalWhenPostfixSaysSo) {
    const auto claimed = claimed_client(xforward("SOURCE=LOCAL"));
    ASSERT_TRUE(claimed);
    EXPECT_TRUE(claimed->is_local);
    EXPECT_TRUE(claimed->endpoint.address.is_unspecified());
}

// --- What the node is given ---------------------------------------------------------------------

TEST(R3Forwarded, IsAsReceivedWhenTheOriginIsTheClientThatXforwardNames) {
    const auto received = xforward(
        "NAME=mx.example.net ADDR=203.0.113.66 PORT=4711 HELO=mail IDENT=4XyZ SOURCE=REMOTE");
    EXPECT_EQ(forwarded(received, from_store("203.0.113.66:4711")), received);
}

TEST(R3Forwarded, IsAsReceivedWhenXforwardToldTheOrigin) {
    const auto received = xforward("NAME=mx ADDR=203.0.113.66 PORT=4711 HELO=mail IDENT=4XyZ");
    const auto resolution =
        origin::resolve({origin::Source::xforward}, claimed_client(received), std::nullopt);
    ASSERT_EQ(resolution.source, origin::Source::xforward);
    EXPECT_EQ(forwarded(received, resolution), received);
}

TEST(R3Forwarded, NamesTheOriginBehindATrustedRelay) {
    const auto received = xforward(
        "NAME=relay ADDR=192.0.2.7 PORT=25000 PROTO=SMTP HELO=relay "
        "IDENT=4XyZ SOURCE=REMOTE");
    const auto given = forwarded(received, from_store("[2001:db8::66]:4711"));
    EXPECT_EQ(given.address(), "2001:db8::66");
    EXPECT_EQ(given.port(), "4711");
    EXPECT_EQ(given.name(), "mail.far.example");
    EXPECT_EQ(given.helo(), "far");
    EXPECT_EQ(given.protocol(), "ESMTPS");
    EXPECT_EQ(given.ident(), "4XyZ");
    EXPECT_EQ(given.source(), smtp::XforwardSource::remote);
}

TEST(R3Forwarded, SaysThatAnUnknownOriginIsUnknown) {
    const auto given = forwarded({}, {});
    EXPECT_EQ(given.address(), "");
    EXPECT_EQ(given.port(), "");
    EXPECT_EQ(given.name(), "");
    EXPECT_EQ(given.helo(), "");
    const auto lines = smtp::encode_xforward(given, smtp::XforwardAttributes::all());
    EXPECT_NE(lines.wire.find("ADDR=[UNAVAILABLE]"), std::string::npos) << lines.wire;
}

TEST(R3Forwarded, DoesNotNameAClientThatWasNotBelieved) {
    const auto received = xforward("NAME=mx ADDR=203.0.113.66 PORT=4711 HELO=mail IDENT=4XyZ");
    const auto given = forwarded(received, {});
    EXPECT_EQ(given.address(), "");
    EXPECT_EQ(given.name(), "");
    EXPECT_EQ(given.helo(), "");
    EXPECT_EQ(given.ident(), "4XyZ");
}

TEST(R3Forwarded, LeavesALocalSubmissionWithoutAnAddress) {
    origin::Resolution local;
    local.source = origin::Source::local;
    const auto received = xforward("SOURCE=LOCAL");
    EXPECT_EQ(forwarded(received, local), received);
}

// --- Who the connection is from -----------------------------------------------------------------

struct SourceCase {
    std::string_view name;
    Mode mode;
    std::string_view peer;
    std::string_view node;
    std::string_view want;
};

constexpr std::string_view kLocal = "192.0.2.9:50001";

const SourceCase kSourceCases[] = {
    {"the peer", Mode::automatic, "192.0.2.25:40001", "198.51.100.1:10024", "192.0.2.25:40001"},
    {"loopback, the node elsewhere", Mode::automatic, "127.0.0.1:40001", "198.51.100.1:10024",
     kLocal},
    {"loopback of IPv6, the node elsewhere", Mode::automatic, "[::1]:40001", "198.51.100.1:10024",
     kLocal},
    {"all on one host", Mode::automatic, "127.0.0.2:40001", "127.0.0.1:10024", "127.0.0.2:40001"},
    {"the peer by order", Mode::peer, "127.0.0.1:40001", "198.51.100.1:10024", "127.0.0.1:40001"},
    {"fixed IPv4", Mode::fixed, "127.0.0.1:40001", "198.51.100.1:10024", "192.0.2.10:50001"},
    {"fixed IPv6", Mode::fixed, "127.0.0.1:40001", "[2001:db8::5]:10024", "[2001:db8::10]:50001"},
};

TEST(ProxySource, IsTheAddressThatStandsForThePostfixHost) {
    for (const SourceCase& test : kSourceCases) {
        const pool::ProxySource option{test.mode, {address("192.0.2.10"), address("2001:db8::10")}};
        const ConnectionEnds ends{endpoint(test.peer), endpoint(kLocal), endpoint(test.node)};
        EXPECT_EQ(to_string(proxy_source(option, ends)), test.want) << test.name;
    }
}

TEST(ProxySource, NamesOurEndOnlyWhereThatWasSaid) {
    for (const SourceCase& test : kSourceCases) {
        pool::NodeDialect dialect;
        dialect.send_proxy = pool::SendProxy::v2;
        dialect.proxy_source = {test.mode, {address("192.0.2.10"), address("2001:db8::10")}};
        const Address peer = endpoint(test.peer).address;
        const Address node = endpoint(test.node).address;
        EXPECT_EQ(names_local_end(dialect, peer, node), test.want.ends_with(":50001")) << test.name;
        dialect.send_proxy = pool::SendProxy::off;
        EXPECT_FALSE(names_local_end(dialect, peer, node)) << test.name;
    }
}

TEST(ProxySource, IsTheOnlyFixedAddressWhenNoneHasTheFamilyOfTheNode) {
    const pool::ProxySource option{Mode::fixed, {address("192.0.2.10")}};
    const ConnectionEnds ends{endpoint("127.0.0.1:1"), endpoint(kLocal),
                              endpoint("[2001:db8::5]:2")};
    EXPECT_EQ(to_string(proxy_source(option, ends)), "192.0.2.10:50001");
}

// --- The header ---------------------------------------------------------------------------------

const ConnectionEnds kEnds{parse_endpoint("192.0.2.25:40001").value(),
                           parse_endpoint(kLocal).value(),
                           parse_endpoint("198.51.100.1:10024").value()};

proxy_protocol::OriginFacts facts() {
    proxy_protocol::OriginFacts facts;
    facts.client = parse_endpoint("203.0.113.66:4711").value();
    facts.queue_id = "4XyZ12";
    facts.unique_id = "s1-1";
    return facts;
}

TEST(ProxyHeader, IsNothingWhenItIsOff) {
    pool::NodeDialect dialect;
    dialect.send_proxy = pool::SendProxy::off;
    EXPECT_EQ(proxy_header(dialect, kEnds, facts()).value(), "");
}

TEST(ProxyHeader, OfVersion1NamesPeerAndNodeAndNoOrigin) {
    pool::NodeDialect dialect;
    dialect.send_proxy = pool::SendProxy::v1;
    EXPECT_EQ(proxy_header(dialect, kEnds, facts()).value(),
              "PROXY TCP4 192.0.2.25 198.51.100.1 40001 10024\r\n");
}

TEST(R3ProxyHeader, KeepsPeerAndOriginApart) {
    const auto bytes = proxy_header({}, kEnds, facts());
    ASSERT_TRUE(bytes);
    const auto decoded = proxy_protocol::decode(*bytes, 232);
    ASSERT_TRUE(decoded && *decoded);
    const proxy_protocol::Header& header = (*decoded)->header;
    EXPECT_EQ(header.source, kEnds.peer);
    EXPECT_EQ(header.destination, kEnds.node);
    EXPECT_EQ(proxy_protocol::decode_origin_tlvs(header, {}).value(), facts());
}

TEST(R3ProxyHeader, OfAnUnknownOriginHoldsNoAddressOfOurs) {
    proxy_protocol::OriginFacts unknown;
    unknown.unique_id = "s1-1";
    const auto bytes = proxy_header({}, kEnds, unknown);
    ASSERT_TRUE(bytes);
    const auto decoded = proxy_protocol::decode(*bytes, 232);
    ASSERT_TRUE(decoded && *decoded);
    for (const proxy_protocol::Tlv& tlv : (*decoded)->header.tlvs) {
        EXPECT_EQ(tlv.type, proxy_protocol::kTlvUniqueId);
    }
}

TEST(ProxyHeader, AnnouncesAnotherPortWhereOneIsConfigured) {
    pool::NodeDialect dialect;
    dialect.send_proxy = pool::SendProxy::v1;
    dialect.proxy_dst_port = 10026;
    EXPECT_EQ(proxy_header(dialect, kEnds, facts()).value(),
              "PROXY TCP4 192.0.2.25 198.51.100.1 40001 10026\r\n");
}

}  // namespace
}  // namespace millrace::session
