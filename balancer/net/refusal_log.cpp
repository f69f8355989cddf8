#include "balancer/net/refusal_log.hpp"

#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

namespace millrace::net {

namespace {

constexpr std::size_t kRememberedMax = 1000;

}  // namespace

void RefusalLog::note(const Address& peer, std::string_view reason) {
    const auto now = std::chrono::steady_clock::now();
    const auto found = noted_.find(peer);
    if (found != noted_.end() && now - found->second < kLogAgain) {
        return;
    }
    if (noted_.size() >= kRememberedMax) {
        noted_.clear();
    }
    noted_[peer] = now;
    log(LogLevel::warning, LogLine("listener/" + listener_, "refused")
                               .add("peer", to_string(peer))
                               .add("reason", reason)
                               .text());
}

}  // namespace millrace::net
