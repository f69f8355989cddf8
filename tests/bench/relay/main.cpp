// bench_relay: a TCP relay that does nothing else, until a signal ends it.
#include "tests/bench/common/command.hpp"
#include "tests/bench/relay/relay.hpp"

#include <boost/program_options.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

namespace po = boost::program_options;

void run(const po::variables_map& values) {
    millrace::bench::Relay({values["listen"].as<std::uint16_t>(),
                            values["node"].as<std::vector<std::uint16_t>>(),
                            values["buffer"].as<std::size_t>()})
        .run();
}

}  // namespace

int main(int argc, char** argv) {
    po::options_description table("bench_relay: a TCP relay that does nothing else");
    auto add = table.add_options();
    add("help", "print this");
    add("listen", po::value<std::uint16_t>()->required(), "port on 127.0.0.1");
    add("node", po::value<std::vector<std::uint16_t>>()->required(),
        "port on 127.0.0.1, repeatable: each connection goes to the next one, behind a PROXY "
        "header of version 2");
    add("buffer", po::value<std::size_t>()->default_value(131072), "octets of one read at most");
    return millrace::bench::run_command("bench_relay", argc, argv, table, run);
}
