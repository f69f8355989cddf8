// Orders to the balancer and its answers as values, with their protobuf form inside frames.
//
// Both sides use this file, so that neither knows protobuf: millracectl encodes requests and
// decodes responses, the balancer the other way round. proto/admin.proto says what each field
// means. An answer that is too long for one frame is sent in parts, which AnswerReader joins. Texts
// are cleaned on both sides: what was decoded is safe to print. Protobuf types stop in admin.cpp.
#pragma once

#include "proto/frame.hpp"
#include "proto/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::admin {

using Milliseconds = std::chrono::milliseconds;

struct NodeName {
    std::string pool;
    std::string node;

    friend bool operator==(const NodeName&, const NodeName&) = default;
};

// "scanners/scan1"
[[nodiscard]] std::string to_string(const NodeName& name);

enum class Subject { nodes, pools, queue };

struct Show {
    Subject subject = Subject::nodes;

    friend bool operator==(const Show&, const Show&) = default;
};

enum class NodeOrder { ready, drain, maint };

[[nodiscard]] std::string_view to_string(NodeOrder order);

struct SetState {
    NodeName node;
    NodeOrder order = NodeOrder::ready;
    // How long the answer may wait for the node to be empty; nothing: not at all.
    std::optional<Milliseconds> wait;

    friend bool operator==(const SetState&, const SetState&) = default;
};

struct SetWeight {
    NodeName node;
    std::uint32_t weight = 1;

    friend bool operator==(const SetWeight&, const SetWeight&) = default;
};

struct SetMaxconn {
    NodeName node;
    std::uint32_t maxconn = 0;
    bool is_auto = false;  // learned, up to `maxconn`; 0: up to what the balancer thinks fit

    friend bool operator==(const SetMaxconn&, const SetMaxconn&) = default;
};

using Command = std::variant<Show, SetState, SetWeight, SetMaxconn>;

struct Request {
    std::uint64_t id = 0;
    Command command;
};

struct NodeRow {
    NodeName name;
    std::string endpoint;  // empty: its name is not resolved
    std::string state;
    Milliseconds since{0};  // time in this state
    std::string reason;
    std::uint32_t in_flight = 0;
    std::uint32_t maxconn = 0;  // as it is now; 0: no limit
    std::uint32_t weight = 0;
    bool is_backup = false;
    std::uint64_t messages_total = 0;
    std::string host;  // empty: configured by address
    bool is_maxconn_auto = false;

    friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

struct PoolRow {
    std::string name;
    std::string balance;
    std::uint32_t nodes = 0;
    std::uint32_t nodes_usable = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t waiting = 0;
    std::uint32_t maxqueue = 0;
    Milliseconds queue_timeout{0};

    friend bool operator==(const PoolRow&, const PoolRow&) = default;
};

struct WaiterRow {
    std::string pool;
    Milliseconds waited{0};
    std::uint32_t tried = 0;

    friend bool operator==(const WaiterRow&, const WaiterRow&) = default;
};

enum class Status { done, refused, timed_out };

[[nodiscard]] std::string_view to_string(Status status);

struct Response {
    std::uint64_t id = 0;
    Status status = Status::refused;
    std::string reason;  // for people, when not done
    std::vector<NodeRow> nodes;
    std::vector<PoolRow> pools;
    std::vector<WaiterRow> queue;

    friend bool operator==(const Response&, const Response&) = default;
};

enum class Errc {
    malformed = 1,    // not a request or a response at all
    unknown_command,  // a request of a later version
    missing_node,     // an order without the name of its node
    bad_time,         // a time to wait of more than a year
};

[[nodiscard]] error_code make_error_code(Errc errc);

// Whole frames, length included, ready to send: one for a request, one or more for a response.
[[nodiscard]] std::string encode_request(const Request& request);
[[nodiscard]] std::string encode_response(const Response& response);

// From the payload of one frame. decode_request writes the id it could read (0 if none) to `id`
// even when the request is refused. Errors are Errc.
[[nodiscard]] Result<Request> decode_request(std::string_view payload, std::uint64_t& id);

// Reads one answer, in any segmentation and however many parts. It holds as many rows as the
// balancer sends, up to `rows_max`; more is an error, as is whatever follows the answer. To be used
// for one answer.
class AnswerReader {
 public:
    explicit AnswerReader(std::size_t rows_max = 1'000'000) : rows_max_(rows_max) {}

    // The answer once it is complete; nothing when more bytes are needed. Errors are Errc and
    // FrameErrc, after which the answer is lost.
    [[nodiscard]] Result<std::optional<Response>> read(std::string_view bytes);

 private:
    // Whether it was the last one.
    [[nodiscard]] Result<bool> add_part(std::string_view payload);

    std::size_t rows_max_;
    FrameReader frames_;
    std::optional<Response> answer_;  // the parts so far
};

}  // namespace millrace::admin

template <>
struct boost::system::is_error_code_enum<millrace::admin::Errc> : std::true_type {};
