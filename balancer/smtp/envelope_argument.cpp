// MAIL and RCPT arguments: path and ESMTP parameters (RFC 5321 4.1.2; RFC 1870, 6152, 6531, 3461).

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/command.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/octet_set.hpp"
#include "balancer/smtp/path.hpp"
#include "balancer/smtp/text_scan.hpp"
#include "balancer/smtp/utf8.hpp"
#include "balancer/smtp/xtext.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <vector>

namespace millrace::smtp {
namespace {

struct Parameter {
    std::string_view keyword;
    std::optional<std::string_view> value;
};

// More than anybody sends: MAIL knows five parameters and RCPT two.
constexpr std::size_t kUsualParameters = 5;
using Parameters = boost::container::small_vector<Parameter, kUsualParameters>;

struct Argument {
    Path path;
    Parameters parameters;
};

constexpr OctetSet kKeyword([](char c) { return is_alphanumeric(c) || c == '-'; });
// esmtp-value is anything but '=', space and controls; RFC 6531 adds what is not ASCII.
constexpr OctetSet kValue([](char c) { return (is_graphic(c) && c != '=') || is_eight_bit(c); });

bool is_keyword(std::string_view text) {
    return !text.empty() && text.front() != '-' && kKeyword.contains_all(text);
}

bool is_value(std::string_view text) {
    return !text.empty() && kValue.contains_all(text);
}

Result<Parameter> parse_parameter(std::string_view word) {
    const auto equals = word.find('=');
    Parameter parameter{.keyword = word.substr(0, equals), .value = std::nullopt};
    if (equals != std::string_view::npos) {
        parameter.value = word.substr(equals + 1);
    }
    if (!is_keyword(parameter.keyword) || (parameter.value && !is_value(*parameter.value))) {
        return Errc::syntax;
    }
    return parameter;
}

bool has_keyword(const Parameters& parameters, std::string_view keyword) {
    return std::any_of(parameters.begin(), parameters.end(), [keyword](const Parameter& parameter) {
        return equals_ignoring_case(parameter.keyword, keyword);
    });
}

// "FROM:" or "TO:", path, parameters; into an argument that has nothing yet.
Result<void> parse_argument(std::string_view text, std::string_view prefix, Argument& argument) {
    if (!starts_with_ignoring_case(text, prefix)) {
        return Errc::syntax;
    }
    text.remove_prefix(prefix.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto path = parse_path(text);
    if (!path) {
        return path.error();
    }
    argument.path = *path;
    auto rest = path->rest;
    if (!rest.empty() && rest.front() != ' ') {
        return Errc::syntax;
    }
    while (!rest.empty()) {
        const auto parameter = parse_parameter(take_word(rest));
        if (!parameter) {
            return parameter.error();
        }
        if (has_keyword(argument.parameters, parameter->keyword)) {
            return Errc::syntax;
        }
        argument.parameters.push_back(*parameter);
    }
    return {};
}

// RFC 1870: up to 20 digits; what no uint64 holds cannot be a size.
std::optional<std::uint64_t> parse_size(std::string_view digits) {
    std::uint64_t size = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, size);
    if (digits.size() > 20 || stop != end || error != std::errc()) {
        return std::nullopt;
    }
    return size;
}

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> choices) {
    return std::any_of(choices.begin(), choices.end(), [value](std::string_view choice) {
        return equals_ignoring_case(value, choice);
    });
}

bool is_xtext(std::string_view value) {
    const bool has_code = value.find('+') != std::string_view::npos;
    return !value.empty() && (!has_code || decode_xtext(value).has_value());
}

// NEVER alone, or any of the others once each (RFC 3461, 4.1).
bool is_notify(std::string_view value) {
    if (equals_ignoring_case(value, "NEVER")) {
        return true;
    }
    std::vector<std::string_view> seen;
    for (bool is_last = false; !is_last;) {
        const auto item = value.substr(0, value.find(','));
        is_last = item.size() == value.size();
        value.remove_prefix(std::min(item.size() + 1, value.size()));
        const bool is_repeated = std::any_of(seen.begin(), seen.end(), [item](auto earlier) {
            return equals_ignoring_case(item, earlier);
        });
        if (!is_one_of(item, {"SUCCESS", "FAILURE", "DELAY"}) || is_repeated) {
            return false;
        }
        seen.push_back(item);
    }
    return true;
}

// addr-type ";" xtext (RFC 3461, 4.2), or UTF-8 instead of xtext under SMTPUTF8 (RFC 6533).
bool is_orcpt(std::string_view value, bool is_smtp_utf8) {
    const auto semicolon = value.find(';');
    if (semicolon == std::string_view::npos || !is_keyword(value.substr(0, semicolon))) {
        return false;
    }
    const auto address = value.substr(semicolon + 1);
    return is_xtext(address) && (is_ascii(address) || (is_smtp_utf8 && is_utf8(address)));
}

Result<void> accepted(bool is_good) {
    if (!is_good) {
        return Errc::bad_parameter_value;
    }
    return {};
}

Result<void> apply(const Parameter& parameter, const Extensions& known, MailArgument& mail) {
    const auto value = parameter.value.value_or(std::string_view());
    const auto is = [&parameter](std::string_view keyword) {
        return equals_ignoring_case(parameter.keyword, keyword);
    };
    if (known.size && is("SIZE")) {
        mail.size = parse_size(value);
        return accepted(mail.size.has_value());
    }
    if (known.eight_bit_mime && is("BODY")) {
        return accepted(is_one_of(value, {"7BIT", "8BITMIME"}));
    }
    if (known.smtp_utf8 && is("SMTPUTF8")) {
        mail.is_smtp_utf8 = true;
        return accepted(!parameter.value);
    }
    if (known.dsn && is("RET")) {
        return accepted(is_one_of(value, {"FULL", "HDRS"}));
    }
    if (known.dsn && is("ENVID")) {
        return accepted(is_ascii(value) && is_xtext(value));
    }
    return Errc::unknown_parameter;
}

Result<void> check_rcpt(const Parameter& parameter, const Extensions& known) {
    const auto value = parameter.value.value_or(std::string_view());
    if (known.dsn && equals_ignoring_case(parameter.keyword, "NOTIFY")) {
        return accepted(is_notify(value));
    }
    if (known.dsn && equals_ignoring_case(parameter.keyword, "ORCPT")) {
        return accepted(is_orcpt(value, known.smtp_utf8));
    }
    return Errc::unknown_parameter;
}

}  // namespace

Result<MailArgument> parse_mail(std::string_view argument, const Extensions& known) {
    Argument parsed;
    if (const auto result = parse_argument(argument, "FROM:", parsed); !result) {
        return result.error();
    }
    MailArgument mail{.address = parsed.path.address, .size = std::nullopt};
    for (const auto& parameter : parsed.parameters) {
        if (const auto applied = apply(parameter, known, mail); !applied) {
            return applied.error();
        }
    }
    return mail;
}

Result<RcptArgument> parse_rcpt(std::string_view argument, const Extensions& known) {
    Argument parsed;
    if (const auto result = parse_argument(argument, "TO:", parsed); !result) {
        return result.error();
    }
    if (parsed.path.address.empty()) {
        return Errc::syntax;
    }
    for (const auto& parameter : parsed.parameters) {
        if (const auto checked = check_rcpt(parameter, known); !checked) {
            return checked.error();
        }
    }
    return RcptArgument{.address = parsed.path.address};
}

}  // namespace millrace::smtp
