// Tells what we run out of from what a node does: no node is to blame for the former, neither when
// it was to get a message nor when it was to be checked. Pure.
#pragma once

#include "proto/result.hpp"

namespace millrace::session {

// Descriptors, memory or local ports are used up on this host.
[[nodiscard]] bool is_shortage_of_ours(error_code error);

}  // namespace millrace::session
