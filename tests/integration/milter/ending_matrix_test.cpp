// A session that ends at any octet: nothing stays of it, and a message is published as a whole or
// not at all.
#include "tests/integration/milter/milter_fixture.hpp"

#include <iostream>
#include <set>

namespace millrace::test {
namespace {

using namespace std::string_literals;

std::string packet(char command, const std::string& content) {
    const auto length = static_cast<std::uint32_t>(content.size() + 1);
    std::string octets;
    for (int shift = 24; shift >= 0; shift -= 8) {
        octets += static_cast<char>((length >> static_cast<unsigned>(shift)) & 0xffU);
    }
    return octets + command + content;
}

// Two messages in a session, as the packets of Postfix.
std::vector<std::string> session_of(const std::string& number) {
    const std::string header =
        packet('L', "Received\0from h (n [198.51.100.7])\n\tby r with SMTP; d\0"s);
    return {packet('O', "\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"s),
            packet('D', "Cj\0ingress1.example.net\0{client_resolve}\0OK\0"s),
            packet('C', "client.example.org\0"s + "4" + "\x12\x67" + "203.0.113.66\0"s),
            packet('D', "H"),
            packet('H', "mail.example.org\0"s),
            packet('D', "M{client_addr}\0"s + "203.0.113.66\0"s),
            packet('M', "<s@example.org>\0SIZE=1\0"s),
            header,
            packet('D', "Ei\0A"s + number + "\0"s),
            packet('E', ""),
            packet('A', ""),
            packet('M', "<t@example.org>\0"s),
            header,
            packet('D', "Ei\0B"s + number + "\0"s),
            packet('E', ""),
            packet('Q', "")};
}

constexpr std::size_t kOffer = 0;  // packets that are answered
constexpr std::size_t kFirstEnd = 9;
constexpr std::size_t kSecondEnd = 14;

using Ending = void (*)(ScriptedMta&);

struct Point {
    std::size_t packets;  // that were sent whole
    std::size_t octets;   // of the next one
};

class MilterEndingMatrix : public MilterFixture {
 protected:
    void SetUp() override {
        start_origin();
        start_milter({"--trusted-relays=203.0.113.66"});
        ASSERT_EQ(new_session().message("FIRST"), 'c');
        before_ = milter_->descriptor_count();
    }

    // Reads each reply that is due before it sends more, as an MTA does.
    void end_at(Point point, Ending ending) {
        const std::string number = std::to_string(cases_++);
        const std::vector<std::string> packets = session_of(number);
        ScriptedMta mta(milter_socket());
        for (std::size_t i = 0; i < point.packets; ++i) {
            mta.socket().send(packets[i]);
            const bool goes_on = i + 1 < point.packets || point.octets > 0;
            const bool is_answered = i == kOffer || i == kFirstEnd || i == kSecondEnd;
            if (is_answered && goes_on) {
                const auto reply = mta.receive();
                ASSERT_TRUE(reply);
                note_verdict(i, *reply, number);
            }
        }
        mta.socket().send(packets[point.packets].substr(0, point.octets));
        ending(mta);
        note_unread_end(point, number);
    }

    void end_after_every_octet(Ending ending) {
        const std::vector<std::string> packets = session_of("0");
        for (std::size_t i = 0; i < packets.size(); ++i) {
            for (std::size_t octets = 0; octets < packets[i].size(); ++octets) {
                end_at({i, octets}, ending);
            }
        }
        expect_nothing_left();
    }

    void end_after_every_packet(Ending ending) {
        for (std::size_t i = 0; i < session_of("0").size(); ++i) {
            end_at({i, 0}, ending);
        }
        expect_nothing_left();
    }

 private:
    void note_verdict(std::size_t packet, const Packet& reply, const std::string& number) {
        if (packet != kOffer) {
            EXPECT_EQ(reply.command, 'c');
            published_.insert((packet == kFirstEnd ? "A" : "B") + number);
        }
    }

    void note_unread_end(Point point, const std::string& number) {
        if (point.octets == 0 && point.packets == kFirstEnd + 1) {
            may_be_published_.insert("A" + number);
        }
        if (point.octets == 0 && point.packets == kSecondEnd + 1) {
            may_be_published_.insert("B" + number);
        }
    }

    void expect_nothing_left() {
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before_; }))
            << milter_->descriptor_count() << " descriptors instead of " << before_;
        ASSERT_EQ(new_session().message("LAST"), 'c');
        EXPECT_TRUE(wait_until(
            [&] { return origin_->wait_for_records(2).back().key.queue_id.text() == "LAST"; }));
        std::set<std::string> seen;
        for (const OriginRecord& record : origin_->wait_for_records(2)) {
            expect_whole(record);
            seen.insert(record.key.queue_id.text());
        }
        for (const std::string& queue_id : published_) {
            EXPECT_EQ(seen.count(queue_id), 1U) << queue_id;
        }
        for (const std::string& queue_id : seen) {
            EXPECT_EQ(published_.count(queue_id) + may_be_published_.count(queue_id), 1U)
                << queue_id;
        }
        std::cout << cases_ << " endings, " << seen.size() - 2 << " messages published\n";
    }

    static void expect_whole(const OriginRecord& record) {
        EXPECT_EQ(record.key.ingress, "ingress1.example.net");
        EXPECT_EQ(record.connected.address, *parse_address("203.0.113.66"));
        const bool is_of_fixture = record.daemon_name == "smtpd";
        EXPECT_EQ(to_string(record.origin.endpoint.address),
                  is_of_fixture ? "203.0.113.66" : "198.51.100.7");
    }

    std::size_t before_ = 0;
    std::size_t cases_ = 0;
    std::set<std::string> published_{"FIRST", "LAST"};  // was accepted
    std::set<std::string> may_be_published_;            // nobody waited for the verdict
};

TEST_F(MilterEndingMatrix, ByClosingAfterEveryOctet) {
    end_after_every_octet([](ScriptedMta& mta) { mta.socket().close(); });
}

TEST_F(MilterEndingMatrix, ByResetAfterEveryOctet) {
    end_after_every_octet([](ScriptedMta& mta) { mta.socket().reset(); });
}

TEST_F(MilterEndingMatrix, ByHalfClosingAfterEveryOctet) {
    end_after_every_octet([](ScriptedMta& mta) { mta.socket().shut_down(); });
}

TEST_F(MilterEndingMatrix, ByAQuitThatCutsAPacketShort) {
    end_after_every_octet([](ScriptedMta& mta) {
        mta.quit();
        mta.socket().close();
    });
}

TEST_F(MilterEndingMatrix, ByAbortAfterEveryPacket) {
    end_after_every_packet([](ScriptedMta& mta) { mta.abort(); });
}

TEST_F(MilterEndingMatrix, ByQuitAfterEveryPacket) {
    end_after_every_packet([](ScriptedMta& mta) { mta.quit(); });
}

TEST_F(MilterEndingMatrix, ByANewSessionAfterEveryPacket) {
    end_after_every_packet([](ScriptedMta& mta) {
        mta.quit_for_new_session();
        mta.send('C', "x\0U"s);
        mta.abort();
        mta.quit();
    });
}

}  // namespace
}  // namespace millrace::test
