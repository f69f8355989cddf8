// An MTA that speaks the milter protocol, packet by packet, as well or as oddly as a test wants.
#pragma once

#include "proto/runtime/listen_address.hpp"
#include "tests/integration/milter/sockets.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::test {

struct Packet {
    char command = 0;
    std::string content;
};

struct Negotiated {
    std::uint32_t version = 0;
    std::uint32_t actions = 0;
    std::uint32_t steps = 0;
    std::string macro_lists;  // as on the wire
};

using MacroValues = std::vector<std::pair<std::string, std::string>>;

class ScriptedMta {
 public:
    // What Postfix offers.
    static constexpr std::uint32_t kActions = 0x1ff;
    static constexpr std::uint32_t kSteps = 0x1fffff;

    explicit ScriptedMta(const ListenAddress& milter) : socket_(Socket::connect_to(milter)) {}

    // Nothing when the milter closed the session instead.
    std::optional<Negotiated> negotiate(std::uint32_t version = 6, std::uint32_t actions = kActions,
                                        std::uint32_t steps = kSteps);

    // The events. Each reads the milter's reply where one was negotiated; true when it is
    // "continue", or none is due.
    bool connect(const std::string& address, std::uint16_t port, char family = '4');
    bool helo(const std::string& name);
    bool mail(const std::string& parameters = "");
    bool header(const std::string& name, const std::string& value);
    // Any event: left out when `no_step` was negotiated, without a reply when `silent_step` was.
    bool event(char command, std::string_view content, std::uint32_t no_step,
               std::uint32_t silent_step);
    // The milter's verdict: 'c' continue, 't' tempfail; 0 when it closed the session.
    char end_of_message(const MacroValues& macros);

    bool abort() { return send('A', ""); }

    bool quit() { return send('Q', ""); }

    bool quit_for_new_session() { return send('K', ""); }

    // CONNECT to MAIL for a client, macros included, as Postfix sends them.
    bool begin(const std::string& client = "203.0.113.66", std::uint16_t port = 4711);
    // A whole message in a session that has begun.
    char message(const std::string& queue_id);

    bool send(char command, std::string_view content);
    bool send_macros(char stage, const MacroValues& macros);
    [[nodiscard]] std::optional<Packet> receive();

    Socket& socket() { return socket_; }

 private:
    [[nodiscard]] bool continues(std::uint32_t silent_step);

    Socket socket_;
    std::uint32_t steps_ = 0;
};

}  // namespace millrace::test
