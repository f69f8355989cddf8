#include "proto/admin.hpp"

#include "proto/admin_wire.hpp"
#include "proto/error_category.hpp"

#include <utility>

namespace millrace::admin {
namespace {

constexpr Milliseconds kWaitMax = std::chrono::hours(24 * 365);

std::string describe(int value) {
    switch (static_cast<Errc>(value)) {
        case Errc::malformed:
            return "not a message of the admin protocol";
        case Errc::unknown_command:
            return "a command that this balancer does not know";
        case Errc::missing_node:
            return "the order names no node";
        case Errc::bad_time:
            return "the time to wait is longer than a year";
    }
    return "unknown admin error";
}

wire::AdminShow::What subject_to_wire(Subject subject) {
    switch (subject) {
        case Subject::nodes:
            return wire::AdminShow::NODES;
        case Subject::pools:
            return wire::AdminShow::POOLS;
        case Subject::queue:
            break;
    }
    return wire::AdminShow::QUEUE;
}

wire::AdminSetState::State order_to_wire(NodeOrder order) {
    switch (order) {
        case NodeOrder::ready:
            return wire::AdminSetState::READY;
        case NodeOrder::drain:
            return wire::AdminSetState::DRAIN;
        case NodeOrder::maint:
            break;
    }
    return wire::AdminSetState::MAINT;
}

struct CommandToWire {
    wire::AdminRequest& message;

    void operator()(const Show& show) const {
        message.mutable_show()->set_what(subject_to_wire(show.subject));
    }

    void operator()(const SetState& order) const {
        wire::AdminSetState& body = *message.mutable_set_state();
        to_wire(order.node, *body.mutable_node());
        body.set_state(order_to_wire(order.order));
        body.set_wait_ms(to_wire(order.wait.value_or(Milliseconds{0})));
    }

    void operator()(const SetWeight& order) const {
        to_wire(order.node, *message.mutable_set_weight()->mutable_node());
        message.mutable_set_weight()->set_weight(order.weight);
    }

    void operator()(const SetMaxconn& order) const {
        to_wire(order.node, *message.mutable_set_maxconn()->mutable_node());
        message.mutable_set_maxconn()->set_maxconn(order.maxconn);
        message.mutable_set_maxconn()->set_is_auto(order.is_auto);
    }
};

Result<Command> show_from_wire(const wire::AdminShow& body) {
    switch (body.what()) {
        case wire::AdminShow::NODES:
            return Command{Show{Subject::nodes}};
        case wire::AdminShow::POOLS:
            return Command{Show{Subject::pools}};
        case wire::AdminShow::QUEUE:
            return Command{Show{Subject::queue}};
        default:
            return Errc::unknown_command;
    }
}

std::optional<NodeOrder> order_from_wire(wire::AdminSetState::State state) {
    switch (state) {
        case wire::AdminSetState::READY:
            return NodeOrder::ready;
        case wire::AdminSetState::DRAIN:
            return NodeOrder::drain;
        case wire::AdminSetState::MAINT:
            return NodeOrder::maint;
        default:
            return std::nullopt;
    }
}

Result<Command> set_state_from_wire(const wire::AdminSetState& body) {
    const auto order = order_from_wire(body.state());
    if (!order) {
        return Errc::unknown_command;
    }
    SetState command{from_wire(body.node()), *order, std::nullopt};
    if (body.wait_ms() != 0) {
        command.wait = from_wire(body.wait_ms());
    }
    if (command.wait > kWaitMax) {
        return Errc::bad_time;
    }
    return Command{std::move(command)};
}

Result<Command> command_from_wire(const wire::AdminRequest& message) {
    switch (message.body_case()) {
        case wire::AdminRequest::kShow:
            return show_from_wire(message.show());
        case wire::AdminRequest::kSetState:
            return set_state_from_wire(message.set_state());
        case wire::AdminRequest::kSetWeight:
            return Command{
                SetWeight{from_wire(message.set_weight().node()), message.set_weight().weight()}};
        case wire::AdminRequest::kSetMaxconn:
            return Command{SetMaxconn{from_wire(message.set_maxconn().node()),
                                      message.set_maxconn().maxconn(),
                                      message.set_maxconn().is_auto()}};
        default:
            return Errc::unknown_command;
    }
}

struct NodeOf {
    const NodeName* operator()(const Show& /*show*/) const { return nullptr; }

    template <typename Order>
    const NodeName* operator()(const Order& order) const {
        return &order.node;
    }
};

bool lacks_node(const Command& command) {
    const NodeName* name = std::visit(NodeOf{}, command);
    return name != nullptr && (name->pool.empty() || name->node.empty());
}

}  // namespace

error_code make_error_code(Errc errc) {
    static const ErrorCategory category{"millrace.admin", describe};
    return {static_cast<int>(errc), category};
}

std::string to_string(const NodeName& name) {
    return name.pool + '/' + name.node;
}

std::string_view to_string(NodeOrder order) {
    switch (order) {
        case NodeOrder::ready:
            return "ready";
        case NodeOrder::drain:
            return "drain";
        case NodeOrder::maint:
            return "maint";
    }
    return "unknown";
}

std::string_view to_string(Status status) {
    switch (status) {
        case Status::done:
            return "done";
        case Status::refused:
            return "refused";
        case Status::timed_out:
            return "timed-out";
    }
    return "unknown";
}

std::string encode_request(const Request& request) {
    wire::AdminRequest message;
    message.set_id(request.id);
    std::visit(CommandToWire{message}, request.command);
    return encode_frame(message.SerializeAsString());
}

Result<Request> decode_request(std::string_view payload, std::uint64_t& id) {
    wire::AdminRequest message;
    const bool is_parsed = parse(payload, message);
    id = message.id();
    if (!is_parsed) {
        return Errc::malformed;
    }
    auto command = command_from_wire(message);
    if (!command) {
        return command.error();
    }
    if (lacks_node(*command)) {
        return Errc::missing_node;
    }
    return Request{id, *std::move(command)};
}

}  // namespace millrace::admin
