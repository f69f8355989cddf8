// /api/v1/status: what runs, as JSON.
#pragma once

#include "balancer/metrics/metrics.hpp"

#include <string>

namespace millrace {

[[nodiscard]] std::string status_json(const metrics::Gauges& gauges);

}  // namespace millrace
