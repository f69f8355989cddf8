// millracectl: looks into a running millrace-balancer and gives it the operator's orders.

#include "balancer/ctl/client.hpp"
#include "balancer/ctl/command_line.hpp"
#include "balancer/ctl/render.hpp"
#include "proto/runtime/config_file.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <sysexits.h>

namespace millrace {
namespace {

constexpr std::string_view kProgram = "millracectl";

int complain(std::string_view what, int exit_code) {
    std::cerr << kProgram << ": " << what << "\n";
    return exit_code;
}

// Standard output may be a full disk or a closed pipe.
int print(const std::string& text) {
    std::cout << text << std::flush;
    return std::cout ? EX_OK : complain("cannot write the output", EX_IOERR);
}

int ask_balancer(const ctl::CommandLine& line) {
    const Result<admin::Response> answer = ctl::ask(line.socket, line.command);
    if (!answer) {
        return complain("no answer from " + to_string(ListenAddress(line.socket)) + ": " +
                            answer.error().message(),
                        EX_UNAVAILABLE);
    }
    const bool is_done = answer->status == admin::Status::done;
    int exit_code = EX_OK;
    if (line.is_json) {
        exit_code = print(ctl::render_json(line.command, *answer));
    } else if (is_done) {
        exit_code = print(ctl::render_table(line.command, *answer));
    }
    if (!is_done) {
        return complain(std::string(to_string(answer->status)) + ": " + answer->reason, 1);
    }
    return exit_code;
}

int run(const ctl::CommandLine& line) {
    if (line.is_help) {
        return print(std::string(ctl::usage()));
    }
    if (line.is_version) {
        return print(std::string(kProgram) + " " + MILLRACE_VERSION + "\n");
    }
    return ask_balancer(line);
}

int run_command_line(const std::vector<std::string>& arguments) {
    try {
        return run(ctl::parse_command_line(arguments));
    } catch (const UsageError& error) {
        return complain(std::string(error.what()) + "; see millracectl --help", EX_USAGE);
    } catch (const std::exception& error) {
        return complain(error.what(), EX_SOFTWARE);
    }
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
    return millrace::run_command_line({argv + std::min(argc, 1), argv + argc});
}
