// bench_sink: nodes that act like amavisd, in one process, until SIGTERM.
//
// Prints the address of each node and then "ready"; at its end the counts of each node, a line of
// key=value pairs each.
#include "tests/bench/common/command.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/sink/node.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace po = boost::program_options;
using namespace millrace::bench;  // NOLINT(google-build-using-namespace): the whole program

po::options_description option_table() {
    po::options_description table("bench_sink: nodes that act like amavisd, until SIGTERM");
    auto add = table.add_options();
    add("help", "print this");
    add("node", po::value<std::vector<std::string>>()->required(),
        "NAME,SLOTS,MEAN[,PORT], repeatable: children, mean seconds of work on a message, port on "
        "127.0.0.1");
    add("proxy", po::value<std::string>()->default_value("off"),
        "the PROXY header that every connection must begin with: off, v1, v2");
    add("service", po::value<std::string>()->default_value("exponential"),
        "distribution of the work: exponential, constant");
    add("seed", po::value<std::uint64_t>()->default_value(1), "of the work");
    add("fault", po::value<std::vector<std::string>>()->default_value({}, ""),
        "NAME,FAULT, repeatable: what is wrong with a node: refuse, turn-away, silent, cut=OCTETS, "
        "tempfail=SHARE");
    add("replies-apart", po::bool_switch(),
        "each reply is written by itself, with Nagle's algorithm");
    add("limit", po::value<double>()->default_value(3600), "seconds until it ends by itself");
    return table;
}

ProxyHeader parse_proxy(const std::string& text) {
    if (text == "off") {
        return ProxyHeader::off;
    }
    if (text != "v1" && text != "v2") {
        throw std::invalid_argument("proxy = " + text + ": expected off, v1 or v2");
    }
    return text == "v1" ? ProxyHeader::v1 : ProxyHeader::v2;
}

Service parse_service(const po::variables_map& values) {
    const std::string kind = values["service"].as<std::string>();
    if (kind != "exponential" && kind != "constant") {
        throw std::invalid_argument("service = " + kind + ": expected exponential or constant");
    }
    Service service;
    service.kind = kind == "constant" ? Service::Kind::constant : Service::Kind::exponential;
    service.seed = values["seed"].as<std::uint64_t>();
    return service;
}

// Of the node `name`, from NAME,FAULT.
Fault fault_of(const std::string& name, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
        if (text.starts_with(name + ',')) {
            return parse_fault(text.substr(name.size() + 1));
        }
    }
    return {};
}

void check_faults(const std::vector<std::string>& texts,
                  const std::vector<std::unique_ptr<Node>>& nodes) {
    for (const std::string& text : texts) {
        const std::string name = text.substr(0, text.find(','));
        if (std::none_of(nodes.begin(), nodes.end(),
                         [&name](const auto& node) { return node->name() == name; })) {
            throw std::invalid_argument("fault = " + text + ": there is no such node");
        }
    }
}

NodeOptions parse_node(const std::string& text, const po::variables_map& values) {
    std::istringstream fields(text);
    NodeOptions node;
    double mean = -1;
    char comma = 0;
    std::getline(fields, node.child.node, ',');
    fields >> node.slots >> comma >> mean;
    if (!fields || node.child.node.empty() || node.slots == 0 || mean < 0) {
        throw std::invalid_argument("node = " + text + ": expected NAME,SLOTS,MEAN[,PORT]");
    }
    fields >> comma >> node.port;
    node.child.proxy = parse_proxy(values["proxy"].as<std::string>());
    node.child.service = parse_service(values);
    node.child.service.mean = Seconds(mean);
    node.child.fault = fault_of(node.child.node, values["fault"].as<std::vector<std::string>>());
    node.child.replies_apart = values["replies-apart"].as<bool>();
    return node;
}

void print(const Node& node) {
    const NodeCounts& counts = node.counts();
    std::cout << "node=" << node.name() << " connections=" << counts.connections
              << " checks=" << counts.checks << " messages=" << counts.messages
              << " bad_messages=" << counts.bad_messages << " bad_headers=" << counts.bad_headers
              << " abandoned=" << counts.abandoned << " turned_away=" << counts.turned_away
              << " not_greeted=" << counts.not_greeted << " cut=" << counts.cut
              << " tempfailed=" << counts.tempfailed << " held_s=" << counts.held.count()
              << " worked_s=" << counts.worked.count() << " late_max_s=" << counts.late_max.count()
              << '\n';
}

void run(const po::variables_map& values) {
    EventLoop loop;
    loop.stop_on_signals();
    std::vector<std::unique_ptr<Node>> nodes;
    for (const std::string& text : values["node"].as<std::vector<std::string>>()) {
        nodes.push_back(std::make_unique<Node>(loop, parse_node(text, values)));
        std::cout << nodes.back()->name() << " 127.0.0.1:" << nodes.back()->port() << '\n';
    }
    check_faults(values["fault"].as<std::vector<std::string>>(), nodes);
    std::cout << "ready" << std::endl;
    loop.at(Clock::now() + clock_time(Seconds(values["limit"].as<double>())),
            [&loop] { loop.stop(); });
    loop.run();
    for (const std::unique_ptr<Node>& node : nodes) {
        print(*node);
    }
}

}  // namespace

int main(int argc, char** argv) {
    return millrace::bench::run_command("bench_sink", argc, argv, option_table(), run);
}
