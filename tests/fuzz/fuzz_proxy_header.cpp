// PROXY headers of both versions: decode, encode, decode gives the same header, and so do the
// origin's TLVs where they can be sent.

#include "balancer/proxy_protocol/header.hpp"
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using millrace::fuzz::require;
namespace proxy_protocol = millrace::proxy_protocol;

namespace {

constexpr std::size_t kLengthMax = 16 + 0xFFFF;

void check_encoders(const proxy_protocol::Header& header) {
    for (const bool with_checksum : {false, true}) {
        const auto bytes = proxy_protocol::encode_v2(header, with_checksum, kLengthMax);
        if (!bytes) {
            continue;  // a checksum on top of the longest header
        }
        require(bytes->size() == proxy_protocol::encoded_length_v2(header, with_checksum));
        const auto again = proxy_protocol::decode(*bytes, kLengthMax);
        require(again && *again && (*again)->header == header);
        require((*again)->length == bytes->size());
    }
    constexpr std::size_t kShort = 40;
    const bool fits = proxy_protocol::encoded_length_v2(header, true) <= kShort;
    require(proxy_protocol::encode_v2(header, true, kShort).has_value() == fits);
    auto bare = header;
    bare.tlvs.clear();
    const auto line = proxy_protocol::encode_v1(header);
    const auto again = proxy_protocol::decode(line, kLengthMax);
    require(line.size() <= 107 && again && *again && (*again)->header == bare);
}

// What a receiver makes of the facts when they are sent on, in a header of this length at most.
void check_sent(const proxy_protocol::Header& header, const proxy_protocol::OriginFacts& facts,
                const proxy_protocol::HeaderOptions& options) {
    const auto bytes =
        proxy_protocol::encode_origin_header(header.source, header.destination, facts, options);
    require(bytes && bytes->size() <= options.length_max);
    const auto again = proxy_protocol::decode(*bytes, options.length_max);
    require(again && *again);
    const auto sent = proxy_protocol::decode_origin_tlvs((*again)->header, {});
    require(sent && sent->client.address == facts.client.address);
    require(sent->queue_id.empty() || sent->queue_id == facts.queue_id);
    require(sent->helo.empty() || sent->helo == facts.helo);
}

void check_origin(const proxy_protocol::Header& header) {
    const auto facts = proxy_protocol::decode_origin_tlvs(header, {});
    if (!facts) {
        millrace::fuzz::require_described(facts.error());
        return;
    }
    proxy_protocol::HeaderOptions options;
    options.selection.helo = true;
    options.selection.name = true;
    options.selection.record = true;
    check_sent(header, *facts, options);
    options.length_max = kLengthMax;
    check_sent(header, *facts, options);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::text_of(data, size);
    const auto decoded = proxy_protocol::decode(input, kLengthMax);
    if (!decoded) {
        millrace::fuzz::require_described(decoded.error());
        return 0;
    }
    if (!*decoded) {
        return 0;
    }
    const auto& [header, length, version] = **decoded;
    require(length <= size && (version == 1 || version == 2));
    // Nothing behind the header counts, and nothing less is a header.
    const auto exact = proxy_protocol::decode(input.substr(0, length), kLengthMax);
    require(exact && *exact && (*exact)->header == header);
    const auto shorter = proxy_protocol::decode(input.substr(0, length - 1), kLengthMax);
    require(shorter && !*shorter);
    // A receiver that takes less takes the same, or nothing.
    constexpr std::size_t kSmall = 60;
    const auto limited = proxy_protocol::decode(input, kSmall);
    require(version == 1 || limited.has_value() == (length <= kSmall));
    if (!limited) {
        millrace::fuzz::require_described(limited.error());
    }
    check_encoders(header);
    check_origin(header);
    return 0;
}
