#include "balancer/net/name_lookup.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <boost/assert.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace millrace::net {

namespace asio = boost::asio;

namespace {

std::optional<Address> address_of(const sockaddr& socket_address) {
    if (socket_address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &socket_address, sizeof v4);
        return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (socket_address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &socket_address, sizeof v6);
        asio::ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return unmapped(asio::ip::address_v6(bytes, v6.sin6_scope_id));
    }
    return std::nullopt;
}

std::string error_text(int code, int system_error) {
    return code == EAI_SYSTEM ? std::generic_category().message(system_error)
                              : std::string(::gai_strerror(code));
}

}  // namespace

NameAnswer look_up_with_system(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    if (code != 0) {
        return {{}, error_text(code, errno)};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    NameAnswer answer;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        if (const std::optional<Address> address = address_of(*each->ai_addr)) {
            answer.addresses.push_back(*address);
        }
    }
    return answer;
}

// What the loop and the thread both hold, so that either may go first.
struct LookupThread::Shared {
    Shared(asio::any_io_executor executor_to_use, LookUp look_up_to_use, Answered answered_to_call)
        : executor(std::move(executor_to_use)),
          look_up(std::move(look_up_to_use)),
          answered(std::move(answered_to_call)) {}

    // Waits for a question; nothing when there will be none any more.
    std::optional<std::string> next() {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return is_stopped || !questions.empty(); });
        if (is_stopped) {
            return std::nullopt;
        }
        is_looking_up = true;
        std::string host = std::move(questions.front());
        questions.pop_front();
        return host;
    }

    // Under the lock: once the loop has stopped the thread, its executor may be gone.
    static void give(const std::shared_ptr<Shared>& self, std::string host, NameAnswer answer) {
        const std::lock_guard lock(self->mutex);
        self->is_looking_up = false;
        if (self->is_stopped) {
            return;
        }
        asio::post(self->executor, [self, host = std::move(host), answer = std::move(answer)] {
            if (!self->has_stopped()) {
                self->answered(host, answer);
            }
        });
    }

    bool has_stopped() {
        const std::lock_guard lock(mutex);
        return is_stopped;
    }

    const asio::any_io_executor executor;
    const LookUp look_up;
    const Answered answered;

    std::mutex mutex;  // guards what follows
    std::condition_variable wake;
    std::deque<std::string> questions;
    bool is_looking_up = false;
    bool is_stopped = false;
};

LookupThread::LookupThread(asio::any_io_executor executor, LookUp look_up, Answered answered)
    : shared_(
          std::make_shared<Shared>(std::move(executor), std::move(look_up), std::move(answered))),
      thread_([shared = shared_] { run(shared); }) {}

LookupThread::~LookupThread() {
    bool is_looking_up = false;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->is_stopped = true;
        is_looking_up = shared_->is_looking_up;
    }
    shared_->wake.notify_one();
    if (is_looking_up) {
        thread_.detach();
    } else {
        thread_.join();
    }
}

void LookupThread::ask(std::string host) {
    {
        const std::lock_guard lock(shared_->mutex);
        std::deque<std::string>& questions = shared_->questions;
        BOOST_ASSERT(std::find(questions.begin(), questions.end(), host) == questions.end());
        questions.push_back(std::move(host));
    }
    shared_->wake.notify_one();
}

void LookupThread::run(const std::shared_ptr<Shared>& shared) {
    while (std::optional<std::string> host = shared->next()) {
        NameAnswer answer = shared->look_up(*host);
        Shared::give(shared, std::move(*host), std::move(answer));
    }
}

}  // namespace millrace::net
