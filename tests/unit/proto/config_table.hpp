// A small table of keys with one of each kind, for the tests of the configuration reader.
#pragma once

#include "proto/runtime/config_file.hpp"

#include <string>
#include <vector>

namespace millrace::test {

inline std::vector<ConfigKey> config_table() {
    return {
        {"log-level", "What is logged.", "info", "debug, info, warning or error", false},
        {"user", "Who to run as.", "", "a user name", false},
        {"origin.listen", "Where records arrive.", "", "an address", true},
        {"origin.ttl", "How long a record lives.", "5d", "a duration such as 5d", false},
        {"pool.*.balance", "How a node is chosen.", "leastconn", "a policy", false},
        {"pool.*.node", "A scanner.", "", "NAME ADDRESS:PORT", true},
        {"listener.*.bind", "Where Postfix connects.", "", "ADDRESS:PORT", true},
    };
}

// The texts of all values of a key, joined by '|'; "(none)" when it was not given.
inline std::string texts(const ConfigValues& values, const std::string& key) {
    const auto* given = values.find(key);
    if (given == nullptr) {
        return "(none)";
    }
    std::string joined;
    for (const ConfigValue& value : *given) {
        joined += (joined.empty() ? "" : "|") + value.text;
    }
    return joined;
}

}  // namespace millrace::test
