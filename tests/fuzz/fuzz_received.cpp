// Received fields, top first, with a NUL octet between them: the client of a field is written in
// it, the form of line ends does not matter, and a walk believes nobody below its end.

#include "milter/received_comment.hpp"
#include "milter/received_field.hpp"
#include "milter/received_text.hpp"
#include "milter/received_walk.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <string>
#include <vector>

using millrace::Address;
using millrace::fuzz::require;
namespace milter = millrace::milter;

namespace {

using Kind = milter::ReceivedField::Kind;

bool is_same(const milter::ReceivedField& a, const milter::ReceivedField& b) {
    return a.kind == b.kind && a.client == b.client;
}

bool is_within(std::string_view inner, std::string_view outer) {
    return inner.empty() || outer.find(inner) != std::string_view::npos;
}

// Every stretch that could be an address is read: whoever finds one elsewhere has made it up.
bool names_address(std::string_view value, const Address& address) {
    constexpr std::string_view kOfAddress = "0123456789abcdefABCDEF:.";
    std::size_t first = 0;
    while ((first = value.find_first_of(kOfAddress, first)) != std::string_view::npos) {
        const auto run = value.substr(first, value.find_first_not_of(kOfAddress, first) - first);
        for (std::size_t begin = 0; begin != std::string_view::npos && begin < run.size();
             begin = run.find(':', begin), begin += begin == std::string_view::npos ? 0 : 1) {
            for (std::size_t end = run.size(); end != std::string_view::npos && end > begin;
                 end = run.rfind(':', end - 1)) {
                if (millrace::parse_address(run.substr(begin, end - begin)) == address) {
                    return true;
                }
            }
        }
        first += run.size();
    }
    return false;
}

void check_client(std::string_view value, const milter::ReceivedField& field) {
    const millrace::SmtpClient& client = field.client;
    require(!client.endpoint.address.is_unspecified() && !client.endpoint.address.is_multicast());
    require(names_address(value, client.endpoint.address));
    for (const auto& text : {client.name, client.reverse_name, client.helo}) {
        require(text == millrace::clean_text(text));
    }
    require(client.name.empty() || client.reverse_name.empty());
    require(client.protocol.empty() || client.protocol == "SMTP" || client.protocol == "ESMTP");
}

std::string with_line_ends(std::string_view value, std::string_view line_end) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const bool is_crlf = value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n';
        if (value[i] == '\n') {
            text += line_end;
        } else if (!is_crlf) {
            text += value[i];
        }
    }
    return text;
}

void check_comment(std::string_view text) {
    const auto comment = milter::parse_comment(text);
    if (comment) {
        require(is_within(comment->name, text) && is_within(comment->helo, text));
        require(names_address(text, comment->address));
        require(milter::has_address(text) || milter::is_helo_comment(text));
    }
}

void check_field(std::string_view value) {
    const auto field = milter::parse_received(value);
    check_comment(value);
    if (field.kind != Kind::from_client) {
        require(field.client == millrace::SmtpClient{});
    } else {
        check_client(value, field);
    }
    if (value.size() * 2 + 2 <= milter::kReceivedLengthMax) {
        require(is_same(field, milter::parse_received(with_line_ends(value, "\n"))));
        require(is_same(field, milter::parse_received(with_line_ends(value, "\r\n"))));
        require(is_same(field, milter::parse_received(' ' + std::string(value) + '\t')));
    }
}

struct Walked {
    milter::WalkEnd end = milter::WalkEnd::exhausted;
    std::optional<millrace::SmtpClient> client;

    friend bool operator==(const Walked&, const Walked&) = default;
};

Walked walk(const std::vector<std::string_view>& fields, const Address& connected,
            const std::vector<millrace::Network>& trusted) {
    milter::ReceivedWalk walk(trusted, connected);
    for (const auto field : fields) {
        walk.read(field);
    }
    Walked walked{walk.end(), std::nullopt};
    if (walk.client() != nullptr) {
        walked.client = *walk.client();
    }
    return walked;
}

void check_walk(std::vector<std::string_view> fields) {
    static const std::vector<millrace::Network> trusted{
        millrace::parse_network("192.0.2.0/24").value(),
        millrace::parse_network("2001:db8::/32").value()};
    const Address relay = millrace::parse_address("192.0.2.1").value();
    const auto walked = walk(fields, relay, trusted);
    if (walked.client) {
        const Address& address = walked.client->endpoint.address;
        require(!address.is_loopback());
        require(milter::is_in(trusted, address) == (walked.end != milter::WalkEnd::found));
    }
    require(walked.client || walked.end != milter::WalkEnd::found);
    require(!milter::describe(walked.end).empty());
    // What stands below the end may be anybody's.
    if (walked.end != milter::WalkEnd::exhausted) {
        fields.emplace_back("from x (x [198.51.100.66])\n\tby x");
        require(walk(fields, relay, trusted) == walked);
    }
    require(milter::describe(milter::WalkEnd::not_behind_relay) != milter::describe(walked.end));
    const Address stranger = millrace::parse_address("198.51.100.1").value();
    require(walk(fields, stranger, trusted) ==
            Walked{milter::WalkEnd::not_behind_relay, std::nullopt});
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = millrace::fuzz::text_of(data, size);
    std::vector<std::string_view> fields;
    while (!rest.empty()) {
        fields.push_back(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(fields.back().size() + 1, rest.size()));
        check_field(fields.back());
    }
    check_walk(fields);
    return 0;
}
