// What tests of kept connections (reuse = safe) share: a setup, and messages over a connection that
// is new or was kept.
#pragma once

#include "tests/integration/net/shell.hpp"

#include <initializer_list>
#include <string_view>

namespace millrace::test {

// As setup_for; connections are kept for longer than any test takes.
[[nodiscard]] ShellSetup reusing_setup_for(std::initializer_list<Endpoint> nodes);

// From this address of ours, and EHLO is over.
[[nodiscard]] ScriptedPeer postfix_from(const Shell& shell, const std::string& address);

// The message of `postfix` on a connection of its own to `node`, up to its verdict.
[[nodiscard]] ScriptedPeer pass_first(ScriptedPeer& postfix, ScriptedNode& node,
                                      std::string_view hello = kHello);
// The next message, on a connection that was kept.
void pass_next(ScriptedPeer& postfix, ScriptedPeer& connection);

// The node's part up to 354 and from the content on.
void take_next_envelope(ScriptedPeer& connection);
void pass_content(ScriptedPeer& postfix, ScriptedPeer& connection);

// Whether the balancer ends the connection with QUIT and waits for the node to close.
[[nodiscard]] bool hears_quit(ScriptedPeer& connection);

}  // namespace millrace::test
