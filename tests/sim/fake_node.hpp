// A scanner that does its duty, or fails at a time and in a way that chance has chosen, and that
// checks all that it is told: the PROXY header, XFORWARD, the envelope, the content.
//
// One object is one connection, for one message or, where it may be kept, for several: then it also
// ends it between two of them when it likes. It has a kernel buffer, so that a node that does not
// read makes the sender wait, and it goes on with what is in it when the sender has gone: what was
// sent was sent.
#pragma once

#include "balancer/pool/node.hpp"
#include "balancer/session/options.hpp"
#include "balancer/smtp/xforward.hpp"
#include "tests/sim/chance.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/timeline.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sim {

enum class Stage { connect, greeting, hello, reset, xforward, mail, rcpt, data, content, verdict };

enum class Fault {
    none,
    drop,           // the connection ends instead of the reply
    half_reply,     // and in the middle of the reply
    stall,          // nothing more is read or said
    busy,           // 421
    not_accepting,  // 451 4.3.2
    tempfail,       // 451, about the message
    reject,         // 550
    garbage,
    bare_lf,
    wrong_code,  // 354 where it is not due, 250 to DATA
    early,       // says more than it was asked
    late_drop,   // ends the connection after the reply
    nul,
    overlong,     // a line
    endless,      // a reply of more lines than anybody needs
    unfinished,   // a reply whose last line does not come, nor anything else
    odd_code,     // of no class there is
    mixed_codes,  // another one on the second line
    dribble,      // an octet at a time
    too_many,     // verdicts
    too_few,      // and the connection stays open
};

inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::too_few);

// How a node behaves in one connection.
struct NodePlan {
    Stage stage = Stage::connect;
    Fault fault = Fault::none;
    std::size_t at_message = 0;        // of the connection, from the stage `reset` on
    std::size_t idle_end_percent = 0;  // behind each message: ends the connection unasked
    bool is_pipelining = true;
    bool has_xforward = true;
    std::size_t buffer = 65536;  // octets that its kernel takes, more for a large message
    std::size_t bite = 65536;    // octets that it reads at a time
    milliseconds pace{1};        // between its steps
};

[[nodiscard]] NodePlan make_plan(std::size_t fault_percent, Chance& chance);

struct NodeWorld {
    Timeline& timeline;
    Chance& chance;
    Ledger& ledger;
};

// What the connection is between.
struct NodeSetting {
    std::shared_ptr<const pool::NodeOptions> options;
    Endpoint peer;
    session::Mode mode = session::Mode::smtp;
    std::size_t messages_max = 1;
    // Whether a recipient of a message with this origin may come here.
    std::function<bool(const Message&, std::string_view domain)> is_route;
};

class FakeNode {
 public:
    // How the other side hears of things, each from an event of its own.
    struct Line {
        std::function<void(std::string_view bytes, bool is_whole)> received;
        std::function<void()> ended;
        std::function<void()> writable;
    };

    FakeNode(NodeWorld world, NodeSetting setting, NodePlan plan, Line line);

    // The other side may send its commands before it has heard of us.
    void accept(bool may_be_spoken_to_ahead) {
        is_spoken_ahead_ = may_be_spoken_to_ahead;
        say_greeting();
    }

    // How many of these octets its kernel takes.
    [[nodiscard]] std::size_t take(std::string_view bytes);
    // The other side has closed; what was taken is still read.
    void hang_up();

    // Somebody else has the connection now.
    void hand_over(Line line) { line_ = std::move(line); }

    [[nodiscard]] const Endpoint& endpoint() const { return setting_.options->endpoint; }

 private:
    enum class Reading { header, commands, content, nothing };

    void work();
    void schedule_work();
    void read_header();
    void read_line();
    void read_content();
    void command(std::string_view line);
    void take_reset();
    void take_mail(std::string_view argument);
    void take_rcpt(std::string_view argument);
    void take_data();
    void say_too_early();
    void end_content();
    void give_verdicts();
    void give_verdict(std::size_t number);
    void end_transaction();
    void end_when_idle();
    void say_greeting();
    // The reply that is due at a stage, or what the plan makes of it.
    void reply(Stage stage, std::string_view label, std::string_view code_and_status);
    void say(std::string_view wire, bool is_whole = false);
    void say_slowly(std::string_view wire);
    void drop();
    void check_header(std::string_view bytes);
    void check_xforward();
    void check_facts(const std::optional<Endpoint>& origin);
    [[nodiscard]] bool is_due(Stage stage) const;

    NodeWorld world_;
    NodeSetting setting_;
    NodePlan plan_;
    Line line_;
    Reading reading_ = Reading::header;
    std::string input_;  // the kernel's
    bool is_peer_gone_ = false;
    bool is_closed_ = false;
    bool is_working_ = false;
    bool is_spoken_ahead_ = false;
    bool has_quit_ = false;
    TimePoint last_said_;         // arrival of its last words
    std::size_t on_the_way_ = 0;  // words that have not arrived

    std::optional<proxy_protocol::OriginFacts> facts_;
    smtp::Xforward xforward_;
    Message* message_ = nullptr;
    std::size_t served_ = 0;
    bool is_reset_due_ = false;  // before the next message
    std::vector<std::string> accepted_;
    std::string content_;
    std::size_t bites_ = 0;
    std::size_t verdicts_left_ = 0;
};

}  // namespace millrace::sim
