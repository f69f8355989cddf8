#include "proto/utc_stamp.hpp"

#include "proto/digits.hpp"

#include <array>
#include <cstddef>
#include <ctime>
#include <string_view>

namespace millrace {
namespace {

constexpr std::size_t kFromMilliseconds = std::string_view("000Z").size();  // to the end

// "2026-01-01T00:00:00.000Z"
std::string whole_second(std::chrono::sys_seconds time) {
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000Z", &parts)};
}

}  // namespace

void UtcStamp::append_to(std::string& text, std::chrono::system_clock::time_point time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) {
        second_ = second;
        text_ = whole_second(second);
    }
    const auto fraction =
        static_cast<unsigned>(std::chrono::floor<std::chrono::milliseconds>(time - second).count());
    put_three_digits(text_.data() + text_.size() - kFromMilliseconds, fraction);
    text.append(text_);
}

}  // namespace millrace
