#include "tests/sim/simulation.hpp"

#include "tests/sim/message_maker.hpp"
#include "tests/sim/runner.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

namespace millrace::sim {

namespace {

constexpr std::chrono::hours kLongest{24};

session::SessionOptions session_options(Chance& chance) {
    session::SessionOptions options;
    options.listener = "filter";
    options.hostname = "millrace.example.org";
    options.mode = chance.one_of({session::Mode::smtp, session::Mode::lmtp});
    options.offered = {true, true, true, true, true, true, smtp::XforwardAttributes::all()};
    options.message_size_limit = chance.one_of<std::uint64_t>({0, 0, 3000});
    options.reject_bare_newline = chance.percent(80);
    options.tempfail_unknown_origin = chance.percent(20);
    options.limits.recipients = chance.one_of<std::size_t>({1, 3, 1000});
    // Longer than a Postfix of this world pauses.
    options.limits.idle = milliseconds(chance.one_of({10000, 60000, 300000}));
    return options;
}

session::RelayOptions relay_options(Chance& chance) {
    session::RelayOptions options;
    options.retries = static_cast<unsigned>(chance.between(1, 4));
    options.replay_max = chance.one_of<std::size_t>({0, 100, 4096, 1U << 20U});
    options.reuse.is_on = chance.percent(60);
    options.reuse.idle = milliseconds(chance.one_of({10, 500, 2000}));
    options.reuse.messages_max = static_cast<unsigned>(chance.one_of({1, 2, 100}));
    options.connect_timeout = milliseconds(chance.one_of({100, 5000}));
    options.greeting_timeout = milliseconds(chance.one_of({1000, 30000}));
    options.command_timeout = milliseconds(chance.one_of({2000, 60000}));
    options.data_timeout = milliseconds(chance.one_of({2000, 180000}));
    options.reply_timeout = milliseconds(chance.one_of({1500, 60000, 600000}));
    return options;
}

pool::NodeOptions node_options(const std::string& name, std::size_t number, Chance& chance) {
    pool::NodeOptions node;
    node.name = name;
    node.endpoint = parse_endpoint("198.51.100." + std::to_string(number) + ":10024").value();
    node.maxconn = static_cast<unsigned>(chance.below(4));
    node.dialect.send_proxy = chance.one_of(
        {pool::SendProxy::v2, pool::SendProxy::v2, pool::SendProxy::v1, pool::SendProxy::off});
    if (chance.percent(50)) {
        node.dialect.proxy_header.selection = proxy_protocol::TlvSelection::none();
    }
    node.dialect.send_xforward = chance.percent(80);
    return node;
}

pool::PoolOptions pool_options(std::size_t number, Chance& chance) {
    pool::PoolOptions options;
    options.name = "pool" + std::to_string(number);
    options.balance =
        chance.one_of({pool::Balance::leastconn, pool::Balance::roundrobin, pool::Balance::random,
                       pool::Balance::first, pool::Balance::hash, pool::Balance::least_time});
    options.health.kind = chance.one_of({pool::CheckKind::off, pool::CheckKind::smtp});
    options.maxqueue = chance.one_of<std::size_t>({0, 2, 1000});
    const std::size_t count = chance.between(1, 4);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = "scan" + std::to_string(number) + std::to_string(i);
        options.nodes.push_back(node_options(name, 10 * number + i + 1, chance));
    }
    return options;
}

session::Route route(std::size_t pools, Chance& chance) {
    using Criterion = session::Route::Criterion;
    session::Route route;
    route.pool = chance.below(pools);
    route.criterion = chance.one_of({Criterion::recipient_domain, Criterion::recipient_domain,
                                     Criterion::sender_domain, Criterion::origin, Criterion::peer,
                                     Criterion::size_over});
    route.domains = session::DomainList({chance.one_of<std::string>(
        {"example.org", "example.com", "example.net", ".example.com"})});
    route.networks = {
        parse_network(chance.one_of<std::string_view>({"203.0.113.0/29", "192.0.2.25/32"}))
            .value()};
    route.size = chance.one_of<std::uint64_t>({4, 5});
    return route;
}

class Simulation {
 public:
    Simulation(std::uint64_t seed, bool is_verbose)
        : chance_(seed),
          ledger_(timeline_, is_verbose),
          options_(std::make_shared<session::SessionOptions>(session_options(chance_))),
          budget_(chance_.one_of<std::size_t>({0, 1000, 1U << 20U})),
          fault_percent_(chance_.one_of<std::size_t>({0, 10, 40, 90})) {
        add_pools(chance_.one_of<std::size_t>({1, 1, 2, 3}), seed);
    }

    Report run() {
        const std::size_t sessions = chance_.between(1, 6);
        for (std::size_t i = 0; i < sessions; ++i) {
            add_session(i);
        }
        if (chance_.percent(5)) {
            timeline_.after(milliseconds(chance_.below(10000)), [this] { shut_down(); });
        }
        for (std::size_t orders = chance_.percent(20) ? 4 : 0; orders > 0; --orders) {
            timeline_.after(milliseconds(chance_.below(3000)), [this] { order(); });
        }
        run_to_the_end();
        return {ledger_.totals, ledger_.violations()};
    }

