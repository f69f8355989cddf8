// The replies of our own that depend on the listener alone, made once for all its sessions.
#pragma once

#include "balancer/session/options.hpp"
#include "balancer/smtp/reply.hpp"

namespace millrace::session {

struct ServerReplies {
    explicit ServerReplies(const SessionOptions& options)
        : greeting(smtp::make_reply(
              220, "",
              options.hostname + (options.mode == Mode::lmtp ? " LMTP" : " ESMTP") + " Millrace")),
          extended_hello(
              smtp::ehlo_reply(options.hostname, options.offered, options.message_size_limit)),
          hello(smtp::make_reply(250, "", options.hostname)),
          ok(smtp::make_reply(250, "2.0.0", "Ok")) {}

    smtp::Reply greeting;
    smtp::Reply extended_hello;  // to EHLO and LHLO
    smtp::Reply hello;           // to HELO
    smtp::Reply ok;
};

}  // namespace millrace::session
