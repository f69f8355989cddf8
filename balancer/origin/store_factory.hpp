// From the configured text to a store: `sqlite:/var/lib/millrace/origins.db` or `memory:`.
#pragma once

#include "balancer/origin/origin_store.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::origin {

struct StoreLocation {
    enum class Kind { sqlite, memory };

    Kind kind = Kind::sqlite;
    std::string path;  // absolute; empty for memory

    friend bool operator==(const StoreLocation&, const StoreLocation&) = default;
};

// Nothing when the text is neither "memory:" nor "sqlite:" with an absolute path.
[[nodiscard]] std::optional<StoreLocation> parse_store_location(std::string_view text);

// Throws StoreError when the store cannot be opened. REQUIRES: the executor's context outlives the
// store.
[[nodiscard]] std::unique_ptr<OriginStore> open_store(const StoreLocation& location,
                                                      const Lifetime& lifetime,
                                                      boost::asio::any_io_executor executor);

}  // namespace millrace::origin
