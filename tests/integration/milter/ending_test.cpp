// A session may end at any point, in any way, and leaves nothing behind.
#include "tests/integration/milter/milter_fixture.hpp"

#include <functional>

namespace millrace::test {
namespace {

using Step = std::function<bool(ScriptedMta&)>;

// The life of a session, one event after another.
const std::vector<Step>& steps() {
    static const std::vector<Step> all{
        [](ScriptedMta& mta) { return mta.negotiate().has_value(); },
        [](ScriptedMta& mta) {
            return mta.send_macros('C', {{"j", "ingress1"}});
        },
        [](ScriptedMta& mta) { return mta.connect("203.0.113.66", 4711); },
        [](ScriptedMta& mta) { return mta.helo("mail.example.org"); },
        [](ScriptedMta& mta) { return mta.mail(); },
        [](ScriptedMta& mta) {
            return mta.header("Received", "from h (n [198.51.100.7])\n\tby r with SMTP; d");
        },
        [](ScriptedMta& mta) {
            return mta.end_of_message({{"i", "A"}}) == 'c';
        },
        [](ScriptedMta& mta) { return mta.mail(); },
        [](ScriptedMta& mta) {
            return mta.send_macros('E', {{"i", "B"}});
        },
    };
    return all;
}

using Ending = std::function<void(ScriptedMta&)>;

class MilterEnding : public MilterFixture {
 protected:
    void SetUp() override {
        start_origin();
        start_milter({"--trusted-relays=203.0.113.66"});
        ScriptedMta first = new_session();  // so that the connection to the origin is there
        ASSERT_EQ(first.message("FIRST"), 'c');
        ASSERT_TRUE(first.quit());
        ASSERT_TRUE(first.socket().is_closed_by_peer(kPatience));
    }

    // Ends sessions after each number of steps; nothing of them may stay.
    void end_everywhere(const Ending& ending) {
        const std::size_t before = milter_->descriptor_count();
        for (std::size_t count = 0; count <= steps().size(); ++count) {
            ScriptedMta mta(milter_socket());
            for (std::size_t i = 0; i < count; ++i) {
                ASSERT_TRUE(steps()[i](mta)) << "step " << i;
            }
            ending(mta);
        }
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before; }))
            << milter_->descriptor_count() << " descriptors instead of " << before;
        ScriptedMta after = new_session();
        EXPECT_EQ(after.message("AFTER"), 'c');
    }
};

TEST_F(MilterEnding, ByQuitAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) { mta.quit(); });
}

TEST_F(MilterEnding, ByAbortAndQuitAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) {
        mta.abort();
        mta.abort();
        mta.quit();
    });
}

TEST_F(MilterEnding, ByClosingAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) { mta.socket().close(); });
}

TEST_F(MilterEnding, ByResetAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) { mta.socket().reset(); });
}

TEST_F(MilterEnding, InTheMiddleOfAPacketAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) {
        mta.socket().send(std::string("\0\0\0\x20", 4) + "Mhalf");
        mta.socket().close();
    });
}

TEST_F(MilterEnding, ByANewSessionAtEveryStage) {
    end_everywhere([](ScriptedMta& mta) {
        mta.quit_for_new_session();
        mta.quit();
    });
}

TEST_F(MilterEnding, AbortedMessageIsNotPublished) {
    ScriptedMta mta = new_session();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(mta.mail());
        ASSERT_TRUE(mta.send_macros('E', {{"i", "ABORTED"}}));
        ASSERT_TRUE(mta.abort());
    }
    ASSERT_EQ(mta.message("LAST"), 'c');
    const auto records = origin_->wait_for_records(2);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[1].key.queue_id.text(), "LAST");
}

TEST_F(MilterEnding, MtaThatLeavesWhileItsMessageIsPublishedHarmsNobody) {
    origin_->behave(Behaviour::hang);
    const std::size_t before = milter_->descriptor_count();
    for (int i = 0; i < 10; ++i) {
        ScriptedMta mta = new_session();
        ASSERT_TRUE(mta.mail());
        mta.send_macros('E', {{"i", "A"}});
        mta.send('E', "");
        mta.socket().reset();
    }
    EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before; }));
    origin_->behave(Behaviour::acknowledge);
    ScriptedMta after = new_session();
    EXPECT_EQ(after.message("AFTER"), 'c');
}

}  // namespace
}  // namespace millrace::test
