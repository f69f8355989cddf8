#include "tests/integration/milter/scripted_origin.hpp"

#include "proto/frame.hpp"
#include "proto/rpc.hpp"
#include "tests/integration/milter/wait.hpp"

#include <utility>

namespace millrace::test {
namespace {

std::optional<std::string> receive_frame(const Socket& connection) {
    const auto header = connection.receive(kFrameHeaderLength, std::chrono::hours{1});
    if (!header) {
        return std::nullopt;
    }
    std::size_t length = 0;
    for (const char octet : *header) {
        length = (length << 8U) | static_cast<unsigned char>(octet);
    }
    return connection.receive(length, kPatience);
}

std::string acknowledgement(std::uint64_t id) {
    return encode_response({id, PublishStatus::stored, ""});
}

// False when the connection is to be closed.
bool answer(Behaviour behaviour, const Socket& connection, std::uint64_t id) {
    const std::string stored = acknowledgement(id);
    switch (behaviour) {
        case Behaviour::acknowledge:
            return connection.send(stored);
        case Behaviour::refuse:
            return connection.send(encode_response({id, PublishStatus::refused, "not liked"}));
        case Behaviour::report_unavailable:
            return connection.send(
                encode_response({id, PublishStatus::unavailable, "disk is full"}));
        case Behaviour::hang:
            return true;
        case Behaviour::close_in_answer:
            connection.send(std::string_view{stored}.substr(0, stored.size() - 1));
            return false;
        case Behaviour::answer_garbage:
            return connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        case Behaviour::answer_wrong_id:
            return connection.send(encode_response({id + 1000, PublishStatus::stored, ""}));
        case Behaviour::close_at_once:
        case Behaviour::close_after_request:
            break;
    }
    return false;
}

}  // namespace

ScriptedOrigin::ScriptedOrigin(const ListenAddress& address, Behaviour behaviour, TlsContext tls)
    : listener_(Socket::listen_on(address)),
      tls_(std::move(tls)),
      behaviour_(behaviour),
      acceptor_([this] { accept_all(); }) {}

void ScriptedOrigin::behave(Behaviour behaviour) {
    const std::lock_guard lock(mutex_);
    behaviour_ = behaviour;
}

void ScriptedOrigin::answer_held() {
    const std::lock_guard lock(mutex_);
    for (const Held& request : std::exchange(held_, {})) {
        request.connection->send(acknowledgement(request.id));
    }
}

void ScriptedOrigin::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        for (const Socket& connection : connections_) {
            connection.shut_down();
        }
    }
    changed_.notify_all();
    listener_.shut_down();
    acceptor_.join();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    connections_.clear();
    listener_.close();
}

std::vector<OriginRecord> ScriptedOrigin::wait_for_records(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return records_.size() >= count; });
    return records_;
}

std::size_t ScriptedOrigin::connection_count() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
}

void ScriptedOrigin::accept_all() {
    while (true) {
        Socket connection = listener_.accept();
        const std::lock_guard lock(mutex_);
        if (!connection.is_valid() || is_stopping_) {
            return;
        }
        connections_.push_back(std::move(connection));
        Socket& kept = connections_.back();
        if (behaviour_ == Behaviour::close_at_once) {
            kept.shut_down();
            continue;
        }
        threads_.emplace_back([this, &kept] { serve(kept); });
    }
}

void ScriptedOrigin::serve(Socket& connection) {
    if (tls_ != nullptr && !connection.secure(tls_)) {
        connection.shut_down();
        return;
    }
    while (const auto frame = receive_frame(connection)) {
        std::uint64_t id = 0;
        const auto request = decode_request(*frame, id);
        if (!request || !answer(note(request->record, {&connection, id}), connection, id)) {
            break;
        }
    }
    connection.shut_down();
}

// In one step, so that a test that has seen the record knows how it is answered.
Behaviour ScriptedOrigin::note(OriginRecord record, const Held& request) {
    const std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
    if (behaviour_ == Behaviour::hang) {
        held_.push_back(request);
    }
    changed_.notify_all();
    return behaviour_;
}

}  // namespace millrace::test