 private:
    void add_pools(std::size_t count, std::uint64_t seed) {
        session::Relays relays;
        for (std::size_t i = 0; i < count; ++i) {
            pool::PoolOptions options = pool_options(i, chance_);
            session::RelayOptions relay = relay_options(chance_);
            relay.pool = options.name;
            if (options.balance == pool::Balance::hash) {
                relay.hash_key =
                    chance_.one_of({session::HashKey::recipient_domain,
                                    session::HashKey::sender_domain, session::HashKey::origin});
            }
            if (i + 1 < count && chance_.percent(40)) {
                relay.bypass_pool = i + 1;
                options.refuses_when_down = true;
            }
            relays.push_back(std::make_shared<const session::RelayOptions>(relay));
            desks_.emplace_back(timeline_, chance_, ledger_, std::move(options), seed);
        }
        relays_ = std::make_shared<const session::Relays>(std::move(relays));
        for (std::size_t rules = count > 1 ? chance_.below(4) : 0; rules > 0; --rules) {
            options_->routes.rules.push_back(route(count, chance_));
        }
    }

    void add_session(std::size_t number) {
        ++ledger_.totals.sessions;
        const MessageRules rules{options_->reject_bare_newline, options_->message_size_limit};
        const Address peer =
            parse_address(chance_.one_of<std::string_view>({"192.0.2.25", "192.0.2.26"})).value();
        std::vector<Message*> messages;
        const std::size_t count = chance_.between(1, 4);
        for (std::size_t i = 0; i < count; ++i) {
            messages.push_back(&ledger_.add_message());
            make_message(*messages.back(), rules, chance_);
            messages.back()->peer = peer;
        }
        FakePostfix& postfix =
            postfixes_.emplace_back(timeline_, chance_, ledger_, options_->mode,
                                    make_postfix_plan(fault_percent_ / 2, chance_), messages);
        const auto port = static_cast<std::uint16_t>(40000 + number);
        timeline_.after(milliseconds(chance_.below(200)), [this, &postfix, port, peer] {
            const session::SessionSettings settings{
                options_, relays_, &budget_, Endpoint{peer, port}, 's' + std::to_string(port)};
            const RunnerWorld world{timeline_, chance_, ledger_, desks_, nodes_, fault_percent_};
            runners_.emplace_back(world, settings, postfix).start();
        });
    }

    void order() {
        desks_[chance_.below(desks_.size())].order(chance_.one_of(
            {pool::AdminState::ready, pool::AdminState::drain, pool::AdminState::maint}));
    }

    void shut_down() {
        for (Runner& runner : runners_) {
            chance_.percent(90) ? runner.shut_down() : runner.cut_off();
        }
    }

    void run_to_the_end() {
        const TimePoint latest = timeline_.now() + kLongest;
        while (!are_all_done() && ledger_.violations().empty()) {
            if (!timeline_.step() || timeline_.now() > latest) {
                report_hang();
                return;
            }
        }
        // What nodes still have on their way must not break a rule either.
        for (PoolDesk& desk : desks_) {
            desk.stop_checks();
        }
        while (ledger_.violations().empty() && timeline_.step()) {
        }
        for (const PoolDesk& desk : desks_) {
            if (ledger_.violations().empty() && desk.in_use() > 0) {
                ledger_.violation("R5 slots, waiting messages or kept connections are left");
            }
        }
        if (ledger_.violations().empty() && budget_.used() > 0) {
            ledger_.violation("R8 memory for replay is not given back");
        }
    }

    void report_hang() {
        for (std::size_t i = 0; i < postfixes_.size(); ++i) {
            if (!postfixes_[i].is_done()) {
                ledger_.violation("session " + std::to_string(i) + " hangs");
            }
        }
        ledger_.violation("the simulation does not end");
    }

    [[nodiscard]] bool are_all_done() const {
        return std::all_of(postfixes_.begin(), postfixes_.end(),
                           [](const FakePostfix& postfix) { return postfix.is_done(); }) &&
               std::all_of(runners_.begin(), runners_.end(),
                           [](const Runner& runner) { return runner.is_done(); });
    }

    Timeline timeline_;
    Chance chance_;
    Ledger ledger_;
    std::shared_ptr<session::SessionOptions> options_;
    std::shared_ptr<const session::Relays> relays_;
    session::ReplayBudget budget_;
    std::deque<PoolDesk> desks_;
    std::size_t fault_percent_;
    std::deque<FakeNode> nodes_;
    std::deque<FakePostfix> postfixes_;
    std::deque<Runner> runners_;
};

}  // namespace

Report simulate(std::uint64_t seed, bool is_verbose) {
    return Simulation(seed, is_verbose).run();
}

}  // namespace millrace::sim
