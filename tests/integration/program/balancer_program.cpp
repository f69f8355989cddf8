#include "tests/integration/program/balancer_program.hpp"

#include "tests/integration/net/wait.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace millrace::test {

BalancerProgram::BalancerProgram(const std::vector<std::string>& arguments, std::string log_path)
    : log_path_(std::move(log_path)) {
    std::vector<std::string> words{MILLRACE_BALANCER_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path_.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    const int error =
        posix_spawn(&pid_, MILLRACE_BALANCER_PROGRAM, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), "posix_spawn");
    }
}

BalancerProgram::~BalancerProgram() {
    if (!has_ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::string BalancerProgram::log() const {
    std::ifstream file(log_path_);
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool BalancerProgram::wait_for_log(const std::string& text) const {
    return wait_until([&] { return log().find(text) != std::string::npos; });
}

std::optional<int> BalancerProgram::terminate() {
    ::kill(pid_, SIGTERM);
    return wait_for_end();
}

std::optional<int> BalancerProgram::wait_for_end() {
    int status = 0;
    has_ended_ = wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    return has_ended_ && WIFEXITED(status) ? std::optional{WEXITSTATUS(status)} : std::nullopt;
}

}  // namespace millrace::test
