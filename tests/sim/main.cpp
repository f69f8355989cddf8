// session_sim [--seed N] [--count M] [--verbose]: M runs from seed N on. A run that breaks a rule
// is reported with the command that replays it.
#include "tests/sim/simulation.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

constexpr int kUsageError = 64;
constexpr std::uint64_t kReportedMax = 20;

struct Order {
    std::uint64_t seed = 1;
    std::uint64_t count = 1000;
    bool is_verbose = false;
    bool is_understood = true;
};

Order parse(int argc, char** argv) {
    Order order;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const bool has_value = i + 1 < argc;
        if (word == "--verbose") {
            order.is_verbose = true;
        } else if (word == "--seed" && has_value) {
            order.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (word == "--count" && has_value) {
            order.count = std::strtoull(argv[++i], nullptr, 10);
        } else {
            order.is_understood = false;
        }
    }
    return order;
}

void add(millrace::sim::Totals& sum, const millrace::sim::Totals& run) {
    sum.sessions += run.sessions;
    sum.messages += run.messages;
    sum.accepted += run.accepted;
    sum.refused += run.refused;
    sum.failovers += run.failovers;
    sum.reused += run.reused;
    sum.bypassed += run.bypassed;
    sum.split += run.split;
    sum.events += run.events;
}

}  // namespace

int main(int argc, char** argv) {
    const Order order = parse(argc, argv);
    if (!order.is_understood) {
        std::cerr << "usage: session_sim [--seed N] [--count M] [--verbose]\n";
        return kUsageError;
    }
    millrace::sim::Totals sum;
    std::uint64_t failed = 0;
    for (std::uint64_t seed = order.seed; seed < order.seed + order.count; ++seed) {
        const millrace::sim::Report report = millrace::sim::simulate(seed, order.is_verbose);
        add(sum, report.totals);
        if (report.violations.empty()) {
            continue;
        }
        for (const auto& violation : report.violations) {
            std::cout << "seed " << seed << ": " << violation << '\n';
        }
        std::cout << "replay: session_sim --seed " << seed << " --count 1 --verbose\n";
        if (++failed >= kReportedMax) {
            break;
        }
    }
    std::cout << sum.sessions << " sessions, " << sum.messages << " messages, " << sum.accepted
              << " accepted, " << sum.refused << " refused, " << sum.failovers << " failovers, "
              << sum.reused << " reused, " << sum.bypassed << " bypassed, " << sum.split
              << " split, " << sum.events << " events, " << failed << " runs that broke a rule\n";
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
