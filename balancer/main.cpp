// millrace-balancer: spreads messages over filter nodes and carries their origin along.

#include "balancer/app.hpp"
#include "balancer/config/config.hpp"
#include "balancer/net/memory_trim.hpp"
#include "proto/runtime/config_file.hpp"
#include "proto/runtime/logging.hpp"
#include "proto/runtime/privileges.hpp"
#include "proto/runtime/tls.hpp"

#include <exception>
#include <iostream>
#include <string_view>

#include <sysexits.h>

namespace millrace {
namespace {

constexpr std::string_view kProgram = "millrace-balancer";

void serve(const config::Config& config) {
    set_up_logging(kProgram, config.log_level, config.log_target);
    net::keep_memory_between_messages();
    harden_process();
    raise_descriptor_limit();
    drop_privileges(config.identity);
    App(config).run();
}

int run(const CommandLine& line) {
    if (line.help) {
        std::cout << help_text(kProgram, config::config_keys());
        return EX_OK;
    }
    if (line.version) {
        std::cout << kProgram << " " << MILLRACE_VERSION << "\n";
        return EX_OK;
    }
    const config::Config config = config::make_config(line.values);
    if (line.print_config) {
        std::cout << print_config(line.values, config::config_keys());
    }
    if (line.check_config && config.origin.tls) {
        (void)load_tls_context(*config.origin.tls, TlsSide::server);
    }
    if (!line.print_config && !line.check_config) {
        serve(config);
    }
    return EX_OK;
}

int report(const std::exception& error, int exit_code) {
    std::cerr << kProgram << ": " << error.what() << "\n";
    return exit_code;
}

}  // namespace

int run_and_report(int argc, const char* const* argv) {
    try {
        return run(read_command_line(argc, argv, config::config_keys()));
    } catch (const UsageError& error) {
        return report(error, EX_USAGE);
    } catch (const ConfigError& error) {
        return report(error, EX_CONFIG);
    } catch (const std::exception& error) {
        return report(error, EX_OSERR);
    }
}

}  // namespace millrace

int main(int argc, char** argv) {
    return millrace::run_and_report(argc, argv);
}
