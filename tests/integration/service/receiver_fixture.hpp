// A receiver on a Unix socket in front of a store that the test plays itself.
#pragma once

#include "balancer/service/origin_receiver.hpp"
#include "proto/frame.hpp"
#include "proto/rpc.hpp"
#include "tests/integration/service/stream_client.hpp"
#include "tests/support/origin_builder.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace millrace::service {

// Keeps each publish until the test completes it, unless told to answer at once.
class ScriptedStore final : public origin::OriginStore {
 public:
    struct Pending {
        OriginRecord record;
        Published completion;
    };

    void publish(const OriginRecord& record, origin::WallTime, Published completion) override {
        if (answers_at_once) {
            records.push_back(record);
            completion(answer);
            return;
        }
        pending.push_back({record, std::move(completion)});
    }

    void find(const OriginKey&, origin::WallTime, Found completion) override {
        completion(std::optional<OriginRecord>());
    }

    void mark_delivered(const OriginKey&, origin::WallTime) override {}

    void expire(origin::WallTime) override {}

    [[nodiscard]] std::uint64_t record_count() const override { return records.size(); }

    // Takes the pending request out and completes it.
    void complete(std::size_t index, error_code error) {
        Pending request = std::move(pending.at(index));
        pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
        request.completion(error);
    }

    bool answers_at_once = true;
    error_code answer;
    std::vector<OriginRecord> records;
    std::vector<Pending> pending;
};

class ReceiverFixture : public ::testing::Test {
 protected:
    ReceiverFixture() {
        options_.listen = {UnixPath{path_}};
        options_.access.own_user = ::geteuid();
    }

    void start() {
        receiver_ = std::make_unique<OriginReceiver>(loop_.executor(), store_, options_);
    }

    // A connection that collects its answers.
    std::unique_ptr<test::StreamClient> connect() {
        auto client = std::make_unique<test::StreamClient>(loop_, path_);
        client->start_reading();
        return client;
    }

    static std::string request(std::uint64_t id, const std::string& queue_id = "4XyZ12") {
        return encode_request({id, test::origin_record(queue_id)});
    }

    // The whole answers received so far.
    static std::vector<PublishResponse> answers(const test::StreamClient& client) {
        std::vector<PublishResponse> responses;
        FrameReader reader;
        std::string_view bytes = client.received();
        while (!bytes.empty()) {
            const auto frame = reader.read(bytes);
            if (!frame || !*frame) {
                break;
            }
            responses.push_back(decode_response(**frame).value());
        }
        return responses;
    }

    [[nodiscard]] bool wait_for_answers(const test::StreamClient& client, std::size_t count) {
        return loop_.run_until([&] { return answers(client).size() >= count; });
    }

    [[nodiscard]] bool wait_for_pending(std::size_t count) {
        return loop_.run_until([&] { return store_.pending.size() >= count; });
    }

    [[nodiscard]] bool wait_for_connections(std::size_t count) {
        return loop_.run_until([&] { return receiver_->connection_count() == count; });
    }

    test::TempDir dir_;
    std::string path_ = dir_.file("origin.sock");
    test::EventLoop loop_;
    ScriptedStore store_;  // holds completions, which hold timers of the loop
    OriginReceiverOptions options_;
    std::unique_ptr<OriginReceiver> receiver_;
};

}  // namespace millrace::service
