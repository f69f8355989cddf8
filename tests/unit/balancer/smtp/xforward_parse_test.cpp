#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/xforward.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::smtp {
namespace {

Result<Xforward> parsed(std::string_view argument) {
    Xforward attributes;
    if (const auto result = parse_xforward(argument, attributes); !result) {
        EXPECT_TRUE(attributes.is_empty());
        return result.error();
    }
    return attributes;
}

TEST(XforwardParse, MergesTheTwoLinesOfPostfix) {
    Xforward attributes;
    EXPECT_TRUE(attributes.is_empty());
    ASSERT_TRUE(parse_xforward("ADDR=203.0.113.66 PORT=4711", attributes));
    ASSERT_TRUE(parse_xforward(
        "PROTO=ESMTP HELO=mail.example.org IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE", attributes));
    EXPECT_EQ(attributes.name(), std::nullopt);
    EXPECT_EQ(attributes.address(), "203.0.113.66");
    EXPECT_EQ(attributes.port(), "4711");
    EXPECT_EQ(attributes.protocol(), "ESMTP");
    EXPECT_EQ(attributes.helo(), "mail.example.org");
    EXPECT_EQ(attributes.ident(), "4jW9801pfMz1bY05");
    EXPECT_EQ(attributes.source(), XforwardSource::remote);
    EXPECT_EQ(attributes.client_address(), parse_address("203.0.113.66"));
    EXPECT_EQ(attributes.client_port(), 4711);
    EXPECT_FALSE(attributes.is_empty());
}

TEST(XforwardParse, TakesALocalSubmission) {
    const auto attributes = parsed("SOURCE=LOCAL");
    ASSERT_TRUE(attributes);
    EXPECT_EQ(attributes->source(), XforwardSource::local);
    EXPECT_EQ(attributes->address(), std::nullopt);
    EXPECT_EQ(attributes->client_address(), std::nullopt);
    EXPECT_FALSE(attributes->is_empty());
}

TEST(XforwardParse, TakesAttributesInAnyOrderCaseAndSpacing) {
    const auto attributes = parsed("  source=remote  Ident=X  addr=192.0.2.1 ");
    ASSERT_TRUE(attributes);
    EXPECT_EQ(attributes->ident(), "X");
    EXPECT_EQ(attributes->address(), "192.0.2.1");
    EXPECT_EQ(attributes->source(), XforwardSource::remote);
}

TEST(XforwardParse, DecodesXtext) {
    EXPECT_EQ(parsed("HELO=we+2Bird=h?e?lo[x]")->helo(), "we+ird=h?e?lo[x]");
    EXPECT_EQ(parsed("NAME=a+20b")->name(), "a b");
    EXPECT_EQ(parsed("HELO=b+C3+BCcher.example")->helo(),
              "b\xC3\xBC"
              "cher.example");
    EXPECT_EQ(parsed("HELO=b\xC3\xBC"
                     "cher.example")
                  ->helo(),
              "b\xC3\xBC"
              "cher.example");
}

TEST(XforwardParse, KeepsAddressesInCanonicalText) {
    EXPECT_EQ(parsed("ADDR=IPv6:2001:db8:66::1")->address(), "2001:db8:66::1");
    EXPECT_EQ(parsed("ADDR=IPV6:2001:0DB8:66:0:0:0:0:1")->address(), "2001:db8:66::1");
    EXPECT_EQ(parsed("ADDR=ipv6:::ffff:192.0.2.1")->address(), "192.0.2.1");
    EXPECT_EQ(parsed("ADDR=IPv6:2001:db8::1")->client_address(), parse_address("2001:db8::1"));
}

TEST(XforwardParse, TakesUnavailableAsEmpty) {
    for (const std::string_view value : {"[UNAVAILABLE]", "[unavailable]", "[TEMPUNAVAIL]"}) {
        const auto text = std::string(value);
        const auto attributes =
            parsed("NAME=" + text + " ADDR=" + text + " PORT=" + text + " PROTO=" + text +
                   " HELO=" + text + " IDENT=" + text + " SOURCE=" + text);
        ASSERT_TRUE(attributes) << value;
        for (const auto name : {XforwardName::name, XforwardName::address, XforwardName::port,
                                XforwardName::protocol, XforwardName::helo, XforwardName::ident}) {
            EXPECT_EQ(attributes->value(name), "");
        }
        EXPECT_EQ(attributes->source(), std::nullopt);
        EXPECT_EQ(attributes->client_address(), std::nullopt);
        EXPECT_EQ(attributes->client_port(), 0);
    }
    EXPECT_EQ(parsed("PORT=0")->port(), "");
}

TEST(XforwardParse, RefusesValuesThatAnAttributeCannotHave) {
    for (const std::string_view argument : {
             "ADDR=",
             "ADDR=mail.example.org",
             "ADDR=192.0.2",
             "ADDR=192.0.2.1.1",
             "ADDR=192.0.2.256",
             "ADDR=192.0.2.01",
             "ADDR=192.0.2.1:25",
             "ADDR=[192.0.2.1]",
             "ADDR=2001:db8::1",
             "ADDR=IPv6:192.0.2.1",
             "ADDR=IPv6:",
             "ADDR=IPv6:2001:db8::1%25eth0",
             "ADDR=IPv6:2001:db8::1+25eth0",
             "ADDR=IPv6:[2001:db8::1]",
             "ADDR=unknown",
             "PORT=",
             "PORT=65536",
             "PORT=-1",
             "PORT=0x19",
             "PORT=025",
             "PORT=00",
             "PORT=25a",
             "NAME=",
             "HELO=a+0Db",
             "HELO=a+0Ab",
             "HELO=a+00b",
             "HELO=a+7Fb",
             "HELO=a+1Bb",
             "HELO=a+09b",
             "HELO=a+",
             "HELO=a+4",
             "HELO=a+4G",
             "HELO=+FF",
             "HELO=\xE4",
             "IDENT=+0A",
             "PROTO=",
             "SOURCE=",
             "SOURCE=BOTH",
             "SOURCE=LOCAL,REMOTE",
         }) {
        const auto attributes = parsed(argument);
        ASSERT_FALSE(attributes) << argument;
        EXPECT_EQ(attributes.error(), Errc::bad_attribute) << argument;
    }
}

TEST(XforwardParse, RefusesWhatIsNoAttribute) {
    for (const std::string_view argument :
         {"", " ", "ADDR", "ADDR 192.0.2.1", "=192.0.2.1 ADDR", "ADDR=192.0.2.1 ADDR=192.0.2.1",
          "ADDR=192.0.2.1 PORT=1 addr=192.0.2.2", "SOURCE=[UNAVAILABLE] SOURCE=LOCAL"}) {
        const auto attributes = parsed(argument);
        ASSERT_FALSE(attributes) << argument;
        const bool is_unknown = argument.starts_with('=');
        EXPECT_EQ(attributes.error(), is_unknown ? Errc::unknown_attribute : Errc::syntax)
            << argument;
    }
    for (const std::string_view argument : {"LOGIN=a", "DESTADDR=192.0.2.1", "ADDRESS=192.0.2.1",
                                            "ADD=192.0.2.1", "\tADDR=192.0.2.1"}) {
        EXPECT_EQ(parsed(argument).error(), Errc::unknown_attribute) << argument;
    }
}

TEST(XforwardParse, BoundsAValueByItsDecodedLength) {
    const std::string longest(Xforward::kValueLengthMax, 'a');
    EXPECT_EQ(parsed("HELO=" + longest)->helo(), longest);
    EXPECT_EQ(parsed("HELO=+61" + longest.substr(1))->helo(), longest);
    EXPECT_EQ(parsed("HELO=a" + longest).error(), Errc::bad_attribute);
}

TEST(XforwardParse, LeavesEverythingAsItWasOnAnError) {
    Xforward attributes;
    ASSERT_TRUE(parse_xforward("ADDR=192.0.2.1 HELO=a", attributes));
    const auto before = attributes;
    EXPECT_FALSE(parse_xforward("ADDR=192.0.2.2 HELO=b PORT=x", attributes));
    EXPECT_EQ(attributes, before);
}

TEST(XforwardParse, ALaterCommandReplacesAValue) {
    Xforward attributes;
    ASSERT_TRUE(parse_xforward("ADDR=192.0.2.1 SOURCE=REMOTE HELO=a", attributes));
    ASSERT_TRUE(parse_xforward("ADDR=[UNAVAILABLE] SOURCE=[UNAVAILABLE]", attributes));
    EXPECT_EQ(attributes.address(), "");
    EXPECT_EQ(attributes.source(), std::nullopt);
    EXPECT_EQ(attributes.helo(), "a");
}

}  // namespace
}  // namespace millrace::smtp
