#include "milter/received_field.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::milter {
namespace {

using Kind = ReceivedField::Kind;

constexpr std::string_view kSpace = " \t\r\n";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_with_word(std::string_view text, std::string_view word) {
    const bool is_same =
        text.size() >= word.size() &&
        std::equal(word.begin(), word.end(), text.begin(),
                   [](char expected, char actual) { return expected == lower(actual); });
    return is_same &&
           (text.size() == word.size() || kSpace.find(text[word.size()]) != std::string_view::npos);
}

bool starts_with_prefix(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(),
                      [](char expected, char actual) { return expected == lower(actual); });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The first word, removed from `text`; empty at the end.
std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find_first_of(kSpace));
    text.remove_prefix(word.size());
    return word;
}

// Only what a folded field may hold: no control character but tabs and line ends.
bool is_field_text(std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto octet = static_cast<unsigned char>(value[i]);
        const bool is_line_end =
            octet == '\n' || (octet == '\r' && i + 1 < value.size() && value[i + 1] == '\n');
        if ((octet < 0x20 && octet != '\t' && !is_line_end) || octet == 0x7f) {
            return false;
        }
    }
    return true;
}

// How often the word "by" stands in the text; with `top_level_only`, outside of comments and angle
// brackets, and nothing when those are not balanced.
std::optional<int> count_by(std::string_view text, bool top_level_only) {
    int count = 0;
    int depth = 0;
    bool is_in_angle = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (top_level_only && (is_in_angle || c == '<')) {
            is_in_angle = c != '>';
        } else if (c == '(') {
            ++depth;
        } else if (c == ')') {
            --depth;
        } else if (kSpace.find(c) != std::string_view::npos && (!top_level_only || depth == 0) &&
                   starts_with_word(text.substr(i + 1), "by")) {
            ++count;
        }
    }
    if (top_level_only && (depth != 0 || is_in_angle)) {
        return std::nullopt;
    }
    return count;
}

// What a server's own comment can tell.
struct Comment {
    Address address;
    std::uint16_t port = 0;
    std::string_view name;
    std::string_view helo;
    bool is_forged = false;     // "(may be forged)": the name does not resolve to the address
    bool is_bracketed = false;  // [ADDR], not a bare ADDR
};

std::optional<Address> parse_client_address(std::string_view text) {
    if (starts_with_prefix(text, "ipv6:")) {
        text.remove_prefix(5);
    }
    const auto address = parse_address(text);
    const bool is_broadcast =
        address && address->is_v4() && address->to_v4() == boost::asio::ip::address_v4::broadcast();
    if (!address || address->is_unspecified() || address->is_multicast() || is_broadcast) {
        return std::nullopt;
    }
    return address;
}

// "192.0.2.1", "IPv6:2001:db8::1" or, as Momentum writes it, "192.0.2.1:4711".
bool read_bracket(Comment& comment, std::string_view text) {
    if (const auto address = parse_client_address(text)) {
        comment.address = *address;
        return true;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    const auto address = parse_client_address(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || !address->is_v4() || !port) {
        return false;
    }
    comment.address = *address;
    comment.port = *port;
    return true;
}

// What may follow the bracket: ":PORT", Exim's attributes, Sendmail's doubt about the name.
bool read_attributes(Comment& comment, std::string_view text) {
    if (text.starts_with(':')) {
        const auto port = parse_port(take_word(text).substr(1));
        if (!port) {
            return false;
        }
        comment.port = *port;
    }
    while (!trimmed(text).empty()) {
        if (trimmed(text) == "(may be forged)") {
            comment.is_forged = true;
            return true;
        }
        const std::string_view word = take_word(text);
        if (word.starts_with("helo=")) {
            comment.helo = word.substr(5);
        } else if (word.starts_with("port=")) {
            comment.port = parse_port(word.substr(5)).value_or(0);
        } else if (!word.starts_with("ident=")) {
            return false;
        }
    }
    return true;
}

// "NAME [ADDR]", "[ADDR]", "ADDR", each with what may stand around them.
std::optional<Comment> parse_comment(std::string_view text) {
    Comment comment;
    text = trimmed(text);
    const std::size_t open = text.find('[');
    if (open == std::string_view::npos) {
        const std::size_t at = text.rfind('@');
        const auto address = parse_client_address(text.substr(at + 1));  // npos + 1 is 0
        if (!address) {
            return std::nullopt;
        }
        comment.address = *address;
        return comment;
    }
    const std::size_t close = text.find(']', open);
    std::string_view before = text.substr(0, open);
    comment.name = take_word(before);
    if (close == std::string_view::npos || !before.empty() ||
        !read_bracket(comment, text.substr(open + 1, close - open - 1)) ||
        !read_attributes(comment, text.substr(close + 1))) {
        return std::nullopt;
    }
    comment.name.remove_prefix(comment.name.rfind('@') + 1);
    comment.is_bracketed = true;
    return comment;
}

bool is_helo_comment(std::string_view text) {
    return starts_with_word(text, "helo") || starts_with_word(text, "ehlo");
}

// Could an address be meant by this? Then it must be read, or the field is not.
bool has_address(std::string_view text) {
    return !is_helo_comment(text) &&
           (text.find('[') != std::string_view::npos || parse_comment(text).has_value());
}

// The clause between "from" and "by", in parts.
struct FromClause {
    std::vector<std::string_view> words;
    std::vector<std::string_view> comments;  // without the outer parentheses
};

// Nothing when parentheses are not balanced or when a word follows a comment.
std::optional<FromClause> split_clause(std::string_view text) {
    FromClause clause;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        if (text.front() != '(') {
            const std::string_view word = take_word(text);
            if (!clause.comments.empty() || word.find_first_of("()") != std::string_view::npos) {
                return std::nullopt;
            }
            clause.words.push_back(word);
            continue;
        }
        int depth = 0;
        std::size_t end = 0;
        do {
            depth += text[end] == '(' ? 1 : 0;
            depth -= text[end] == ')' ? 1 : 0;
            ++end;
        } while (depth > 0 && end < text.size());
        if (depth > 0) {
            return std::nullopt;
        }
        clause.comments.push_back(text.substr(1, end - 2));
        text.remove_prefix(end);
    }
    return clause;
}

