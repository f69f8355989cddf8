// Version 2, binary, big-endian (section 2.2 of the specification):
//
//      0  signature, 12 octets
//     12  version (2) and command (0 LOCAL, 1 PROXY)
//     13  family (0 unspecified, 1 IPv4, 2 IPv6, 3 Unix) and transport (1 stream, 2 datagram)
//     14  octets that follow, 2 octets
//     16  source address, destination address, source port, destination port
//         TLVs: type (1), length (2), value

#include "balancer/proxy_protocol/crc32c.hpp"
#include "balancer/proxy_protocol/version.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <array>

namespace millrace::proxy_protocol {
namespace {

constexpr std::size_t kFixedLength = 16;
constexpr std::size_t kTlvHeaderLength = 3;
constexpr std::size_t kChecksumLength = 4;
constexpr std::size_t kFollowingMax = 0xFFFF;
constexpr std::size_t kUniqueIdLengthMax = 128;

constexpr unsigned kLocal = 0x20;
constexpr unsigned kProxy = 0x21;
constexpr unsigned kUnspecified = 0x00;
constexpr unsigned kTcp4 = 0x11;
constexpr unsigned kTcp6 = 0x21;

struct Family {
    unsigned code = kUnspecified;
    std::size_t address_length = 0;  // of both addresses and ports
};

// All that a PROXY header may name.
constexpr std::array<Family, 7> kFamilies{{
    {kUnspecified, 0},
    {kTcp4, 12},
    {0x12, 12},
    {kTcp6, 36},
    {0x22, 36},
    {0x31, 216},
    {0x32, 216},
}};

const Family* find_family(unsigned code) {
    const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                     [code](const Family& family) { return family.code == code; });
    return found == kFamilies.end() ? nullptr : found;
}

Family family_of(const HeaderView& header) {
    const bool is_ipv4 =
        unmapped(header.source.address).is_v4() && unmapped(header.destination.address).is_v4();
    return is_ipv4 ? Family{kTcp4, 12} : Family{kTcp6, 36};
}

unsigned octet_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

std::uint32_t read_number(std::string_view bytes) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        number = number << 8U | octet_at(bytes, i);
    }
    return number;
}

std::string_view take(std::string_view& bytes, std::size_t length) {
    const auto taken = bytes.substr(0, length);
    bytes.remove_prefix(length);
    return taken;
}

std::uint16_t take_port(std::string_view& bytes) {
    return static_cast<std::uint16_t>(read_number(take(bytes, 2)));
}

template <typename Version>
Address take_address(std::string_view& bytes) {
    typename Version::bytes_type octets;
    const auto taken = take(bytes, octets.size());
    std::copy(taken.begin(), taken.end(), octets.begin());
    return unmapped(Version(octets));
}

// These write at `to` and return where they stopped.
char* put(char* to, std::string_view bytes) {
    return std::copy(bytes.begin(), bytes.end(), to);
}

char* put_number(char* to, std::uint32_t number, std::size_t length) {
    for (std::size_t i = length; i > 0; --i) {
        *to++ = static_cast<char>(number >> (8U * (i - 1)) & 0xFFU);
    }
    return to;
}

char* put_address(char* to, const Address& address, unsigned family) {
    namespace ip = boost::asio::ip;
    const auto plain = unmapped(address);
    if (family == kTcp4) {
        return put_number(to, plain.to_v4().to_uint(), 4);
    }
    const auto ipv6 =
        plain.is_v4() ? ip::make_address_v6(ip::v4_mapped, plain.to_v4()) : plain.to_v6();
    const auto octets = ipv6.to_bytes();
    return std::copy(octets.begin(), octets.end(), to);
}

char* put_start(char* to, unsigned command, unsigned family, std::size_t length) {
    to = put(to, kSignatureV2);
    to = put_number(to, command, 1);
    to = put_number(to, family, 1);
    return put_number(to, static_cast<std::uint32_t>(length - kFixedLength), 2);
}

