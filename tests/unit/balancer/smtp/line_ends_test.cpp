#include "balancer/smtp/line_ends.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace millrace::smtp {
namespace {

// The first LF from `at` on that is not plain, or that nobody can tell of yet; else the end.
std::size_t first_of_interest(std::string_view bytes, std::size_t at) {
    for (; at < bytes.size(); ++at) {
        const bool is_last = at + 1 == bytes.size();
        if (bytes[at] == '\n' && (is_last || bytes[at - 1] != '\r' || bytes[at + 1] == '.')) {
            return at;
        }
    }
    return bytes.size();
}

// Every way in which this machine can do it.
std::vector<Registers> ways() {
    std::vector<Registers> ways = {Registers::none, Registers::sse2, Registers::avx2,
                                   Registers::avx512};
    std::erase_if(ways, [](Registers way) { return way > widest_registers(); });
    return ways;
}

class PlainLinesEnd : public testing::TestWithParam<Registers> {
 protected:
    // Never over one that matters, and up to the line in which it stands.
    static void expect_right(std::string_view bytes, std::size_t at) {
        const std::size_t end = plain_lines_end(bytes, at, GetParam());
        const std::size_t wanted = first_of_interest(bytes, at);
        ASSERT_GE(end, at);
        ASSERT_LE(end, wanted);
        ASSERT_EQ(std::count(bytes.begin() + static_cast<std::ptrdiff_t>(end),
                             bytes.begin() + static_cast<std::ptrdiff_t>(wanted), '\n'),
                  0);
    }
};

INSTANTIATE_TEST_SUITE_P(Ways, PlainLinesEnd, testing::ValuesIn(ways()));

// A page between two that nobody may touch.
class LonelyPage {
 public:
    LonelyPage() : size_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
        void* const pages =
            ::mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        first_ = static_cast<char*>(pages);
        if (pages == MAP_FAILED || ::mprotect(begin(), size_, PROT_READ | PROT_WRITE) != 0) {
            ADD_FAILURE() << "no memory";
        }
    }

    LonelyPage(const LonelyPage&) = delete;
    LonelyPage& operator=(const LonelyPage&) = delete;

    ~LonelyPage() { ::munmap(first_, 3 * size_); }

    [[nodiscard]] char* begin() const { return first_ + size_; }

    [[nodiscard]] char* end() const { return begin() + size_; }

 private:
    std::size_t size_;
    char* first_ = nullptr;
};

TEST_P(PlainLinesEnd, StopsAtEveryLfThatMattersWhereverItStands) {
    for (const std::string_view mark :
         {"\r\n.", "x\ny", "\n\n", "\r\r\n.", "\r\n", "\r\n\n", "\r\n\r\n."}) {
        for (std::size_t before = 0; before < 140; ++before) {
            for (const std::size_t behind : {0U, 1U, 15U, 16U, 31U, 32U, 63U, 64U, 130U}) {
                std::string bytes = "a" + std::string(before, 'b');
                bytes += mark;
                bytes += std::string(behind, 'c');
                expect_right(bytes, 1);
            }
        }
    }
}

TEST_P(PlainLinesEnd, PassesOverWholeLines) {
    std::string bytes = "x";
    for (int i = 0; i < 100; ++i) {
        bytes += "a line of no interest . with dots.\r\n";
    }
    EXPECT_GE(plain_lines_end(bytes + "the end", 1, GetParam()), bytes.size());
}

TEST_P(PlainLinesEnd, ReadsNothingBeforeTheTextNorBehindIt) {
    const LonelyPage page;
    const std::string_view lines = "x12345678901234567890123456789\r\nand so on, for long\r\n";
    std::string text;
    while (text.size() < 300) {
        text += lines;
    }
    for (std::size_t length = 1; length <= text.size(); ++length) {
        for (char* const place : {page.begin(), page.end() - length}) {
            std::memcpy(place, text.data(), length);
            expect_right({place, length}, 1);
        }
    }
}

TEST_P(PlainLinesEnd, IsRightForRandomOctets) {
    constexpr std::string_view kOctets = "\r\r\n\n..abcdefgh";
    std::mt19937 random(1);  // NOLINT: the same every time
    for (int i = 0; i < 20000; ++i) {
        std::string bytes(1 + random() % 300, ' ');
        std::generate(bytes.begin(), bytes.end(),
                      [&] { return kOctets[random() % kOctets.size()]; });
        expect_right(bytes, 1 + random() % bytes.size());
    }
}

}  // namespace
}  // namespace millrace::smtp
