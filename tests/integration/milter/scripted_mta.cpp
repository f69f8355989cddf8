#include "tests/integration/milter/scripted_mta.hpp"

#include "tests/integration/milter/wait.hpp"

#include <libmilter/mfdef.h>

namespace millrace::test {
namespace {

std::string encode(std::uint32_t value, int octets = 4) {
    std::string bytes;
    for (int i = octets - 1; i >= 0; --i) {
        bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
    }
    return bytes;
}

std::uint32_t decode(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char octet : bytes) {
        value = (value << 8U) | static_cast<unsigned char>(octet);
    }
    return value;
}

std::string terminated(const std::string& text) {
    return text + '\0';
}

}  // namespace

std::optional<Negotiated> ScriptedMta::negotiate(std::uint32_t version, std::uint32_t actions,
                                                 std::uint32_t steps) {
    if (!send(SMFIC_OPTNEG, encode(version) + encode(actions) + encode(steps))) {
        return std::nullopt;
    }
    const auto reply = receive();
    if (!reply || reply->command != SMFIC_OPTNEG || reply->content.size() < 12) {
        return std::nullopt;
    }
    const std::string_view content = reply->content;
    steps_ = decode(content.substr(8, 4));
    return Negotiated{decode(content.substr(0, 4)), decode(content.substr(4, 4)), steps_,
                      std::string{content.substr(12)}};
}

bool ScriptedMta::connect(const std::string& address, std::uint16_t port, char family) {
    std::string content = terminated("client.example.org") + family;
    if (family != SMFIA_UNKNOWN) {
        content += encode(port, 2) + terminated(address);
    }
    return send(SMFIC_CONNECT, content) && continues(SMFIP_NR_CONN);
}

bool ScriptedMta::helo(const std::string& name) {
    return send(SMFIC_HELO, terminated(name)) && continues(SMFIP_NR_HELO);
}

bool ScriptedMta::mail(const std::string& parameters) {
    const std::string rest = parameters.empty() ? "" : terminated(parameters);
    return send(SMFIC_MAIL, terminated("<s@example.org>") + rest) && continues(SMFIP_NR_MAIL);
}

bool ScriptedMta::header(const std::string& name, const std::string& value) {
    return send(SMFIC_HEADER, terminated(name) + terminated(value)) && continues(SMFIP_NR_HDR);
}

bool ScriptedMta::event(char command, std::string_view content, std::uint32_t no_step,
                        std::uint32_t silent_step) {
    return (steps_ & no_step) != 0 || (send(command, content) && continues(silent_step));
}

char ScriptedMta::end_of_message(const MacroValues& macros) {
    if (!send_macros(SMFIC_BODYEOB, macros) || !send(SMFIC_BODYEOB, "")) {
        return 0;
    }
    const auto reply = receive();
    return reply ? reply->command : '\0';
}

bool ScriptedMta::begin(const std::string& client, std::uint16_t port) {
    const char family = client.find(':') == std::string::npos ? SMFIA_INET : SMFIA_INET6;
    return send_macros(SMFIC_CONNECT, {{"j", "ingress1.example.net"},
                                       {"{daemon_name}", "smtpd"},
                                       {"{daemon_addr}", "192.0.2.25"},
                                       {"{client_name}", "mx.example.org"},
                                       {"{client_ptr}", "mx.example.org"},
                                       {"{client_resolve}", "OK"}}) &&
           connect(client, port, family) && helo("mail.example.org");
}

char ScriptedMta::message(const std::string& queue_id) {
    if (!mail("SIZE=100")) {
        return 0;
    }
    return end_of_message({{"i", queue_id}});
}

bool ScriptedMta::send(char command, std::string_view content) {
    return socket_.send(encode(static_cast<std::uint32_t>(content.size() + 1)) + command +
                        std::string{content});
}

bool ScriptedMta::send_macros(char stage, const MacroValues& macros) {
    std::string content(1, stage);
    for (const auto& [name, value] : macros) {
        content += terminated(name) + terminated(value);
    }
    return send(SMFIC_MACRO, content);
}

std::optional<Packet> ScriptedMta::receive() {
    const auto length = socket_.receive(4, kPatience);
    if (!length) {
        return std::nullopt;
    }
    const auto packet = socket_.receive(decode(*length), kPatience);
    if (!packet || packet->empty()) {
        return std::nullopt;
    }
    return Packet{packet->front(), packet->substr(1)};
}

bool ScriptedMta::continues(std::uint32_t silent_step) {
    if ((steps_ & silent_step) != 0) {
        return true;
    }
    const auto reply = receive();
    return reply && reply->command == SMFIR_CONTINUE;
}

}  // namespace millrace::test
