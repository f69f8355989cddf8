#include "balancer/session/routes.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace millrace::session {
namespace {

using Criterion = Route::Criterion;

struct DomainCase {
    std::string_view listed;
    std::string_view domain;
    bool is_contained;
};

const DomainCase kDomainCases[] = {
    {"example.org", "example.org", true},
    {"example.org", "EXAMPLE.Org", true},
    {"Example.ORG", "example.org", true},
    {"example.org", "mail.example.org", false},
    {"example.org", "badexample.org", false},
    {".example.org", "mail.example.org", true},
    {".example.org", "a.b.example.org", true},
    {".example.org", "example.org", false},
    {".example.org", "badexample.org", false},
    {"org", "example.org", false},
    {"<>", "", true},
    {"<>", "example.org", false},
    {"example.org", "", false},
    {"[192.0.2.1]", "[192.0.2.1]", true},
};

TEST(DomainList, ContainsDomainsAndWhatIsBelowThem) {
    for (const DomainCase& test : kDomainCases) {
        const DomainList list({"other.example.net", std::string(test.listed), "zzz.example"});
        EXPECT_EQ(list.contains(test.domain), test.is_contained)
            << test.listed << " and " << test.domain;
    }
}

TEST(DomainList, IsEmptyWithoutDomains) {
    EXPECT_FALSE(DomainList({}).contains("example.org"));
    EXPECT_FALSE(DomainList({}).contains(""));
}

Route by_domain(PoolIndex pool, Criterion criterion, std::vector<std::string> domains) {
    return {pool, criterion, DomainList(std::move(domains)), {}, 0};
}

Route by_network(PoolIndex pool, Criterion criterion, std::string_view network) {
    return {pool, criterion, DomainList({}), {parse_network(network).value()}, 0};
}

MessageTraits message() {
    MessageTraits traits;
    traits.sender_domain = "sender.example";
    traits.recipient_domain = "rcpt.example";
    traits.origin = parse_address("203.0.113.66").value();
    traits.peer = parse_address("192.0.2.25").value();
    traits.size = 1000;
    return traits;
}

TEST(Route, MatchesByEachCriterion) {
    EXPECT_TRUE(by_domain(1, Criterion::recipient_domain, {"rcpt.example"}).matches(message()));
    EXPECT_FALSE(by_domain(1, Criterion::recipient_domain, {"sender.example"}).matches(message()));
    EXPECT_TRUE(by_domain(1, Criterion::sender_domain, {"sender.example"}).matches(message()));
    EXPECT_FALSE(by_domain(1, Criterion::sender_domain, {"rcpt.example"}).matches(message()));
    EXPECT_TRUE(by_network(1, Criterion::origin, "203.0.113.0/24").matches(message()));
    EXPECT_FALSE(by_network(1, Criterion::origin, "192.0.2.0/24").matches(message()));
    EXPECT_TRUE(by_network(1, Criterion::peer, "192.0.2.0/24").matches(message()));
    EXPECT_FALSE(by_network(1, Criterion::peer, "203.0.113.0/24").matches(message()));
    EXPECT_TRUE((Route{1, Criterion::size_over, DomainList({}), {}, 999}.matches(message())));
    EXPECT_FALSE((Route{1, Criterion::size_over, DomainList({}), {}, 1000}.matches(message())));
}

TEST(Route, DoesNotMatchAnUnknownOriginOrSize) {
    MessageTraits unknown = message();
    unknown.origin.reset();
    unknown.size = 0;
    EXPECT_FALSE(by_network(1, Criterion::origin, "0.0.0.0/0").matches(unknown));
    EXPECT_FALSE((Route{1, Criterion::size_over, DomainList({}), {}, 0}.matches(unknown)));
}

TEST(Routes, TakeTheFirstRuleThatMatches) {
    Routes routes;
    routes.default_pool = 7;
    routes.rules = {by_domain(1, Criterion::sender_domain, {"other.example"}),
                    by_domain(2, Criterion::sender_domain, {"sender.example"}),
                    by_network(3, Criterion::peer, "192.0.2.25/32")};
    EXPECT_EQ(routes.choose(message()), 2u);
    routes.rules.erase(routes.rules.begin() + 1);
    EXPECT_EQ(routes.choose(message()), 3u);
    routes.rules.clear();
    EXPECT_EQ(routes.choose(message()), 7u);
}

TEST(Routes, WaitForTheRecipientOnlyWhereOneDecides) {
    MessageTraits at_mail = message();
    at_mail.recipient_domain.reset();
    Routes routes;
    routes.rules = {by_domain(1, Criterion::sender_domain, {"other.example"}),
                    by_domain(2, Criterion::recipient_domain, {"rcpt.example"}),
                    by_domain(3, Criterion::sender_domain, {"sender.example"})};
    EXPECT_EQ(routes.choose(at_mail), std::nullopt);
    EXPECT_EQ(routes.choose(message()), 2u);
    routes.rules[0] = by_domain(1, Criterion::sender_domain, {"sender.example"});
    EXPECT_EQ(routes.choose(at_mail), 1u) << "a rule before it has decided";
}

}  // namespace
}  // namespace millrace::session
