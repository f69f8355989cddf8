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
    return options;
}

session::RelayOptions relay_options(Chance& chance) {
    session::RelayOptions options;
    options.pool = "scanners";
    options.retries = static_cast<unsigned>(chance.between(1, 4));
    options.replay_max = chance.one_of<std::size_t>({0, 100, 4096, 1U << 20U});
    return options;
}

pool::PoolOptions pool_options(Chance& chance) {
    pool::PoolOptions options;
    options.name = "scanners";
    options.balance = chance.one_of({pool::Balance::leastconn, pool::Balance::roundrobin,
                                     pool::Balance::random, pool::Balance::first});
    options.health.kind = chance.one_of({pool::CheckKind::off, pool::CheckKind::smtp});
    options.maxqueue = chance.one_of<std::size_t>({0, 2, 1000});
    const std::size_t count = chance.between(1, 4);
    for (std::size_t i = 0; i < count; ++i) {
        pool::NodeOptions node;
        node.name = "scan" + std::to_string(i);
        node.endpoint = parse_endpoint("198.51.100." + std::to_string(i + 1) + ":10024").value();
        node.maxconn = static_cast<unsigned>(chance.below(4));
        node.dialect.send_proxy = chance.one_of(
            {pool::SendProxy::v2, pool::SendProxy::v2, pool::SendProxy::v1, pool::SendProxy::off});
        node.dialect.send_xforward = chance.percent(80);
        options.nodes.push_back(std::move(node));
    }
    return options;
}

class Simulation {
 public:
    Simulation(std::uint64_t seed, bool is_verbose)
        : chance_(seed),
          ledger_(timeline_, is_verbose),
          options_(std::make_shared<const session::SessionOptions>(session_options(chance_))),
          relays_(std::make_shared<const session::Relays>(session::Relays{
              std::make_shared<const session::RelayOptions>(relay_options(chance_))})),
          desk_(timeline_, chance_, ledger_, pool_options(chance_), seed),
          fault_percent_(chance_.one_of<std::size_t>({0, 10, 40, 90})) {}

    Report run() {
        const std::size_t sessions = chance_.between(1, 6);
        for (std::size_t i = 0; i < sessions; ++i) {
            add_session(i);
        }
        if (chance_.percent(5)) {
            timeline_.after(milliseconds(chance_.below(10000)), [this] { shut_down(); });
        }
        run_to_the_end();
        return {ledger_.totals, ledger_.violations()};
    }

 private:
    void add_session(std::size_t number) {
        ++ledger_.totals.sessions;
        const MessageRules rules{options_->reject_bare_newline, options_->message_size_limit};
        std::vector<Message*> messages;
        const std::size_t count = chance_.between(1, 4);
        for (std::size_t i = 0; i < count; ++i) {
            messages.push_back(&ledger_.add_message());
            make_message(*messages.back(), rules, chance_);
        }
        FakePostfix& postfix =
            postfixes_.emplace_back(timeline_, chance_, ledger_, options_->mode,
                                    make_postfix_plan(fault_percent_ / 2, chance_), messages);
        const auto port = static_cast<std::uint16_t>(40000 + number);
        timeline_.after(milliseconds(chance_.below(200)), [this, &postfix, port] {
            const session::SessionSettings settings{
                options_, relays_, nullptr, Endpoint{parse_address("192.0.2.25").value(), port},
                's' + std::to_string(port)};
            const RunnerWorld world{timeline_, chance_, ledger_, desk_, nodes_, fault_percent_};
            runners_.emplace_back(world, settings, postfix).start();
        });
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
        desk_.stop_checks();
        while (ledger_.violations().empty() && timeline_.step()) {
        }
        if (ledger_.violations().empty() && desk_.in_use() > 0) {
            ledger_.violation("R5 slots or waiting messages are left");
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
    std::shared_ptr<const session::SessionOptions> options_;
    std::shared_ptr<const session::Relays> relays_;
    PoolDesk desk_;
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
