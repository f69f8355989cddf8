// A resolver of host names, played by the test: answers, fails, or does not answer at all.
//
// To be steered from the test's thread. What it gives out with look_up() may be used longer than
// this object lives.
#pragma once

#include "balancer/net/name_lookup.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::test {

class ScriptedNames {
 public:
    ScriptedNames();

    [[nodiscard]] net::LookUp look_up() const;

    // From now on; a name that was never mentioned fails.
    void answer(const std::string& host, std::initializer_list<std::string_view> addresses);
    void fail(const std::string& host, const std::string& error);

    // Lookups from now on do not return before let_go().
    void hang();
    void let_go();

    // Lookups that have begun, hanging ones included.
    [[nodiscard]] std::size_t lookups() const;
    // Until so many more have begun. When the second of them begins, the answer of the first has
    // reached the nodes. False when that takes too long.
    [[nodiscard]] bool wait_for_more(std::size_t count) const;
    [[nodiscard]] bool wait_until_none_is_under_way() const;

 private:
    struct Script;

    std::shared_ptr<Script> script_;
};

}  // namespace millrace::test
