// millrace-milter: records the origin of every message that Postfix takes.

#include "milter/callbacks.hpp"
#include "milter/config.hpp"
#include "proto/log.hpp"
#include "proto/runtime/tls.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include <sysexits.h>

namespace millrace::milter {
namespace {

constexpr std::string_view kProgram = "millrace-milter";

void serve(const Config& config) {
    claim_signals();
    harden_process();
    raise_descriptor_limit();
    drop_privileges(config.identity);
    PublisherOptions options = config.publisher;
    options.on_slow = [&] { stir_workers(config.listen); };
    OriginPublisher publisher(options);
    open_service(config.listen, config.listen_mode);
    const OriginRecorder recorder(
        [&](const OriginRecord& record) { return publisher.publish(record); }, config.on_error);
    LogLine line("milter", "started");
    log(LogLevel::info, line.add("listen", to_string(config.listen)).text());
    notify_ready();
    run_service(recorder, config.tracker);
    notify_stopping();
    close_service(config.listen);
    log(LogLevel::info, LogLine("milter", "stopped").text());
}

int run(const CommandLine& line) {
    if (line.help) {
        std::cout << help_text(kProgram, config_keys());
        return EX_OK;
    }
    if (line.version) {
        std::cout << kProgram << " " MILLRACE_VERSION "\n";
        return EX_OK;
    }
    const Config config = make_config(line.values);
    if (line.print_config) {
        std::cout << print_config(line.values, config_keys());
    }
    if (line.check_config && config.publisher.tls) {
        (void)load_tls_context(*config.publisher.tls, TlsSide::client);
    }
    if (!line.print_config && !line.check_config) {
        set_up_logging(kProgram, config.log_level, config.log_target);
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
        return run(read_command_line(argc, argv, config_keys()));
    } catch (const UsageError& error) {
        return report(error, EX_USAGE);
    } catch (const ConfigError& error) {
        return report(error, EX_CONFIG);
    } catch (const std::exception& error) {
        return report(error, EX_OSERR);
    }
}

}  // namespace millrace::milter

int main(int argc, char** argv) {
    const int exit_code = millrace::milter::run_and_report(argc, argv);
    std::cout.flush();
    std::quick_exit(exit_code);  // nothing is destroyed under libmilter's threads, which may run on
}
