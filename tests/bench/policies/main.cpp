// bench_policies: policies of `balance` on farms in simulated time, as a table.
#include "tests/bench/common/command.hpp"
#include "tests/bench/policies/farm_model.hpp"

#include <boost/program_options.hpp>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace po = boost::program_options;
using namespace millrace::bench;  // NOLINT(google-build-using-namespace): the whole program
using millrace::pool::Balance;

po::options_description option_table() {
    po::options_description table("bench_policies: policies on farms in simulated time");
    auto add = table.add_options();
    add("help", "print this");
    add("scenario", po::value<std::vector<std::string>>(), "repeatable; all without it");
    add("seconds", po::value<double>()->default_value(600), "of arrivals in a round");
    add("seed", po::value<std::uint64_t>()->default_value(1), "of the first round");
    add("rounds", po::value<std::uint64_t>()->default_value(3), "with a seed each");
    return table;
}

struct Rows {
    Results leastconn;
    Results least_time;
    Results knowing;  // the rule of least-time with all speeds known
};

void append(Results& all, Results more) {
    all.messages.insert(all.messages.end(), more.messages.begin(), more.messages.end());
}

Rows measured(const Scenario& scenario, std::uint64_t seed, std::uint64_t rounds) {
    Rows rows;
    for (std::uint64_t round = seed; round < seed + rounds; ++round) {
        append(rows.leastconn, simulate(scenario, Balance::leastconn, round));
        append(rows.least_time, simulate(scenario, Balance::least_time, round));
        append(rows.knowing, simulate_knowing(scenario, round));
    }
    return rows;
}

// The node that the scenario is about.
std::size_t odd_node(const Scenario& scenario) {
    return scenario.freezes.empty() ? scenario.nodes.size() - 1 : scenario.freezes.front().node;
}

void print(const Scenario& scenario, const Rows& rows) {
    constexpr double kP99 = 0.99;
    const Period end{scenario.seconds * 2 / 3, scenario.seconds};
    const auto milliseconds = [](double seconds) { return 1000 * seconds; };
    const auto share = [&](const Results& run) {
        return 100 * run.share_of(odd_node(scenario), end);
    };
    const double p99 = rows.least_time.percentile(kP99);
    std::printf("| %s | %.0f | %.0f | %.0f | %.0f | %.2f | %.2f | %.1f | %.1f |\n",
                scenario.what.c_str(), milliseconds(rows.leastconn.mean()),
                milliseconds(rows.leastconn.percentile(kP99)), milliseconds(rows.least_time.mean()),
                milliseconds(p99), p99 / rows.leastconn.percentile(kP99),
                p99 / rows.knowing.percentile(kP99), share(rows.leastconn), share(rows.least_time));
}

std::vector<Scenario> chosen(const po::variables_map& values) {
    const double seconds = values["seconds"].as<double>();
    if (values.count("scenario") == 0) {
        return all_scenarios(seconds);
    }
    std::vector<Scenario> found;
    for (const std::string& name : values["scenario"].as<std::vector<std::string>>()) {
        found.push_back(scenario(name, seconds));
    }
    return found;
}

void run(const po::variables_map& values) {
    std::printf(
        "| ms; share of the odd node in the last third, %% | leastconn mean | p99 | "
        "least-time mean | p99 | p99 / leastconn | p99 / speeds known | share leastconn | "
        "least-time |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (const Scenario& scenario : chosen(values)) {
        print(scenario, measured(scenario, values["seed"].as<std::uint64_t>(),
                                 values["rounds"].as<std::uint64_t>()));
    }
}

std::string scenario_help() {
    std::string text = "\nScenarios:\n";
    for (const Scenario& scenario : all_scenarios(1)) {
        text += "  " + scenario.name + ": " + scenario.what + '\n';
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    return millrace::bench::run_command("bench_policies", argc, argv, option_table(), run,
                                        scenario_help());
}
