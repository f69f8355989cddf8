// The real millrace-balancer as a child process, with a log in a file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace millrace::test {

class BalancerProgram {
 public:
    // Arguments as on the command line; what it writes goes to `log_path`.
    BalancerProgram(const std::vector<std::string>& arguments, std::string log_path);
    BalancerProgram(const BalancerProgram&) = delete;
    BalancerProgram& operator=(const BalancerProgram&) = delete;
    ~BalancerProgram();

    [[nodiscard]] std::string log() const;
    // True once the log has the text; false when it does not come within kPatience.
    [[nodiscard]] bool wait_for_log(const std::string& text) const;
    // The exit code; nothing when it does not end of itself within kPatience.
    [[nodiscard]] std::optional<int> wait_for_end();
    // The same after TERM.
    [[nodiscard]] std::optional<int> terminate();

    [[nodiscard]] pid_t process_id() const { return pid_; }

 private:
    std::string log_path_;
    pid_t pid_ = -1;
    bool has_ended_ = false;
};

}  // namespace millrace::test
