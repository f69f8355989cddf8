// One child of a node, as amavisd's: it serves one connection at a time until that is closed.
//
// Reads the PROXY header first, if there is one to be, and only then greets. Commands are answered
// in order, pipelined or not. The content is verified, the work takes its time, then comes the
// verdict. In LMTP (after LHLO) there is a verdict for each recipient.
#pragma once

#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/common/link.hpp"
#include "tests/bench/sink/fault.hpp"
#include "tests/bench/sink/service.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace millrace::bench {

enum class ProxyHeader { off = 0, v1 = 1, v2 = 2 };

struct ChildOptions {
    std::string node;
    ProxyHeader proxy = ProxyHeader::off;
    Service service;
    Fault fault;
    bool replies_apart = false;  // one write for each, as amavisd does, and Nagle's algorithm
};

// Of all children of a node.
struct NodeCounts {
    std::uint64_t connections = 0;
    std::uint64_t checks = 0;  // connections whose header is LOCAL
    std::uint64_t messages = 0;
    std::uint64_t bad_messages = 0;  // not as they were sent
    std::uint64_t bad_headers = 0;
    std::uint64_t abandoned = 0;  // nobody was there to hear the verdict
    // By the node's fault.
    std::uint64_t turned_away = 0;
    std::uint64_t not_greeted = 0;
    std::uint64_t cut = 0;
    std::uint64_t tempfailed = 0;
    Seconds held{0};      // children with a connection
    Seconds worked{0};    // children with a message
    Seconds late_max{0};  // by which this program ended some work too late
};

class Child {
 public:
    using Freed = std::function<void(Child&)>;

    Child(EventLoop& loop, const ChildOptions& options, NodeCounts& counts, Freed freed);

    void serve(net::Descriptor connection);

 private:
    enum class Stage { free, header, command, content, working, silent };

    void greet();
    void work();
    // One element of the input; false when more must come first.
    bool take_next();
    bool take_header();
    bool take_command();
    bool take_content();
    bool cut();
    void answer(std::string_view line);
    void begin_work(std::string_view content);
    void finish_work(TimePoint planned, bool is_accepted);
    [[nodiscard]] bool is_to_be_accepted(std::uint64_t number);
    void reply(std::string_view text);
    void leave();

    EventLoop& loop_;
    const ChildOptions& options_;
    NodeCounts& counts_;
    Freed freed_;
    Link link_;
    Stage stage_ = Stage::free;
    TimePoint begun_;
    std::string replies_;  // written before the next wait
    std::size_t searched_ = 0;
    std::size_t recipients_ = 0;
    bool is_lmtp_ = false;
};

}  // namespace millrace::bench
