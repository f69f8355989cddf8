// One message on its way from Postfix to a node: a transaction (RFC 5321, 3.3), whichever nodes it
// takes to complete it.
//
// At MAIL the origin is found, a pool chosen, a slot taken, a node opened; from then on commands
// and content pass through and the node's replies go back verbatim. Where only a recipient can tell
// the pool, MAIL is answered here if none has come with it. A recipient of another pool is answered
// with 452, so that Postfix sends it in a message of its own. Until the final dot has left, a node
// that fails is replaced without Postfix noticing: the envelope, and the content as long as a copy
// of it is held, are given to another. After it nothing is replayed (rules R1, R6). Replies are
// written to Output::to_frontend in the order of their commands.
#pragma once

#include "balancer/session/content.hpp"
#include "balancer/session/fifo.hpp"
#include "balancer/session/frontend.hpp"
#include "balancer/session/node_side.hpp"
#include "balancer/session/options.hpp"
#include "balancer/session/output.hpp"
#include "balancer/session/pool_choice.hpp"
#include "balancer/session/server_replies.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::session {

struct SessionSettings {
    std::shared_ptr<const SessionOptions> options;
    std::shared_ptr<const Relays> relays;
    ReplayBudget* replay_budget = nullptr;  // shared by all sessions, outlives them; null: no bound
    Endpoint peer;                          // the Postfix host
    std::string id;                         // unique, at most 40 octets of letters, digits and '-'
    std::shared_ptr<const ServerReplies> replies = nullptr;  // null: the session makes them
};

struct DeliverySettings {
    const SessionSettings& session;  // outlives the delivery
    std::string_view ingress;        // the peer's EHLO name; good until abort()
    std::string id;                  // of this message, at most 64 octets
};

// What is large or rare has memory of its own, so that no piece is one for which malloc is slow.
class Delivery {
 public:
    Delivery(DeliverySettings settings, MailStep&& mail, TimePoint now, Output& out);
    Delivery(const Delivery&) = delete;  // the attempt refers to the envelope
    Delivery& operator=(const Delivery&) = delete;
    ~Delivery() = default;

    // Commands of Postfix. REQUIRES: !is_over().
    void add_recipient(RcptStep&& recipient, TimePoint now, Output& out);
    void start_data(TimePoint now, Output& out);
    // Content, up to its end; how many octets of `bytes` it was. REQUIRES: wants_content().
    [[nodiscard]] std::size_t take_content(std::string_view bytes, TimePoint now, Output& out);
    // RSET, a new EHLO, QUIT, or a lost connection: the transaction is given up.
    void abort(TimePoint now, Output& out);

    // Results of requests, and the node's side.
    void origin_found(const OriginKey& key, const Result<std::optional<OriginRecord>>& found,
                      TimePoint now, Output& out);
    void slot_decided(const pool::Decision& decision, TimePoint now, Output& out);
    void node_connected(const NodeConnection& connection, TimePoint now, Output& out);
    void node_reused(const KeptNode& node, TimePoint now, Output& out);
    void node_received(std::string_view bytes, TimePoint now, Output& out);
    void node_closed(error_code error, TimePoint now, Output& out);
    void node_spoke_early(TimePoint now, Output& out);
    void node_sent(std::size_t unsent, TimePoint now);
    void time_passed(TimePoint now, Output& out);

    // Replies that Postfix waits for.
    [[nodiscard]] bool is_answer_outstanding() const {
        const bool is_verdict_due = envelope_.is_data_accepted && content_.is_complete();
        return !is_over() && (!unanswered_.empty() || is_verdict_due);
    }

    [[nodiscard]] bool is_envelope_unanswered() const { return !is_over() && !unanswered_.empty(); }

    [[nodiscard]] bool is_node_reply_due() const {
        return attempt_ && attempt_->node.replies_due() > 0;
    }

    // Nothing behind DATA is a command until the message is over.
    [[nodiscard]] bool takes_commands() const { return is_over() || !envelope_.is_data_requested; }

    // Between the 354 and the final dot: what Postfix sends is content ...
    [[nodiscard]] bool is_in_content() const {
        return envelope_.is_data_accepted && !content_.is_complete();
    }

    // ... and can be taken now.
    [[nodiscard]] bool wants_content() const {
        return is_in_content() && (stage_ == Stage::discarding ||
                                   (stage_ == Stage::at_node && attempt_->node.is_in_content() &&
                                    !attempt_->node.has_unsent()));
    }

    [[nodiscard]] bool is_over() const { return stage_ == Stage::over; }

    [[nodiscard]] std::optional<TimePoint> deadline() const;

 private:
    enum class Stage {
        finding_origin,
        waiting_for_recipient,  // to tell the pool
        waiting_for_slot,
        at_node,
        discarding,  // the answer is decided; content is read to its end first
        dead,        // MAIL was accepted, nothing more will be, until Postfix resets
        over,
    };

    enum class RecipientState { unanswered, accepted, refused };

    struct Recipient {
        std::string line;
        std::string domain;
        RecipientState state = RecipientState::unanswered;
    };

