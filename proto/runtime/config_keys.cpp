#include "proto/runtime/config_keys.hpp"

#include "proto/runtime/edit_distance.hpp"

#include <algorithm>
#include <utility>

namespace millrace {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kEditsMax = 2;  // a name further away is another word, not a slip

bool is_section_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

bool matches(std::string_view pattern, std::string_view name) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return pattern == name;
    }
    const std::string_view head = pattern.substr(0, star);
    const std::string_view tail = pattern.substr(star + 1);
    return name.size() > head.size() + tail.size() && name.starts_with(head) &&
           name.ends_with(tail) &&
           is_section_name(name.substr(head.size(), name.size() - head.size() - tail.size()));
}

// The part of "pool.scanners.balance" that would stand for * in "pool.*.balance".
std::string_view second_part(std::string_view name) {
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = name.substr(dot + 1);
    return rest.substr(0, rest.find('.'));
}

// A slip costs its letters; the right key in the wrong section is as good as the worst slip.
std::size_t suggestion_cost(std::string_view name, std::string_view candidate) {
    const std::size_t cost = edit_distance(name, candidate);
    return key_part(name) == key_part(candidate) ? std::min(cost, kEditsMax) : cost;
}

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\t') || octet == 0x7f;
}

}  // namespace

bool is_section_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_section_character);
}

const ConfigKey* find_key(const std::vector<ConfigKey>& keys, std::string_view name) {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const ConfigKey& key) { return matches(key.name, name); });
    return found == keys.end() ? nullptr : &*found;
}

std::string suggest_key(const std::vector<ConfigKey>& keys, std::string_view name) {
    std::string best;
    std::size_t best_cost = kEditsMax + 1;
    // A long name that nobody could have meant is not worth the comparison.
    constexpr std::size_t kNameMax = 200;
    for (const ConfigKey& key : keys) {
        const std::string candidate = expand_name(key.name, second_part(name));
        if (name.size() > kNameMax || !matches(key.name, candidate)) {
            continue;
        }
        const std::size_t cost = suggestion_cost(name, candidate);
        if (cost < best_cost) {
            best_cost = cost;
            best = candidate;
        }
    }
    if (best.empty()) {
        return {};
    }
    const bool is_same_section = section_part(best) == section_part(name);
    return " (did you mean '" + (is_same_section ? std::string{key_part(best)} : best) + "'?)";
}

void add_value(ConfigValues& values, const std::vector<ConfigKey>& keys, const std::string& name,
               ConfigValue value) {
    const ConfigKey* key = find_key(keys, name);
    if (key == nullptr) {
        throw ConfigError(value.source + ": unknown key '" + name + "'" + suggest_key(keys, name));
    }
    if (value.text.find('#') != std::string::npos || has_control_character(value.text)) {
        throw ConfigError(value.source + ": " + name +
                          ": a value can hold no control character and no #");
    }
    const std::vector<ConfigValue>* earlier = values.find(name);
    if (earlier != nullptr && !key->is_repeatable) {
        throw ConfigError(value.source + ": duplicate key '" + name + "' (first given in " +
                          earlier->front().source + ")");
    }
    std::vector<ConfigValue> all = earlier == nullptr ? std::vector<ConfigValue>{} : *earlier;
    all.push_back(std::move(value));
    values.set(name, std::move(all));
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_control);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string expand_name(std::string_view pattern, std::string_view section) {
    std::string name{pattern};
    const std::size_t star = name.find('*');
    if (star != std::string::npos) {
        name.replace(star, 1, section);
    }
    return name;
}

std::string_view section_part(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view key_part(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace millrace
