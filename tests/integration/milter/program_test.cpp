// The program as an operator meets it.
#include "tests/integration/milter/milter_fixture.hpp"
#include "tests/support/authority.hpp"
#include "tests/support/process_state.hpp"

#include <gmock/gmock.h>
#include <libmilter/mfdef.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;

class MilterProgramTest : public MilterFixture {
 protected:
    struct Run {
        std::optional<int> exit_code;
        std::string output;
    };

    Run run(const std::vector<std::string>& arguments) {
        MilterProgram program(arguments, directory_.file("run.log"));
        const auto exit_code = program.wait();
        return {exit_code, program.log()};
    }

    static std::vector<std::string> tls_arguments(const TlsFiles& files) {
        return {"--tls-cert=" + files.certificate.value.text,
                "--tls-key=" + files.private_key.value.text,
                "--tls-ca=" + files.authority.value.text};
    }

    std::string write_config(const std::string& text) {
        std::ofstream(directory_.file("milter.conf")) << text;
        return "--config=" + directory_.file("milter.conf");
    }

    [[nodiscard]] mode_t socket_mode() const {
        struct stat status {};

        EXPECT_EQ(stat(milter_socket().path.c_str(), &status), 0);
        return status.st_mode & 0777U;
    }
};

TEST_F(MilterProgramTest, TellsUsageAndVersion) {
    const Run help = run({"--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.output, HasSubstr("--trusted-relays"));
    const Run version = run({"--version"});
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_THAT(version.output, HasSubstr("millrace-milter "));
}

TEST_F(MilterProgramTest, ExitCodesTellUsageFromConfigurationFromSystem) {
    EXPECT_EQ(run({"--colour=red"}).exit_code, 64);
    EXPECT_EQ(run({"--timeout=fast"}).exit_code, 78);
    EXPECT_EQ(run({"--config=" + directory_.file("none.conf")}).exit_code, 78);
    const Run bad = run({write_config("timeout = 2s\ntimeuot = 3s\n")});
    EXPECT_EQ(bad.exit_code, 78);
    EXPECT_THAT(bad.output, HasSubstr("milter.conf:2: unknown key 'timeuot'"));
    EXPECT_EQ(run({"--listen=unix:" + directory_.file("none/milter.sock")}).exit_code, 71);
    EXPECT_EQ(run({"--listen=inet:192.0.2.1:10029"}).exit_code, 71);
    EXPECT_EQ(run({"--user=no-such-user-here"}).exit_code, 71);
}

TEST_F(MilterProgramTest, ChecksAndPrintsTheConfigurationWithoutServing) {
    const std::string config = write_config("timeout = 500ms\npublish = all\n");
    const Run check = run({config, "--check-config"});
    EXPECT_EQ(check.exit_code, 0);
    EXPECT_EQ(check.output, "");
    const Run print = run({config, "--print-config", "--publish=any"});
    EXPECT_EQ(print.exit_code, 0);
    EXPECT_THAT(print.output, HasSubstr("timeout = 500ms\n"));
    EXPECT_THAT(print.output, HasSubstr("publish = any\n"));
    EXPECT_THAT(print.output, HasSubstr("on-error = accept\n"));
}

TEST_F(MilterProgramTest, RunsAsTheConfiguredUserWithNothingLeftOfRoot) {
    milter_ = std::make_unique<MilterProgram>(
        std::vector<std::string>{"--listen=inet:" + to_string(free_endpoint()),
                                 "--user=" + user_to_become()},
        directory_.file("milter.log"));
    ASSERT_TRUE(milter_->wait_until_started()) << milter_->log();
    expect_confined(milter_->process_id());
    EXPECT_EQ(milter_->log().find("runs-as-root"), std::string::npos);
}

TEST_F(MilterProgramTest, WarnsWhenItStaysRoot) {
    start_milter();
    EXPECT_EQ(milter_->log().find("warning: process: runs-as-root") != std::string::npos,
              geteuid() == 0);
}

TEST_F(MilterProgramTest, SampleConfigurationIsValid) {
    EXPECT_EQ(run({"--config=" MILLRACE_SAMPLE_CONFIG, "--check-config"}).exit_code, 0);
}

TEST_F(MilterProgramTest, SocketHasTheConfiguredMode) {
    start_milter();
    EXPECT_EQ(socket_mode(), 0660U);
    TearDown();
    start_milter({"--listen-mode=0666"});
    EXPECT_EQ(socket_mode(), 0666U);
}

TEST_F(MilterProgramTest, StaleSocketIsReplacedAndAUsedOneIsNot) {
    Socket::listen_on(milter_socket()).close();
    ASSERT_TRUE(std::filesystem::exists(milter_socket().path));
    start_origin();
    start_milter();
    const Run second = run({"--listen=unix:" + milter_socket().path});
    EXPECT_EQ(second.exit_code, 71);
    EXPECT_THAT(second.output, HasSubstr("in use"));
    ScriptedMta mta = new_session();
    EXPECT_EQ(mta.message("A"), 'c');
}

TEST_F(MilterProgramTest, FileThatIsNoSocketIsNotReplaced) {
    std::ofstream(milter_socket().path) << "precious";
    EXPECT_EQ(run({"--listen=unix:" + milter_socket().path}).exit_code, 71);
    EXPECT_EQ(std::filesystem::file_size(milter_socket().path), 8U);
}

TEST_F(MilterProgramTest, ListensOnTcpOfBothFamiliesAndAnswersData) {
    start_origin();
    for (const char* address : {"127.0.0.1", "::1"}) {
        const Endpoint endpoint = free_endpoint(address);
        start_milter({});
        TearDown();
        milter_ = std::make_unique<MilterProgram>(
            std::vector<std::string>{"--listen=inet:" + to_string(endpoint),
                                     "--origin=unix:" + origin_socket().path},
            directory_.file("milter.log"));
        ASSERT_TRUE(milter_->wait_until_started()) << milter_->log();
        ScriptedMta mta(endpoint);
        const auto negotiated = mta.negotiate();
        ASSERT_TRUE(negotiated);
        ASSERT_TRUE(mta.begin());
        ASSERT_TRUE(mta.mail());
        // Answered, or the end of the message would wait for a delayed acknowledgement.
        EXPECT_EQ(negotiated->steps & (SMFIP_NODATA | SMFIP_NR_DATA), 0U);
        ASSERT_TRUE(mta.event(SMFIC_DATA, "", SMFIP_NODATA, SMFIP_NR_DATA));
        EXPECT_EQ(mta.end_of_message({{"i", "A"}}), 'c');
        TearDown();
        milter_.reset();
    }
}

TEST_F(MilterProgramTest, PublishesOverTcpOfBothFamilies) {
    const Authority authority(directory_.file(""));
    const TlsContext service = load_tls_context(authority.issue("balancer"), TlsSide::server);
    for (const char* address : {"127.0.0.1", "::1"}) {
        const Endpoint endpoint = free_endpoint(address);
        ScriptedOrigin origin(endpoint, Behaviour::acknowledge, service);
        std::vector<std::string> arguments = tls_arguments(authority.issue("milter"));
        arguments.push_back("--origin=" + to_string(endpoint));
        arguments.emplace_back("--on-error=tempfail");
        start_milter(arguments);
        ScriptedMta mta = new_session();
        EXPECT_EQ(mta.message("A"), 'c');
        TearDown();
        milter_.reset();
    }
}

TEST_F(MilterProgramTest, CertificatesThatCannotBeUsedEndTheStart) {
    const Authority authority(directory_.file(""));
    std::vector<std::string> arguments = tls_arguments(authority.issue("milter"));
    arguments.emplace_back("--origin=127.0.0.1:10030");
    arguments.emplace_back("--listen=unix:" + milter_socket().path);
    (void)authority.issue("other");
    arguments.emplace_back("--tls-key=" + directory_.file("other.key"));
    arguments.erase(arguments.begin() + 1);  // the right key
    const std::string fault = "tls-key = " + directory_.file("other.key") +
                              ": expected the private key of the certificate in tls-cert";
    for (const bool is_check : {false, true}) {
        if (is_check) {
            arguments.emplace_back("--check-config");
        }
        const Run bad = run(arguments);
        EXPECT_EQ(bad.exit_code, 78);
        EXPECT_THAT(bad.output, HasSubstr(fault));
        EXPECT_FALSE(std::filesystem::exists(milter_socket().path));
    }
}

TEST_F(MilterProgramTest, HangUpAndBrokenPipesDoNotEndIt) {
    start_origin();
    start_milter();
    milter_->signal(SIGHUP);
    milter_->signal(SIGPIPE);
    ScriptedMta mta = new_session();
    EXPECT_EQ(mta.message("A"), 'c');
}

// libmilter has a thread that waits for signals, to end the process in its own time.
TEST_F(MilterProgramTest, NoThreadOfLibmilterTakesASignal) {
    start_origin();
    start_milter();
    EXPECT_EQ(new_session().message("A"), 'c');
    milter_->signal_every_thread(SIGHUP);
    // Its listener looks whether it is to end after each connection that it takes.
    for (const char* queue_id : {"B", "C", "D"}) {
        EXPECT_EQ(new_session().message(queue_id), 'c');
    }
}

TEST_F(MilterProgramTest, EndsInOrderWhileSessionsAreOpen) {
    start_origin();
    start_milter();
    ScriptedMta idle = new_session();
    ScriptedMta busy = new_session();
    ASSERT_TRUE(busy.mail());
    milter_->signal(SIGINT);
    EXPECT_EQ(milter_->wait(), 0);
    EXPECT_TRUE(idle.socket().is_closed_by_peer(kPatience));
    milter_.reset();
}

TEST_F(MilterProgramTest, WaitsForTheMessageThatIsBeingPublished) {
    start_origin(Behaviour::hang);
    start_milter({"--timeout=1s"});
    ScriptedMta mta = new_session();
    ASSERT_TRUE(mta.mail());
    ASSERT_TRUE(mta.send_macros('E', {{"i", "A"}}));
    ASSERT_TRUE(mta.send('E', ""));
    ASSERT_EQ(origin_->wait_for_records(1).size(), 1U);
    milter_->signal(SIGTERM);
    EXPECT_EQ(milter_->wait(), 0);
    EXPECT_THAT(milter_->log(), HasSubstr("A: origin ingress=ingress1.example.net"));
    EXPECT_THAT(milter_->log(), HasSubstr("result=accepted-unpublished"));
    milter_.reset();
}

}  // namespace
}  // namespace millrace::test
