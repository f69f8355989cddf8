// Gives the nodes that are configured by host name their addresses: at the start, and again every
// `resolve-interval` of their pool, all while mail is served.
//
// A name keeps its address as long as the answers have it (pool/address_choice.hpp), and as long
// as there is no answer: a name server that is away takes no node away. Until its first answer a
// name is asked for more often. Nodes with the same name share its answers, and the shortest of
// their intervals.
//
// All calls from the event loop. Bounds: one question under way for each name.
#pragma once

#include "balancer/net/name_lookup.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/pool/backoff.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::net {

class NameResolver {
 public:
    // Answers come from a thread, by `executor` of the same loop.
    NameResolver(boost::asio::io_context& context, boost::asio::any_io_executor executor,
                 LookUp look_up = look_up_with_system);

    // The nodes of this pool, as far as they are names. REQUIRES: the pool outlives this.
    void add(PoolDriver& pool);

    // Asks for all names, once all pools are there. No thread is started when there is no name.
    void start();

 private:
    struct NamedNode {
        PoolDriver* pool;
        pool::NodeIndex node;
    };

    struct Name {
        Name(boost::asio::io_context& context, pool::Milliseconds resolve_interval);

        void shorten(pool::Milliseconds resolve_interval);

        pool::Milliseconds interval;
        pool::Backoff first_answer;  // until it comes
        std::vector<NamedNode> nodes;
        Address address;  // unspecified: none yet
        bool is_failing = false;
        boost::asio::steady_timer timer;
    };

    using Entry = std::map<std::string, Name>::value_type;

    void take(Entry& entry, const NameAnswer& answer);
    static void resolved(Entry& entry, const Address& address);
    static void unresolved(Entry& entry, std::string_view reason);
    void ask_later(Entry& entry);

    boost::asio::io_context& context_;
    boost::asio::any_io_executor executor_;
    LookUp look_up_;
    pool::Rng rng_;
    std::map<std::string, Name> names_;
    std::optional<LookupThread> thread_;
};

}  // namespace millrace::net
