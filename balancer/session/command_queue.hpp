// Command lines that wait for the node to be ready for them, one behind the other in one piece of
// memory.
#pragma once

#include "balancer/session/fifo.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::session {

enum class NodeCommand { rset, xforward, mail, rcpt, data };

// NOLINTNEXTLINE(bugprone-exception-escape): small_vector moves items that do not throw.
class CommandQueue {
 public:
    // `line` with its CRLF.
    void push_back(NodeCommand command, std::string_view line) {
        if (lines_.empty()) {
            lines_.reserve(kUsualEnvelope);
        }
        order_.push_back({command, line.size()});
        lines_ += line;
    }

    // All of `others` behind these, in their order.
    void append(CommandQueue others) {
        lines_.append(others.lines_, others.taken_);
        for (; !others.order_.empty(); others.order_.pop_front()) {
            order_.push_back(others.order_.front());
        }
    }

    [[nodiscard]] bool empty() const { return order_.empty(); }

    // REQUIRES of the following: !empty(). The view is valid until the next change.
    [[nodiscard]] NodeCommand front_command() const { return order_.front().command; }

    [[nodiscard]] std::string_view front_line() const {
        return std::string_view(lines_).substr(taken_, order_.front().length);
    }

    void pop_front() {
        taken_ += order_.front().length;
        order_.pop_front();
        if (order_.empty()) {
            lines_.clear();
            taken_ = 0;
        }
    }

 private:
    static constexpr std::size_t kUsualEnvelope = 512;  // octets

    struct Line {
        NodeCommand command;
        std::size_t length;
    };

    Fifo<Line> order_;
    std::string lines_;
    std::size_t taken_ = 0;  // octets at the front of it that are gone
};

}  // namespace millrace::session
