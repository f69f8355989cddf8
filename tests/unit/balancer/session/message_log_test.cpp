#include "balancer/session/message_log.hpp"

#include <gtest/gtest.h>

namespace millrace::session {
namespace {

using std::chrono::milliseconds;

MessageLog message() {
    MessageLog log;
    log.queue_id = "4XyZ12";
    log.pool = "scanners";
    log.node = "scan1";
    log.result = MessageResult::accepted;
    log.reply = "250 2.0.0 Ok";
    log.origin = parse_address("203.0.113.66").value();
    log.origin_source = origin::Source::store;
    log.peer = parse_address("127.0.0.1").value();
    log.recipients = 2;
    log.octets = 48211;
    log.tries = 1;
    log.delays = {milliseconds(1), milliseconds(2), milliseconds(10), milliseconds(61204)};
    log.id = "s1-1";
    log.session_id = "s1";
    return log;
}

TEST(MessageLog, TellsTheStoryOfAMessageOnOneLine) {
    EXPECT_EQ(format(message()),
              "4XyZ12: message pool=scanners node=scan1 result=accepted reply=\"250 2.0.0 Ok\" "
              "origin=203.0.113.66 origin_source=store peer=127.0.0.1 rcpts=2 bytes=48211 tries=1 "
              "delays=0.001/0.002/0.010/61.204 id=s1-1 session=s1");
}

TEST(MessageLog, SaysUnknownWhereNothingIsKnown) {
    MessageLog log = message();
    log.queue_id.clear();
    log.node.clear();
    log.origin = Address();
    log.origin_source = origin::Source::none;
    log.result = MessageResult::failed;
    const std::string line = format(log);
    EXPECT_TRUE(line.starts_with("NOQUEUE: message pool=scanners node=none result=failed")) << line;
    EXPECT_NE(line.find("origin=unknown origin_source=none"), std::string::npos) << line;
}

TEST(MessageLog, NamesTheTriesThatFailedAndAMismatch) {
    MessageLog log = message();
    log.is_origin_mismatch = true;
    log.tries = 3;
    log.failed_tries = {"scan0: connect: Connection refused", "scan2: greeting: timed out"};
    const std::string line = format(log);
    EXPECT_NE(line.find("origin_mismatch=yes"), std::string::npos) << line;
    EXPECT_NE(line.find("tries=3 failed_tries=\"scan0: connect: Connection refused; "
                        "scan2: greeting: timed out\""),
              std::string::npos)
        << line;
}

// Rule R11: what came from the wire cannot forge a line or a field.
TEST(MessageLog, CannotBeBrokenByWhatANodeOrAClientSaid) {
    MessageLog log = message();
    log.queue_id = "X\r\nY";
    log.reply = "550 no\r\n4XyZ13: message result=accepted \"quoted\" \x01\xFF";
    const std::string line = format(log);
    EXPECT_EQ(line.find_first_of("\r\n\x01"), std::string::npos) << line;
    EXPECT_EQ(line.find("\"quoted\" "), std::string::npos) << line;
}

TEST(MessageLog, NamesEveryResult) {
    EXPECT_EQ(to_string(MessageResult::accepted), "accepted");
    EXPECT_EQ(to_string(MessageResult::rejected), "rejected");
    EXPECT_EQ(to_string(MessageResult::deferred), "deferred");
    EXPECT_EQ(to_string(MessageResult::failed), "failed");
    EXPECT_EQ(to_string(MessageResult::aborted), "aborted");
}

}  // namespace
}  // namespace millrace::session
