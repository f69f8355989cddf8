#include "balancer/smtp/data_scanner.hpp"

#include "balancer/smtp/line_ends.hpp"

namespace millrace::smtp {

// Only an LF that has no CR before it, or a dot behind it, can matter: what lies before the next
// one is passed over in large steps, and the octets around it are looked at one by one.
DataScanner::Scan DataScanner::scan(std::string_view bytes) {
    Scan result;
    result.length = bytes.size();
    std::size_t at = 0;
    while (at < bytes.size()) {
        switch (state_) {
            case State::line_start:
                expect(bytes, at, '.', State::line_start_dot);
                break;
            case State::line_start_dot:
                expect(bytes, at, '\r', State::dot_cr);
                break;
            case State::dot_cr:
                if (bytes[at] == '\n') {
                    result.length = at + 1;
                    result.is_complete = true;
                    return result;
                }
                state_ = State::text_cr;
                break;
            case State::text:
            case State::text_cr:
                at = scan_text(bytes, skip_plain_lines(bytes, at), result);
                break;
        }
    }
    return result;
}

// Takes `octet` and goes to `next` if it stands at `at`; otherwise the line is an ordinary one.
void DataScanner::expect(std::string_view bytes, std::size_t& at, char octet, State next) {
    if (bytes[at] == octet) {
        ++at;
        state_ = next;
    } else {
        state_ = State::text;
    }
}

// The last octets that are passed over tell where in a line the rest begins.
std::size_t DataScanner::skip_plain_lines(std::string_view bytes, std::size_t at) {
    if (at == 0) {
        return at;
    }
    const std::size_t end = plain_lines_end(bytes, at);
    if (end > at) {
        state_ = bytes[end - 1] == '\r' ? State::text_cr : State::text;
    }
    return end;
}

// From inside a line to behind the next LF, or to the end of the input.
std::size_t DataScanner::scan_text(std::string_view bytes, std::size_t at, Scan& result) {
    const auto lf = bytes.find('\n', at);
    if (lf == std::string_view::npos) {
        state_ = bytes.back() == '\r' ? State::text_cr : State::text;
        return bytes.size();
    }
    const bool has_cr = lf == at ? state_ == State::text_cr : bytes[lf - 1] == '\r';
    if (has_cr) {
        state_ = State::line_start;
        return lf + 1;
    }
    // A bare LF ends no line: what follows it is not the start of one.
    state_ = State::text;
    if (!has_bare_lf_) {
        has_bare_lf_ = true;
        result.bare_lf = lf;
    }
    return lf + 1;
}

}  // namespace millrace::smtp
