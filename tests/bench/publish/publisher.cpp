#include "tests/bench/publish/publisher.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

namespace millrace::bench {

namespace {

net::Descriptor connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::invalid_argument(path + ": too long for a socket");
    }
    std::memcpy(&address.sun_path[0], path.data(), path.size());
    net::Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!descriptor.is_open() ||
        ::connect(descriptor.number(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) != 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
    return descriptor;
}

// A long queue ID; like Postfix's they rise, so that new records lie at one end of the database.
QueueId queue_id(std::uint64_t number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "4b%010lluz1bY05",
                  static_cast<unsigned long long>(number));
    return QueueId::parse(text.data()).value();
}

}  // namespace

Publisher::Publisher(EventLoop& loop, PublishOptions options)
    : loop_(loop), options_(std::move(options)) {
    for (std::size_t i = 0; i < options_.connections; ++i) {
        add_connection();
    }
}

void Publisher::add_connection() {
    const std::size_t index = connections_.size();
    connections_.push_back(
        std::make_unique<Connection>(loop_, [this, index] { receive(*connections_[index]); }));
    connections_.back()->link.open(connect_to(options_.socket));
}

PublishResult Publisher::run() {
    const TimePoint began = Clock::now();
    until_ = began + clock_time(options_.seconds);
    for (const auto& connection : connections_) {
        fill(*connection);
    }
    if (waiting_ != 0) {
        loop_.run();
    }
    result_.duration = Clock::now() - began;
    return std::move(result_);
}

void Publisher::fill(Connection& connection) {
    std::string frames;
    const TimePoint now = Clock::now();
    while (now < until_ && connection.sent_at.size() < options_.in_flight) {
        const std::uint64_t number = ++last_number_;
        frames += encode_request({number, record(number)});
        connection.sent_at.emplace(number, now);
        ++waiting_;
    }
    connection.link.send(frames);
}

void Publisher::receive(Connection& connection) {
    std::string_view bytes = connection.link.input();
    const std::size_t length = bytes.size();
    while (!bytes.empty()) {
        const auto frame = connection.reader.read(bytes);
        if (!frame.value()) {
            break;
        }
        settle(connection, decode_response(**frame).value());
    }
    connection.link.consume(length);
    if (connection.link.is_at_end()) {
        end(connection);
    } else {
        fill(connection);
    }
    if (waiting_ == 0) {
        loop_.stop();
    }
}

void Publisher::settle(Connection& connection, const PublishResponse& response) {
    const auto found = connection.sent_at.find(response.id);
    if (found == connection.sent_at.end()) {
        throw std::runtime_error("an answer to what was not asked");
    }
    if (response.status == PublishStatus::stored) {
        result_.stored_ms.push_back(1e3 * Seconds(Clock::now() - found->second).count());
    } else {
        ++result_.others;
    }
    connection.sent_at.erase(found);
    --waiting_;
}

void Publisher::end(Connection& connection) {
    result_.unanswered += connection.sent_at.size();
    waiting_ -= connection.sent_at.size();
    connection.sent_at.clear();
    connection.link.close();
}

// What a milter finds out about a client that uses TLS.
OriginRecord Publisher::record(std::uint64_t number) const {
    const Endpoint client{boost::asio::ip::make_address("203.0.113.66"), 4711};
    OriginRecord record{{options_.ingress, queue_id(number)},
                        client,
                        {client, "mail.example.com", "mail.example.com", "mail.example.com",
                         "ESMTP", "TLSv1.3", "TLS_AES_256_GCM_SHA384", ""},
                        "smtpd",
                        "192.0.2.25",
                        std::chrono::system_clock::now()};
    return record;
}

}  // namespace millrace::bench
