#include "balancer/smtp/xforward_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::smtp {
namespace {

Xforward everything() {
    Xforward attributes;
    attributes.set(XforwardName::name, "mail.example.org");
    attributes.set(XforwardName::address, "203.0.113.66");
    attributes.set(XforwardName::port, "4711");
    attributes.set(XforwardName::protocol, "ESMTP");
    attributes.set(XforwardName::helo, "mail.example.org");
    attributes.set(XforwardName::ident, "4jW9801pfMz1bY05");
    attributes.set(XforwardName::source, "REMOTE");
    return attributes;
}

std::vector<std::string> commands_of(const XforwardLines& lines) {
    std::vector<std::string> commands;
    auto rest = std::string_view(lines.wire);
    while (!rest.empty()) {
        const auto length = rest.find("\r\n") + 2;
        EXPECT_LE(length, 512U);
        commands.emplace_back(rest.substr(0, length - 2));
        rest.remove_prefix(length);
    }
    EXPECT_EQ(commands.size(), lines.count);
    return commands;
}

// What a server that takes the commands knows then.
Xforward taken(const XforwardLines& lines) {
    Xforward attributes;
    for (const auto& command : commands_of(lines)) {
        EXPECT_TRUE(command.starts_with("XFORWARD "));
        EXPECT_TRUE(parse_xforward(std::string_view(command).substr(9), attributes)) << command;
    }
    return attributes;
}

TEST(XforwardEncode, PutsWhatFitsIntoOneCommand) {
    const auto lines = encode_xforward(everything(), XforwardAttributes::all());
    EXPECT_EQ(lines.count, 1U);
    EXPECT_EQ(lines.wire,
              "XFORWARD NAME=mail.example.org ADDR=203.0.113.66 PORT=4711 PROTO=ESMTP "
              "HELO=mail.example.org IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE\r\n");
}

TEST(XforwardEncode, SendsOnlyWhatWasAnnouncedAndGiven) {
    XforwardAttributes announced;
    announced.address = true;
    announced.source = true;
    EXPECT_EQ(encode_xforward(everything(), announced).wire,
              "XFORWARD ADDR=203.0.113.66 SOURCE=REMOTE\r\n");
    Xforward local;
    local.set(XforwardName::source, "LOCAL");
    EXPECT_EQ(encode_xforward(local, XforwardAttributes::all()).wire, "XFORWARD SOURCE=LOCAL\r\n");
    EXPECT_EQ(encode_xforward(everything(), {}).wire, "");
    EXPECT_EQ(encode_xforward(everything(), {}).count, 0U);
    EXPECT_EQ(encode_xforward({}, XforwardAttributes::all()).wire, "");
}

TEST(XforwardEncode, WritesAddressesAndMissingValuesAsPostfixDoes) {
    Xforward attributes;
    attributes.set(XforwardName::address, "2001:db8::1");
    attributes.set(XforwardName::name, "");
    attributes.set(XforwardName::helo, "a+b=c d");
    EXPECT_EQ(encode_xforward(attributes, XforwardAttributes::all()).wire,
              "XFORWARD NAME=[UNAVAILABLE] ADDR=IPv6:2001:db8::1 HELO=a+2Bb+3Dc+20d\r\n");
}

TEST(XforwardEncode, AppendsTheSameWhateverIsThereBefore) {
    auto attributes = everything();
    for (const std::size_t length : {0U, 200U, 255U}) {
        attributes.set(XforwardName::name, std::string(length, 'n'));
        attributes.set(XforwardName::helo, std::string(length, 'h'));
        const auto lines = encode_xforward(attributes, XforwardAttributes::all());
        for (const std::string before : {"", "EHLO x\r\n"}) {
            std::string out = before;
            EXPECT_EQ(append_xforward(attributes, XforwardAttributes::all(), out), lines.count);
            EXPECT_EQ(out, before + lines.wire);
        }
    }
}

TEST(XforwardEncode, SplitsBeforeTheLimitOf512Octets) {
    auto attributes = everything();
    attributes.set(XforwardName::name, std::string(255, 'n'));
    attributes.set(XforwardName::helo, std::string(255, 'h'));
    attributes.set(XforwardName::ident, std::string(255, 'i'));
    const auto lines = encode_xforward(attributes, XforwardAttributes::all());
    EXPECT_GT(lines.count, 1U);
    EXPECT_EQ(taken(lines), attributes);
}

TEST(XforwardEncode, FillsACommandToTheLastOctet) {
    // "XFORWARD NAME=" and " HELO=" with their values and CRLF: 512 octets, then one more.
    for (const std::size_t excess : {0U, 1U}) {
        Xforward attributes;
        attributes.set(XforwardName::name, std::string(245, 'n'));
        attributes.set(XforwardName::helo, std::string(245 + excess, 'h'));
        const auto lines = encode_xforward(attributes, XforwardAttributes::all());
        EXPECT_EQ(lines.count, 1 + excess);
        EXPECT_EQ(taken(lines), attributes);
    }
}

TEST(XforwardEncode, SendsAValueThatCannotFitAsUnavailable) {
    auto attributes = everything();
    attributes.set(XforwardName::helo, std::string(255, '+'));
    const auto lines = encode_xforward(attributes, XforwardAttributes::all());
    auto expected = attributes;
    expected.set(XforwardName::helo, "");
    EXPECT_EQ(taken(lines), expected);
}

TEST(XforwardEncode, IsReadBackForEverySubsetOfAttributes) {
    const auto all = everything();
    for (unsigned subset = 0; subset < 128; ++subset) {
        Xforward attributes;
        XforwardAttributes announced;
        for (unsigned index = 0; index < Xforward::kAttributes; ++index) {
            if ((subset >> index & 1U) != 0) {
                const auto& attribute = kXforwardAttributes[index];
                attributes.set(attribute.name, *all.value(attribute.name));
                announced.*attribute.flag = true;
            }
        }
        EXPECT_EQ(taken(encode_xforward(attributes, XforwardAttributes::all())), attributes);
        EXPECT_EQ(taken(encode_xforward(all, announced)), attributes);
    }
}

TEST(XforwardEncode, KeepsTheOrderHoweverValuesAreSetAndReplaced) {
    Xforward attributes;
    const auto written = [&attributes] {
        return encode_xforward(attributes, XforwardAttributes::all()).wire;
    };
    ASSERT_TRUE(parse_xforward("IDENT=4XyZ helo=a NAME=n", attributes));
    EXPECT_EQ(written(), "XFORWARD NAME=n HELO=a IDENT=4XyZ\r\n");
    ASSERT_TRUE(parse_xforward("HELO=l+20onger SOURCE=remote ADDR=192.0.2.1", attributes));
    EXPECT_EQ(written(),
              "XFORWARD NAME=n ADDR=192.0.2.1 HELO=l+20onger IDENT=4XyZ SOURCE=REMOTE\r\n");
    EXPECT_EQ(attributes.helo(), "l onger");
    EXPECT_EQ(attributes.ident(), "4XyZ");
    ASSERT_TRUE(parse_xforward("HELO=b ADDR=IPv6:2001:DB8::1 SOURCE=[UNAVAILABLE]", attributes));
    EXPECT_EQ(written(), "XFORWARD NAME=n ADDR=IPv6:2001:db8::1 HELO=b IDENT=4XyZ\r\n");
    EXPECT_EQ(attributes.helo(), "b");
    EXPECT_EQ(attributes.address(), "2001:db8::1");
    EXPECT_EQ(attributes.client_address(), parse_address("2001:db8::1"));
    attributes.set(XforwardName::name, "");
    EXPECT_EQ(written(), "XFORWARD NAME=[UNAVAILABLE] ADDR=IPv6:2001:db8::1 HELO=b IDENT=4XyZ\r\n");
    EXPECT_EQ(attributes.name(), "");
    EXPECT_EQ(attributes.helo(), "b");
}

TEST(XforwardAttributes, AreAnnouncedAndReadBack) {
    EXPECT_EQ(xforward_keyword(XforwardAttributes::all()),
              "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE");
    EXPECT_EQ(parse_xforward_attributes("NAME ADDR PORT PROTO HELO IDENT SOURCE"),
              XforwardAttributes::all());
    EXPECT_EQ(parse_xforward_attributes("source  LOGIN addr").without({}),
              (XforwardAttributes{.address = true, .source = true}));
    EXPECT_FALSE(parse_xforward_attributes("").any());
    EXPECT_FALSE(XforwardAttributes::all().without(XforwardAttributes::all()).any());
}

}  // namespace
}  // namespace millrace::smtp
