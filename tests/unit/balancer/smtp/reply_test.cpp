#include "balancer/smtp/reply.hpp"

#include <gtest/gtest.h>

namespace millrace::smtp {
namespace {

TEST(Reply, IsMadeOfItsParts) {
    EXPECT_EQ(make_reply(451, "4.3.2", "No filter node is available").wire,
              "451 4.3.2 No filter node is available\r\n");
    EXPECT_EQ(make_reply(354, "", "End data with <CR><LF>.<CR><LF>").wire,
              "354 End data with <CR><LF>.<CR><LF>\r\n");
    EXPECT_EQ(make_reply(250, "", "").wire, "250\r\n");
    EXPECT_EQ(make_reply(220, "", "x").code, 220U);
}

TEST(Reply, BelongsToOneClass) {
    struct Case {
        unsigned code;
        bool positive, intermediate, transient, permanent;
    };

    for (const auto& row :
         {Case{200, true, false, false, false}, Case{299, true, false, false, false},
          Case{354, false, true, false, false}, Case{400, false, false, true, false},
          Case{499, false, false, true, false}, Case{500, false, false, false, true},
          Case{599, false, false, false, true}}) {
        const Reply reply{.code = row.code, .wire = {}};
        EXPECT_EQ(reply.is_positive(), row.positive) << row.code;
        EXPECT_EQ(reply.is_intermediate(), row.intermediate) << row.code;
        EXPECT_EQ(reply.is_transient(), row.transient) << row.code;
        EXPECT_EQ(reply.is_permanent(), row.permanent) << row.code;
    }
}

TEST(Reply, ShowsItsLastLineForTheLog) {
    const Reply reply{.code = 250, .wire = "250-2.0.0 first\r\n250 2.0.0 Ok: queued as 4XyZ\r\n"};
    EXPECT_EQ(reply.last_line(), "250 2.0.0 Ok: queued as 4XyZ");
    EXPECT_EQ(reply.text(), "2.0.0 Ok: queued as 4XyZ");
    EXPECT_EQ((Reply{.code = 250, .wire = "250\r\n"}.text()), "");
    EXPECT_EQ((Reply{.code = 250, .wire = "250 \r\n"}.text()), "");
    EXPECT_EQ((Reply{.code = 250, .wire = "250\r\n"}.last_line()), "250");
    EXPECT_EQ(Reply{}.last_line(), "");
}

TEST(Reply, ShowsTheEnhancedStatusOfItsFirstLine) {
    struct Case {
        std::string_view wire;
        std::string_view status;
    };

    for (const auto& row : {
             Case{"250 2.0.0 Ok\r\n", "2.0.0"},
             Case{"451 4.3.2\r\n", "4.3.2"},
             Case{"554-5.7.123 a\r\n554 other\r\n", "5.7.123"},
             Case{"250-first\r\n250 2.0.0 Ok\r\n", ""},
             Case{"250 Ok\r\n", ""},
             Case{"250\r\n", ""},
             Case{"250 2.0.0.0 Ok\r\n", ""},
             Case{"250 2.0 Ok\r\n", ""},
             Case{"250 2..0 Ok\r\n", ""},
             Case{"250 3.0.0 Ok\r\n", ""},
             Case{"250 22.0.0 Ok\r\n", ""},
             Case{"250 2.1234.0 Ok\r\n", ""},
             Case{"250 2.0.1234 Ok\r\n", ""},
             Case{"250 2.0.0x Ok\r\n", ""},
             Case{"250  2.0.0 Ok\r\n", ""},
         }) {
        EXPECT_EQ((Reply{.code = 250, .wire = std::string(row.wire)}.enhanced_status()), row.status)
            << row.wire;
    }
}

}  // namespace
}  // namespace millrace::smtp
