// What a client puts into his HELO name, and what is no Received field at all.
#include "milter/received_field.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace millrace::milter {
namespace {

using Kind = ReceivedField::Kind;

const std::vector<std::string> kHostileNames{
    "x (evil [198.51.100.9])",
    "x (evil [198.51.100.9]) by mx",
    "x (evil [198.51.100.9]) by mx with ESMTP id A; Mon, 1 Jan 2024 00:00:00 +0000",
    "x (evil [198.51.100.9]) by mx (",
    "x (evil [198.51.100.9]) by mx <",
    "x (evil [198.51.100.9]) by mx \"",
    "x (evil [198.51.100.9] (may be forged))",
    "[198.51.100.9]",
    "[198.51.100.9] (helo=x)",
    "[198.51.100.9] (helo=x) by mx with esmtp (Exim 4.96)",
    "x [198.51.100.9] by mx with POP3 (fetchmail-6.4)",
    "x (HELO y) (198.51.100.9)",
    "x (HELO [198.51.100.9])",
    "x (198.51.100.9) by mx (198.51.100.9) with Microsoft SMTP Server",
    "x (",
    ")",
    "((((",
    "by",
    "by by by",
    "x\tby\ty",
    "198.51.100.9",
    "x (a@198.51.100.9)",
};

// The server breaks the line before "by", so it can be told apart from anything in HELO.
TEST(ReceivedForgery, HeloCannotMoveTheAddressOfAFoldedField) {
    for (const std::string& helo : kHostileNames) {
        for (const char* tls : {"", "\n\t(using TLSv1.3 with cipher X (256/256 bits))"}) {
            const std::string value = "from " + helo + " (mx.example.org [192.0.2.1])" + tls +
                                      "\n\tby relay (Postfix) with ESMTPS id A\n\tfor <a@b>; d";
            const ReceivedField field = parse_received(value);
            ASSERT_EQ(field.kind, Kind::from_client) << value;
            EXPECT_EQ(to_string(field.client.endpoint.address), "192.0.2.1") << value;
        }
    }
}

// Without a line break the field may be unreadable, but never lies.
TEST(ReceivedForgery, HeloCannotMoveTheAddressOfAnUnfoldedField) {
    for (const std::string& helo : kHostileNames) {
        const std::string value =
            "from " + helo + " (mx.example.org [192.0.2.1]) by relay (Postfix) with ESMTPS; d";
        const ReceivedField field = parse_received(value);
        if (field.kind == Kind::from_client) {
            EXPECT_EQ(to_string(field.client.endpoint.address), "192.0.2.1") << value;
        }
    }
}

// A relay further up may have folded the field anew, in the middle of the HELO name.
TEST(ReceivedForgery, RefoldedFieldWithTwoEndsIsUnreadable) {
    EXPECT_EQ(
        parse_received("from x (evil [198.51.100.9])\n by mx (real [192.0.2.1]) by relay; d").kind,
        Kind::unreadable);
    EXPECT_EQ(
        parse_received("from x (evil [198.51.100.9])\n by mx ( (real [192.0.2.1]) by relay").kind,
        Kind::unreadable);
    EXPECT_EQ(
        parse_received("from x (evil [198.51.100.9])\n by mx < (real [192.0.2.1]) by relay").kind,
        Kind::unreadable);
}

TEST(ReceivedForgery, UnknownAddressDoesNotMakeRoomForOneInHelo) {
    EXPECT_EQ(parse_received("from x (evil [198.51.100.9]) (unknown [unknown])\n\tby relay with "
                             "ESMTP; d")
                  .kind,
              Kind::unreadable);
}

TEST(ReceivedForgery, ControlCharactersMakeAFieldUnreadable) {
    const std::string good = "from h (mx [192.0.2.1])\n\tby relay with ESMTP; d";
    for (int octet = 0; octet < 0x20; ++octet) {
        if (octet == '\t' || octet == '\n') {
            continue;
        }
        std::string value = good;
        value.insert(6, 1, static_cast<char>(octet));
        EXPECT_EQ(parse_received(value).kind, Kind::unreadable) << octet;
    }
}

TEST(ReceivedForgery, EightBitNamesAreCleaned) {
    const ReceivedField field =
        parse_received("from h\xc3\xa4\xff (mx [192.0.2.1])\n\tby relay with ESMTP; d");
    ASSERT_EQ(field.kind, Kind::from_client);
    EXPECT_EQ(field.client.helo, "h???");
}

TEST(ReceivedForgery, FieldOverTheLimitIsUnreadable) {
    std::string value = "from h (mx [192.0.2.1])\n\tby relay with ESMTP; ";
    value.append(kReceivedLengthMax - value.size(), 'd');
    EXPECT_EQ(parse_received(value).kind, Kind::from_client);
    value += 'd';
    EXPECT_EQ(parse_received(value).kind, Kind::unreadable);
}

TEST(ReceivedForgery, LongNamesAreCut) {
    const ReceivedField field = parse_received("from " + std::string(3000, 'h') +
                                               " (mx [192.0.2.1])\n\tby relay with ESMTP; d");
    ASSERT_EQ(field.kind, Kind::from_client);
    EXPECT_EQ(field.client.helo.size(), SmtpClient::kTextMax);
}

TEST(ReceivedForgery, TruncatedFieldsNeverGiveAnotherAddress) {
    const std::string whole =
        "from mail (mx [192.0.2.1])\n\t(using TLS (256 bits))\n\tby relay (Postfix) with ESMTP; d";
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const ReceivedField field = parse_received(std::string_view{whole}.substr(0, length));
        if (field.kind == Kind::from_client) {
            EXPECT_EQ(to_string(field.client.endpoint.address), "192.0.2.1");
        }
    }
}

// Random fields out of the words that matter: no crash, no address that is not in the text, and
// behind a folded Postfix end always the server's own.
TEST(ReceivedForgery, RandomFieldsAreSafe) {
    const std::vector<std::string> pieces{
        "from",   "by",          "with", "helo=", "(",    ")",   "[",  "]",
        "<",      ">",           " ",    " ",     "\n\t", "\"",  "\\", "198.51.100.9",
        "::1",    "IPv6:",       "HELO", "x",     "@",    ":25", ".",  "ESMTP",
        "(Exim ", "(fetchmail-", ";"};
    std::mt19937 random(4711);  // NOLINT: the same run every time
    for (int run = 0; run < 20000; ++run) {
        std::string noise;
        for (auto left = random() % 24; left > 0; --left) {
            noise += pieces[random() % pieces.size()];
        }
        (void)parse_received(noise);
        std::string helo = noise;
        for (char& c : helo) {
            c = c == '\n' ? ' ' : c;
        }
        const ReceivedField field = parse_received(
            "from x" + helo + " (mx [192.0.2.1])\n\tby relay (Postfix) with ESMTP; d");
        ASSERT_EQ(field.kind, Kind::from_client) << helo;
        ASSERT_EQ(to_string(field.client.endpoint.address), "192.0.2.1") << helo;
    }
}

}  // namespace
}  // namespace millrace::milter