char* put_tlv(char* to, unsigned type, std::string_view value) {
    to = put_number(to, type, 1);
    to = put_number(to, static_cast<std::uint32_t>(value.size()), 2);
    return put(to, value);
}

// It ends the header, and is taken with its own field zeroed.
void put_checksum(char* to, std::string& bytes) {
    to = put_tlv(to, kTlvCrc32c, std::string_view("\0\0\0\0", kChecksumLength));
    put_number(to - kChecksumLength, crc32c(bytes), kChecksumLength);
}

std::string encode_local() {
    std::string bytes(kFixedLength, '\0');
    put_start(bytes.data(), kLocal, kUnspecified, kFixedLength);
    return bytes;
}

std::vector<TlvView> views_of(const std::vector<Tlv>& tlvs) {
    std::vector<TlvView> views;
    views.reserve(tlvs.size());
    for (const auto& tlv : tlvs) {
        views.push_back({.type = tlv.type, .value = tlv.value});
    }
    return views;
}

struct Tlvs {
    std::vector<Tlv> tlvs;
    std::optional<std::size_t> checksum_at;  // offset of the field in the header
};

// From offset `at` to the end of the header.
Result<Tlvs> read_tlvs(std::string_view header, std::size_t at) {
    Tlvs read;
    while (at < header.size()) {
        auto rest = header.substr(at);
        if (rest.size() < kTlvHeaderLength) {
            return Errc::bad_length;
        }
        const auto type = static_cast<std::uint8_t>(read_number(take(rest, 1)));
        const std::size_t length = read_number(take(rest, 2));
        if (length > rest.size()) {
            return Errc::bad_length;
        }
        if (type == kTlvCrc32c) {
            if (length != kChecksumLength) {
                return Errc::bad_checksum;
            }
            if (read.checksum_at) {
                return Errc::duplicate_checksum;
            }
            read.checksum_at = at + kTlvHeaderLength;
        } else if (type != kTlvNoop) {
            read.tlvs.push_back({.type = type, .value = std::string(rest.substr(0, length))});
        }
        at += kTlvHeaderLength + length;
    }
    return read;
}

bool has_good_checksum(std::string_view header, std::size_t checksum_at) {
    const auto announced = read_number(header.substr(checksum_at, kChecksumLength));
    auto zeroed = std::string(header);
    zeroed.replace(checksum_at, kChecksumLength, kChecksumLength, '\0');
    return crc32c(zeroed) == announced;
}

// The TLVs behind the address block, their checksum verified.
Result<std::vector<Tlv>> verified_tlvs(std::string_view header, std::size_t at) {
    auto read = read_tlvs(header, at);
    if (!read) {
        return read.error();
    }
    if (read->checksum_at && !has_good_checksum(header, *read->checksum_at)) {
        return Errc::bad_checksum;
    }
    return std::move(read->tlvs);
}

Header local_header() {
    return {.is_local = true, .source = {}, .destination = {}, .tlvs = {}};
}

// Without an identity nothing counts but a checksum, if there is one to be found.
Result<Header> read_local(std::string_view header, const Family* family) {
    if (family == nullptr || header.size() < kFixedLength + family->address_length) {
        return local_header();
    }
    const auto tlvs = verified_tlvs(header, kFixedLength + family->address_length);
    if (!tlvs && tlvs.error() == Errc::bad_checksum) {
        return tlvs.error();
    }
    return local_header();
}

bool is_too_long(const Tlv& tlv) {
    return tlv.type == kTlvUniqueId && tlv.value.size() > kUniqueIdLengthMax;
}

