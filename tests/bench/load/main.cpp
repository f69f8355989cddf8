// bench_load: sends messages to a filter as Postfix does and prints what became of them.
#include "tests/bench/common/command.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/load/generator.hpp"
#include "tests/bench/load/idle_sessions.hpp"
#include "tests/bench/load/report.hpp"

#include <boost/program_options.hpp>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>

namespace {

namespace po = boost::program_options;
using millrace::bench::LoadOptions;

sockaddr_in parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (colon == std::string::npos ||
        ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
        throw std::invalid_argument(text + ": expected an address such as 127.0.0.1:10024");
    }
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
    return address;
}

po::options_description option_table() {
    po::options_description table("bench_load: sends messages to a filter as Postfix does");
    auto add = table.add_options();
    add("help", "print this");
    add("connect", po::value<std::string>()->required(), "ADDRESS:PORT of the filter");
    add("connections", po::value<std::size_t>()->default_value(1), "at a time");
    add("per-connection", po::value<std::size_t>()->default_value(1),
        "messages on one connection, then QUIT and a new one");
    add("count", po::value<std::uint64_t>()->default_value(1), "messages");
    add("rate", po::value<double>()->default_value(0),
        "arrivals per second (Poisson); 0: every connection is always busy");
    add("seed", po::value<std::uint64_t>()->default_value(1), "of the arrivals");
    add("size", po::value<std::size_t>()->default_value(4096), "octets of the body");
    add("idle-close", po::value<double>()->default_value(2),
        "seconds after which an unused connection is closed");
    add("lmtp", po::bool_switch(), "LHLO, and a verdict for each recipient");
    add("recipients", po::value<std::size_t>()->default_value(1), "of a message");
    add("idle", po::bool_switch(),
        "no messages: open the connections, say EHLO, print \"idle=N\", and hold them until "
        "standard "
        "input (a pipe) ends");
    add("limit", po::value<double>()->default_value(3600), "seconds for everything");
    add("samples", po::value<std::string>()->default_value(""),
        "file for one line per message: number, outcome, seconds in the system");
    return table;
}

LoadOptions load_options(const po::variables_map& values) {
    LoadOptions options;
    options.session.filter = parse_endpoint(values["connect"].as<std::string>());
    options.session.messages_per_connection = values["per-connection"].as<std::size_t>();
    options.session.recipients = values["recipients"].as<std::size_t>();
    options.session.lmtp = values["lmtp"].as<bool>();
    options.session.idle_close = millrace::bench::Seconds(values["idle-close"].as<double>());
    options.connections = values["connections"].as<std::size_t>();
    options.count = values["count"].as<std::uint64_t>();
    options.rate = values["rate"].as<double>();
    options.seed = values["seed"].as<std::uint64_t>();
    options.size = values["size"].as<std::size_t>();
    options.limit = millrace::bench::Seconds(values["limit"].as<double>());
    if (options.connections == 0 || options.count == 0 ||
        options.session.messages_per_connection == 0 || options.session.recipients == 0) {
        throw std::invalid_argument(
            "connections, per-connection, count and recipients are at least 1");
    }
    return options;
}

void send_messages(millrace::bench::EventLoop& loop, const LoadOptions& options,
                   const std::string& samples) {
    const millrace::bench::LoadResult result = millrace::bench::Generator(loop, options).run();
    millrace::bench::print_summary(std::cout, result);
    if (!samples.empty()) {
        millrace::bench::write_samples(samples, result);
    }
}

void hold_sessions(millrace::bench::EventLoop& loop, const LoadOptions& options) {
    millrace::bench::IdleSessions sessions(loop, options.session, options.connections);
    loop.at(millrace::bench::Clock::now() + millrace::bench::clock_time(options.limit),
            [] { throw std::runtime_error("not ended within the limit"); });
    sessions.open();
    std::cout << "idle=" << sessions.idle() << std::endl;
    sessions.hold();
    std::cout << "still_idle=" << sessions.idle() << '\n';
}

void run(const po::variables_map& values) {
    const LoadOptions options = load_options(values);
    millrace::bench::EventLoop loop;
    loop.stop_on_signals();
    if (values["idle"].as<bool>()) {
        hold_sessions(loop, options);
    } else {
        send_messages(loop, options, values["samples"].as<std::string>());
    }
}

}  // namespace

int main(int argc, char** argv) {
    return millrace::bench::run_command("bench_load", argc, argv, option_table(), run);
}
