// The real shell of the balancer, without configuration and signals: listeners, sessions, pools
// and, if wanted, health checks of the first, on an event loop in a thread of its own.
//
// The test plays Postfix and the nodes from its own thread and asks the loop what it must know.
// Everything is stopped and closed when the Shell goes.
#pragma once

#include "balancer/metrics/metrics.hpp"
#include "balancer/net/health_checker.hpp"
#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/listener.hpp"
#include "balancer/net/name_resolver.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/net/session_table.hpp"
#include "balancer/origin/memory_store.hpp"
#include "tests/integration/net/scripted_peer.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace millrace::test {

inline constexpr std::string_view kHello = "EHLO mx1.example.org\r\n";
inline constexpr std::string_view kMail = "MAIL FROM:<sender@example.net>\r\n";
inline constexpr std::string_view kRcpt = "RCPT TO:<user@example.org>\r\n";
inline constexpr std::string_view kEnvelope =
    "MAIL FROM:<sender@example.net>\r\nRCPT TO:<user@example.org>\r\nDATA\r\n";
inline constexpr std::string_view kContent = "Subject: x\r\n\r\n..dots\r\nbody\r\n.\r\n";
inline constexpr std::string_view kQuit = "QUIT\r\n";
inline constexpr std::string_view kGreeting = "220 scan.example.org\r\n";
inline constexpr std::string_view kNodeHello = "250-scan.example.org\r\n250 PIPELINING\r\n";
inline constexpr std::string_view kGoAhead =
    "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go ahead\r\n";  // to kEnvelope
inline constexpr std::string_view kAccepted = "250 2.0.0 Ok: queued as 4ABCD\r\n";
inline constexpr std::string_view kBye = "221 2.0.0 Bye\r\n";

struct ShellPool {
    pool::PoolOptions pool;
    session::RelayOptions relay;
};

struct ShellSetup {
    pool::PoolOptions pool;
    session::SessionOptions session;
    session::RelayOptions relay;
    std::vector<Network> trusted_networks;
    std::optional<session::ProxyAcceptance> accept_proxy;
    std::size_t max_sessions = 1000;
    std::size_t listeners = 1;
    std::size_t read_buffer_size = 128 * 1024;  // as the balancer's
    std::vector<ShellPool> more_pools;          // behind the first one; they are not checked
    net::LookUp look_up;  // for nodes that are host names; without it, nobody resolves them
};

// The nodes scan0, scan1 ... are used in this order, are sent no PROXY header, are not checked, and
// no failed message takes them down.
[[nodiscard]] ShellSetup setup_for(std::initializer_list<Endpoint> nodes);

class Shell {
 public:
    explicit Shell(ShellSetup setup);
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;
    ~Shell();

    [[nodiscard]] Endpoint endpoint(std::size_t listener = 0) const {
        return endpoints_.at(listener);
    }

    // A connection from Postfix, greeted.
    [[nodiscard]] ScriptedPeer connect_postfix() const;
    // The same, and EHLO is over.
    [[nodiscard]] ScriptedPeer greeted_postfix() const;

    [[nodiscard]] std::size_t session_count();
    [[nodiscard]] unsigned in_flight();
    // Messages in the line for a slot.
    [[nodiscard]] std::size_t waiting_count();
    [[nodiscard]] pool::NodeStatus node(pool::NodeIndex index);
    // Connections to a node of the first pool that are kept for another message.
    [[nodiscard]] std::size_t kept_count(pool::NodeIndex index = 0);
    // An order to a pool, on the loop.
    void order(const std::function<void(net::PoolDriver&)>& action, std::size_t pool = 0);
    [[nodiscard]] metrics::Counters counters();
    // No session, no slot, no connection that lingers; false when that does not come about.
    [[nodiscard]] bool comes_to_rest();

    // What the milter would have published.
    void file_record(const OriginRecord& record);
    [[nodiscard]] bool has_record(const OriginKey& key, std::chrono::hours from_now);

    // As the balancer does when it ends: in order, or at once.
    void shut_down();
    void cut_off();

    // The loop stands still while `action` runs: what happens meanwhile it finds all at once.
    void while_paused(const std::function<void()>& action);

 private:
    void on_loop(const std::function<void()>& action);
    void add_listener();

    ShellSetup setup_;
    boost::asio::io_context context_{1};
    origin::MemoryStore store_{{}};
    net::Poller poller_{context_};
    net::LingeringSockets lingering_{context_, poller_};
    metrics::Counters counters_;
    std::vector<char> read_buffer_;
    session::Output output_;
    net::SessionTable table_{context_};
    net::PoolDriver pool_;
    std::vector<std::unique_ptr<net::PoolDriver>> more_pools_;
    std::vector<net::PoolDriver*> pools_{&pool_};
    net::NameResolver names_;
    net::HealthChecker checker_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::thread thread_;
};

// --- A node's part of the dialogue ---------------------------------------------------------------

// Greets and answers EHLO, which must name the ingress.
void greet(ScriptedPeer& node);
// The same up to the 354.
void take_envelope(ScriptedPeer& node);
// A whole message for this one connection; the content.
[[nodiscard]] std::string serve_message(ScriptedPeer& node);

// A message from a new connection up to the 354, which Postfix has.
struct BegunMessage {
    ScriptedPeer postfix;
    ScriptedPeer connection;  // to the node
};

[[nodiscard]] BegunMessage begin_message(Shell& shell, ScriptedNode& node);

// Whether a message from a new connection reaches `node` and is answered as accepted.
[[nodiscard]] bool passes_message(Shell& shell, ScriptedNode& node);

// Takes what is logged (standard error) while it exists.
class LogCapture {
 public:
    LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;
    ~LogCapture();

    [[nodiscard]] std::string text() const;
    // Lines with all of these in them.
    [[nodiscard]] std::size_t count(std::initializer_list<std::string_view> parts) const;

 private:
    int file_ = -1;
    int standard_error_ = -1;
};

}  // namespace millrace::test
