// The payload of a frame as each message that the two protocols know, and the whole input as an
// answer to millracectl: what is decoded is safe to print, and encoding gives the same value again.

#include "proto/admin.hpp"
#include "proto/frame.hpp"
#include "proto/rpc.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <optional>
#include <string>

using millrace::fuzz::require;
using millrace::fuzz::require_described;
namespace admin = millrace::admin;

namespace {

constexpr std::size_t kRowsMax = 50;

bool is_clean(std::string_view text) {
    return text == millrace::clean_text(text);
}

// The payload of the one frame that these are.
std::string unframed(std::string_view bytes) {
    millrace::FrameReader reader;
    const auto frame = reader.read(bytes);
    require(frame && *frame && bytes.empty() && reader.is_idle());
    return **frame;
}

void check_record(const millrace::OriginRecord& record) {
    const std::string& id = record.key.queue_id.text();
    require(!id.empty() && id.size() <= 64);
    require(std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }));
    require(record.key.ingress == millrace::normal_ingress(record.key.ingress));
    require(is_clean(record.origin.helo) && is_clean(record.origin.sasl_login));
    require(is_clean(record.origin.name) && is_clean(record.daemon_name));
    require(!record.connected.address.is_unspecified());
    require(!record.origin.endpoint.address.is_unspecified());
}

void check_publish(std::string_view payload) {
    std::uint64_t id = 0;
    const auto request = millrace::decode_request(payload, id);
    if (!request) {
        require_described(request.error());
    } else {
        require(request->id == id);
        check_record(request->record);
        std::uint64_t id_again = 0;
        const auto again =
            millrace::decode_request(unframed(millrace::encode_request(*request)), id_again);
        require(again && again->id == id && id_again == id && again->record == request->record);
    }
    if (const auto response = millrace::decode_response(payload)) {
        require(is_clean(response->reason));
        const auto again =
            millrace::decode_response(unframed(millrace::encode_response(*response)));
        require(again && again->id == response->id && again->status == response->status);
        require(again->reason == response->reason);
    }
    if (const auto record = millrace::decode_origin(payload)) {
        check_record(*record);
        require(millrace::decode_origin(millrace::encode_origin(*record)) == *record);
    }
    // Whatever a queue ID may be, it is so of itself.
    const auto queue_id = millrace::QueueId::parse(payload);
    require(!queue_id || queue_id->text() == payload);
}

void check_order(std::string_view payload) {
    std::uint64_t id = 0;
    const auto request = admin::decode_request(payload, id);
    if (!request) {
        require_described(request.error());
        return;
    }
    require(request->id == id);
    if (const auto* order = std::get_if<admin::SetState>(&request->command)) {
        require(!order->node.pool.empty() && is_clean(to_string(order->node).substr(0, 255)));
        require(!to_string(order->order).empty());
    }
    std::uint64_t id_again = 0;
    const auto again = admin::decode_request(unframed(admin::encode_request(*request)), id_again);
    require(again && again->id == id && again->command == request->command);
}

struct Answer {
    std::optional<admin::Response> response;
    millrace::error_code error;

    friend bool operator==(const Answer&, const Answer&) = default;
};

Answer read_answer(std::initializer_list<std::string_view> segments) {
    admin::AnswerReader reader(kRowsMax);
    Answer answer;
    for (const auto segment : segments) {
        if (answer.response && !segment.empty()) {
            return {std::nullopt, make_error_code(admin::Errc::malformed)};
        }
        if (answer.response || answer.error) {
            continue;
        }
        const auto read = reader.read(segment);
        if (!read) {
            answer.error = read.error();
        } else {
            answer.response = *read;
        }
    }
    return answer;
}

void check_answer(const millrace::fuzz::Segments& input) {
    const auto answer = read_answer({input.whole});
    require(answer == read_answer({input.first, input.second}));
    if (!answer.response) {
        return;
    }
    const admin::Response& response = *answer.response;
    require(response.nodes.size() + response.pools.size() + response.queue.size() <= kRowsMax);
    require(is_clean(response.reason) && !to_string(response.status).empty());
    for (const admin::NodeRow& node : response.nodes) {
        require(is_clean(node.endpoint) && is_clean(node.state) && is_clean(node.host));
    }
    require(read_answer({admin::encode_response(response)}) == answer);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    check_publish(input.whole);
    check_order(input.whole);
    check_answer(input);
    return 0;
}
