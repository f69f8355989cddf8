// What main() of each program of the benchmark does: options, --help, errors.
#pragma once

#include <boost/program_options.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

namespace millrace::bench {

// Calls `run` with the values of the options, of which one is "help". The exit status of main().
template <typename Run>
int run_command(const std::string& name, int argc, const char* const* argv,
                const boost::program_options::options_description& table, const Run& run,
                const std::string& more_help = "") {
    namespace po = boost::program_options;
    constexpr int kUsage = 64;
    try {
        po::variables_map values;
        po::store(po::parse_command_line(argc, argv, table), values);
        if (values.count("help") != 0) {
            std::cout << table << more_help;
            return EXIT_SUCCESS;
        }
        po::notify(values);
        run(values);
        return EXIT_SUCCESS;
    } catch (const std::exception& failure) {
        std::cerr << name << ": " << failure.what() << '\n';
        return kUsage;
    }
}

}  // namespace millrace::bench
