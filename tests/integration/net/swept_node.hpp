// A peer that fails at its n-th operation, and a node that is one.
#pragma once

#include "tests/integration/net/scripted_peer.hpp"

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace millrace::test {

// Counts down with every octet sent and every line read; at zero the peer is gone.
class FaultyPeer {
 public:
    struct Gone {};

    FaultyPeer(ScriptedPeer& peer, unsigned operations, bool is_reset)
        : peer_(peer), left_(operations), is_reset_(is_reset) {}

    void send(std::string_view bytes) {
        for (; !bytes.empty(); bytes.remove_prefix(1)) {
            count();
            peer_.send(bytes.substr(0, 1));
        }
    }

    std::string read_line() {
        count();
        return peer_.read_line();
    }

 private:
    void count() {
        if (left_-- == 0) {
            if (is_reset_) {
                peer_.reset();
            } else {
                peer_.close();
            }
            throw Gone();
        }
    }

    ScriptedPeer& peer_;
    unsigned left_;
    bool is_reset_;
};

// A node that serves one message on each connection. The first connection fails after so many
// operations, all others are good.
class SweptNode {
 public:
    SweptNode(unsigned operations, bool is_reset)
        : operations_(operations), is_reset_(is_reset), thread_([this] { serve(); }) {}

    SweptNode(const SweptNode&) = delete;
    SweptNode& operator=(const SweptNode&) = delete;

    ~SweptNode() {
        node_.stop();
        thread_.join();
    }

    [[nodiscard]] Endpoint endpoint() const { return node_.endpoint(); }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

    // Messages whose acceptance has left as a whole.
    [[nodiscard]] int accepted() const { return accepted_; }

 private:
    void serve() {
        constexpr unsigned kNever = 1000000;
        unsigned operations = operations_;
        while (std::optional<ScriptedPeer> peer = node_.accept_unless_stopped()) {
            FaultyPeer connection(*peer, operations, is_reset_);
            operations = kNever;
            try {
                converse(connection);
            } catch (const FaultyPeer::Gone&) {
                has_failed_ = true;
            } catch (const std::exception&) {
                // The balancer was the first to go.
            }
        }
    }

    void converse(FaultyPeer& connection) {
        connection.send("220 s\r\n");
        connection.read_line();
        connection.send("250 s\r\n");
        for (const std::string_view answer : {"250 m\r\n", "250 r\r\n", "354 d\r\n"}) {
            connection.read_line();
            connection.send(answer);
        }
        while (connection.read_line() != ".\r\n") {
        }
        connection.send("250 k\r");
        ++accepted_;  // with the next octet it can have been seen
        connection.send("\n");
        connection.read_line();
        connection.send("221 b\r\n");
    }

    unsigned operations_;
    bool is_reset_;
    ScriptedNode node_;
    std::atomic<bool> has_failed_ = false;
    std::atomic<int> accepted_ = 0;
    std::thread thread_;
};

}  // namespace millrace::test
