// Many SMTP sessions at once, on few and on many threads of libmilter.
#include "tests/integration/milter/milter_fixture.hpp"

#include <list>
#include <set>

namespace millrace::test {
namespace {

class MilterManySessions : public MilterFixture {
 protected:
    // All sessions have reached the end of a message before the first reply is read.
    void send_messages(std::list<ScriptedMta>& sessions) {
        int number = 0;
        for (ScriptedMta& mta : sessions) {
            ASSERT_TRUE(mta.mail());
            ASSERT_TRUE(mta.send_macros('E', {{"i", "Q" + std::to_string(number++)}}));
            ASSERT_TRUE(mta.send('E', ""));
        }
    }

    void open_sessions(std::list<ScriptedMta>& sessions, int count) {
        for (int i = 0; i < count; ++i) {
            sessions.push_back(new_session("203.0.113.66", static_cast<std::uint16_t>(1000 + i)));
        }
    }

    static void expect_replies(std::list<ScriptedMta>& sessions, char command) {
        for (ScriptedMta& mta : sessions) {
            const auto reply = mta.receive();
            ASSERT_TRUE(reply);
            EXPECT_EQ(reply->command, command);
        }
    }

    void serve(int count) {
        start_origin();
        start_milter({"--on-error=tempfail", "--timeout=30s"});
        ScriptedMta first = new_session();  // libmilter and the publisher have what they need
        ASSERT_EQ(first.message("FIRST"), 'c');
        const std::size_t before = milter_->descriptor_count();
        const std::size_t threads_before = milter_->thread_count();
        std::list<ScriptedMta> sessions;
        open_sessions(sessions, count);
        for (int round = 0; round < 3; ++round) {
            send_messages(sessions);
            expect_replies(sessions, 'c');
        }
        const auto wanted = static_cast<std::size_t>(3 * count);
        const auto records = origin_->wait_for_records(1 + wanted);
        ASSERT_EQ(records.size(), 1 + wanted);
        for (std::size_t i = 1; i < records.size(); ++i) {  // each message has its own client
            EXPECT_EQ(records[i].key.queue_id.text(),
                      "Q" + std::to_string(records[i].connected.port - 1000));
        }
        sessions.clear();
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before; }));
        EXPECT_TRUE(wait_until([&] { return milter_->thread_count() <= threads_before; }))
            << milter_->thread_count() << " threads instead of " << threads_before;
    }
};

TEST_F(MilterManySessions, FiftyAtOnce) {
    serve(50);
}

TEST_F(MilterManySessions, FiveHundredAtOnce) {
    serve(500);
}

// None waits for another, however few workers libmilter has at the moment (R10): with a deadline
// that is not reached, the service has the requests of all before it has answered any.
TEST_F(MilterManySessions, WaitForASlowServiceTogether) {
    start_origin(Behaviour::hang);
    start_milter({"--on-error=tempfail", "--timeout=60s"});
    std::list<ScriptedMta> sessions;
    open_sessions(sessions, 50);
    for (std::size_t round = 1; round <= 3; ++round) {
        send_messages(sessions);
        ASSERT_EQ(origin_->wait_for_records(50 * round).size(), 50 * round);
        origin_->answer_held();
        expect_replies(sessions, 'c');
    }
}

TEST_F(MilterManySessions, AreAllAnsweredThoughTheServiceHangs) {
    start_origin(Behaviour::hang);
    start_milter({"--on-error=tempfail", "--timeout=2s"});
    std::list<ScriptedMta> sessions;
    open_sessions(sessions, 50);
    for (int round = 0; round < 3; ++round) {
        send_messages(sessions);
        expect_replies(sessions, 't');
    }
}

}  // namespace
}  // namespace millrace::test
