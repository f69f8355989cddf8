// The end of the data and the first bare LF, compared with their plain definition at any cut.

#include "balancer/smtp/data_scanner.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using millrace::fuzz::require;
namespace smtp = millrace::smtp;

namespace {

struct Outcome {
    std::size_t length = 0;
    bool is_complete = false;
    std::optional<std::size_t> bare_lf;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome reference(std::string_view input) {
    Outcome outcome;
    outcome.length = input.size();
    const auto end = input.find("\r\n.\r\n");
    if (input.starts_with(".\r\n")) {
        outcome.length = 3;
        outcome.is_complete = true;
    } else if (end != std::string_view::npos) {
        outcome.length = end + 5;
        outcome.is_complete = true;
    }
    for (std::size_t i = 0; i < outcome.length && !outcome.bare_lf; ++i) {
        if (input[i] == '\n' && (i == 0 || input[i - 1] != '\r')) {
            outcome.bare_lf = i;
        }
    }
    return outcome;
}

Outcome scan(std::initializer_list<std::string_view> segments) {
    smtp::DataScanner scanner;
    Outcome outcome;
    for (const auto segment : segments) {
        const auto scanned = scanner.scan(segment);
        require(scanned.length <= segment.size());
        if (scanned.bare_lf) {
            require(!outcome.bare_lf);
            outcome.bare_lf = outcome.length + *scanned.bare_lf;
        }
        outcome.length += scanned.length;
        outcome.is_complete = scanned.is_complete;
        if (scanned.is_complete) {
            break;
        }
    }
    return outcome;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    const auto expected = reference(input.whole);
    require(scan({input.whole}) == expected);
    require(scan({input.first, input.second}) == expected);
    return 0;
}
