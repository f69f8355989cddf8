#include "proto/queue_id.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(QueueId, AcceptsShortLongAndForeignForms) {
    for (const std::string text : {"4B7D31A0C5", "4XyZ12abcDz3kLmN", "0", "z", "1vQxJk0004Zz"}) {
        const auto id = QueueId::parse(text);
        ASSERT_TRUE(id) << text;
        EXPECT_EQ(id->text(), text);
    }
    EXPECT_TRUE(QueueId::parse(std::string(QueueId::kLengthMax, 'A')));
}

TEST(QueueId, RefusesWhatIsNotLettersAndDigits) {
    const std::string with_nul("4B7D31\0", 7);
    for (const std::string& text :
         {std::string{}, std::string{" "}, std::string{"NOQUEUE:"}, std::string{"4B7D31 "},
          std::string{"4B7D31\r\n"}, std::string{"4B/7D"}, std::string{"../x"},
          std::string{"4B'--"}, std::string{"\xc3\xa9"}, std::string{"\x7f"}, with_nul,
          std::string(QueueId::kLengthMax + 1, 'A')}) {
        EXPECT_FALSE(QueueId::parse(text)) << text;
    }
}

TEST(QueueId, KeepsUpperAndLowerCaseApart) {
    EXPECT_NE(QueueId::parse("4XyZ12"), QueueId::parse("4XYZ12"));
    EXPECT_LT(QueueId::parse("A"), QueueId::parse("B"));
}

}  // namespace
}  // namespace millrace