// "with ESMTPS" and the like; extensions beyond SMTP and ESMTP are no business of an origin.
std::string find_protocol(std::string_view after_by) {
    while (!after_by.empty()) {
        if (!starts_with_word(take_word(after_by), "with")) {
            continue;
        }
        std::string_view protocol = take_word(after_by);
        protocol = protocol.substr(0, protocol.find(';'));
        if (starts_with_prefix(protocol, "esmtp") || starts_with_prefix(protocol, "utf8smtp")) {
            return "ESMTP";
        }
        return starts_with_word(protocol, "smtp") ? "SMTP" : "";
    }
    return {};
}

std::string known_name(std::string_view name) {
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    const bool is_name = !name.empty() && name != "unknown" && name.front() != '[';
    return is_name ? clean_text(name) : std::string{};
}

// `lead` is what the server wrote before its comment: the HELO name, or the client's name.
ReceivedField make_field(const Comment& comment, std::string_view lead, std::string_view helo,
                         std::string_view after_by) {
    ReceivedField field;
    field.kind = Kind::from_client;
    SmtpClient& client = field.client;
    client.endpoint = {comment.address, comment.port};
    client.protocol = find_protocol(after_by);
    if (!comment.helo.empty()) {  // Exim, Momentum: the lead is the verified name
        client.helo = clean_text(comment.helo);
        client.name = known_name(lead);
        return field;
    }
    if (!helo.empty()) {  // qmail: the lead is the name as found
        client.helo = clean_text(helo);
        client.reverse_name = known_name(lead);
        return field;
    }
    client.helo = clean_text(lead);
    (comment.is_forged ? client.reverse_name : client.name) = known_name(comment.name);
    return field;
}

std::string_view helo_of(const std::vector<std::string_view>& comments) {
    for (std::string_view comment : comments) {
        if (is_helo_comment(comment)) {
            take_word(comment);
            return trimmed(comment);
        }
    }
    return {};
}

bool is_bracketed_address(std::string_view word, Comment& comment) {
    return word.size() > 2 && word.starts_with('[') && word.ends_with(']') &&
           read_bracket(comment, word.substr(1, word.size() - 2));
}

// No comment has the address: "[ADDR]" or "[ADDR] (helo=HELO)" of Exim, "NAME [ADDR]" of fetchmail.
// Both servers are asked by name, because elsewhere a bracketed word is but a HELO name.
ReceivedField parse_bare(const FromClause& clause, std::string_view after_by) {
    Comment comment;
    const bool is_exim = after_by.find("(Exim ") != std::string_view::npos;
    if (is_exim && clause.words.size() == 1 && clause.comments.size() <= 1 &&
        is_bracketed_address(clause.words[0], comment) &&
        (clause.comments.empty() || read_attributes(comment, clause.comments[0]))) {
        return make_field(comment, {}, {}, after_by);
    }
    const bool is_fetchmail = after_by.find("(fetchmail-") != std::string_view::npos;
    if (is_fetchmail && clause.words.size() == 2 && clause.comments.empty() &&
        is_bracketed_address(clause.words[1], comment)) {
        return make_field(comment, clause.words[0], {}, after_by);
    }
    return {};
}

