#include "balancer/origin/store_factory.hpp"

#include "balancer/origin/memory_store.hpp"
#include "balancer/origin/sqlite_store.hpp"

#include <utility>

namespace millrace::origin {

std::optional<StoreLocation> parse_store_location(std::string_view text) {
    if (text == "memory:") {
        return StoreLocation{StoreLocation::Kind::memory, ""};
    }
    constexpr std::string_view kScheme = "sqlite:";
    if (text.substr(0, kScheme.size()) != kScheme) {
        return std::nullopt;
    }
    text.remove_prefix(kScheme.size());
    // A path with a NUL would be cut short by the system.
    if (text.size() < 2 || text.front() != '/' || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    return StoreLocation{StoreLocation::Kind::sqlite, std::string(text)};
}

std::unique_ptr<OriginStore> open_store(const StoreLocation& location, const Lifetime& lifetime,
                                        boost::asio::any_io_executor executor) {
    if (location.kind == StoreLocation::Kind::memory) {
        return std::make_unique<MemoryStore>(lifetime);
    }
    SqliteStoreOptions options;
    options.path = location.path;
    options.lifetime = lifetime;
    return std::make_unique<SqliteStore>(std::move(executor), options);
}

}  // namespace millrace::origin
