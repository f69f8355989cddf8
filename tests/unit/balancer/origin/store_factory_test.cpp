#include "balancer/origin/store_factory.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace millrace::origin {
namespace {

TEST(StoreFactory, LocationsAreParsed) {
    EXPECT_EQ(parse_store_location("memory:"), (StoreLocation{StoreLocation::Kind::memory, ""}));
    EXPECT_EQ(parse_store_location("sqlite:/var/lib/millrace/origins.db"),
              (StoreLocation{StoreLocation::Kind::sqlite, "/var/lib/millrace/origins.db"}));
}

TEST(StoreFactory, OtherTextsAreRefused) {
    const std::string_view texts[] = {"",
                                      "memory",
                                      "memory:/x",
                                      "sqlite",
                                      "sqlite:",
                                      "sqlite:/",
                                      "sqlite:relative.db",
                                      "sqlite::memory:",
                                      "SQLITE:/a",
                                      "redis://127.0.0.1:6379/0",
                                      std::string_view("sqlite:/a\0b", 11)};
    for (const std::string_view text : texts) {
        EXPECT_FALSE(parse_store_location(text)) << text;
    }
}

TEST(StoreFactory, MemoryStoreOpensEmpty) {
    boost::asio::io_context loop;
    const auto store = open_store({StoreLocation::Kind::memory, ""}, {}, loop.get_executor());
    EXPECT_EQ(store->record_count(), 0U);
}

}  // namespace
}  // namespace millrace::origin
