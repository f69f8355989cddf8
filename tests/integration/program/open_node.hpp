// A node that takes every message and keeps all it was told. It may have something odd to say.
#pragma once

#include "tests/integration/net/scripted_peer.hpp"

#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::test {

// Which of its replies is the odd one.
enum class OddReply { none, greeting, hello, mail, recipient, verdict };

class OpenNode {
 public:
    OpenNode() : acceptor_([this] { accept_all(); }) {}

    OpenNode(const OpenNode&) = delete;
    OpenNode& operator=(const OpenNode&) = delete;

    ~OpenNode() {
        node_.stop();
        acceptor_.join();
    }

    [[nodiscard]] Endpoint endpoint() const { return node_.endpoint(); }

    // From the next connection on: `text` is the text of that reply.
    void say(OddReply which, const std::string& text) {
        const std::lock_guard lock(mutex_);
        which_ = which;
        text_ = text;
    }

    [[nodiscard]] std::vector<std::string> take_headers() { return take(headers_); }

    [[nodiscard]] std::vector<std::string> take_commands() { return take(commands_); }

 private:
    std::vector<std::string> take(std::vector<std::string>& from) {
        const std::lock_guard lock(mutex_);
        return std::exchange(from, {});
    }

    // One connection after another; the test opens no two at a time.
    void accept_all() {
        while (auto peer = node_.accept_unless_stopped()) {
            try {
                serve(*peer);
            } catch (const std::exception&) {
                // The balancer has gone, as it may.
            }
        }
    }

    void serve(ScriptedPeer& peer) {
        constexpr std::size_t kFixedLength = 16;
        std::string header = peer.read_octets(kFixedLength);
        const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
        const std::size_t rest = octet(14) * 256U + octet(15);
        header += peer.read_octets(rest);
        keep(headers_, header);
        answer(peer, "220 ", OddReply::greeting);
        while (true) {
            const std::string line = peer.read_line();
            keep(commands_, line);
            const std::string verb = line.substr(0, 4);
            if (verb == "DATA") {
                peer.send("354 go on\r\n");
                (void)peer.read_through("\r\n.\r\n");
                answer(peer, "250 ", OddReply::verdict);
            } else if (verb == "EHLO") {
                peer.send(
                    "250-PIPELINING\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"
                    "250-SMTPUTF8\r\n250-8BITMIME\r\n250-DSN\r\n250-SIZE\r\n");
                answer(peer, "250 ", OddReply::hello);
            } else {
                answer(peer, verb == "QUIT" ? "221 " : "250 ",
                       verb == "MAIL"   ? OddReply::mail
                       : verb == "RCPT" ? OddReply::recipient
                                        : OddReply::none);
            }
            if (verb == "QUIT") {
                return;
            }
        }
    }

    void answer(ScriptedPeer& peer, const std::string& code, OddReply stage) {
        std::string text = "ok";
        {
            const std::lock_guard lock(mutex_);
            text = stage != OddReply::none && stage == which_ ? text_ : text;
        }
        peer.send(code + text + "\r\n");
    }

    void keep(std::vector<std::string>& in, const std::string& bytes) {
        const std::lock_guard lock(mutex_);
        in.push_back(bytes);
    }

    std::mutex mutex_;
    OddReply which_ = OddReply::none;
    std::string text_;
    std::vector<std::string> headers_;
    std::vector<std::string> commands_;
    ScriptedNode node_;
    std::thread acceptor_;
};

}  // namespace millrace::test
