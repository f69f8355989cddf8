#include "balancer/smtp/capabilities.hpp"

#include <gtest/gtest.h>

namespace millrace::smtp {
namespace {

Reply reply(std::string wire) {
    return {.code = 250, .wire = std::move(wire)};
}

Capabilities everything() {
    return {.pipelining = true,
            .size = true,
            .eight_bit_mime = true,
            .smtp_utf8 = true,
            .dsn = true,
            .enhanced_status_codes = true,
            .xforward = XforwardAttributes::all()};
}

TEST(Capabilities, AreReadFromTheReplyOfAmavisd) {
    EXPECT_EQ(parse_capabilities(reply("250-[127.0.0.1]\r\n"
                                       "250-VRFY\r\n"
                                       "250-PIPELINING\r\n"
                                       "250-SIZE\r\n"
                                       "250-ENHANCEDSTATUSCODES\r\n"
                                       "250-8BITMIME\r\n"
                                       "250-SMTPUTF8\r\n"
                                       "250-DSN\r\n"
                                       "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n")),
              everything());
}

TEST(Capabilities, IgnoreCaseAndUnknownKeywords) {
    const auto found = parse_capabilities(
        reply("250-host\r\n250-size 1000\r\n250-X-NEW a b\r\n250 xforward Addr LOGIN port\r\n"));
    Capabilities expected;
    expected.size = true;
    expected.xforward.address = true;
    expected.xforward.port = true;
    EXPECT_EQ(found, expected);
}

TEST(Capabilities, AreNotReadFromTheGreetingLine) {
    EXPECT_EQ(parse_capabilities(reply("250 PIPELINING\r\n")), Capabilities());
    EXPECT_EQ(parse_capabilities(reply("250-DSN DSN\r\n250\r\n")), Capabilities());
    EXPECT_EQ(parse_capabilities(reply("250\r\n")), Capabilities());
    EXPECT_EQ(parse_capabilities(Reply()), Capabilities());
    EXPECT_EQ(parse_capabilities(reply("250-host\r\n250-XFORWARD\r\n250 SIZED\r\n")),
              Capabilities());
}

TEST(Capabilities, AreAnnouncedInOneReply) {
    EXPECT_EQ(ehlo_reply("mx.example.org", everything(), 104857600).wire,
              "250-mx.example.org\r\n"
              "250-PIPELINING\r\n"
              "250-SIZE 104857600\r\n"
              "250-8BITMIME\r\n"
              "250-SMTPUTF8\r\n"
              "250-DSN\r\n"
              "250-ENHANCEDSTATUSCODES\r\n"
              "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n");
    Capabilities size_only;
    size_only.size = true;
    EXPECT_EQ(ehlo_reply("mx.example.org", size_only, 0).wire,
              "250-mx.example.org\r\n250 SIZE\r\n");
    EXPECT_EQ(ehlo_reply("mx.example.org", {}, 1).wire, "250 mx.example.org\r\n");
    EXPECT_EQ(ehlo_reply("mx.example.org", {}, 1).code, 250U);
}

TEST(Capabilities, SurviveTheRoundTripOneByOne) {
    for (auto flag :
         {&Capabilities::pipelining, &Capabilities::size, &Capabilities::eight_bit_mime,
          &Capabilities::smtp_utf8, &Capabilities::dsn, &Capabilities::enhanced_status_codes}) {
        Capabilities one;
        one.*flag = true;
        EXPECT_EQ(parse_capabilities(ehlo_reply("h", one, 5)), one);
        auto others = everything();
        others.*flag = false;
        EXPECT_EQ(parse_capabilities(ehlo_reply("h", others, 0)), others);
        EXPECT_EQ(missing_keywords(everything(), others).size(), 1U);
    }
}

TEST(Capabilities, MissingOnesAreNamed) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(missing_keywords(everything(), everything()), Names());
    EXPECT_EQ(missing_keywords({}, everything()), Names());
    EXPECT_EQ(missing_keywords({}, {}), Names());
    EXPECT_EQ(missing_keywords(everything(), {}),
              (Names{"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES",
                     "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"}));
    auto offered = everything();
    offered.xforward.ident = false;
    EXPECT_EQ(missing_keywords(everything(), offered), Names{"XFORWARD IDENT"});
}

TEST(Capabilities, UnitedHaveWhatOneOrTheOtherHas) {
    EXPECT_EQ(united({}, {}), Capabilities());
    EXPECT_EQ(united(everything(), {}), everything());
    EXPECT_EQ(united({}, everything()), everything());
    Capabilities one;
    one.size = true;
    one.xforward.address = true;
    Capabilities other;
    other.dsn = true;
    other.xforward.address = true;
    other.xforward.ident = true;
    Capabilities both;
    both.size = true;
    both.dsn = true;
    both.xforward.address = true;
    both.xforward.ident = true;
    EXPECT_EQ(united(one, other), both);
}

TEST(Capabilities, DecideWhichParametersAreKnown) {
    const auto all = extensions_of(everything());
    EXPECT_TRUE(all.size && all.eight_bit_mime && all.smtp_utf8 && all.dsn);
    const auto none = extensions_of({});
    EXPECT_FALSE(none.size || none.eight_bit_mime || none.smtp_utf8 || none.dsn);
}

}  // namespace
}  // namespace millrace::smtp