Result<Header> read_proxy(std::string_view header, const Family& family) {
    const auto tlvs_at = kFixedLength + family.address_length;
    if (header.size() < tlvs_at) {
        return Errc::bad_address;
    }
    auto tlvs = verified_tlvs(header, tlvs_at);
    if (!tlvs) {
        return tlvs.error();
    }
    if (family.code != kTcp4 && family.code != kTcp6) {
        return local_header();
    }
    if (std::any_of(tlvs->begin(), tlvs->end(), is_too_long)) {
        return Errc::bad_length;
    }
    Header decoded;
    auto addresses = header.substr(kFixedLength);
    const auto take_one = family.code == kTcp4 ? take_address<boost::asio::ip::address_v4>
                                               : take_address<boost::asio::ip::address_v6>;
    decoded.source.address = take_one(addresses);
    decoded.destination.address = take_one(addresses);
    decoded.source.port = take_port(addresses);
    decoded.destination.port = take_port(addresses);
    decoded.tlvs = *std::move(tlvs);
    return decoded;
}

// Octets 12 and 13, as far as they are there.
Result<void> check_start(std::string_view bytes) {
    const auto command = bytes.size() > 12 ? octet_at(bytes, 12) : kLocal;
    if (command != kLocal && command != kProxy) {
        return Errc::bad_version;
    }
    if (command == kProxy && bytes.size() > 13 && find_family(octet_at(bytes, 13)) == nullptr) {
        return Errc::bad_family;
    }
    return {};
}

}  // namespace

std::size_t encoded_length_v2(const HeaderView& header, bool with_checksum) {
    std::size_t length = kFixedLength + family_of(header).address_length;
    for (const auto& tlv : header.tlvs) {
        length += kTlvHeaderLength + tlv.value.size();
    }
    return length + (with_checksum ? kTlvHeaderLength + kChecksumLength : 0);
}

std::size_t encoded_length_v2(const Header& header, bool with_checksum) {
    if (header.is_local) {
        return kFixedLength;
    }
    const auto tlvs = views_of(header.tlvs);
    return encoded_length_v2(HeaderView{header.source, header.destination, tlvs}, with_checksum);
}

Result<std::string> encode_v2(const HeaderView& header, bool with_checksum,
                              std::size_t length_max) {
    const auto length = encoded_length_v2(header, with_checksum);
    if (length > length_max || length - kFixedLength > kFollowingMax) {
        return Errc::too_long;
    }
    const auto family = family_of(header).code;
    std::string bytes(length, '\0');
    char* to = put_start(bytes.data(), kProxy, family, length);
    to = put_address(to, header.source.address, family);
    to = put_address(to, header.destination.address, family);
    to = put_number(to, header.source.port, 2);
    to = put_number(to, header.destination.port, 2);
    for (const auto& tlv : header.tlvs) {
        BOOST_ASSERT(tlv.type != kTlvCrc32c);
        to = put_tlv(to, tlv.type, tlv.value);
    }
    if (with_checksum) {
        put_checksum(to, bytes);
    }
    return bytes;
}

Result<std::string> encode_v2(const Header& header, bool with_checksum, std::size_t length_max) {
    if (!header.is_local) {
        const auto tlvs = views_of(header.tlvs);
        return encode_v2(HeaderView{header.source, header.destination, tlvs}, with_checksum,
                         length_max);
    }
    if (kFixedLength > length_max) {
        return Errc::too_long;
    }
    return encode_local();
}

Result<std::optional<Decoded>> decode_v2(std::string_view bytes, std::size_t length_max) {
    if (const auto checked = check_start(bytes); !checked) {
        return checked.error();
    }
    if (bytes.size() < kFixedLength) {
        return std::optional<Decoded>();
    }
    const auto length = kFixedLength + read_number(bytes.substr(14, 2));
    if (length > length_max) {
        return Errc::too_long;
    }
    if (bytes.size() < length) {
        return std::optional<Decoded>();
    }
    const auto whole = bytes.substr(0, length);
    const auto* family = find_family(octet_at(whole, 13));
    const bool has_identity = octet_at(whole, 12) == kProxy && family->code != kUnspecified;
    auto header = has_identity ? read_proxy(whole, *family) : read_local(whole, family);
    if (!header) {
        return header.error();
    }
    return std::optional(Decoded{.header = *std::move(header), .length = length, .version = 2});
}

}  // namespace millrace::proxy_protocol
