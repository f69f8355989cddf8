#include "balancer/config/host_port.hpp"

#include <gtest/gtest.h>

namespace millrace::config {
namespace {

std::string read(const std::string& text) {
    const std::optional<HostPort> parsed = parse_host_port(text);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) : "refused";
}

TEST(HostPort, IsTheNameOfAHostAndAPort) {
    EXPECT_EQ(read("scan1.example.com:10024"), "scan1.example.com 10024");
    EXPECT_EQ(read("localhost:1"), "localhost 1");
    EXPECT_EQ(read("Scan-1.Example.COM.:65535"), "Scan-1.Example.COM. 65535");
    EXPECT_EQ(read("3com.example:25"), "3com.example 25");
    EXPECT_EQ(read("1.2.3.4.example:25"), "1.2.3.4.example 25");
    EXPECT_EQ(read("a:25"), "a 25");
    EXPECT_EQ(read("xn--bcher-kva.example:25"), "xn--bcher-kva.example 25");
    EXPECT_EQ(read("0xyz:25"), "0xyz 25");
}

TEST(HostPort, NeedsAPort) {
    for (const char* text :
         {"scan1", "scan1:", "scan1:0", "scan1:65536", "scan1:smtp", "scan1:025", ":25", "", ":"}) {
        EXPECT_EQ(read(text), "refused") << text;
    }
}

TEST(HostPort, HasLabelsOfLettersDigitsAndHyphens) {
    for (const char* text :
         {"a..b:25", ".a:25", "a..:25", ".:25", "-a.example:25", "a-.example:25", "a_b.example:25",
          "a b:25", "b\xc3\xbc.example:25", "[scan1]:25", "a/b:25", "a:b:25", "a%eth0:25"}) {
        EXPECT_EQ(read(text), "refused") << text;
    }
}

TEST(HostPort, IsNoAddressThatWasMistyped) {
    for (const char* text : {"1.2.3:25", "192.0.2.256:25", "192.0.2.1.:25", "0.0.0.0:25",
                             "10024:25", "127.1:25", "0x7f000001:25", "127.0.0.0x1:25",
                             "0X1F.0xA:25", "0x:25", "scan.1:25", "::1:25", "[::]:25"}) {
        EXPECT_EQ(read(text), "refused") << text;
    }
}

TEST(HostPort, IsNotTooLong) {
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    EXPECT_EQ(longest.size(), 253U);
    EXPECT_EQ(read(longest + ":25"), longest + " 25");
    EXPECT_EQ(read(longest + ".:25"), longest + ". 25");
    EXPECT_EQ(read(longest + "b:25"), "refused");
    EXPECT_EQ(read(label + "a.example:25"), "refused");
}

}  // namespace
}  // namespace millrace::config
