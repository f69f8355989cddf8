// Responses of proto/admin.hpp: written in parts that fit a frame, read until the last one is
// there.

#include "proto/admin.hpp"
#include "proto/admin_wire.hpp"

#include <iterator>
#include <utility>

namespace millrace::admin {
namespace {

// Of the rows in one part. The longest row is far shorter than what is left of a frame.
constexpr std::size_t kPartLength = kFrameLengthMax / 2;
constexpr std::size_t kRowOverhead = 8;  // its tag and length, and more

wire::AdminResponse::Status status_to_wire(Status status) {
    switch (status) {
        case Status::done:
            return wire::AdminResponse::DONE;
        case Status::refused:
            return wire::AdminResponse::REFUSED;
        case Status::timed_out:
            break;
    }
    return wire::AdminResponse::TIMED_OUT;
}

std::optional<Status> status_from_wire(wire::AdminResponse::Status status) {
    switch (status) {
        case wire::AdminResponse::DONE:
            return Status::done;
        case wire::AdminResponse::REFUSED:
            return Status::refused;
        case wire::AdminResponse::TIMED_OUT:
            return Status::timed_out;
        default:
            return std::nullopt;
    }
}

void row_to_wire(const NodeRow& row, wire::AdminNode& message) {
    to_wire(row.name, *message.mutable_name());
    message.set_endpoint(clean_text(row.endpoint));
    message.set_state(clean_text(row.state));
    message.set_since_ms(to_wire(row.since));
    message.set_reason(clean_text(row.reason));
    message.set_in_flight(row.in_flight);
    message.set_maxconn(row.maxconn);
    message.set_weight(row.weight);
    message.set_is_backup(row.is_backup);
    message.set_messages_total(row.messages_total);
    message.set_host(clean_text(row.host));
    message.set_is_maxconn_auto(row.is_maxconn_auto);
}

NodeRow row_from_wire(const wire::AdminNode& message) {
    return {from_wire(message.name()),
            clean_text(message.endpoint()),
            clean_text(message.state()),
            from_wire(message.since_ms()),
            clean_text(message.reason()),
            message.in_flight(),
            message.maxconn(),
            message.weight(),
            message.is_backup(),
            message.messages_total(),
            clean_text(message.host()),
            message.is_maxconn_auto()};
}

void row_to_wire(const PoolRow& row, wire::AdminPool& message) {
    message.set_name(clean_text(row.name));
    message.set_balance(clean_text(row.balance));
    message.set_nodes(row.nodes);
    message.set_nodes_usable(row.nodes_usable);
    message.set_in_flight(row.in_flight);
    message.set_waiting(row.waiting);
    message.set_maxqueue(row.maxqueue);
    message.set_queue_timeout_ms(to_wire(row.queue_timeout));
}

PoolRow row_from_wire(const wire::AdminPool& message) {
    return {clean_text(message.name()),
            clean_text(message.balance()),
            message.nodes(),
            message.nodes_usable(),
            message.in_flight(),
            message.waiting(),
            message.maxqueue(),
            from_wire(message.queue_timeout_ms())};
}

void row_to_wire(const WaiterRow& row, wire::AdminWaiter& message) {
    message.set_pool(clean_text(row.pool));
    message.set_waited_ms(to_wire(row.waited));
    message.set_tried(row.tried);
}

WaiterRow row_from_wire(const wire::AdminWaiter& message) {
    return {clean_text(message.pool()), from_wire(message.waited_ms()), message.tried()};
}

// Collects rows into parts, each of which fits a frame.
class PartWriter {
 public:
    explicit PartWriter(const Response& response) {
        part_.set_id(response.id);
        part_.set_status(status_to_wire(response.status));
        part_.set_reason(clean_text(response.reason));
    }

    template <typename Row, typename Add>
    void add_rows(const std::vector<Row>& rows, Add add) {
        for (const Row& row : rows) {
            auto& message = *add(part_);
            row_to_wire(row, message);
            length_ += message.ByteSizeLong() + kRowOverhead;
            if (length_ >= kPartLength) {
                end_part(true);
            }
        }
    }

    [[nodiscard]] std::string finish() {
        end_part(false);
        return std::move(frames_);
    }

 private:
    void end_part(bool is_partial) {
        part_.set_is_partial(is_partial);
        frames_ += encode_frame(part_.SerializeAsString());
        part_.clear_nodes();
        part_.clear_pools();
        part_.clear_queue();
        length_ = 0;
    }

    wire::AdminResponse part_;
    std::size_t length_ = 0;  // of the rows in it
    std::string frames_;
};

std::size_t row_count(const Response& response) {
    return response.nodes.size() + response.pools.size() + response.queue.size();
}

void add_rows(const wire::AdminResponse& message, Response& response) {
    const auto convert = [](const auto& rows, auto& into) {
        std::transform(rows.begin(), rows.end(), std::back_inserter(into),
                       [](const auto& row) { return row_from_wire(row); });
    };
    convert(message.nodes(), response.nodes);
    convert(message.pools(), response.pools);
    convert(message.queue(), response.queue);
}

}  // namespace

std::string encode_response(const Response& response) {
    PartWriter writer(response);
    writer.add_rows(response.nodes, [](wire::AdminResponse& part) { return part.add_nodes(); });
    writer.add_rows(response.pools, [](wire::AdminResponse& part) { return part.add_pools(); });
    writer.add_rows(response.queue, [](wire::AdminResponse& part) { return part.add_queue(); });
    return writer.finish();
}

Result<std::optional<Response>> AnswerReader::read(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto frame = frames_.read(bytes);
        if (!frame) {
            return frame.error();
        }
        if (!*frame) {
            break;
        }
        const auto is_last = add_part(**frame);
        if (!is_last) {
            return is_last.error();
        }
        if (*is_last) {
            return bytes.empty() ? Result<std::optional<Response>>(std::move(answer_))
                                 : Errc::malformed;
        }
    }
    return std::optional<Response>{};
}

Result<bool> AnswerReader::add_part(std::string_view payload) {
    wire::AdminResponse part;
    const bool is_parsed = parse(payload, part);
    const auto status = status_from_wire(part.status());
    if (!is_parsed || !status || (answer_ && answer_->id != part.id())) {
        return Errc::malformed;
    }
    if (!answer_) {
        answer_ = Response{part.id(), *status, clean_text(part.reason()), {}, {}, {}};
    }
    add_rows(part, *answer_);
    if (row_count(*answer_) > rows_max_) {
        return Errc::malformed;
    }
    return !part.is_partial();
}

}  // namespace millrace::admin
