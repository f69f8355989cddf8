#include "balancer/smtp/line_buffer.hpp"

#include "proto/memory.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::smtp {
namespace {

constexpr std::string_view kCrlf = "\r\n";

}  // namespace

void LineBuffer::append(std::string_view bytes) {
    if (begin_ != 0) {
        bytes_.erase(0, begin_);
        if (end_ != std::string::npos) {
            end_ -= begin_;
        }
        begin_ = 0;
    }
    const auto from = bytes_.size();
    bytes_.append(bytes);
    if (end_ == std::string::npos) {
        find_end(from == 0 ? 0 : from - 1);  // the CR may have been there
        shorten();
    }
}

void LineBuffer::find_end(std::size_t from) {
    end_ = bytes_.find(kCrlf, from);
}

// The line stays over the limit, so that it is reported when it ends; of its octets only a final CR
// still counts.
void LineBuffer::shorten() {
    if (end_ != std::string::npos || size() <= kLineLengthMax) {
        return;
    }
    bytes_.erase(0, std::exchange(begin_, 0));
    const char last = bytes_.back() == '\r' ? '\r' : ' ';
    bytes_.resize(kLineLengthMax);
    bytes_.back() = last;
}

std::optional<LineBuffer::Line> LineBuffer::front() const {
    if (end_ == std::string::npos) {
        return std::nullopt;
    }
    const auto length = end_ - begin_;
    if (length + kCrlf.size() > kLineLengthMax) {
        return Line{.text = {}, .wire = {}, .is_too_long = true};
    }
    const auto wire = std::string_view(bytes_).substr(begin_, length + kCrlf.size());
    return Line{.text = wire.substr(0, length), .wire = wire, .is_too_long = false};
}

void LineBuffer::pop() {
    BOOST_ASSERT(end_ != std::string::npos);
    begin_ = end_ + kCrlf.size();
    if (is_empty()) {
        give_back(bytes_);
        begin_ = 0;
        end_ = std::string::npos;
    } else {
        find_end(begin_);
    }
}

std::string LineBuffer::take() {
    auto taken = std::exchange(bytes_, {});
    taken.erase(0, std::exchange(begin_, 0));
    end_ = std::string::npos;
    return taken;
}

}  // namespace millrace::smtp
