#include "tests/unit/balancer/pool/scanner_lab.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace millrace::pool {

namespace {

PoolOptions lab_options(unsigned maxconn) {
    PoolOptions options = pool_options({1}, maxconn == 0 ? kAutoMaxconn : maxconn);
    options.nodes[0].is_maxconn_auto = maxconn == 0;
    options.health.kind = CheckKind::off;
    options.health.error_limit = 0;
    options.maxqueue = 20;
    return options;
}

}  // namespace

Draw constant(double seconds) {
    return [seconds](Rng& /*rng*/) { return seconds; };
}

Draw exponential(double mean) {
    return [mean](Rng& rng) { return std::exponential_distribution<double>(1 / mean)(rng); };
}

Draw lognormal(double mean, double sigma) {
    const double mu = std::log(mean) - sigma * sigma / 2;
    return [mu, sigma](Rng& rng) { return std::lognormal_distribution<double>(mu, sigma)(rng); };
}

ScannerLab::ScannerLab(Scanner with, double arrivals, unsigned maxconn, std::uint64_t seed)
    : scanner(std::move(with)),
      rate(arrivals),
      pool_(lab_options(maxconn), seed, kStart),
      rng_(seed),
      service_rng_(seed + 1),
      now_(kStart) {
    arrive();
}

void ScannerLab::run(double seconds) {
    const TimePoint begun = now_;
    const TimePoint end = now_ + seconds_of(seconds);
    lowest_ = highest_ = limit();
    area_ = 0;
    while (events_.top().at <= end) {
        const Event event = events_.top();
        events_.pop();
        measure(event.at);
        event.action();
        serve();
    }
    measure(end);
    mean_limit_ = area_ / std::chrono::duration<double>(end - begun).count();
}

void ScannerLab::measure(TimePoint until) {
    const unsigned now = limit();
    lowest_ = std::min(lowest_, now);
    highest_ = std::max(highest_, now);
    area_ += now * std::chrono::duration<double>(until - now_).count();
    now_ = until;
}

void ScannerLab::restart(double away) {
    ++life_;
    is_away_ = true;
    busy_ = 0;
    backlog_.clear();
    inside_.clear();
    for (unsigned left = status().in_flight; left > 0; --left) {
        const SlotUse use{now_, greeted_ > 0, std::nullopt};
        greeted_ -= use.was_greeted ? 1 : 0;
        pool_.release(0, Outcome::failed, "connection reset", now_, use);
    }
    schedule(away, [this] {
        is_away_ = false;
        take_connections();
    });
    serve();
}

void ScannerLab::schedule(double seconds, Action action) {
    events_.push({now_ + seconds_of(seconds), ++last_event_, std::move(action)});
}

void ScannerLab::schedule_work(double seconds, Action action) {
    schedule(seconds, [this, life = life_, action = std::move(action)] {
        if (life == life_) {
            action();
        }
    });
}

void ScannerLab::arrive() {
    (void)pool_.request({}, now_);
    schedule(exponential(1 / rate)(rng_), [this] { arrive(); });
}

void ScannerLab::serve() {
    while (const std::optional<Decision> decision = pool_.poll(now_)) {
        if (std::holds_alternative<Grant>(*decision)) {
            connect();
        }
    }
}

void ScannerLab::connect() {
    if (scanner.greets_at_once) {
        schedule_work(scanner.greeting(rng_), [this, granted = now_] {
            greet(granted);
            inside_.emplace_back(granted, now_);
            start_work();
        });
    } else {
        backlog_.push_back(now_);
        take_connections();
    }
}

void ScannerLab::take_connections() {
    while (!is_away_ && busy_ < scanner.children && !backlog_.empty()) {
        ++busy_;
        const TimePoint granted = backlog_.front();
        backlog_.pop_front();
        schedule_work(scanner.greeting(rng_), [this, granted] {
            greet(granted);
            schedule_work(scanner.service(service_rng_),
                          [this, granted, dot = now_] { answer(granted, dot); });
        });
    }
}

void ScannerLab::start_work() {
    while (busy_ < scanner.children && !inside_.empty()) {
        ++busy_;
        const auto [granted, dot] = inside_.front();
        inside_.pop_front();
        schedule_work(scanner.service(service_rng_),
                      [this, at = granted, since = dot] { answer(at, since); });
    }
}

void ScannerLab::greet(TimePoint granted) {
    ++greeted_;
    pool_.greeted(0, now_ - granted, now_);
}

void ScannerLab::answer(TimePoint granted, TimePoint dot) {
    --greeted_;
    ++completed_;
    pool_.release(0, Outcome::completed, "", now_, SlotUse{granted, true, dot});
    schedule_work(scanner.after, [this] {
        --busy_;
        take_connections();
        start_work();
    });
}

}  // namespace millrace::pool
