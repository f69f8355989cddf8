// Macros that are missing, late, early, repeated, absurd or no macros at all: a record is then less
// complete or not made, never wrong and never in part.
#include "tests/integration/milter/milter_fixture.hpp"

#include <iostream>
#include <map>

namespace millrace::test {
namespace {

using namespace std::string_literals;

const MacroValues& connect_macros() {
    static const MacroValues all{
        {"j", "ingress1.example.net"},      {"{daemon_name}", "smtpd"},
        {"{daemon_addr}", "192.0.2.25"},    {"{client_name}", "mx.example.org"},
        {"{client_ptr}", "mx.example.org"}, {"{client_resolve}", "OK"}};
    return all;
}

const MacroValues& mail_macros() {
    static const MacroValues all{{"{client_addr}", "203.0.113.66"},
                                 {"{auth_authen}", "joe"},
                                 {"{tls_version}", "TLSv1.3"},
                                 {"{cipher}", "AES"}};
    return all;
}

// The subset of `all` that `bits`, counted from `first`, leaves in.
MacroValues chosen_of(const MacroValues& all, unsigned bits, unsigned first) {
    MacroValues chosen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (((bits >> (first + i)) & 1U) != 0) {
            chosen.push_back(all[i]);
        }
    }
    return chosen;
}

std::string value_in(const MacroValues& macros, const std::string& name) {
    const std::map<std::string, std::string> values(macros.begin(), macros.end());
    const auto found = values.find(name);
    return found == values.end() ? std::string{} : found->second;
}

class MilterMacroMatrix : public MilterFixture {
 protected:
    void SetUp() override {
        start_origin();
        start_milter({"--on-error=tempfail"});
        ASSERT_EQ(new_session().message("FIRST"), 'c');
        before_ = milter_->descriptor_count();
    }

    // A whole message, with these macros.
    char send(const MacroValues& with_connect, const MacroValues& with_mail,
              const std::string& queue_id) {
        ScriptedMta mta(milter_socket());
        const bool is_told = mta.negotiate() && mta.send_macros('C', with_connect) &&
                             mta.connect("203.0.113.66", 4711) && mta.helo("h.example") &&
                             mta.send_macros('M', with_mail) && mta.mail();
        return is_told ? mta.end_of_message({{"i", queue_id}}) : '\0';
    }

    // A message in which the octets of `packet` go out as a macro packet before each event.
    void send_with(const std::string& packet, const std::string& queue_id) {
        ScriptedMta mta(milter_socket());
        ASSERT_TRUE(mta.negotiate());
        const auto intrude = [&] { mta.send('D', packet); };
        intrude();
        mta.begin("203.0.113.66", 4711);
        intrude();
        mta.mail("SIZE=1");
        intrude();
        mta.send_macros('E', {{"i", queue_id}});
        intrude();
        mta.send('E', "");
        const auto reply = mta.receive();  // or libmilter has ended the session
        EXPECT_TRUE(!reply || reply->command == 'c' || reply->command == 't') << queue_id;
        mta.quit();
    }

    void expect_served_and_tidy() {
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before_; }));
        ASSERT_EQ(new_session().message("LAST"), 'c') << milter_->log();
        for (const OriginRecord& record : origin_->wait_for_records(2)) {
            EXPECT_EQ(to_string(record.connected), "203.0.113.66:4711");
            EXPECT_EQ(record.origin.endpoint, record.connected);
        }
    }

    std::size_t before_ = 0;
};

