#include "balancer/service/gate.hpp"

#include "balancer/service/peer.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

namespace millrace::service {

Gate::Visitor Gate::examine(Socket& socket) {
    const Result<Peer> peer = peer_of(socket);
    if (!peer) {
        return {};
    }
    Visitor visitor{to_string(*peer), is_permitted(*peer, rules_)};
    if (!visitor.is_permitted) {
        log_refusal(visitor.name);
    }
    return visitor;
}

void Gate::log_refusal(const std::string& peer) {
    if (const auto count = refusals_.admit(std::chrono::steady_clock::now())) {
        LogLine line(service_, "connection refused");
        line.add("peer", peer).add("reason", refusal_).add("count", *count);
        log(LogLevel::warning, line.text());
    }
}

}  // namespace millrace::service
