// What ends the wait of a loop from another thread, and an executor that does so with all that is
// posted to it.
//
// Asio ends its own wait for that. Where the wait is the Poller's, Asio sees nobody to wake up.
#pragma once

#include "balancer/net/descriptor.hpp"

#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <type_traits>
#include <utility>

namespace millrace::net {

class WakeUp {
 public:
    // Throws boost::system::system_error when the system has no descriptor left for it.
    WakeUp();

    // From any thread. Each call is an edge (EPOLLET) of the descriptor, which nobody reads.
    void ring() const;

    [[nodiscard]] int descriptor() const { return event_.number(); }

 private:
    Descriptor event_;
};

// `Inner` is the executor of an io_context, with any properties. REQUIRES: the WakeUp outlives it.
template <typename Inner>
class WakingExecutor {
 public:
    WakingExecutor(Inner inner, const WakeUp& wake_up)
        : inner_(std::move(inner)), wake_up_(&wake_up) {}

    template <typename Function>
    void execute(Function&& function) const {
        inner_.execute(std::forward<Function>(function));
        wake_up_->ring();
    }

    template <typename Property>
    requires boost::asio::can_query_v<const Inner&, Property>

    [[nodiscard]] auto query(const Property& property) const noexcept(
        boost::asio::is_nothrow_query_v<const Inner&, Property>)
        -> std::remove_const_t<typename boost::asio::query_result<const Inner&, Property>::type> {
        return boost::asio::query(inner_, property);
    }

    template <typename Property>
    requires boost::asio::can_require_v<const Inner&, Property>

    [[nodiscard]] auto require(const Property& property) const {
        return with(boost::asio::require(inner_, property));
    }

    template <typename Property>
    requires boost::asio::can_prefer_v<const Inner&, Property>

    [[nodiscard]] auto prefer(const Property& property) const {
        return with(boost::asio::prefer(inner_, property));
    }

    friend bool operator==(const WakingExecutor& a, const WakingExecutor& b) noexcept {
        return a.inner_ == b.inner_ && a.wake_up_ == b.wake_up_;
    }

 private:
    template <typename Other>
    [[nodiscard]] WakingExecutor<Other> with(Other other) const {
        return {std::move(other), *wake_up_};
    }

    Inner inner_;
    const WakeUp* wake_up_;
};

}  // namespace millrace::net
