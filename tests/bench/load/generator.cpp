#include "tests/bench/load/generator.hpp"

#include "tests/bench/common/draws.hpp"

#include <algorithm>
#include <utility>

namespace millrace::bench {

Generator::Generator(EventLoop& loop, const LoadOptions& options)
    : loop_(loop), options_(options), contents_(options.size) {
    for (std::size_t i = 0; i < options_.connections; ++i) {
        sessions_.push_back(std::make_unique<ClientSession>(
            loop_, options_.session, contents_,
            [this](ClientSession& session, std::uint64_t number, Outcome outcome) {
                finished(session, number, outcome);
            }));
        free_.push_back(sessions_.back().get());
    }
    arrivals_.reserve(options_.count);
    result_.samples.reserve(options_.count);
}

LoadResult Generator::run() {
    begun_ = Clock::now();
    next_arrival_ = begun_;
    loop_.at(begun_ + clock_time(options_.limit), [this] { loop_.stop(); });
    begin();
    loop_.run();
    result_.duration = Clock::now() - begun_;
    result_.unfinished = options_.count - result_.samples.size();
    return std::move(result_);
}

void Generator::begin() {
    if (options_.rate > 0) {
        plan_arrival();
        return;
    }
    const std::uint64_t at_once = std::min<std::uint64_t>(options_.connections, options_.count);
    while (arrivals_.size() < at_once) {
        arrivals_.push_back(Clock::now());
        dispatch(arrivals_.size() - 1);
    }
}

void Generator::plan_arrival() {
    const double gap = exponential(options_.seed, Stream::arrival, arrivals_.size());
    next_arrival_ += clock_time(Seconds(gap / options_.rate));
    loop_.at(next_arrival_, [this] { arrive(); });
}

void Generator::arrive() {
    result_.late_max = std::max<Seconds>(result_.late_max, Clock::now() - next_arrival_);
    // The planned time, not the present: what delays this program delays the message.
    arrivals_.push_back(next_arrival_);
    dispatch(arrivals_.size() - 1);
    if (arrivals_.size() < options_.count) {
        plan_arrival();
    }
}

void Generator::dispatch(std::uint64_t number) {
    ClientSession* session = take_session();
    if (session == nullptr) {
        line_.push_back(number);
        result_.line_max = std::max(result_.line_max, line_.size());
        return;
    }
    session->deliver(number);
}

ClientSession* Generator::take_session() {
    if (free_.empty()) {
        return nullptr;
    }
    const auto connected =
        std::find_if(free_.begin(), free_.end(),
                     [](const ClientSession* session) { return session->is_connected(); });
    const auto chosen = connected != free_.end() ? connected : free_.begin();
    ClientSession* session = *chosen;
    free_.erase(chosen);
    return session;
}

void Generator::finished(ClientSession& session, std::uint64_t number, Outcome outcome) {
    const TimePoint arrived = arrivals_[number];
    result_.samples.push_back(Sample{number, outcome, Clock::now() - arrived});
    free_.push_back(&session);
    if (result_.samples.size() == options_.count) {
        loop_.stop();
        return;
    }
    if (!line_.empty()) {
        const std::uint64_t next = line_.front();
        line_.pop_front();
        dispatch(next);
    } else if (options_.rate <= 0 && arrivals_.size() < options_.count) {
        arrivals_.push_back(Clock::now());
        dispatch(arrivals_.size() - 1);
    }
}

}  // namespace millrace::bench
