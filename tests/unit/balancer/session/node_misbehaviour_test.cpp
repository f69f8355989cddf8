// What a node may do wrong, at every stage of a message: the world (session_world.hpp) checks what
// Postfix hears (rule R1), and here it is checked what comes of it and when. Before the final dot
// another node takes the message, or Postfix hears one 4xx; after it only a well-formed verdict
// counts; and nobody waits longer than the timeout of that stage.
#include "tests/support/session_world.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

enum class Effect {
    none,    // the message is accepted
    broken,  // at once
    late,    // when the stage's timeout is over
};

using Misbehave = SessionWorld::Misbehave;

struct Misbehaviour {
    std::string name;
    Effect effect = Effect::broken;
    Misbehave how;
};

struct StageCase {
    NodeStage stage;
    std::string name;
    std::chrono::seconds timeout;  // until the reply must be there
};

const StageCase kStages[] = {
    {NodeStage::greeting, "greeting", 30s}, {NodeStage::hello, "hello", 60s},
    {NodeStage::reset, "reset", 60s},       {NodeStage::xforward, "xforward", 60s},
    {NodeStage::mail, "mail", 60s},         {NodeStage::rcpt, "rcpt", 60s},
    {NodeStage::data, "data", 60s},         {NodeStage::content, "content", 180s},
    {NodeStage::verdict, "verdict", 600s},  {NodeStage::after, "after", 0s},
};

Misbehave saying(std::string bytes) {
    return [bytes = std::move(bytes)](PlayedNode& node, std::string_view) { node.say(bytes); };
}

std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (; count > 0; --count) {
        all += text;
    }
    return all;
}

// Bytes that are no reply at any stage.
std::vector<Misbehaviour> malformed() {
    std::vector<Misbehaviour> all;
    const std::vector<std::pair<std::string, std::string>> texts = {
        {"garbage", "HTTP/1.1 400 Bad Request\r\n\r\n"},
        {"binary garbage", "\x16\x03\x01\x02\x80\xff\r\n"},
        {"a line of nothing", "\r\n"},
        {"NUL", std::string("250 2.0.0 \0k\r\n", 14)},
        {"a bare LF", "250 2.0.0 Ok\n"},
        {"a bare LF within", "250 2.0.0 a\nb\r\n"},
        {"a bare CR", "250 2.0.0 a\rb\r\n"},
        {"an overlong line", "250 " + std::string(3000, 'x') + "\r\n"},
        {"an overlong line without an end", std::string(100000, '2')},
        {"a reply of many lines", repeated("250-2.0.0 and\r\n", 3000) + "250 2.0.0 Ok\r\n"},
        {"1xx", "150 soon\r\n"},
        {"0xx", "050 what\r\n"},
        {"000", "000 what\r\n"},
        {"6xx", "650 what\r\n"},
        {"999", "999 what\r\n"},
        {"two digits", "25 what\r\n"},
        {"four digits", "2500 what\r\n"},
        {"no separator", "250x2.0.0 Ok\r\n"},
        {"300", "300 more\r\n"},
        {"2xx then 5xx in one reply", "250-2.0.0 Ok\r\n550 5.0.0 no\r\n"},
        {"5xx then 2xx in one reply", "550-5.0.0 no\r\n250 2.0.0 Ok\r\n"},
        {"2xx then 4xx in one reply", "250-2.0.0 Ok\r\n451 4.0.0 no\r\n"},
        {"354 then 2xx in one reply", "354-go\r\n250 2.0.0 Ok\r\n"},
    };
    for (const auto& [name, bytes] : texts) {
        all.push_back({name, Effect::broken, saying(bytes)});
    }
    return all;
}

std::vector<Misbehaviour> endings() {
    using boost::system::errc::errc_t;
    using boost::system::errc::make_error_code;
    std::vector<Misbehaviour> all = {
        {"close", Effect::broken, [](PlayedNode& node, std::string_view) { node.end(); }},
        {"half a reply and close", Effect::broken,
         [](PlayedNode& node, std::string_view reply) {
             node.say(reply.substr(0, reply.size() / 2));
             node.end();
         }},
        {"a line of several and close", Effect::broken,
         [](PlayedNode& node, std::string_view) {
             node.say("250-2.0.0 Ok\r\n");
             node.end();
         }},
    };
    for (const errc_t error : {errc_t::connection_reset, errc_t::timed_out,
                               errc_t::host_unreachable, errc_t::no_buffer_space}) {
        all.push_back(
            {"error " + std::to_string(error), Effect::broken,
             [error](PlayedNode& node, std::string_view) { node.end(make_error_code(error)); }});
    }
    return all;
}

