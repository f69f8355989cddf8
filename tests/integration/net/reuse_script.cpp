#include "tests/integration/net/reuse_script.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace millrace::test {

ShellSetup reusing_setup_for(std::initializer_list<Endpoint> nodes) {
    ShellSetup setup = setup_for(nodes);
    setup.relay.reuse.is_on = true;
    setup.relay.reuse.idle = std::chrono::hours(1);
    return setup;
}

ScriptedPeer postfix_from(const Shell& shell, const std::string& address) {
    ScriptedPeer postfix = ScriptedPeer::connected(shell.endpoint(), address);
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "220");
    postfix.send(kHello);
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    return postfix;
}

ScriptedPeer pass_first(ScriptedPeer& postfix, ScriptedNode& node, std::string_view hello) {
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    connection.send(kGreeting);
    EXPECT_EQ(connection.read_line(), hello);
    connection.send(kNodeHello);
    EXPECT_EQ(connection.read_through("DATA\r\n"), kEnvelope);
    connection.send(kGoAhead);
    pass_content(postfix, connection);
    return connection;
}

void pass_next(ScriptedPeer& postfix, ScriptedPeer& connection) {
    postfix.send(kEnvelope);
    take_next_envelope(connection);
    pass_content(postfix, connection);
}

void take_next_envelope(ScriptedPeer& connection) {
    EXPECT_EQ(connection.read_through("DATA\r\n"), "RSET\r\n" + std::string(kEnvelope));
    connection.send("250 2.0.0 Ok\r\n" + std::string(kGoAhead));
}

void pass_content(ScriptedPeer& postfix, ScriptedPeer& connection) {
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
}

bool hears_quit(ScriptedPeer& connection) {
    return connection.read_to_end() == kQuit && !connection.was_reset();
}

}  // namespace millrace::test
