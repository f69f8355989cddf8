#include "balancer/smtp/line_buffer.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::smtp {
namespace {

constexpr std::string_view kCrlf = "\r\n";

}  // namespace

void LineBuffer::append(std::string_view bytes) {
    bytes_.erase(0, std::exchange(begin_, 0));
    bytes_.append(bytes);
    if (bytes_.find(kCrlf) == std::string::npos) {
        shorten();
    }
}

// The line stays over the limit, so that it is reported when it ends; of its octets only a final CR
// still counts.
void LineBuffer::shorten() {
    if (size() <= kLineLengthMax) {
        return;
    }
    bytes_.erase(0, std::exchange(begin_, 0));
    const char last = bytes_.back() == '\r' ? '\r' : ' ';
    bytes_.resize(kLineLengthMax);
    bytes_.back() = last;
}

std::optional<LineBuffer::Line> LineBuffer::front() const {
    const auto unread = std::string_view(bytes_).substr(begin_);
    const auto length = unread.find(kCrlf);
    if (length == std::string_view::npos) {
        return std::nullopt;
    }
    if (length + kCrlf.size() > kLineLengthMax) {
        return Line{.text = {}, .is_too_long = true};
    }
    return Line{.text = unread.substr(0, length), .is_too_long = false};
}

void LineBuffer::pop() {
    const auto end = bytes_.find(kCrlf, begin_);
    BOOST_ASSERT(end != std::string::npos);
    begin_ = end + kCrlf.size();
    if (is_empty()) {
        static_cast<void>(take());
    }
}

std::string LineBuffer::take() {
    auto taken = std::exchange(bytes_, {});
    taken.erase(0, std::exchange(begin_, 0));
    return taken;
}

}  // namespace millrace::smtp
