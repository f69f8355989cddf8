// The real balancer is told hostile texts wherever a peer can tell it something. Whatever it makes
// of them, its log, its status, its metrics and what the node hears stay well-formed.
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "balancer/smtp/xtext.hpp"
#include "tests/integration/program/balancer_program.hpp"
#include "tests/integration/program/open_node.hpp"
#include "tests/support/hostile_texts.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <iostream>
#include <memory>
#include <regex>
#include <sstream>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>

namespace millrace::test {
namespace {

// What a session says, line by line; the text takes the place of one of them.
struct Lines {
    std::string hello = "EHLO mx1.example.org";
    std::string forward = "XFORWARD NAME=c.example ADDR=203.0.113.66 PORT=4711 IDENT=4XyZ12";
    std::string mail = "MAIL FROM:<s@example.org>";
    std::string recipient = "RCPT TO:<r@example.org>";
    std::string content = "Subject: x\r\n\r\nhello";

    [[nodiscard]] std::string all() const {
        return hello + "\r\n" + forward + "\r\n" + mail + "\r\n" + recipient + "\r\nDATA\r\n" +
               content + "\r\n.\r\nQUIT\r\n";
    }
};

using Place = std::function<void(Lines&, const std::string& text)>;

std::vector<Place> places_in_a_session() {
    std::vector<Place> places{
        [](Lines& lines, const std::string& text) { lines.hello = "EHLO " + text; },
        [](Lines& lines, const std::string& text) { lines.hello = "HELO " + text; },
        [](Lines& lines, const std::string& text) { lines.hello = text; },
        [](Lines& lines, const std::string& text) { lines.mail = "MAIL FROM:<" + text + ">"; },
        [](Lines& lines, const std::string& text) {
            lines.mail = "MAIL FROM:<\"" + text + "\"@example.org>";
        },
        [](Lines& lines, const std::string& text) {
            lines.mail = "MAIL FROM:<s@example.org> ENVID=" + smtp::encode_xtext(text);
        },
        [](Lines& lines, const std::string& text) {
            lines.mail = "MAIL FROM:<s@example.org> " + text;
        },
        [](Lines& lines, const std::string& text) {
            lines.recipient = "RCPT TO:<" + text + "@example.org>";
        },
        [](Lines& lines, const std::string& text) {
            lines.recipient = "RCPT TO:<r@example.org> ORCPT=rfc822;" + text;
        },
        [](Lines& lines, const std::string& text) { lines.content = "Subject: " + text; }};
    for (const char* attribute : {"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"}) {
        places.emplace_back([attribute](Lines& lines, const std::string& text) {
            lines.forward = std::string("XFORWARD ") + attribute + "=" + smtp::encode_xtext(text);
        });
    }
    return places;
}

ScriptedPeer connected_at(const std::string& path) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ScriptedPeer peer(descriptor);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::system_error(errno, std::system_category(), "connect " + path);
    }
    return peer;
}

class HostileTextOf : public testing::Test {
 protected:
    void SetUp() override {
        balancer_ = std::make_unique<BalancerProgram>(
            std::vector<std::string>{
                "--log-level=debug", "--listener.filter.bind=" + to_string(bind_),
                "--listener.filter.pool=scanners", "--http.listen=" + to_string(http_),
                "--origin.listen=unix:" + rpc_,
                "--origin.store=sqlite:" + directory_.file("origins.db"),
                "--admin.listen=unix:" + directory_.file("admin.sock"),
                "--pool.scanners.node=scan1 " + to_string(node_.endpoint()),
                "--pool.scanners.check=off", "--pool.scanners.send-proxy=v2",
                "--pool.scanners.tlv=e4,e5,e6,e7,e8,05,03", "--pool.scanners.error-limit=0"},
            directory_.file("log"));
        ASSERT_TRUE(balancer_->wait_for_log("balancer: started")) << balancer_->log();
    }

    void TearDown() override {
        node_.say(OddReply::none, "");
        EXPECT_NE(converse(Lines{}.all()).find("\r\n250 ok\r\n221 "), std::string::npos);
        expect_whole_commands();
        expect_whole_pages();
        EXPECT_EQ(balancer_->terminate(), 0);
        expect_whole_log();
        std::cout << cases_ << " cases, " << lines_ << " log lines, " << commands_
                  << " commands to the node\n";
    }

    // All that comes back for `said` until the connection ends.
    static std::string exchange(ScriptedPeer peer, const std::string& said) {
        try {
            peer.send(said);
        } catch (const std::exception&) {
            // Cut off already: what it answered is still there.
        }
        peer.end_sending();
        return peer.read_to_end();
    }

