#include "tests/bench/load/report.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace millrace::bench {

namespace {

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::accepted:
            return "accepted";
        case Outcome::tempfailed:
            return "tempfailed";
        case Outcome::refused:
            return "refused";
        case Outcome::lost:
            return "lost";
    }
    return "unknown";
}

// REQUIRES: sorted and not empty. The smallest value that `share` of all do not exceed.
double percentile(const std::vector<double>& sorted, double share) {
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void print_times(std::ostream& out, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    const double sum = std::accumulate(times.begin(), times.end(), 0.0);
    out << "mean_ms=" << sum / static_cast<double>(times.size()) << '\n'
        << "p50_ms=" << percentile(times, 0.50) << '\n'
        << "p90_ms=" << percentile(times, 0.90) << '\n'
        << "p99_ms=" << percentile(times, 0.99) << '\n'
        << "max_ms=" << times.back() << '\n';
}

}  // namespace

void print_summary(std::ostream& out, const LoadResult& result) {
    std::vector<double> accepted_ms;
    for (const Sample& sample : result.samples) {
        if (sample.outcome == Outcome::accepted) {
            accepted_ms.push_back(sample.time.count() * 1e3);
        }
    }
    for (const Outcome outcome :
         {Outcome::accepted, Outcome::tempfailed, Outcome::refused, Outcome::lost}) {
        out << to_string(outcome) << '='
            << std::count_if(result.samples.begin(), result.samples.end(),
                             [outcome](const Sample& sample) { return sample.outcome == outcome; })
            << '\n';
    }
    out << "unfinished=" << result.unfinished << '\n'
        << "line_max=" << result.line_max << '\n'
        << "late_max_s=" << result.late_max.count() << '\n'
        << "duration_s=" << result.duration.count() << '\n';
    if (!accepted_ms.empty()) {
        print_times(out, std::move(accepted_ms));
    }
}

void write_samples(const std::string& path, const LoadResult& result) {
    std::ofstream file(path);
    for (const Sample& sample : result.samples) {
        file << sample.number << ' ' << to_string(sample.outcome) << ' ' << sample.time.count()
             << '\n';
    }
    if (!file.flush()) {
        throw std::runtime_error(path + ": cannot be written");
    }
}

}  // namespace millrace::bench
