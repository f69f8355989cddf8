#include "proto/endpoint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include <arpa/inet.h>

namespace millrace {
namespace {

constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kIpv6Bits = 128;
constexpr unsigned kMappedPrefixBits = 96;  // ::ffff:0:0/96
// The longest text: eight groups, the last two as a dotted quad.
constexpr std::size_t kAddressTextMax = 45;

// Network order; an IPv4 address fills the first four octets.
using Octets = std::array<unsigned char, 16>;

Octets octets_of(const Address& address) {
    Octets octets{};
    if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), octets.begin());
    } else {
        const auto bytes = address.to_v6().to_bytes();
        std::copy(bytes.begin(), bytes.end(), octets.begin());
    }
    return octets;
}

// The octets with every bit behind the prefix cleared.
Octets masked(Octets octets, unsigned prefix_length) {
    for (std::size_t i = 0; i < octets.size(); ++i) {
        const std::size_t kept = std::clamp<std::size_t>(prefix_length, i * 8, i * 8 + 8) - i * 8;
        octets[i] = static_cast<unsigned char>(octets[i] & (0xff00U >> kept));
    }
    return octets;
}

// Decimal digits only, no leading zero, at most `max`.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) {
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool has_leading_zero = text.size() > 1 && text.front() == '0';
    if (error != std::errc{} || stop != end || has_leading_zero || number > max) {
        return std::nullopt;
    }
    return number;
}

// Four numbers from 0 to 255, without leading zeroes, between dots.
std::optional<Address> parse_ipv4(std::string_view text) {
    std::uint32_t address = 0;
    unsigned dots = 0;
    unsigned octet = 0;
    bool has_digit = false;  // of this octet
    for (const char c : text) {
        if (c == '.' && has_digit) {
            address = address << 8U | octet;
            ++dots;
            octet = 0;
            has_digit = false;
            continue;
        }
        const bool has_leading_zero = has_digit && octet == 0;
        if (c < '0' || c > '9' || has_leading_zero) {
            return std::nullopt;
        }
        octet = octet * 10 + static_cast<unsigned>(c - '0');
        has_digit = true;
        if (octet > 255) {
            return std::nullopt;
        }
    }
    if (dots != 3 || !has_digit) {
        return std::nullopt;
    }
    return boost::asio::ip::address_v4(address << 8U | octet);
}

std::optional<Address> parse_ipv6(std::string_view text) {
    // The library would take text that ends at a NUL.
    if (text.size() > kAddressTextMax || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::array<char, kAddressTextMax + 1> terminated{};
    text.copy(terminated.data(), kAddressTextMax);
    boost::asio::ip::address_v6::bytes_type octets{};
    if (inet_pton(AF_INET6, terminated.data(), octets.data()) != 1) {
        return std::nullopt;
    }
    return unmapped(boost::asio::ip::address_v6(octets));
}

// An octet of a dotted quad as it is written, with the dot behind it.
struct OctetText {
    std::array<char, 4> text{};
    std::size_t length = 0;
};

constexpr char digit(unsigned value) {
    return static_cast<char>('0' + value);
}

constexpr std::array<OctetText, 256> make_octet_texts() {
    std::array<OctetText, 256> texts{};
    for (unsigned octet = 0; octet < texts.size(); ++octet) {
        auto& [text, length] = texts[octet];
        if (octet >= 100) {
            text[length++] = digit(octet / 100);
        }
        if (octet >= 10) {
            text[length++] = digit(octet / 10 % 10);
        }
        text[length++] = digit(octet % 10);
        text[length++] = '.';
    }
    return texts;
}

constexpr auto kOctetTexts = make_octet_texts();

std::string dotted_quad(const boost::asio::ip::address_v4& address) {
    constexpr std::size_t kOctetMax = 4;  // with its dot
    std::array<char, 4 * kOctetMax> quad{};
    char* end = quad.data();
    for (const unsigned char octet : address.to_bytes()) {
        const auto& [text, length] = kOctetTexts[octet];
        std::copy(text.begin(), text.end(), end);  // all four: what is too much is overwritten
        end += length;
    }
    return {quad.data(), end - 1};
}

}  // namespace

bool Network::contains(const Address& address) const {
    const Address candidate = unmapped(address);
    return candidate.is_v4() == base.is_v4() &&
           masked(octets_of(candidate), prefix_length) == masked(octets_of(base), prefix_length);
}

Address unmapped(const Address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    }
    return address;
}

std::optional<Address> parse_address(std::string_view text) {
    auto address = parse_ipv4(text);
    return address ? address : parse_ipv6(text);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    const bool has_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (has_brackets) {
        host = host.substr(1, host.size() - 2);
    }
    // Brackets belong to IPv6, where the colon would otherwise be ambiguous, and only there.
    if (has_brackets != (host.find(':') != std::string_view::npos)) {
        return std::nullopt;
    }
    const auto address = parse_address(host);
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || !port) {
        return std::nullopt;
    }
    return Endpoint{*address, *port};
}

std::optional<Network> parse_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto address = parse_address(host);
    if (!address) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) {
        return Network{*address, address->is_v4() ? kIpv4Bits : kIpv6Bits};
    }
    const bool is_ipv6_text = host.find(':') != std::string_view::npos;
    auto prefix_length =
        parse_decimal(text.substr(slash + 1), is_ipv6_text ? kIpv6Bits : kIpv4Bits);
    if (prefix_length && is_ipv6_text && address->is_v4()) {
        if (*prefix_length < kMappedPrefixBits) {
            return std::nullopt;
        }
        *prefix_length -= kMappedPrefixBits;
    }
    if (!prefix_length || masked(octets_of(*address), *prefix_length) != octets_of(*address)) {
        return std::nullopt;
    }
    return Network{*address, *prefix_length};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_decimal(text, 65535);
    if (!port || *port == 0) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(*port);
}

std::string to_string(const Address& address) {
    if (address.is_v4()) {
        return dotted_quad(address.to_v4());
    }
    const Address plain = unmapped(address);
    if (plain.is_v4()) {
        return dotted_quad(plain.to_v4());
    }
    // Made again from its octets: a scope is of no meaning on another host.
    return boost::asio::ip::address_v6{plain.to_v6().to_bytes()}.to_string();
}

std::string to_string(const Endpoint& endpoint) {
    const std::string host = to_string(endpoint.address);
    const std::string port = std::to_string(endpoint.port);
    return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
}

std::string to_string(const Network& network) {
    return to_string(network.base) + "/" + std::to_string(network.prefix_length);
}

}  // namespace millrace