// A clause whose end is in doubt: everything in it must fit, and one comment has the address.
ReceivedField parse_strictly(std::string_view text, std::string_view after_by) {
    const auto clause = split_clause(text);
    if (!clause) {
        return {};
    }
    const auto& comments = clause->comments;
    const auto count = std::count_if(comments.begin(), comments.end(), has_address);
    if (count == 0) {
        return parse_bare(*clause, after_by);
    }
    const auto comment =
        parse_comment(*std::find_if(comments.begin(), comments.end(), has_address));
    if (count > 1 || !comment || clause->words.size() != 1) {
        return {};
    }
    return make_field(*comment, clause->words[0], helo_of(comments), after_by);
}

// Where the comment that ends the line begins; npos when the line does not end in a comment.
std::size_t find_last_comment(std::string_view line) {
    int depth = 0;
    for (std::size_t i = line.size(); i-- > 0;) {
        depth += line[i] == ')' ? 1 : 0;
        depth -= line[i] == '(' ? 1 : 0;
        if (depth <= 0) {
            return depth == 0 && line[i] == '(' ? i : std::string_view::npos;
        }
    }
    return std::string_view::npos;
}

// `clause` ended with its line, and the client cannot end a line: the last comment of the first
// line is the server's.
ReceivedField parse_folded(std::string_view clause, std::string_view after_by) {
    const std::string_view line = trimmed(clause.substr(0, clause.find('\n')));
    const std::size_t open = find_last_comment(line);
    if (open == std::string_view::npos) {
        return parse_strictly(clause, after_by);
    }
    const std::string_view text = line.substr(open + 1, line.size() - open - 2);
    if (!has_address(text)) {
        return parse_strictly(clause, after_by);
    }
    const auto comment = parse_comment(text);
    if (!comment) {
        return {};
    }
    const std::string_view lead = trimmed(line.substr(0, open));
    const auto parts = split_clause(lead);
    if (parts && parts->words.size() == 1 && !helo_of(parts->comments).empty()) {
        return make_field(*comment, parts->words[0], helo_of(parts->comments), after_by);
    }
    return make_field(*comment, lead, {}, after_by);
}

// Where a line other than the first begins with "by"; npos when none does.
std::size_t find_by_line(std::string_view value) {
    for (std::size_t end = value.find('\n'); end != std::string_view::npos;
         end = value.find('\n', end + 1)) {
        const std::size_t first = value.find_first_not_of(kSpace, end);
        if (first != std::string_view::npos && starts_with_word(value.substr(first), "by")) {
            return first;
        }
    }
    return std::string_view::npos;
}

// Steps inside a trusted server that name no client: qmail-queue's line above qmail-smtpd's, and
// "by HOST with SMTP", which Google writes between its own machines.
bool is_internal(std::string_view value) {
    if (starts_with_word(value, "(qmail")) {
        return value.substr(0, value.find(')')).ends_with(" invoked from network");
    }
    if (!starts_with_word(value, "by")) {
        return false;
    }
    take_word(value);
    take_word(value);
    return starts_with_word(take_word(value), "with") &&
           (starts_with_prefix(trimmed(value), "smtp") ||
            starts_with_prefix(trimmed(value), "esmtp"));
}

}  // namespace

ReceivedField parse_received(std::string_view value) {
    if (value.size() > kReceivedLengthMax || !is_field_text(value)) {
        return {};
    }
    value = trimmed(value);
    if (is_internal(value)) {
        return {Kind::internal, {}};
    }
    if (!starts_with_word(value, "from")) {
        return {};
    }
    value.remove_prefix(4);
    const std::size_t by_line = find_by_line(value);
    if (by_line != std::string_view::npos) {
        const std::string_view after_by = value.substr(by_line - 1);
        const bool is_certain = count_by(after_by, true) == 1;
        return is_certain ? parse_folded(value.substr(0, by_line), after_by) : ReceivedField{};
    }
    if (count_by(value, false) != 1) {
        return {};
    }
    std::size_t by = 0;
    while (kSpace.find(value[by]) == std::string_view::npos ||
           !starts_with_word(value.substr(by + 1), "by")) {
        ++by;
    }
    return parse_strictly(value.substr(0, by), value.substr(by));
}

}  // namespace millrace::milter