std::vector<Misbehaviour> silences() {
    std::vector<Misbehaviour> all;
    for (const std::string begin :
         {"", "2", "250", "250-2.0.0 and\r\n", "250-2.0.0 and\r\n250", "250 2.0.0 Ok\r"}) {
        all.push_back({"silence behind '" + begin + "'", Effect::late,
                       [begin](PlayedNode& node, std::string_view) {
                           node.say(begin);
                           node.fall_silent();
                       }});
    }
    all.push_back(
        {"neither reads nor speaks", Effect::late, [](PlayedNode& node, std::string_view) {
             node.stop_reading();
             node.fall_silent();
         }});
    return all;
}

// The right reply in pieces: at every octet, and in two at each place.
std::vector<Misbehaviour> pieces(std::size_t longest) {
    std::vector<Misbehaviour> all = {
        {"every octet alone", Effect::none,
         [](PlayedNode& node, std::string_view reply) { node.say_octets(reply); }}};
    for (std::size_t cut = 1; cut < longest; ++cut) {
        all.push_back({"cut at " + std::to_string(cut), Effect::none,
                       [cut](PlayedNode& node, std::string_view reply) {
                           node.say(reply.substr(0, cut));
                           node.say(reply.substr(std::min(cut, reply.size())));
                       }});
    }
    return all;
}

// Well-formed, and not what is due here.
std::vector<Misbehaviour> out_of_place(NodeStage stage) {
    std::vector<Misbehaviour> all;
    const bool is_command = stage != NodeStage::content && stage != NodeStage::after;
    const bool is_about_node_here = is_command && stage != NodeStage::verdict;
    if (stage != NodeStage::data) {
        all.push_back({"354 to nothing", Effect::broken, saying("354 go\r\n")});
    } else {
        all.push_back({"2xx to DATA", Effect::broken, saying("250 2.0.0 Ok\r\n")});
        all.push_back({"2xx of lines to DATA", Effect::broken, saying("250-a\r\n250 b\r\n")});
        all.push_back(
            {"the verdict with 354", Effect::broken, saying("354 go\r\n250 2.0.0 early\r\n")});
    }
    if (is_about_node_here) {
        all.push_back({"421", Effect::broken, saying("421 4.3.2 busy\r\n")});
        all.push_back({"421 of lines", Effect::broken, saying("421-4.3.2 a\r\n421 4.3.2 b\r\n")});
        all.push_back({"421 and close", Effect::broken, [](PlayedNode& node, std::string_view) {
                           node.say("421 4.3.2 busy\r\n");
                           node.end();
                       }});
        all.push_back({"4.3.2", Effect::broken, saying("451 4.3.2 not now\r\n")});
        all.push_back({"two replies in one segment", Effect::broken,
                       [](PlayedNode& node, std::string_view reply) {
                           node.say(std::string(reply) + "250 2.0.0 early\r\n");
                       }});
        all.push_back({"two replies", Effect::broken, [](PlayedNode& node, std::string_view reply) {
                           node.say(reply);
                           node.say("250 2.0.0 early\r\n");
                       }});
    } else if (stage == NodeStage::content) {
        for (const std::string code : {"250", "354", "421", "451", "550"}) {
            all.push_back({code + " before the dot", Effect::broken, saying(code + " early\r\n")});
        }
    }
    return all;
}

std::vector<Misbehaviour> misbehaviours(NodeStage stage) {
    std::vector<Misbehaviour> all = out_of_place(stage);
    const std::size_t longest = stage == NodeStage::hello     ? 100
                                : stage == NodeStage::verdict ? 48
                                                              : 27;
    for (const auto& kind : {malformed(), endings(), silences(), pieces(longest)}) {
        all.insert(all.end(), kind.begin(), kind.end());
    }
    return all;
}

// What is at fault here; a stage may turn one thing into another.
Effect effect_of(const StageCase& stage, const Misbehaviour& one) {
    const bool is_unasked = stage.stage == NodeStage::content;
    if (stage.stage == NodeStage::after) {
        return Effect::none;  // Postfix has its answer
    }
    if (is_unasked && one.name.starts_with("silence behind '2")) {
        return Effect::broken;  // it was not asked
    }
    return one.effect;
}

const StageCase& kVerdict = kStages[8];

struct Setting {
    WorldPlan plan;
    std::string name;
};

std::vector<Setting> settings(NodeStage stage) {
    using session::Mode;
    std::vector<Setting> all;
    const bool is_kept = stage == NodeStage::reset;
    for (const Mode mode : {Mode::smtp, Mode::lmtp}) {
        for (const bool is_pipelining : {true, false}) {
            for (const std::size_t nodes : {1U, 2U}) {
                for (const bool is_reusing : {false, true}) {
                    if (is_reusing || !is_kept) {
                        all.push_back({{mode, is_pipelining, nodes, false, is_reusing, 2},
                                       std::string(mode == Mode::lmtp ? "lmtp" : "smtp") +
                                           (is_pipelining ? " pipelined" : "") +
                                           (is_reusing ? " reuse" : "") + ", nodes " +
                                           std::to_string(nodes)});
                    }
                }
            }
        }
    }
    return all;
}

