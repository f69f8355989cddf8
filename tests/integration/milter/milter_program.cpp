#include "tests/integration/milter/milter_program.hpp"

#include "tests/integration/milter/wait.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace millrace::test {

MilterProgram::MilterProgram(const std::vector<std::string>& arguments, const std::string& log_path)
    : log_path_(log_path) {
    std::vector<std::string> words{MILLRACE_MILTER_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    const int error =
        posix_spawn(&pid_, MILLRACE_MILTER_PROGRAM, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), "posix_spawn");
    }
}

MilterProgram::~MilterProgram() {
    if (!has_ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

bool MilterProgram::wait_until_started() const {
    return wait_for_log("milter: started");
}

void MilterProgram::signal(int number) const {
    ::kill(pid_, number);
}

void MilterProgram::signal_every_thread(int number) const {
    for (const auto& thread : std::filesystem::directory_iterator(entries_of("task"))) {
        ::tgkill(pid_, std::stoi(thread.path().filename()), number);
    }
}

std::optional<int> MilterProgram::wait() {
    int status = 0;
    has_ended_ = wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    return has_ended_ && WIFEXITED(status) ? std::optional{WEXITSTATUS(status)} : std::nullopt;
}

bool MilterProgram::is_running() const {
    siginfo_t state{};
    const bool is_known =
        ::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0;
    return is_known && state.si_pid == 0;
}

std::string MilterProgram::log() const {
    std::ifstream file(log_path_);
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool MilterProgram::wait_for_log(const std::string& text) const {
    return wait_until([&] { return log().find(text) != std::string::npos || !is_running(); }) &&
           log().find(text) != std::string::npos;
}

std::size_t MilterProgram::descriptor_count() const {
    return count_entries("fd");
}

std::size_t MilterProgram::thread_count() const {
    return count_entries("task");
}

std::string MilterProgram::entries_of(const std::string& directory) const {
    return "/proc/" + std::to_string(pid_) + "/" + directory;
}

std::size_t MilterProgram::count_entries(const std::string& directory) const {
    const std::filesystem::directory_iterator entries(entries_of(directory));
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace millrace::test
