#include "balancer/smtp/xtext.hpp"

#include <gtest/gtest.h>

namespace millrace::smtp {
namespace {

TEST(Xtext, EncodesWhatItMust) {
    EXPECT_EQ(encode_xtext(""), "");
    EXPECT_EQ(encode_xtext("mail.example.org"), "mail.example.org");
    EXPECT_EQ(encode_xtext("we+Bird=h"), "we+2BBird+3Dh");
    EXPECT_EQ(encode_xtext(" \t\x7F"), "+20+09+7F");
    EXPECT_EQ(encode_xtext(std::string_view("\0\xFF", 2)), "+00+FF");
}

TEST(Xtext, DecodesBothCases) {
    EXPECT_EQ(decode_xtext("we+2BBird+3dh"), "we+Bird=h");
    EXPECT_EQ(decode_xtext("+c3+A4"), "\xC3\xA4");
    EXPECT_EQ(decode_xtext("plain=text"), "plain=text");
    EXPECT_EQ(decode_xtext(""), "");
}

TEST(Xtext, IsAppendedBehindWhatIsThere) {
    std::string out = "HELO=";
    append_xtext("+a+b", out);
    append_xtext("", out);
    append_xtext("c+", out);
    EXPECT_EQ(out, "HELO=+2Ba+2Bbc+2B");
    EXPECT_EQ(xtext_length("+a+b"), 8U);
    EXPECT_EQ(xtext_length(""), 0U);
}

TEST(Xtext, RefusesIncompleteCodes) {
    for (const std::string_view xtext :
         {"+", "a+", "+2", "a+2", "+G0", "+0G", "+ 0", "++20", "+-1"}) {
        EXPECT_EQ(decode_xtext(xtext), std::nullopt) << xtext;
    }
}

TEST(Xtext, GivesEveryOctetBack) {
    std::string octets;
    for (int octet = 0; octet < 256; ++octet) {
        octets.push_back(static_cast<char>(octet));
    }
    const auto xtext = encode_xtext(octets);
    EXPECT_EQ(decode_xtext(xtext), octets);
    EXPECT_EQ(xtext_length(octets), xtext.size());
    for (const char c : xtext) {
        EXPECT_TRUE(c > 0x20 && c < 0x7F);
    }
}

}  // namespace
}  // namespace millrace::smtp