bool says_reply(const Misbehaviour& one) {
    return one.name == "300" || one.name == "354 to nothing" || one.name.starts_with("two replies");
}

bool is_quiet(const Misbehaviour& one) {
    return one.name == "silence behind ''" || one.name == "neither reads nor speaks";
}

// The next message finds out that nobody is there.
void expect_late_notice(const SessionWorld& world, const WorldPlan& plan) {
    EXPECT_TRUE(world.outcomes().at(0).is_accepted());
    EXPECT_EQ(world.outcomes().at(1).is_accepted(), plan.nodes > 1);
    EXPECT_EQ(world.elapsed(), 60s);
}

void expect_outcome(const SessionWorld& world, const StageCase& stage, const Misbehaviour& one,
                    const WorldPlan& plan) {
    if (stage.stage == NodeStage::after && plan.is_reusing && is_quiet(one)) {
        expect_late_notice(world, plan);
        return;
    }
    const Effect effect = effect_of(stage, one);
    const bool is_behind_dot = stage.stage == NodeStage::verdict;
    // A kept connection is opened anew at the same node, if this one has not said a reply.
    const bool is_reopened = stage.stage == NodeStage::reset && !says_reply(one);
    const bool has_other = plan.nodes > 1 || (is_reopened && effect == Effect::broken);
    const std::size_t message = stage.stage == NodeStage::reset ? 1 : 0;
    const bool is_replaced = effect == Effect::broken || effect == Effect::late;
    const bool is_accepted = !is_replaced || (has_other && !is_behind_dot);
    const MessageOutcome& outcome = world.outcomes().at(message);
    const bool is_either = stage.stage == NodeStage::reset && says_reply(one) && plan.nodes == 1;
    EXPECT_TRUE(is_either || outcome.is_accepted() == is_accepted) << outcome.answers.back();
    EXPECT_TRUE(outcome.is_accepted() || outcome.answers.back().starts_with("451 4."))
        << outcome.answers.back();
    EXPECT_TRUE(world.outcomes().at(1 - message).is_accepted()) << "the other message";
    EXPECT_EQ(world.elapsed(), effect == Effect::late ? stage.timeout : 0s)
        << outcome.answers.back();
}

// In the content nobody expects a word: it shows when the verdict does not come.
bool is_unnoticed(const StageCase& stage, const Misbehaviour& one) {
    return stage.stage == NodeStage::content && one.name == "silence behind ''";
}

TEST(R1NodeMisbehaviour, AtEveryStageGivesOneOutcomeInTimeAndNoFalseAcceptance) {
    std::size_t cases = 0;
    for (const StageCase& stage : kStages) {
        for (const Misbehaviour& one : misbehaviours(stage.stage)) {
            for (const Setting& setting : settings(stage.stage)) {
                SCOPED_TRACE(stage.name + ": " + one.name + ", " + setting.name);
                SessionWorld world(setting.plan);
                world.misbehave(stage.stage, one.how);
                world.run();
                ++cases;
                EXPECT_TRUE(world.has_misbehaved());
                expect_outcome(world, is_unnoticed(stage, one) ? kVerdict : stage, one,
                               setting.plan);
                if (HasFailure()) {
                    return;  // one is enough to look at
                }
            }
        }
    }
    std::cout << "misbehaviours of a node: " << cases << " cases\n";
    RecordProperty("cases", std::to_string(cases));
    EXPECT_GT(cases, 10000u);
}

struct CountCase {
    std::size_t said = 0;  // verdicts for two recipients
    bool is_closing = false;
};

TEST(R1NodeMisbehaviour, InTheNumberOfLmtpVerdictsCostsOnlyTheRecipientsThatHaveNone) {
    for (const CountCase& test : {CountCase{0, false},
                                  {1, false},
                                  {3, false},
                                  {9, false},
                                  {0, true},
                                  {1, true},
                                  {3, true}}) {
        for (const bool is_reusing : {false, true}) {
            SCOPED_TRACE(std::to_string(test.said) + (test.is_closing ? " and close" : ""));
            SessionWorld world({session::Mode::lmtp, true, 2, false, is_reusing, 2});
            world.misbehave(NodeStage::verdict, [&](PlayedNode& node, std::string_view) {
                node.say(repeated("250 2.0.0 taken\r\n", test.said));
                test.is_closing ? node.end() : node.fall_silent();
            });
            world.run();
            const std::vector<std::string>& answers = world.outcomes().at(0).answers;
            ASSERT_EQ(answers.size(), 2u);
            for (std::size_t i = 0; i < 2; ++i) {
                EXPECT_EQ(answers[i].substr(0, 3), i < test.said ? "250" : "451");
            }
            EXPECT_TRUE(world.outcomes().at(1).is_accepted());
            const bool is_late = test.said < 2 && !test.is_closing;
            EXPECT_EQ(world.elapsed(), is_late ? 600s : 0s);
        }
    }
}

}  // namespace
}  // namespace millrace::test
