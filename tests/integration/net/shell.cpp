#include "tests/integration/net/shell.hpp"

#include "tests/integration/net/wait.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace millrace::test {

namespace {

net::CheckSettings check_settings(const ShellSetup& setup) {
    return {setup.session.mode, setup.session.hostname, setup.session.offered};
}

}  // namespace

ShellSetup setup_for(std::initializer_list<Endpoint> nodes) {
    ShellSetup setup;
    setup.pool.name = "scanners";
    setup.pool.balance = pool::Balance::first;
    setup.pool.health.kind = pool::CheckKind::off;
    setup.pool.health.error_limit = 0;
    for (const Endpoint& endpoint : nodes) {
        pool::NodeOptions node;
        node.name = "scan" + std::to_string(setup.pool.nodes.size());
        node.endpoint = endpoint;
        node.dialect.send_proxy = pool::SendProxy::off;
        setup.pool.nodes.push_back(std::move(node));
    }
    setup.session.listener = "filter";
    setup.session.hostname = "millrace.example.org";
    setup.session.offered.pipelining = true;
    setup.session.origin_order = {origin::Source::xforward};
    setup.relay.pool = "scanners";
    setup.trusted_networks = {parse_network("127.0.0.0/8").value()};
    return setup;
}

Shell::Shell(ShellSetup setup)
    : setup_(std::move(setup)),
      read_buffer_(setup_.read_buffer_size),
      pool_(context_, lingering_, setup_.pool, 1, counters_),
      names_(context_, poller_.executor(), setup_.look_up),
      checker_(context_, pool_, lingering_, check_settings(setup_)) {
    for (const ShellPool& more : setup_.more_pools) {
        more_pools_.push_back(
            std::make_unique<net::PoolDriver>(context_, lingering_, more.pool, 1, counters_));
        pools_.push_back(more_pools_.back().get());
    }
    for (net::PoolDriver* pool : pools_) {
        pool->set_deliver([this](net::SessionId id, const pool::Decision& decision) {
            return table_.with(id,
                               [&](net::SessionRunner& runner) { runner.slot_decided(decision); });
        });
    }
    for (std::size_t i = 0; i < setup_.listeners; ++i) {
        add_listener();
    }
    if (setup_.look_up) {
        names_.add(pool_);
        names_.start();
    }
    checker_.start();
    thread_ = std::thread([this] { poller_.run(); });
}

Shell::~Shell() {
    boost::asio::post(poller_.executor(), [this] {
        for (const auto& listener : listeners_) {
            listener->stop();
        }
        checker_.stop();
        table_.cut_off_all();
        lingering_.close_all();
        context_.stop();
    });
    thread_.join();
}

void Shell::add_listener() {
    const Endpoint endpoint = free_endpoint();
    session::Relays relays{std::make_shared<const session::RelayOptions>(setup_.relay)};
    for (const ShellPool& more : setup_.more_pools) {
        relays.push_back(std::make_shared<const session::RelayOptions>(more.relay));
    }
    net::ListenerOptions options{setup_.session.listener,
                                 endpoint,
                                 setup_.trusted_networks,
                                 setup_.accept_proxy,
                                 setup_.max_sessions,
                                 std::make_shared<const session::SessionOptions>(setup_.session),
                                 std::make_shared<const session::Relays>(relays)};
    listeners_.push_back(std::make_unique<net::Listener>(
        net::SessionEnvironment{context_, poller_, table_, store_, pools_, lingering_, counters_,
                                read_buffer_, output_},
        std::move(options)));
    listeners_.back()->start();
    endpoints_.push_back(endpoint);
}

ScriptedPeer Shell::connect_postfix() const {
    ScriptedPeer postfix = ScriptedPeer::connected(endpoint());
    EXPECT_EQ(postfix.read_reply().substr(0, 25), "220 millrace.example.org ");
    return postfix;
}

ScriptedPeer Shell::greeted_postfix() const {
    ScriptedPeer postfix = connect_postfix();
    postfix.send(setup_.session.mode == session::Mode::lmtp ? "LHLO mx1.example.org\r\n" : kHello);
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    return postfix;
}

void Shell::on_loop(const std::function<void()>& action) {
    std::packaged_task<void()> task(action);
    std::future<void> done = task.get_future();
    boost::asio::post(poller_.executor(), std::move(task));
    if (done.wait_for(kPatience) != std::future_status::ready) {
        ADD_FAILURE() << "the event loop does not turn";
        ::abort();
    }
    done.get();
}

std::size_t Shell::session_count() {
    std::size_t count = 0;
    on_loop([&] { count = table_.count(); });
    return count;
}

