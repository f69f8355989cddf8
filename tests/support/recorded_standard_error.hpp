// Each write to standard error by itself, in place of standard error while this exists.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {

class RecordedStandardError {
 public:
    RecordedStandardError() : original_(::dup(STDERR_FILENO)) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()) != 0) {
            throw std::runtime_error("socketpair");
        }
        ::dup2(ends[0], STDERR_FILENO);
        ::close(ends[0]);
        reader_ = ends[1];
    }

    RecordedStandardError(const RecordedStandardError&) = delete;
    RecordedStandardError& operator=(const RecordedStandardError&) = delete;

    ~RecordedStandardError() {
        ::dup2(original_, STDERR_FILENO);
        ::close(original_);
        ::close(reader_);
    }

    // What was written since the last call.
    [[nodiscard]] std::vector<std::string> take() const {
        std::vector<std::string> writes;
        std::array<char, 8192> buffer{};
        ssize_t length = 0;
        while ((length = ::recv(reader_, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
            writes.emplace_back(buffer.data(), static_cast<std::size_t>(length));
        }
        return writes;
    }

 private:
    int original_;
    int reader_ = -1;
};

}  // namespace millrace::test
