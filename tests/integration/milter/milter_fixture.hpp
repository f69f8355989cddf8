// A milter, an origin service and a private directory for both.
#pragma once

#include "tests/integration/milter/milter_program.hpp"
#include "tests/integration/milter/scripted_mta.hpp"
#include "tests/integration/milter/scripted_origin.hpp"
#include "tests/integration/milter/sockets.hpp"
#include "tests/integration/milter/wait.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace millrace::test {

class MilterFixture : public testing::Test {
 protected:
    void start_origin(Behaviour behaviour = Behaviour::acknowledge) {
        origin_ = std::make_unique<ScriptedOrigin>(origin_socket(), behaviour);
    }

    void start_milter(const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"--listen=unix:" + milter_socket().path,
                                           "--origin=unix:" + origin_socket().path};
        arguments.insert(arguments.end(), more.begin(), more.end());
        milter_ = std::make_unique<MilterProgram>(arguments, directory_.file("milter.log"));
        ASSERT_TRUE(milter_->wait_until_started()) << milter_->log();
    }

    // A session that has negotiated and told CONNECT and HELO.
    ScriptedMta new_session(const std::string& client = "203.0.113.66", std::uint16_t port = 4711) {
        ScriptedMta mta(milter_socket());
        EXPECT_TRUE(mta.negotiate());
        EXPECT_TRUE(mta.begin(client, port));
        return mta;
    }

    [[nodiscard]] UnixPath milter_socket() const { return directory_.socket("milter.sock"); }

    [[nodiscard]] UnixPath origin_socket() const { return directory_.socket("origin.sock"); }

    // Whatever a test did, the milter must still serve, and end in order.
    void TearDown() override {
        if (milter_ == nullptr || testing::Test::HasFatalFailure()) {
            return;
        }
        EXPECT_TRUE(milter_->is_running()) << milter_->log();
        milter_->signal(SIGTERM);
        EXPECT_EQ(milter_->wait(), 0) << milter_->log();
        EXPECT_NE(milter_->log().find("milter: stopped"), std::string::npos);
    }

    PrivateDirectory directory_;
    std::unique_ptr<ScriptedOrigin> origin_;
    std::unique_ptr<MilterProgram> milter_;
};

}  // namespace millrace::test
