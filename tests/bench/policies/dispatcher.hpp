// Who decides which message goes where in a simulated farm, and when. Times are seconds.
#pragma once

#include "balancer/pool/pool.hpp"
#include "tests/bench/policies/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace millrace::bench {

class Dispatcher {
 public:
    struct Grant {
        std::size_t message = 0;
        std::size_t node = 0;
    };

    // Of a message that is done.
    struct Use {
        std::size_t node = 0;
        double granted = 0;
        double greeted = 0;
        std::uint64_t octets = 0;
    };

    Dispatcher() = default;
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    virtual ~Dispatcher() = default;

    virtual void request(std::size_t message, double now) = 0;
    [[nodiscard]] virtual std::optional<Grant> next(double now) = 0;
    virtual void greeted(std::size_t node, double waited, double now) = 0;
    virtual void release(const Use& use, double now) = 0;
    // When next() could have something to say by the passing of time alone.
    [[nodiscard]] virtual double deadline() const = 0;
};

// The balancer's own pool. Nothing is ever refused and nobody checks.
class PoolDispatcher : public Dispatcher {
 public:
    PoolDispatcher(const Scenario& scenario, pool::Balance balance, std::uint64_t seed);

    void request(std::size_t message, double now) override;
    [[nodiscard]] std::optional<Grant> next(double now) override;
    void greeted(std::size_t node, double waited, double now) override;
    void release(const Use& use, double now) override;
    [[nodiscard]] double deadline() const override;

 private:
    pool::Pool pool_;
    std::unordered_map<pool::Ticket, std::size_t> messages_;
};

// The rule of least-time for somebody who knows every node's speed and children at all times.
class KnowingDispatcher : public Dispatcher {
 public:
    explicit KnowingDispatcher(const Scenario& scenario);

    void request(std::size_t message, double now) override;
    [[nodiscard]] std::optional<Grant> next(double now) override;
    void greeted(std::size_t node, double waited, double now) override;
    void release(const Use& use, double now) override;
    [[nodiscard]] double deadline() const override;

 private:
    const Scenario& scenario_;
    std::vector<pool::Candidate> candidates_;
    std::deque<std::size_t> line_;
    pool::Rng rng_{1};
};

}  // namespace millrace::bench
