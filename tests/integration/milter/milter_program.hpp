// The real millrace-milter as a child process.
#pragma once

#include "proto/runtime/listen_address.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace millrace::test {

class MilterProgram {
 public:
    // Arguments as on the command line; what it writes goes to `log_path`.
    MilterProgram(const std::vector<std::string>& arguments, const std::string& log_path);
    MilterProgram(const MilterProgram&) = delete;
    MilterProgram& operator=(const MilterProgram&) = delete;
    MilterProgram(MilterProgram&&) = delete;
    MilterProgram& operator=(MilterProgram&&) = delete;
    ~MilterProgram();

    // False when it ended instead, or after kPatience.
    [[nodiscard]] bool wait_until_started() const;
    void signal(int number) const;
    void signal_every_thread(int number) const;
    // The exit code; nothing when a signal ended it or it did not end within kPatience.
    [[nodiscard]] std::optional<int> wait();

    [[nodiscard]] bool is_running() const;
    [[nodiscard]] std::string log() const;
    // True once the log has the text.
    [[nodiscard]] bool wait_for_log(const std::string& text) const;
    [[nodiscard]] std::size_t descriptor_count() const;
    [[nodiscard]] std::size_t thread_count() const;

    [[nodiscard]] pid_t process_id() const { return pid_; }

 private:
    [[nodiscard]] std::string entries_of(const std::string& directory) const;
    [[nodiscard]] std::size_t count_entries(const std::string& directory) const;

    std::string log_path_;
    pid_t pid_ = -1;
    bool has_ended_ = false;
};

}  // namespace millrace::test
