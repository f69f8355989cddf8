#include "proto/origin.hpp"

#include "proto/error_category.hpp"
#include "proto/origin_wire.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace millrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

// 2250-01-01: well inside what system_clock holds in nanoseconds, so no conversion overflows.
constexpr milliseconds kTimeMax{8'835'955'200'000};

std::string describe(int value) {
    switch (static_cast<OriginErrc>(value)) {
        case OriginErrc::malformed:
            return "not an origin record";
        case OriginErrc::missing_ingress:
            return "ingress name is missing";
        case OriginErrc::missing_queue_id:
            return "queue ID is missing";
        case OriginErrc::missing_address:
            return "client address is missing";
        case OriginErrc::bad_queue_id:
            return "queue ID is not 1 to 64 letters and digits";
        case OriginErrc::bad_address:
            return "client address is not an IP address";
        case OriginErrc::bad_port:
            return "client port is over 65535";
        case OriginErrc::bad_text:
            return "text is too long or not printable ASCII";
        case OriginErrc::bad_time:
            return "time is out of range";
    }
    return "unknown origin error";
}

bool is_printable(char c) {
    return c >= 0x20 && c <= 0x7e;
}

bool is_clean_text(std::string_view text) {
    return text.size() <= SmtpClient::kTextMax &&
           std::all_of(text.begin(), text.end(), is_printable);
}

bool has_clean_texts(const wire::OriginRecord& message) {
    const wire::SmtpClient& client = message.origin();
    const std::array<std::string_view, 10> texts{message.ingress(),        message.daemon_name(),
                                                 message.daemon_address(), client.name(),
                                                 client.reverse_name(),    client.helo(),
                                                 client.protocol(),        client.tls_version(),
                                                 client.tls_cipher(),      client.sasl_login()};
    return std::all_of(texts.begin(), texts.end(), is_clean_text);
}

// An unknown address is an empty text on the wire, never 0.0.0.0.
std::string address_to_wire(const Address& address) {
    return address.is_unspecified() ? std::string{} : to_string(address);
}

Result<Endpoint> endpoint_from_wire(const std::string& text, std::uint32_t port) {
    if (text.empty()) {
        return OriginErrc::missing_address;
    }
    const auto address = parse_address(text);
    if (!address || address->is_unspecified()) {
        return OriginErrc::bad_address;
    }
    if (port > std::numeric_limits<std::uint16_t>::max()) {
        return OriginErrc::bad_port;
    }
    return Endpoint{*address, static_cast<std::uint16_t>(port)};
}

void client_to_wire(const SmtpClient& client, wire::SmtpClient& message) {
    message.set_address(address_to_wire(client.endpoint.address));
    message.set_port(client.endpoint.port);
    message.set_name(clean_text(client.name));
    message.set_reverse_name(clean_text(client.reverse_name));
    message.set_helo(clean_text(client.helo));
    message.set_protocol(clean_text(client.protocol));
    message.set_tls_version(clean_text(client.tls_version));
    message.set_tls_cipher(clean_text(client.tls_cipher));
    message.set_sasl_login(clean_text(client.sasl_login));
}

Result<SmtpClient> client_from_wire(const wire::SmtpClient& message) {
    const auto endpoint = endpoint_from_wire(message.address(), message.port());
    if (!endpoint) {
        return endpoint.error();
    }
    SmtpClient client;
    client.endpoint = *endpoint;
    client.name = message.name();
    client.reverse_name = message.reverse_name();
    client.helo = message.helo();
    client.protocol = message.protocol();
    client.tls_version = message.tls_version();
    client.tls_cipher = message.tls_cipher();
    client.sasl_login = message.sasl_login();
    return client;
}

Result<OriginKey> key_from_wire(const wire::OriginRecord& message) {
    std::string ingress = normal_ingress(message.ingress());
    if (ingress.empty()) {
        return OriginErrc::missing_ingress;
    }
    if (message.queue_id().empty()) {
        return OriginErrc::missing_queue_id;
    }
    auto queue_id = QueueId::parse(message.queue_id());
    if (!queue_id) {
        return OriginErrc::bad_queue_id;
    }
    return OriginKey{std::move(ingress), *std::move(queue_id)};
}

}  // namespace

error_code make_error_code(OriginErrc errc) {
    static const ErrorCategory category{"millrace.origin", describe};
    return {static_cast<int>(errc), category};
}

std::string normal_ingress(std::string_view name) {
    while (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    std::string normal{name};
    for (char& c : normal) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return normal;
}

std::string clean_text(std::string_view text) {
    std::string clean{text.substr(0, SmtpClient::kTextMax)};
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return !is_printable(c); }, '?');
    return clean;
}

wire::OriginRecord to_wire(const OriginRecord& record) {
    wire::OriginRecord message;
    message.set_ingress(normal_ingress(clean_text(record.key.ingress)));
    message.set_queue_id(record.key.queue_id.text());
    message.set_connected_address(address_to_wire(record.connected.address));
    message.set_connected_port(record.connected.port);
    client_to_wire(record.origin, *message.mutable_origin());
    message.set_daemon_name(clean_text(record.daemon_name));
    message.set_daemon_address(clean_text(record.daemon_address));
    const auto time = std::chrono::floor<milliseconds>(record.received_at.time_since_epoch());
    message.set_received_at_ms(std::clamp(time, milliseconds{0}, kTimeMax).count());
    return message;
}

Result<OriginRecord> from_wire(const wire::OriginRecord& message) {
    if (!has_clean_texts(message)) {
        return OriginErrc::bad_text;
    }
    const auto key = key_from_wire(message);
    if (!key) {
        return key.error();
    }
    const auto connected =
        endpoint_from_wire(message.connected_address(), message.connected_port());
    if (!connected) {
        return connected.error();
    }
    const auto origin = client_from_wire(message.origin());
    if (!origin) {
        return origin.error();
    }
    const milliseconds time{message.received_at_ms()};
    if (time < milliseconds{0} || time > kTimeMax) {
        return OriginErrc::bad_time;
    }
    return OriginRecord{*key,
                        *connected,
                        *origin,
                        message.daemon_name(),
                        message.daemon_address(),
                        system_clock::time_point{time}};
}

std::string encode_origin(const OriginRecord& record) {
    return to_wire(record).SerializeAsString();
}

Result<OriginRecord> decode_origin(std::string_view bytes) {
    wire::OriginRecord message;
    if (bytes.size() > std::numeric_limits<int>::max() ||
        !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return OriginErrc::malformed;
    }
    return from_wire(message);
}

}  // namespace millrace