    struct Envelope {
        std::string mail_line;
        std::unique_ptr<const smtp::Xforward> xforward;  // as received, never null
        boost::container::small_vector<Recipient, 1> recipients;
        bool is_mail_accepted = false;        // Postfix was told so
        bool is_mail_confirmed = false;       // by a node
        bool has_deferred_recipient = false;  // a 4xx: Postfix will try it again
        bool is_data_requested = false;
        bool is_data_accepted = false;  // 354 was given to Postfix
    };

    // A command of Postfix that waits for its reply.
    struct Unanswered {
        NodeCommand command = NodeCommand::mail;
        bool is_of_other_pool = false;  // RCPT: the answer is ours, no node is asked
    };

    // One node's turn.
    struct Attempt {
        Attempt(pool::Grant granted, std::string key, const NodeDialogue& dialogue, TimePoint now)
            : grant(std::move(granted)), reuse_key(std::move(key)), node(dialogue, now) {}

        pool::Grant grant;
        std::string reuse_key;
        NodeSide node;
        // Answers that an earlier node gave and Postfix has: this node must agree.
        std::size_t answers_to_confirm = 0;
        Fifo<std::size_t> awaited_recipients;  // indexes, in the order of submission
        bool is_greeted = false;
        std::optional<NodeManners> known_manners;
        bool may_speak_ahead = true;
    };

    struct Times {
        TimePoint mail;
        TimePoint asked;  // for the first slot
        TimePoint granted;
        TimePoint opened;
        TimePoint dot;
    };

    // The nodes that were tried, as they will be logged.
    struct Tries {
        unsigned count = 0;
        std::string node;  // the last one
        std::vector<std::string> failed;
    };

    // What nodes have said of the content: one for SMTP, one for each recipient for LMTP.
    struct Verdicts {
        std::size_t count = 0;
        bool any_accepted = false;
        bool any_transient = false;
    };

    // What Postfix will hear once it has sent all of the content.
    struct Decision {
        smtp::Reply reply;
        MessageResult result = MessageResult::failed;
    };

    void resolve_origin(const std::optional<OriginRecord>& record, TimePoint now, Output& out);
    void choose_pool(TimePoint now, Output& out);
    void refuse_recipients_of_other_pools();
    void refuse_if_of_other_pool(Recipient& recipient, Unanswered& command);
    void request_slot(Output& out);
    void bypass(TimePoint now, Output& out);
    void open_node(const pool::Grant& grant, TimePoint now, Output& out);
    void begin_attempt(const pool::Grant& grant, std::string reuse_key, TimePoint now, Output& out);
    void submit_envelope(TimePoint now, Output& out);
    // The kept connection had ended, or the node did not bear what we said ahead: the same node
    // once more, over a new one.
    void reopen_node(TimePoint now, Output& out);
    void note_manners(Output& out);
    // The pool is told once of an attempt. `waited`: nothing for a connection that was kept.
    void note_greeting(std::optional<pool::Clock::duration> waited, Output& out);
    // What the node is told of the client; null: nothing.
    [[nodiscard]] const smtp::Xforward* xforward_for(const pool::NodeDialect& dialect);
    // Under which a connection may be shared; empty: not at all.
    [[nodiscard]] std::string reuse_key(const pool::NodeDialect& dialect) const;
    // Good as long as the delivery and `record`, which is for the node's header, if it wants one.
    [[nodiscard]] proxy_protocol::OriginFactsView origin_facts(std::string_view record) const;
    [[nodiscard]] std::string record_for_node() const;
    void take_event(const NodeEvent& event, TimePoint now, Output& out);
    void take_reply(const NodeReply& reply, TimePoint now, Output& out);
    void confirm(const NodeReply& reply, TimePoint now, Output& out);
    void answer(std::string_view reply, Output& out);
    void give_own_answers(Output& out);
    void take_verdict(const smtp::ReplyView& reply, TimePoint now, Output& out);
    void node_failed(const NodeFailure& failure, pool::Outcome outcome, TimePoint now, Output& out);
    void begin_content(TimePoint now, Output& out);
    void end_content(TimePoint now, Output& out);
    void leave_node(pool::Outcome outcome, std::string_view detail, bool is_polite, Output& out);
    [[nodiscard]] bool say_quit(Output& out);
    [[nodiscard]] pool::SlotUse slot_use() const;
    void give_up(smtp::Reply reply, MessageResult result, TimePoint now, Output& out);
    void answer_content(Output& out, TimePoint now);
    // REQUIRES: once for each message.
    void finish(MessageResult result, std::string reply, TimePoint now, Output& out);
    [[nodiscard]] Delays delays(TimePoint now) const;
    [[nodiscard]] std::size_t verdicts_due() const;
    [[nodiscard]] bool can_try_another_node() const;

    DeliverySettings settings_;
    Envelope envelope_;
    std::optional<OriginKey> key_;
    std::unique_ptr<const origin::Resolution> resolution_;  // null until it is found
    std::unique_ptr<smtp::Xforward> replaced_xforward_;  // where the origin is not the one received
    PoolChoice pool_;
    Fifo<Unanswered> unanswered_;  // in order
    Content content_;
    std::uint64_t declared_size_ = 0;
    Stage stage_ = Stage::finding_origin;
    std::unique_ptr<Attempt> attempt_;
    boost::container::small_vector<pool::NodeIndex, 4> tried_;
    Tries tries_;
    Verdicts verdicts_;
    std::optional<Decision> decision_;  // in stages discarding and dead
    Times times_;
};

}  // namespace millrace::session
