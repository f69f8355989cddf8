// Answers of the balancer for people and for programs. Pure.
#pragma once

#include "proto/admin.hpp"

#include <string>

namespace millrace::ctl {

// A table with a heading, blanks between the columns, a newline at the end. An order shows its
// node.
[[nodiscard]] std::string render_table(const admin::Command& command,
                                       const admin::Response& response);

// One object and a newline: "status", "reason" when there is one, and "nodes", "pools" or "queue",
// as the command asked. Times are in seconds, as "..._seconds". The names are an interface that
// others write programs against.
[[nodiscard]] std::string render_json(const admin::Command& command,
                                      const admin::Response& response);

}  // namespace millrace::ctl
