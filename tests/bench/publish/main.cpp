// bench_publish: publishes origin records as milters do and prints what became of them.
#include "tests/bench/common/command.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/publish/publisher.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace po = boost::program_options;
using millrace::bench::PublishOptions;
using millrace::bench::PublishResult;

po::options_description option_table() {
    po::options_description table("bench_publish: publishes origin records as milters do");
    auto add = table.add_options();
    add("help", "print this");
    add("socket", po::value<std::string>()->required(), "of the balancer, origin.listen");
    add("ingress", po::value<std::string>()->default_value("bench.example.org"),
        "name under which the records are filed");
    add("connections", po::value<std::size_t>()->default_value(1), "at a time");
    add("in-flight", po::value<std::size_t>()->default_value(1), "records on each connection");
    add("seconds", po::value<double>()->default_value(1), "for which new records are sent");
    return table;
}

PublishOptions publish_options(const po::variables_map& values) {
    PublishOptions options;
    options.socket = values["socket"].as<std::string>();
    options.ingress = values["ingress"].as<std::string>();
    options.connections = values["connections"].as<std::size_t>();
    options.in_flight = values["in-flight"].as<std::size_t>();
    options.seconds = millrace::bench::Seconds(values["seconds"].as<double>());
    return options;
}

// REQUIRES: sorted and not empty. The smallest value that `share` of all do not exceed.
double percentile(const std::vector<double>& sorted, double share) {
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void print(PublishResult result) {
    std::vector<double>& times = result.stored_ms;
    std::sort(times.begin(), times.end());
    std::cout << "stored=" << times.size() << "\nothers=" << result.others
              << "\nunanswered=" << result.unanswered << "\nduration_s=" << result.duration.count()
              << '\n';
    if (!times.empty()) {
        std::cout << "p50_ms=" << percentile(times, 0.50) << "\np99_ms=" << percentile(times, 0.99)
                  << "\nmax_ms=" << times.back() << '\n';
    }
}

void run(const po::variables_map& values) {
    millrace::bench::EventLoop loop;
    print(millrace::bench::Publisher(loop, publish_options(values)).run());
}

}  // namespace

int main(int argc, char** argv) {
    return millrace::bench::run_command("bench_publish", argc, argv, option_table(), run);
}
