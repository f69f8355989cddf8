#include "proto/utc_stamp.hpp"

#include <array>
#include <ctime>

namespace millrace {
namespace {

// "2026-01-01T00:00:00"
std::string date_and_time(std::chrono::sys_seconds time) {
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts)};
}

}  // namespace

void UtcStamp::append_to(std::string& text, std::chrono::system_clock::time_point time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) {
        second_ = second;
        date_and_time_ = date_and_time(second);
    }
    const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
    text.append(date_and_time_).push_back('.');
    for (const int unit : {100, 10, 1}) {
        text.push_back(static_cast<char>('0' + fraction / unit % 10));
    }
    text.push_back('Z');
}

}  // namespace millrace
