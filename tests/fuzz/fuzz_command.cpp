// The front's side of a dialogue: bytes to lines to commands to envelope arguments. What is
// accepted must be what a relay may pass on: one line, an address inside it.

#include "balancer/smtp/command.hpp"
#include "balancer/smtp/line_buffer.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <string>
#include <vector>

using millrace::fuzz::require;
using millrace::fuzz::require_described;
namespace smtp = millrace::smtp;

namespace {

bool is_within(std::string_view inner, std::string_view outer) {
    return inner.empty() || outer.find(inner) != std::string_view::npos;
}

void check(std::string_view line) {
    const auto command = smtp::parse_command(line);
    if (!command) {
        require_described(command.error());
        return;
    }
    require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    require(is_within(command->argument, line));
    const auto mail = smtp::parse_mail(command->argument, {});
    if (!mail) {
        require_described(mail.error());
    } else {
        require(is_within(mail->address, command->argument));
        require(smtp::domain_of(mail->address).size() <= mail->address.size());
    }
    const auto rcpt = smtp::parse_rcpt(command->argument, {});
    if (!rcpt) {
        require_described(rcpt.error());
    } else {
        require(!rcpt->address.empty() && is_within(rcpt->address, command->argument));
    }
}

std::vector<std::string> lines_of(std::initializer_list<std::string_view> segments) {
    std::vector<std::string> lines;
    smtp::LineBuffer buffer;
    for (const auto segment : segments) {
        buffer.append(segment);
        while (const auto line = buffer.front()) {
            require(line->text.size() + 2 <= smtp::LineBuffer::kLineLengthMax);
            lines.emplace_back(line->is_too_long ? "too long" : line->text);
            buffer.pop();
        }
    }
    return lines;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    const auto lines = lines_of({input.whole});
    require(lines == lines_of({input.first, input.second}));
    for (const auto& line : lines) {
        check(line);
    }
    return 0;
}
