#include "milter/received_field.hpp"

#include "milter/received_comment.hpp"
#include "milter/received_text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::milter {
namespace {

using Kind = ReceivedField::Kind;

// The clause between "from" and "by", in parts.
struct FromClause {
    std::vector<std::string_view> words;
    std::vector<std::string_view> comments;  // without the outer parentheses
};

// The comment that the text begins with, removed from it; nothing when it does not end.
std::optional<std::string_view> take_comment(std::string_view& text) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        depth += text[i] == '(' ? 1 : 0;
        depth -= text[i] == ')' ? 1 : 0;
        if (depth == 0) {
            const std::string_view comment = text.substr(1, i - 1);
            text.remove_prefix(i + 1);
            return comment;
        }
    }
    return std::nullopt;
}

// Nothing when parentheses are not balanced or when a word follows a comment.
std::optional<FromClause> split_clause(std::string_view text) {
    FromClause clause;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        if (text.front() == '(') {
            const auto comment = take_comment(text);
            if (!comment) {
                return std::nullopt;
            }
            clause.comments.push_back(*comment);
            continue;
        }
        const std::string_view word = take_word(text);
        if (!clause.comments.empty() || word.find_first_of("()") != std::string_view::npos) {
            return std::nullopt;
        }
        clause.words.push_back(word);
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
ReceivedField make_field(const ReceivedComment& comment, std::string_view lead,
                         std::string_view helo, std::string_view after_by) {
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

bool is_bracketed_address(std::string_view word, ReceivedComment& comment) {
    return word.size() > 2 && word.starts_with('[') && word.ends_with(']') &&
           read_bracket(comment, word.substr(1, word.size() - 2));
}

// No comment has the address: "[ADDR]" or "[ADDR] (helo=HELO)" of Exim, "NAME [ADDR]" of fetchmail.
// Both servers are asked by name, because elsewhere a bracketed word is but a HELO name.
ReceivedField parse_bare(const FromClause& clause, std::string_view after_by) {
    ReceivedComment comment;
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
        const bool is_certain = count_top_level_by(after_by) == 1;
        return is_certain ? parse_folded(value.substr(0, by_line), after_by) : ReceivedField{};
    }
    if (count_by(value) != 1) {
        return {};
    }
    std::size_t by = 0;
    while (kReceivedSpace.find(value[by]) == std::string_view::npos ||
           !starts_with_word(value.substr(by + 1), "by")) {
        ++by;
    }
    return parse_strictly(value.substr(0, by), value.substr(by));
}

}  // namespace millrace::milter