unsigned Shell::in_flight() {
    unsigned sum = 0;
    on_loop([&] {
        for (const net::PoolDriver* pool : pools_) {
            for (const pool::NodeStatus& node : pool->pool().node_statuses()) {
                sum += node.in_flight;
            }
        }
    });
    return sum;
}

std::size_t Shell::waiting_count() {
    std::size_t count = 0;
    on_loop([&] { count = pool_.waiting().size(); });
    return count;
}

pool::NodeStatus Shell::node(pool::NodeIndex index) {
    pool::NodeStatus status;
    on_loop([&] { status = pool_.pool().node_statuses().at(index); });
    return status;
}

std::size_t Shell::kept_count(pool::NodeIndex index) {
    std::size_t count = 0;
    on_loop([&] { count = pool_.kept_count(index); });
    return count;
}

void Shell::order(const std::function<void(net::PoolDriver&)>& action, std::size_t pool) {
    on_loop([&] { action(*pools_.at(pool)); });
}

metrics::Counters Shell::counters() {
    metrics::Counters counters;
    on_loop([&] { counters = counters_; });
    return counters;
}

bool Shell::comes_to_rest() {
    return wait_until([this] {
        std::size_t open = 0;
        on_loop([&] { open = table_.count() + lingering_.count() + pool_.waiting().size(); });
        return open == 0 && in_flight() == 0;
    });
}

void Shell::file_record(const OriginRecord& record) {
    on_loop([&] {
        store_.publish(record, std::chrono::system_clock::now(),
                       [](const error_code& error) { EXPECT_FALSE(error); });
    });
}

bool Shell::has_record(const OriginKey& key, std::chrono::hours from_now) {
    bool is_there = false;
    on_loop([&] {
        store_.find(key, std::chrono::system_clock::now() + from_now,
                    [&](const auto& found) { is_there = found && found->has_value(); });
    });
    return is_there;
}

void Shell::shut_down() {
    on_loop([this] { table_.shut_down_all(); });
}

void Shell::cut_off() {
    on_loop([this] { table_.cut_off_all(); });
}

void Shell::while_paused(const std::function<void()>& action) {
    std::promise<void> stands;
    std::promise<void> may_go;
    boost::asio::post(poller_.executor(), [&stands, go = may_go.get_future().share()] {
        stands.set_value();
        go.wait();
    });
    stands.get_future().wait();
    action();
    may_go.set_value();
    on_loop([] {});  // `stands` is out of use
}

void greet(ScriptedPeer& node) {
    node.send(kGreeting);
    EXPECT_EQ(node.read_line(), kHello);
    node.send(kNodeHello);
}

void take_envelope(ScriptedPeer& node) {
    greet(node);
    EXPECT_EQ(node.read_through("DATA\r\n"), kEnvelope);
    node.send(kGoAhead);
}

std::string serve_message(ScriptedPeer& node) {
    take_envelope(node);
    std::string content = node.read_through("\r\n.\r\n");
    EXPECT_EQ(node.read_line(), kQuit);
    node.send(std::string(kAccepted) + std::string(kBye));
    node.close();
    return content;
}

BegunMessage begin_message(Shell& shell, ScriptedNode& node) {
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    return {std::move(postfix), std::move(connection)};
}

bool passes_message(Shell& shell, ScriptedNode& node) {
    auto [postfix, connection] = begin_message(shell, node);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    return postfix.read_reply() == kAccepted;
}

// --- LogCapture ---------------------------------------------------------------------------------

LogCapture::LogCapture() {
    std::string name = "/tmp/millrace-log-XXXXXX";
    file_ = ::mkstemp(name.data());
    if (file_ < 0) {
        throw std::system_error(errno, std::system_category(), name);
    }
    ::unlink(name.c_str());
    standard_error_ = ::dup(STDERR_FILENO);
    ::dup2(file_, STDERR_FILENO);
}

LogCapture::~LogCapture() {
    ::dup2(standard_error_, STDERR_FILENO);
    ::close(standard_error_);
    ::close(file_);
}

std::string LogCapture::text() const {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t count =
            ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(all.size()));
        if (count <= 0) {
            return all;
        }
        all.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::size_t LogCapture::count(std::initializer_list<std::string_view> parts) const {
    std::istringstream lines(text());
    std::size_t found = 0;
    for (std::string line; std::getline(lines, line);) {
        found +=
            std::all_of(parts.begin(), parts.end(),
                        [&](std::string_view part) { return line.find(part) != std::string::npos; })
                ? 1U
                : 0U;
    }
    return found;
}

}  // namespace millrace::test
