// The one place that decides what Postfix hears when we cannot do our job.
//
// Every trouble of our own is a 4xx, never a 5xx: a balancer's bad day must not bounce mail (rule
// R1). 5xx replies exist only for what the client did wrong and for content that must not pass.
#pragma once

#include "balancer/pool/pool.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/reply.hpp"

#include <string_view>

namespace millrace::session {

// No node could be had for the message.
[[nodiscard]] smtp::Reply refusal_reply(const pool::Refusal& refusal);
// The last node that could be tried failed before the final dot.
[[nodiscard]] smtp::Reply node_failed_reply(std::string_view detail);
// The final dot was sent and the verdict never came: the message may be delivered twice, so it is
// Postfix that must decide (RFC 1047).
[[nodiscard]] smtp::Reply verdict_lost_reply(std::string_view detail);
[[nodiscard]] smtp::Reply unknown_origin_reply();
// RCPT: the routing rules lead it to another pool than the message's. Postfix tries it again in a
// message of its own (RFC 5321 4.5.3.1.10).
[[nodiscard]] smtp::Reply other_pool_reply();
[[nodiscard]] smtp::Reply shutting_down_reply();
[[nodiscard]] smtp::Reply idle_timeout_reply();
// The connection has had its time, or its number of messages. Postfix opens another one.
[[nodiscard]] smtp::Reply session_too_long_reply();
[[nodiscard]] smtp::Reply too_many_messages_reply();
// For commands pipelined behind a MAIL that failed, which is no error of the client.
[[nodiscard]] smtp::Reply no_transaction_reply();

// MAIL, where the pool is not known before the first recipient.
[[nodiscard]] smtp::Reply mail_taken_reply();

// The client's mistakes in commands.
[[nodiscard]] smtp::Reply syntax_reply(const error_code& error);
// The content had a bare LF: refused at its real end, never repaired (CVE-2023-51764).
[[nodiscard]] smtp::Reply bare_newline_reply();
[[nodiscard]] smtp::Reply too_big_reply();

}  // namespace millrace::session
