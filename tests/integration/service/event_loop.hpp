// Runs an event loop until something has happened, with a deadline that only a failure reaches.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>

namespace millrace::test {

class EventLoop {
 public:
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

    // False when the condition did not come true. It is looked at after every handler.
    [[nodiscard]] bool run_until(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        // Keeps the loop from running out of work while the condition waits for a thread.
        boost::asio::steady_timer watchdog(context_, deadline);
        watchdog.async_wait([](const boost::system::error_code&) {});
        context_.restart();
        while (!condition()) {
            context_.run_one_until(deadline);
            if (std::chrono::steady_clock::now() >= deadline) {
                return condition();
            }
        }
        return true;
    }

 private:
    boost::asio::io_context context_{1};
};

}  // namespace millrace::test
