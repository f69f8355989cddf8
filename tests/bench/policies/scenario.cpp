#include "tests/bench/policies/scenario.hpp"

#include "tests/bench/common/draws.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace millrace::bench {

namespace {

constexpr double kLargeWork = 40;
constexpr std::uint64_t kLargeOctets = 20 << 20;
constexpr std::uint64_t kSmallOctets = 4096;

// Streams that nobody else draws from.
constexpr Stream kAngle{3};
constexpr Stream kSize{4};

double lognormal(std::uint64_t seed, std::uint64_t index) {
    constexpr double kSigma = 1.2;
    constexpr double kTwoPi = 6.283185307179586;
    const double normal = std::sqrt(2 * exponential(seed, Stream::service, index)) *
                          std::cos(kTwoPi * uniform(seed, kAngle, index));
    return std::exp(kSigma * normal - kSigma * kSigma / 2);
}

}  // namespace

double Scenario::per_second() const {
    double capacity = 0;
    for (const ModelNode& node : nodes) {
        capacity += node.children / node.mean;
    }
    return load * capacity / (1 + large_share * (kLargeWork - 1));
}

double Scenario::mean_at(std::size_t node, double now) const {
    double mean = nodes[node].mean;
    for (const Change& change : changes) {
        mean = change.node == node && change.at <= now ? change.mean : mean;
    }
    return mean;
}

double Scenario::end_of(std::size_t node, double start, double work) const {
    double end = start + work * mean_at(node, start);
    for (const Freeze& freeze : freezes) {
        if (freeze.node == node && start < freeze.until && end > freeze.from) {
            end += freeze.until - std::max(start, freeze.from);
        }
    }
    return end;
}

Work work_of(const Scenario& scenario, std::uint64_t seed, std::uint64_t number) {
    Work work;
    work.amount = scenario.spread == Spread::exponential
                      ? exponential(seed, Stream::service, number)
                      : lognormal(seed, number);
    work.octets = kSmallOctets;
    work.is_large = uniform(seed, kSize, number) < scenario.large_share;
    if (work.is_large) {
        work.amount *= kLargeWork;
        work.octets = kLargeOctets;
    }
    return work;
}

Scenario scenario(const std::string& name, double seconds) {
    for (Scenario& found : all_scenarios(seconds)) {
        if (found.name == name) {
            return std::move(found);
        }
    }
    throw std::invalid_argument("no scenario " + name);
}

}  // namespace millrace::bench
