// The forms in which mail servers write where a message came from.
#include "milter/received_field.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::milter {
namespace {

using Kind = ReceivedField::Kind;

struct Form {
    std::string name;
    std::string value;
    std::string address;
    std::string helo;
    std::string client_name = "";
    std::string reverse_name = "";
    std::string protocol = "";
    std::uint16_t port = 0;
};

class KnownForms : public testing::TestWithParam<Form> {};

TEST_P(KnownForms, AreRead) {
    const Form& form = GetParam();
    const ReceivedField field = parse_received(form.value);
    ASSERT_EQ(field.kind, Kind::from_client);
    EXPECT_EQ(to_string(field.client.endpoint.address), form.address);
    EXPECT_EQ(field.client.endpoint.port, form.port);
    EXPECT_EQ(field.client.helo, form.helo);
    EXPECT_EQ(field.client.name, form.client_name);
    EXPECT_EQ(field.client.reverse_name, form.reverse_name);
    EXPECT_EQ(field.client.protocol, form.protocol);
}

TEST_P(KnownForms, AreReadWithCrlfAndLeadingSpaceAndInUpperCase) {
    const Form& form = GetParam();
    std::string value = " ";
    for (const char c : form.value) {
        value += c == '\n' ? std::string{"\r\n"} : std::string{c};
    }
    EXPECT_EQ(to_string(parse_received(value).client.endpoint.address), form.address);
    value.replace(value.find("from"), 4, "FROM");
    EXPECT_EQ(to_string(parse_received(value).client.endpoint.address), form.address);
}

const std::vector<Form> kForms{
    {"Postfix",
     "from mail.example.org (mx.example.org [192.0.2.1])\n\tby relay.example.net (Postfix) with "
     "ESMTP id 4XyZ12\n\tfor <u@example.net>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"PostfixTls",
     "from mail.example.org (mx.example.org [192.0.2.1])\n\t(using TLSv1.3 with cipher "
     "TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t key-exchange X25519 server-signature RSA-PSS (2048 "
     "bits))\n\t(No client certificate requested)\n\tby relay.example.net (Postfix) with ESMTPS id "
     "4XyZ12; Mon, 1 Jan 2024 00:00:00 +0000",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"PostfixUnknownName",
     "from mail.example.org (unknown [192.0.2.1])\n\tby relay (Postfix) with SMTP id A; date",
     "192.0.2.1", "mail.example.org", "", "", "SMTP"},
    {"PostfixIpv6",
     "from mail.example.org (mx.example.org [IPv6:2001:DB8::1])\n\tby relay (Postfix) with ESMTPS; "
     "d",
     "2001:db8::1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"PostfixLiteralHelo",
     "from [10.0.0.7] (host.example.org [192.0.2.1])\n\tby relay (Postfix) with ESMTPSA id A; d",
     "192.0.2.1", "[10.0.0.7]", "host.example.org", "", "ESMTP"},
    {"PostfixAuthenticated",
     "from pc (dsl.example.org [192.0.2.1])\n\t(Authenticated sender: joe)\n\tby relay (Postfix) "
     "with ESMTPSA id A\n\tfor <a@b>; d",
     "192.0.2.1", "pc", "dsl.example.org", "", "ESMTP"},
    {"PostfixUnfolded",
     "from mail.example.org (mx.example.org [192.0.2.1]) by relay (Postfix) with ESMTP id A; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"Sendmail",
     "from mail.example.org (mx.example.org [192.0.2.1])\n\tby relay (8.17.1/8.17.1) with ESMTPS "
     "id "
     "x1\n\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT)\n\tfor <a@b>; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"SendmailForged",
     "from mail.example.org (mx.example.org [192.0.2.1] (may be forged))\n\tby relay "
     "(8.17.1/8.17.1) with ESMTP id x1; d",
     "192.0.2.1", "mail.example.org", "", "mx.example.org", "ESMTP"},
    {"SendmailNoName",
     "from mail.example.org ([192.0.2.1])\n\tby relay (8.17.1/8.17.1) with ESMTP id x1; d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP"},
    {"SendmailIdent",
     "from mail.example.org (joe@mx.example.org [192.0.2.1])\n\tby relay (8.17.1) with ESMTP; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"Exim",
     "from mx.example.org ([192.0.2.1] helo=mail.example.org)\n\tby relay with esmtps  (TLS1.3) "
     "tls "
     "TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <a@b>)\n\tid 1r; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"EximSameHelo",
     "from mx.example.org ([192.0.2.1])\n\tby relay with esmtp (Exim 4.96)\n\tid 1r; d",
     "192.0.2.1", "mx.example.org", "", "", "ESMTP"},
    {"EximPort",
     "from mx.example.org ([192.0.2.1]:35678 helo=mail.example.org)\n\tby relay with esmtp (Exim "
     "4.96); d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP", 35678},
    {"EximNoName", "from [192.0.2.1] (helo=mail.example.org)\n\tby relay with esmtp (Exim 4.96); d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP"},
    {"EximNoNamePort",
     "from [192.0.2.1] (port=4711 helo=mail.example.org)\n\tby relay with esmtp (Exim 4.96); d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP", 4711},
    {"EximNothingKnown", "from [2001:db8::1]\n\tby relay with smtp (Exim 4.96)\n\tid 1r; d",
     "2001:db8::1", "", "", "", "SMTP"},
    {"EximLiteralHelo",
     "from mx.example.org ([192.0.2.1] helo=[10.0.0.7])\n\tby relay with esmtpsa (Exim 4.96); d",
     "192.0.2.1", "[10.0.0.7]", "mx.example.org", "", "ESMTP"},
    {"Qmail", "from mx.example.org (HELO mail.example.org) (192.0.2.1)\n  by relay with SMTP; d",
     "192.0.2.1", "mail.example.org", "", "mx.example.org", "SMTP"},
    {"QmailUnknown", "from unknown (HELO mail.example.org) (192.0.2.1)\n  by relay with SMTP; d",
     "192.0.2.1", "mail.example.org", "", "", "SMTP"},
    {"QmailIdent", "from unknown (HELO pc) (joe@192.0.2.1)\n  by relay with ESMTPA; d", "192.0.2.1",
     "pc", "", "", "ESMTP"},
    {"QmailSameHelo", "from mx.example.org (192.0.2.1)\n  by relay with SMTP; d", "192.0.2.1",
     "mx.example.org", "", "", "SMTP"},
    {"Exchange",
     "from mail.example.org (192.0.2.1) by EX1.example.net (10.1.2.3) with Microsoft SMTP Server "
     "(version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.2.1118.40; Mon, 1 Jan "
     "2024 00:00:00 +0000",
     "192.0.2.1", "mail.example.org"},
    {"ExchangeOnline",
     "from AM0PR01MB1.eurprd01.prod.exchangelabs.com\n (2603:10a6:208:1::1) by "
     "DB8PR01MB2.eurprd01.prod.exchangelabs.com\n (2603:10a6:10:2::2) with Microsoft SMTP Server "
     "(version=TLS1_2,\n cipher=TLS_X) id 15.20.1; d",
     "2603:10a6:208:1::1", "AM0PR01MB1.eurprd01.prod.exchangelabs.com"},
    {"Gmail",
     "from mail.example.org (mx.example.org. [192.0.2.1])\n        by mx.google.com with ESMTPS id "
     "a1-2.3.2024\n        for <u@gmail.com>\n        (version=TLS1_3 "
     "cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\n        Mon, 01 Jan 2024 00:00:00 -0800 (PST)",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"Courier",
     "from mail.example.org (mx.example.org [::ffff:192.0.2.1])\n  (TLS: TLSv1.3,256bits)\n  by "
     "relay with ESMTPS; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"Domino",
     "from mail.example.org ([192.0.2.1])\n          by relay (Lotus Domino Release 9.0) with "
     "ESMTP "
     "id 2024; d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP"},
    {"IronPort", "from unknown (HELO mail.example.org) ([192.0.2.1])\n  by esa with ESMTP; d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP"},
    {"Mimecast",
     "from mail.example.org (mx.example.org\n [192.0.2.1]) (Using TLS) by relay.mimecast.com with "
     "ESMTP id x; d",
     "192.0.2.1", "mail.example.org", "mx.example.org", "", "ESMTP"},
    {"Momentum",
     "from [192.0.2.1] ([192.0.2.1:54321] helo=mail.example.org)\n\tby relay (envelope-from "
     "<a@b>)\n\t(ecelerity 4.2) with ESMTP\n\tid A; d",
     "192.0.2.1", "mail.example.org", "", "", "ESMTP", 54321},
    {"PowerMta", "from mail.example.org (192.0.2.1) by relay id hq; d", "192.0.2.1",
     "mail.example.org"},
    {"Yahoo", "from 192.0.2.1 (EHLO mail.example.org) (192.0.2.1)\n by mta with SMTPs; d",
     "192.0.2.1", "mail.example.org", "", "192.0.2.1"},
    {"Fetchmail",
     "from pop.example.org [192.0.2.1]\n\tby home with POP3 (fetchmail-6.4.16)\n\tfor <joe@home> "
     "(single-drop); d",
     "192.0.2.1", "pop.example.org"},
    {"HeloWithSpacesOfOldClients",
     "from my pc (dsl.example.org [192.0.2.1])\n\tby relay (Postfix) with SMTP id A; d",
     "192.0.2.1", "my pc", "dsl.example.org", "", "SMTP"},
};

INSTANTIATE_TEST_SUITE_P(ReceivedField, KnownForms, testing::ValuesIn(kForms),
                         [](const auto& test) { return test.param.name; });

TEST(ReceivedField, PassesOverStepsInsideAServer) {
    const std::vector<std::string> steps{
        "(qmail 4711 invoked from network); 1 Jan 2024 00:00:00 -0000",
        "by mail-ej1-f54.google.com with SMTP id a1so2.3 for <u@example.net>; d",
        "by 2002:a05:6402:1 with SMTP id x1; d",
        "by relay.example.net with ESMTPS id x; d",
    };
    for (const std::string& step : steps) {
        EXPECT_EQ(parse_received(step).kind, Kind::internal) << step;
    }
}

TEST(ReceivedField, DoesNotReadWhatNamesNoSmtpClient) {
    const std::vector<std::string> values{
        "",
        "from",
        "by",
        "by relay (Postfix, from userid 1000)\n\tid 4XyZ12; d",
        "(qmail 4711 invoked by uid 89); d",
        "(from root@localhost)\n\tby relay (8.17.1/8.17.1/Submit) id x1; d",
        "from joe by relay with local (Exim 4.96)\n\tid 1r; d",
        "from mail.example.org (unknown [unknown])\n\tby relay (Postfix) with SMTP; d",
        "from mail.example.org ([UNAVAILABLE])\n\tby relay with SMTP; d",
        "from relay ([unix socket])\n\tby relay (Cyrus 3.6) with LMTPA; d",
        "from mail.example.org (mx.example.org [192.0.2.256])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [192.0.2.1.5])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [0.0.0.0])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [224.0.0.1])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [255.255.255.255])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [fe80::1%eth0])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [192.0.2.1]\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org 192.0.2.1])\n\tby relay with SMTP; d",
        "from mail.example.org (mx.example.org [192.0.2.1])",
        "from mail.example.org\n\tby relay with SMTP; d",
        "from [192.0.2.1]\n\tby relay with SMTP; d",
        "from pop.example.org [192.0.2.1]\n\tby relay with SMTP; d",
        "from mail.example.org (mx [192.0.2.1]:99999)\n\tby relay with SMTP; d",
        "from mail.example.org ([192.0.2.1] color=red)\n\tby relay with SMTP; d",
        "mail.example.org (mx.example.org [192.0.2.1])\n\tby relay with SMTP; d",
        "fromage (mx.example.org [192.0.2.1])\n\tby relay with SMTP; d",
        "from x (mx [192.0.2.1])\n\tbypass relay with SMTP; d",
    };
    for (const std::string& value : values) {
        EXPECT_EQ(parse_received(value).kind, Kind::unreadable) << value;
    }
}

}  // namespace
}  // namespace millrace::milter
