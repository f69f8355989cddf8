// An origin service that does what the test tells it to, well or badly.
#pragma once

#include "proto/origin.hpp"
#include "proto/runtime/listen_address.hpp"
#include "tests/integration/milter/sockets.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace::test {

enum class Behaviour {
    acknowledge,
    refuse,
    report_unavailable,
    hang,                 // reads and says nothing until answer_held()
    close_at_once,        // right after accept
    close_after_request,  // without an answer
    close_in_answer,      // in the middle of the frame
    answer_garbage,
    answer_wrong_id,  // of another request, then hangs
};

class ScriptedOrigin {
 public:
    // With TLS if there is a context; answer_held() is not for that.
    explicit ScriptedOrigin(const ListenAddress& address,
                            Behaviour behaviour = Behaviour::acknowledge, TlsContext tls = {});
    ScriptedOrigin(const ScriptedOrigin&) = delete;
    ScriptedOrigin& operator=(const ScriptedOrigin&) = delete;
    ScriptedOrigin(ScriptedOrigin&&) = delete;
    ScriptedOrigin& operator=(ScriptedOrigin&&) = delete;

    ~ScriptedOrigin() { stop(); }

    void behave(Behaviour behaviour);
    // Acknowledges everything that was left unanswered with `hang`.
    void answer_held();

    // Ends as a process that is killed: the listener and every connection close.
    void stop();

    // Every record received so far, once there are `count`; fewer after kPatience.
    [[nodiscard]] std::vector<OriginRecord> wait_for_records(std::size_t count);
    [[nodiscard]] std::size_t connection_count();

 private:
    struct Held {
        const Socket* connection;
        std::uint64_t id;
    };

    void accept_all();
    void serve(Socket& connection);
    [[nodiscard]] Behaviour note(OriginRecord record, const Held& request);

    Socket listener_;
    TlsContext tls_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Behaviour behaviour_;
    bool is_stopping_ = false;
    std::vector<OriginRecord> records_;
    std::vector<Held> held_;
    std::list<Socket> connections_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace millrace::test