TEST_F(MilterMacroMatrix, EverySubsetMakesTheRecordOfThatSubset) {
    constexpr unsigned kSubsets = 1U << 10U;
    std::map<std::string, unsigned> expected;
    for (unsigned bits = 0; bits < kSubsets; ++bits) {
        const bool has_ingress = (bits & 1U) != 0;
        const std::string queue_id = "S" + std::to_string(bits);
        ASSERT_EQ(
            send(chosen_of(connect_macros(), bits, 0), chosen_of(mail_macros(), bits, 6), queue_id),
            has_ingress ? 'c' : 't');
        if (has_ingress) {
            expected[queue_id] = bits;
        }
    }
    const auto records = origin_->wait_for_records(1 + expected.size());
    ASSERT_EQ(records.size(), 1 + expected.size());
    for (std::size_t i = 1; i < records.size(); ++i) {
        const OriginRecord& record = records[i];
        const unsigned bits = expected.at(record.key.queue_id.text());
        const MacroValues connect = chosen_of(connect_macros(), bits, 0);
        const MacroValues mail = chosen_of(mail_macros(), bits, 6);
        const bool is_verified = !value_in(connect, "{client_resolve}").empty();
        EXPECT_EQ(record.origin.name, is_verified ? value_in(connect, "{client_name}") : "");
        EXPECT_EQ(record.origin.reverse_name, value_in(connect, "{client_ptr}"));
        EXPECT_EQ(record.daemon_name, value_in(connect, "{daemon_name}"));
        EXPECT_EQ(record.daemon_address, value_in(connect, "{daemon_addr}"));
        EXPECT_EQ(record.origin.sasl_login, value_in(mail, "{auth_authen}"));
        EXPECT_EQ(record.origin.tls_version, value_in(mail, "{tls_version}"));
        EXPECT_EQ(record.origin.tls_cipher, value_in(mail, "{cipher}"));
    }
    expect_served_and_tidy();
    std::cout << kSubsets << " subsets of the macros\n";
}

TEST_F(MilterMacroMatrix, OfAnyStageAreTakenAtTheEnd) {
    int cases = 0;
    for (const char stage : "CHMRTNE"s) {
        for (const char* name : {"i", "j", "{client_name}", "{auth_authen}"}) {
            ScriptedMta mta = new_session();
            ASSERT_TRUE(mta.mail());
            const std::string queue_id = "T" + std::to_string(cases++);
            ASSERT_TRUE(mta.send_macros(stage, {{name, name == "i"s ? queue_id : "x.example"}}));
            // A list replaces the one of its stage, so that of CONNECT takes {j} away.
            const bool is_ingress_lost = stage == 'C' && name != "j"s;
            EXPECT_EQ(mta.end_of_message({{"i", queue_id}}), is_ingress_lost ? 't' : 'c')
                << stage << name;
        }
    }
    expect_served_and_tidy();
    std::cout << cases << " macros at a stage of their own\n";
}

// An odd number of words is left out: libmilter reads past the end of its list then, and may end
// the process (docs/man/millrace-milter.8.md, BUGS).
TEST_F(MilterMacroMatrix, PacketsThatAreNoneHarmNobody) {
    std::vector<std::string> contents{
        "",
        "\0\0"s,
        "i",
        "i\0"s + "A\0"s,
        "j\0\0"s,
        "\0x\0"s,
        "{}\0x\0"s,
        "{\0x\0"s,
        "{i\0x\0"s,
        "{client_addr}\0not an address\0"s,
        "{client_addr}\0"s + std::string(65'536, '9') + "\0"s,
        "j\0"s + std::string(65'536, 'j') + '\0',
        std::string(65'536, 'n') + '\0' + "v\0"s,
        std::string(65'536, '\xff') + '\0' + std::string(65'536, '\n') + '\0'};
    std::string many;
    for (int i = 0; i < 5'000; ++i) {
        many += "{m" + std::to_string(i) + "}\0"s + "v\0"s;
    }
    contents.push_back(many);
    int cases = 0;
    for (const char stage : "CHMRTNEABDKLOQU\0\xff"s) {
        for (const std::string& content : contents) {
            send_with(stage + content, "P" + std::to_string(cases++));
        }
    }
    send_with("", "EMPTY");
    expect_served_and_tidy();
    std::cout << cases + 1 << " packets that are no macros\n";
}

}  // namespace
}  // namespace millrace::test
