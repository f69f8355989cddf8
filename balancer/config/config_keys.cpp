// The one table of what can be configured. --help, --print-config, the errors and
// docs/configuration.md say what stands here.

#include "balancer/config/config.hpp"

namespace millrace::config {
namespace {

constexpr const char* kTime = "a duration from 1ms to 365d, such as 5s";
constexpr const char* kTimeOrZero = "a duration up to 365d, such as 5s, or 0s";
constexpr const char* kNetworks = "networks such as 192.0.2.0/24 or addresses, with commas between";

constexpr const char* kPemFile = "the /PATH of a file in PEM";
constexpr const char* kNames = "names, with commas between";

using Rows = std::vector<ConfigKey>;

Rows service_keys() {
    return {
        {"log-level", "How much is logged.", "info", "debug, info, warning or error"},
        {"log-target", "Where log lines go.", "stderr", "stderr or syslog"},
        {"user", "The user to become when started as root.", "", "the name of a user"},
        {"group", "The group to become; without it, the user's own.", "", "the name of a group"},
        {"shutdown-grace", "How long messages in transit may take to end when the service stops.",
         "30s", kTimeOrZero},
        {"replay-memory", "How much memory content may take that is kept for another node.", "256m",
         "a size such as 256m, or 0"},

        {"origin.listen",
         "Where the milters publish origins; without it, there is no such service.", "",
         "unix:/PATH or ADDRESS:PORT"},
        {"origin.store", "Where records live; it is used only together with origin.listen.",
         "sqlite:/var/lib/millrace/origins.db", "sqlite:/PATH or memory:"},
        {"origin.ttl", "How long a record is believed.", "5d", kTime},
        {"origin.ttl-after-delivery", "How long it is believed once its message was delivered.",
         "1h", kTime},
        {"origin.order", "Where the origin of a message is looked for; the first answer counts.",
         "store,xforward", "store and xforward, one or both, with a comma between"},
        {"origin.on-missing", "What becomes of a message whose origin is not known.", "pass",
         "pass or tempfail"},
        {"origin.trusted-networks", "Who may publish over TCP; addresses of loopback always may.",
         "", kNetworks, true},
        {"origin.tls-cert", "The certificate that is shown to milters on TCP, in PEM.", "",
         kPemFile},
        {"origin.tls-key", "Its private key, in PEM.", "", kPemFile},
        {"origin.tls-ca", "The certificates of those who may sign a milter's, in PEM.", "",
         kPemFile},

        {"admin.listen", "Where millracectl gives its orders; without it, nowhere.", "",
         "unix:/PATH"},
        {"admin.users", "Who may give orders, besides root and the daemon's own user.", "", kNames,
         true},
        {"admin.groups", "Whose members may give orders.", "", kNames, true},

        {"http.listen", "Where metrics and status are served; without it, they are not.", "",
         "ADDRESS:PORT"},
    };
}

Rows listener_keys() {
    return {
        {"listener.*.bind", "Where Postfix connects.", "", "ADDRESS:PORT, as in 127.0.0.1:10024",
         true},
        {"listener.*.mode", "The protocol that is spoken, with Postfix and with the nodes.", "smtp",
         "smtp or lmtp"},
        {"listener.*.pool", "The pool that messages go to.", "", "the name of a pool"},
        {"listener.*.use-pool",
         "Another pool for some messages; the first rule that matches counts.", "",
         "POOL if recipient-domain|sender-domain|origin|peer|size-over VALUE,... or file:/PATH",
         true},
        {"listener.*.trusted-networks", "Who may connect.", "127.0.0.0/8,::1/128", kNetworks, true},
        {"listener.*.accept-proxy",
         "Whether each connection begins with a PROXY header that names the Postfix host.", "off",
         "on or off"},
        {"listener.*.proxy-trusted-networks", "The proxies that may send PROXY headers.", "",
         kNetworks, true},
        {"listener.*.proxy-timeout", "How long a PROXY header may take.", "5s", kTime},
        {"listener.*.forbid-bare-newline",
         "What becomes of content with a line feed that no carriage return precedes.", "reject",
         "reject or off"},
        {"listener.*.max-sessions", "How many connections are served at a time.", "10000",
         "a number from 1 to 1000000"},
        {"listener.*.max-recipients", "How many recipients a message may have.", "1000",
         "a number from 1 to 100000"},
        {"listener.*.max-messages", "How many messages are taken over one connection.", "1000",
         "a number from 1 to 1000000000"},
        {"listener.*.max-errors", "After how many refused commands a connection ends.", "20",
         "a number from 1 to 10000"},
        {"listener.*.idle-timeout", "How long Postfix may say nothing.", "5m", kTime},
        {"listener.*.max-session-time", "How long messages are taken over one connection.", "1h",
         kTime},
        {"listener.*.message-size-limit", "The largest content that is taken; 0: any.", "100m",
         "a size such as 100m, or 0"},
        {"listener.*.hostname",
         "The name in the greeting; without it, the host name of the system.", "", "a host name"},
        {"listener.*.offer", "The EHLO keywords that Postfix is offered.",
         "PIPELINING,SIZE,8BITMIME,SMTPUTF8,DSN,ENHANCEDSTATUSCODES,XFORWARD",
         "PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES, XFORWARD with commas "
         "between, or off"},
    };
}

Rows node_keys() {
    return {
        {"pool.*.balance", "How a node is chosen for a message.", "least-time",
         "leastconn, roundrobin, random, first, hash or least-time"},
        {"pool.*.hash-key", "What balance = hash goes by.", "recipient-domain",
         "recipient-domain, sender-domain or origin"},
        {"pool.*.send-proxy", "The PROXY header that opens a connection to a node.", "v2",
         "v2, v1 or off"},
        {"pool.*.proxy-source", "Whose address the header gives as its source.", "auto",
         "auto, peer, or one address of each family, as in 192.0.2.10,2001:db8::10"},
        {"pool.*.proxy-dst-port",
         "The destination port in the header; without it, the port of the node.", "",
         "a port from 1 to 65535"},
        {"pool.*.proxy-header-max", "The longest v2 header, in octets.", "232",
         "a number from 52 to 4096"},
        {"pool.*.tlv", "What a v2 header carries besides addresses.", "e4,e5,e6,05,03",
         "off, or a choice of e4, e5, e6, e7, e8, e9, 05, 03 with commas between"},
        {"pool.*.tlv-map", "Other type numbers for e4 to e9; without it, their own.", "",
         "pairs such as e4=ea,e5=eb, with types from e0 to ef, none twice"},
        {"pool.*.xforward", "Whether nodes that announce XFORWARD are sent it.", "auto",
         "auto or off"},
        {"pool.*.node",
         "A scanner: NAME ADDRESS:PORT, or NAME HOSTNAME:PORT, and [weight=N] [maxconn=N|auto] "
         "[backup] "
         "[disabled] [send-proxy=v2|v1|off].",
         "", "NAME ADDRESS:PORT and options, as in scan1 127.0.0.1:10024 maxconn=4", true},
        {"pool.*.resolve-interval", "How often the host names of nodes are looked up.", "30s",
         "a duration from 1s to 365d, such as 30s"},
    };
}

Rows health_keys() {
    return {
        {"pool.*.check", "How nodes are checked.", "smtp", "smtp, tcp or off"},
        {"pool.*.inter", "How often a node is checked.", "5s", kTime},
        {"pool.*.fastinter", "How often a node in doubt is checked.", "1s", kTime},
        {"pool.*.downinter",
         "How often, at the least, a node that stays down is checked; without it, every 'inter'.",
         "", kTime},
        {"pool.*.check-timeout", "How long a check may take.", "5s", kTime},
        {"pool.*.rise", "How many checks in a row bring a node back up.", "2",
         "a number from 1 to 1000000"},
        {"pool.*.fall", "How many failed checks in a row take a node down.", "3",
         "a number from 1 to 1000000"},
        {"pool.*.error-limit",
         "How many messages that failed by a node's fault take it down; off: they never do.", "5",
         "a number from 1 to 1000, or off"},
        {"pool.*.error-window",
         "Within which time, unless most messages were completed; in a row they always do.", "1m",
         kTime},
        {"pool.*.slowstart", "How long a node that has come back is spared.", "0s", kTimeOrZero},
    };
}

Rows relay_keys() {
    return {
        {"pool.*.maxqueue", "How many messages may wait for a node.", "1000",
         "a number from 0 to 1000000"},
        {"pool.*.queue-timeout", "How long a message waits for a node.", "60s", kTime},
        {"pool.*.connect-timeout", "How long connecting to a node may take.", "5s", kTime},
        {"pool.*.greeting-timeout", "How long a node may take to greet.", "30s", kTime},
        {"pool.*.command-timeout", "How long a node may take to answer a command.", "60s", kTime},
        {"pool.*.data-timeout", "How long a node may take nothing of the content.", "180s", kTime},
        {"pool.*.reply-timeout", "How long a node may take for its verdict.", "600s", kTime},
        {"pool.*.retries", "How many nodes are tried for one message.", "3",
         "a number from 1 to 100"},
        {"pool.*.replay-max", "How much content is kept for another node.", "1m",
         "a size such as 1m, or 0"},
        {"pool.*.reuse", "Whether a connection to a node serves several messages of a peer.", "off",
         "off or safe"},
        {"pool.*.reuse-idle", "How long such a connection is kept between messages.", "2s", kTime},
        {"pool.*.reuse-max-messages", "How many messages it serves.", "100",
         "a number from 1 to 1000000"},
        {"pool.*.on-pool-down", "What becomes of messages while no node can be used.", "tempfail",
         "tempfail or bypass"},
        {"pool.*.bypass-pool", "The pool that on-pool-down = bypass sends them to.", "",
         "the name of a pool"},
    };
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
    static const std::vector<ConfigKey> keys = [] {
        Rows all;
        for (const Rows& rows :
             {service_keys(), listener_keys(), node_keys(), health_keys(), relay_keys()}) {
            all.insert(all.end(), rows.begin(), rows.end());
        }
        return all;
    }();
    return keys;
}

}  // namespace millrace::config