    std::string converse(const std::string& said) {
        ++cases_;
        ScriptedPeer postfix = ScriptedPeer::connected(bind_);
        try {
            postfix.send(said);
        } catch (const std::exception&) {
            // Cut off already.
        }
        return postfix.read_to_end();
    }

    void expect_whole_commands() {
        static const std::regex form("(EHLO|XFORWARD|MAIL|RCPT|DATA|RSET|QUIT)( .*)?\r\n");
        for (const std::string& line : node_.take_commands()) {
            ++commands_;
            EXPECT_TRUE(line.size() > 2048 || std::regex_match(line, form)) << shown(line);
            const std::string_view text(line.data(), line.size() - 2);
            EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) {
                return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f';
            })) << shown(line);
        }
        for (const std::string& bytes : node_.take_headers()) {
            const auto header = proxy_protocol::decode(bytes, bytes.size());
            ASSERT_TRUE(header && *header) << shown(bytes);
            EXPECT_EQ((*header)->length, bytes.size());
            EXPECT_TRUE(proxy_protocol::decode_origin_tlvs((*header)->header, {})) << shown(bytes);
        }
    }

    void expect_whole_pages() const {
        const std::string status =
            exchange(ScriptedPeer::connected(http_), "GET /api/v1/status HTTP/1.0\r\n\r\n");
        boost::json::error_code error;
        boost::json::parse(status.substr(status.find("\r\n\r\n") + 4), error);
        EXPECT_FALSE(error) << status;
        const std::string metrics =
            exchange(ScriptedPeer::connected(http_), "GET /metrics HTTP/1.0\r\n\r\n");
        static const std::regex form(
            R"(# (HELP|TYPE) .*|\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [-+.eE\dInf]+)");
        std::istringstream stream(metrics.substr(metrics.find("\r\n\r\n") + 4));
        for (std::string line; std::getline(stream, line);) {
            EXPECT_TRUE(std::regex_match(line, form)) << shown(line);
        }
    }

    void expect_whole_log() {
        static const std::regex form(
            R"re([-0-9T:.]+Z millrace-balancer\[\d+\]: (debug|info|warning|error): [^ :"=]+: [a-z][- a-z]*( [a-z_]+=([^ "=\\]+|"([^"\\]|\\.)*"))*)re");
        std::istringstream stream(balancer_->log());
        for (std::string line; std::getline(stream, line);) {
            ++lines_;
            EXPECT_TRUE(is_printable_ascii(line)) << shown(line);
            EXPECT_TRUE(std::regex_match(line, form)) << line.substr(0, 300);
        }
    }

    TempDir directory_;
    OpenNode node_;
    Endpoint bind_ = free_endpoint();
    Endpoint http_ = free_endpoint();
    std::string rpc_ = directory_.file("origin.sock");
    std::unique_ptr<BalancerProgram> balancer_;
    int cases_ = 0;
    int lines_ = 0;
    int commands_ = 0;
};

TEST_F(HostileTextOf, PostfixBreaksNothing) {
    for (const Place& place : places_in_a_session()) {
        for (const std::string& text : hostile_texts()) {
            Lines lines;
            place(lines, text);
            (void)converse(lines.all());
        }
    }
}

TEST_F(HostileTextOf, ANodeBreaksNothing) {
    for (const OddReply which : {OddReply::greeting, OddReply::hello, OddReply::mail,
                                 OddReply::recipient, OddReply::verdict}) {
        for (const std::string& text : hostile_texts()) {
            node_.say(which, text);
            (void)converse(Lines{}.all());
        }
    }
}

TEST_F(HostileTextOf, AWebClientBreaksNothingAndIsNotEchoed) {
    for (const std::string& text : hostile_texts()) {
        for (const std::string& request :
             {"GET /" + text + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
              "GET /metrics?" + text + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
              "GET / HTTP/1.1\r\nHost: " + text + "\r\nX: " + text +
                  "\r\nConnection: close\r\n\r\n",
              text + " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", text}) {
            ++cases_;
            const std::string answer = exchange(ScriptedPeer::connected(http_), request);
            EXPECT_EQ(answer.find("<script>"), std::string::npos);
            EXPECT_EQ(answer.find("DROP TABLE"), std::string::npos);
            EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.")) << shown(answer);
        }
    }
}

TEST_F(HostileTextOf, AMilterThatIsNoneBreaksNothing) {
    for (const std::string& text : hostile_texts()) {
        ++cases_;
        const auto length = static_cast<std::uint32_t>(text.size());
        const std::string frame{static_cast<char>(length >> 24U), static_cast<char>(length >> 16U),
                                static_cast<char>(length >> 8U), static_cast<char>(length)};
        (void)exchange(connected_at(rpc_), text);
        (void)exchange(connected_at(rpc_), frame + text);
    }
}

}  // namespace
}  // namespace millrace::test
