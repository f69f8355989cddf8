#include "balancer/proxy_protocol/origin_tlvs.hpp"

#include "proto/error_category.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace millrace::proxy_protocol {
namespace {

constexpr std::size_t kHeloLengthMax = 64;
constexpr std::size_t kUniqueIdLengthMax = 64;
constexpr std::size_t kTextLengthMax = 255;

std::string describe(int value) {
    switch (static_cast<TlvErrc>(value)) {
        case TlvErrc::duplicate:
            return "origin TLV occurs twice";
        case TlvErrc::bad_address:
            return "origin TLV is no address";
        case TlvErrc::bad_port:
            return "origin TLV is no port";
        case TlvErrc::bad_text:
            return "origin TLV is no text";
    }
    return "unknown error of an origin TLV";
}

bool is_text(std::string_view value) {
    return std::none_of(value.begin(), value.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_known(const Address& address) {
    return !unmapped(address).is_unspecified();
}

// The TLVs of one header. Not to be copied: the texts of its numbers are kept here.
class OriginTlvs {
 public:
    OriginTlvs(const OriginFactsView& facts, const TlvSelection& selection, const TlvMap& map) {
        if (is_known(facts.client.address)) {
            add_client(facts.client, selection, map);
        }
        add(selection.queue_id, map.queue_id, facts.queue_id);
        add(selection.helo && facts.helo.size() <= kHeloLengthMax, map.helo, facts.helo);
        add(selection.name, map.name, facts.name);
        add(selection.record, map.record, facts.record);
        add(selection.unique_id && facts.unique_id.size() <= kUniqueIdLengthMax, kTlvUniqueId,
            facts.unique_id);
    }

    [[nodiscard]] std::span<const TlvView> views() const { return {tlvs_.data(), count_}; }

    void erase(std::uint8_t type) {
        auto* const end = std::remove_if(tlvs_.data(), tlvs_.data() + count_,
                                         [type](const TlvView& tlv) { return tlv.type == type; });
        count_ = static_cast<std::size_t>(end - tlvs_.data());
    }

 private:
    void add_client(const Endpoint& client, const TlvSelection& selection, const TlvMap& map) {
        if (selection.address) {
            address_ = to_string(client.address);
            add(true, map.address, address_);
        }
        char* const end = std::to_chars(port_.data(), port_.data() + port_.size(), client.port).ptr;
        add(selection.port && client.port != 0, map.port, {port_.data(), end});
    }

    void add(bool is_sent, std::uint8_t type, std::string_view value) {
        if (is_sent && !value.empty()) {
            tlvs_[count_++] = {.type = type, .value = value};
        }
    }

    std::string address_;
    std::array<char, 5> port_{};
    std::array<TlvView, 7> tlvs_{};
    std::size_t count_ = 0;
};

Result<void> decode_text(const std::string& value, std::string& into) {
    if (value.size() > kTextLengthMax || !is_text(value)) {
        return TlvErrc::bad_text;
    }
    into = value;
    return {};
}

// One TLV into the facts; others than ours are passed over.
Result<void> decode_tlv(const Tlv& tlv, const TlvMap& map, OriginFacts& facts) {
    if (tlv.type == map.address) {
        const auto address = parse_address(tlv.value);
        if (!address || !is_known(*address)) {
            return TlvErrc::bad_address;
        }
        facts.client.address = *address;
    } else if (tlv.type == map.port) {
        const auto port = parse_port(tlv.value);
        if (!port) {
            return TlvErrc::bad_port;
        }
        facts.client.port = *port;
    } else if (tlv.type == map.queue_id) {
        return decode_text(tlv.value, facts.queue_id);
    } else if (tlv.type == map.helo) {
        return decode_text(tlv.value, facts.helo);
    } else if (tlv.type == map.name) {
        return decode_text(tlv.value, facts.name);
    } else if (tlv.type == map.record) {
        facts.record = tlv.value;
    } else if (tlv.type == kTlvUniqueId && tlv.value.size() <= kUniqueIdLengthMax &&
               is_text(tlv.value)) {
        facts.unique_id = tlv.value;
    }
    return {};
}

bool has_duplicate(const Header& header, const TlvMap& map) {
    const std::array<std::uint8_t, 7> ours{map.address, map.port,   map.queue_id, map.helo,
                                           map.name,    map.record, kTlvUniqueId};
    return std::any_of(ours.begin(), ours.end(), [&header](std::uint8_t type) {
        const auto count = std::count_if(header.tlvs.begin(), header.tlvs.end(),
                                         [type](const Tlv& tlv) { return tlv.type == type; });
        return count > 1;
    });
}

}  // namespace

error_code make_error_code(TlvErrc errc) {
    static const ErrorCategory category{"millrace.origin_tlvs", describe};
    return {static_cast<int>(errc), category};
}

Result<std::string> encode_origin_header(const Endpoint& source, const Endpoint& destination,
                                         const OriginFactsView& facts,
                                         const HeaderOptions& options) {
    OriginTlvs tlvs(facts, options.selection, options.map);
    HeaderView header{source, destination, tlvs.views()};
    // Leaves out whole TLVs, the least important first, until the header fits or no more may go.
    for (const auto type : {options.map.record, options.map.name, options.map.helo, kTlvUniqueId,
                            options.map.queue_id, options.map.port}) {
        if (encoded_length_v2(header, options.selection.checksum) <= options.length_max) {
            break;
        }
        tlvs.erase(type);
        header.tlvs = tlvs.views();
    }
    return encode_v2(header, options.selection.checksum, options.length_max);
}

Result<OriginFacts> decode_origin_tlvs(const Header& header, const TlvMap& map) {
    if (has_duplicate(header, map)) {
        return TlvErrc::duplicate;
    }
    OriginFacts facts;
    for (const auto& tlv : header.tlvs) {
        if (const auto decoded = decode_tlv(tlv, map, facts); !decoded) {
            return decoded.error();
        }
    }
    if (!is_known(facts.client.address)) {
        facts.client.port = 0;
    }
    return facts;
}

}  // namespace millrace::proxy_protocol
