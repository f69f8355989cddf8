// Asks the balancer, over its admin socket, and waits for the answer. Blocks, with a limit.
#pragma once

#include "proto/admin.hpp"
#include "proto/result.hpp"
#include "proto/runtime/listen_address.hpp"

#include <chrono>

namespace millrace::ctl {

// How long the balancer may take, not counting the time that the command asks it to wait.
inline constexpr std::chrono::milliseconds kAnswerLimit = std::chrono::seconds(10);

// An error means that there is no answer: nobody listens, no permission for the socket, no answer
// in time, or none that can be understood. Whether the order was carried out is then not known.
[[nodiscard]] Result<admin::Response> ask(const UnixPath& path, const admin::Command& command,
                                          std::chrono::milliseconds limit = kAnswerLimit);

}  // namespace millrace::ctl
