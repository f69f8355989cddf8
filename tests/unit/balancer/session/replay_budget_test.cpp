// Rule R8: copies for replay are bounded over all messages, not only in each.
#include "balancer/session/replay_budget.hpp"

#include "balancer/session/content.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace millrace::session {
namespace {

TEST(ReplayBudget, GivesOutWhatItHasAndNoMore) {
    ReplayBudget budget(10);
    EXPECT_TRUE(budget.take(10));
    EXPECT_FALSE(budget.take(1));
    EXPECT_TRUE(budget.take(0));
    budget.give_back(4);
    EXPECT_FALSE(budget.take(5));
    EXPECT_TRUE(budget.take(4));
    EXPECT_EQ(budget.used(), 10u);
}

TEST(ReplayShare, IsGivenBackAtTheEndOfItsLifeAndWhenItMoves) {
    ReplayBudget budget(10);
    {
        ReplayShare share(&budget);
        EXPECT_TRUE(share.grow_to(6));
        EXPECT_TRUE(share.grow_to(8));
        EXPECT_FALSE(share.grow_to(11));
        EXPECT_EQ(share.octets(), 8u);
        ReplayShare other(std::move(share));
        EXPECT_EQ(budget.used(), 8u);
        other = ReplayShare(&budget);
        EXPECT_EQ(budget.used(), 0u);
    }
    EXPECT_EQ(budget.used(), 0u);
}

TEST(ReplayBudget, KeepsMemoryForTheNextCopy) {
    ReplayBudget budget(10000);
    const char* memory = nullptr;
    {
        ReplayShare share(&budget);
        ASSERT_TRUE(share.grow_to(4000));
        share.append("an earlier message");
        memory = share.copy().data();
    }
    EXPECT_EQ(budget.used(), 0u);
    ReplayShare share(&budget);
    ASSERT_TRUE(share.grow_to(3000));
    EXPECT_EQ(share.copy(), "");
    EXPECT_EQ(share.copy().data(), memory);
    EXPECT_EQ(share.octets(), 4000u) << "accounted for as large as it is";
    EXPECT_EQ(budget.used(), 4000u);
}

TEST(ReplayBudget, GivesUpWhatItKeepsWhereAMessageNeedsIt) {
    ReplayBudget budget(5000);
    EXPECT_TRUE(ReplayShare(&budget).grow_to(4000));
    ReplayShare share(&budget);
    EXPECT_TRUE(share.grow_to(5000));
    EXPECT_EQ(budget.used(), 5000u);
    EXPECT_FALSE(ReplayShare(&budget).grow_to(1));
}

TEST(ReplayBudget, KeepsPiecesAgainAfterItGaveThemUp) {
    ReplayBudget budget(5000);
    EXPECT_TRUE(ReplayShare(&budget).grow_to(4000));
    EXPECT_TRUE(budget.take(5000));
    budget.give_back(5000);
    EXPECT_FALSE(budget.take_spare().has_value());
    EXPECT_TRUE(ReplayShare(&budget).grow_to(4000));
    EXPECT_TRUE(budget.take_spare().has_value());
}

TEST(ReplayBudget, KeepsNoMoreThanMessagesLeaveOfIt) {
    ReplayBudget budget(5000);
    ReplayShare usual(&budget);
    ASSERT_TRUE(usual.grow_to(3000));
    EXPECT_TRUE(budget.take(2000));
    usual = ReplayShare(&budget);
    EXPECT_TRUE(budget.take(3000)) << "though 3000 octets were kept";
    EXPECT_FALSE(budget.take_spare().has_value());
}

TEST(ReplayBudget, KeepsAFewPiecesOfAUsualSize) {
    ReplayBudget budget(1 << 20);
    EXPECT_TRUE(ReplayShare(&budget).grow_to(1000));
    EXPECT_TRUE(ReplayShare(&budget).grow_to(16385));
    EXPECT_FALSE(budget.take_spare().has_value()) << "too small, and too large";
    {
        std::vector<ReplayShare> shares(40);
        for (ReplayShare& share : shares) {
            share = ReplayShare(&budget);
            ASSERT_TRUE(share.grow_to(4000));
        }
    }
    int pieces = 0;
    while (budget.take_spare()) {
        ++pieces;
    }
    EXPECT_EQ(pieces, 16);
}

TEST(ReplayBudget, MakesContentUnreplayableInsteadOfLarger) {
    ReplayBudget budget(100);
    std::optional<Content> first(std::in_place, ContentLimits{});
    first->keep_for_replay(80, &budget);
    static_cast<void>(first->take(std::string(60, 'a')));
    EXPECT_TRUE(first->is_replayable());
    EXPECT_EQ(budget.used(), 60u);

    Content second{ContentLimits{}};
    second.keep_for_replay(80, &budget);
    const Content::Piece piece = second.take(std::string(50, 'b'));
    EXPECT_EQ(piece.passed.size(), 50u) << "it is relayed all the same";
    EXPECT_FALSE(second.is_replayable());
    EXPECT_EQ(budget.used(), 60u);

    first.reset();
    EXPECT_EQ(budget.used(), 0u);
}

TEST(ReplayBudget, GivesAtOnceWhatADeclaredSizeNeedsOfIt) {
    struct Case {
        std::uint64_t declared;
        std::size_t taken;
    };

    constexpr std::size_t kMax = 1000;
    for (const auto& [declared, taken] :
         {Case{0, 10}, Case{5, 10}, Case{500, 510}, Case{kMax, kMax}, Case{kMax + 1, kMax},
          Case{std::numeric_limits<std::uint64_t>::max(), kMax}}) {
        ReplayBudget budget(2 * kMax);
        Content content{ContentLimits{}};
        content.keep_for_replay(kMax, &budget, declared);
        EXPECT_EQ(budget.used(), 0U) << "none of it is there yet";
        static_cast<void>(content.take(std::string(10, 'a')));
        EXPECT_EQ(budget.used(), taken) << declared;
    }
}

TEST(ReplayBudget, GetsItBackWhenContentOutgrowsItsOwnBoundOrIsDiscarded) {
    ReplayBudget budget(1000);
    Content outgrown{ContentLimits{}};
    outgrown.keep_for_replay(50, &budget);
    static_cast<void>(outgrown.take(std::string(50, 'a')));
    EXPECT_EQ(budget.used(), 50u);
    static_cast<void>(outgrown.take("a"));
    EXPECT_EQ(budget.used(), 0u);

    Content discarded{ContentLimits{}};
    discarded.keep_for_replay(50, &budget);
    static_cast<void>(discarded.take("abc"));
    EXPECT_EQ(budget.used(), 3u);
    discarded.discard();
    EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace millrace::session
