#include "balancer/config/section.hpp"

#include "balancer/config/config.hpp"

#include <boost/assert.hpp>

namespace millrace::config {

Section::Section(const ConfigValues& values, std::string pattern, std::string name)
    : values_(&values), pattern_(std::move(pattern)), name_(std::move(name)) {}

std::string Section::full_key(std::string_view key) const {
    if (pattern_.empty()) {
        return std::string{key};
    }
    std::string full = pattern_;
    if (const std::size_t star = full.find('*'); star != std::string::npos) {
        full.replace(star, 1, name_);
    }
    return full.append(".").append(key);
}

std::vector<ConfigValue> Section::texts(std::string_view key) const {
    if (const auto* given = values_->find(full_key(key))) {
        return *given;
    }
    const std::string& fallback = row(key).default_text;
    return fallback.empty() ? std::vector<ConfigValue>{}
                            : std::vector<ConfigValue>{{fallback, "default"}};
}

void Section::refuse(std::string_view key, std::string_view expected) const {
    refuse_value(full_key(key), texts(key).front(), expected);
}

void Section::refuse(std::string_view key, const ConfigValue& value) const {
    refuse_value(full_key(key), value, row(key).expected);
}

// A section is known by its keys, so one of them says where the missing one should stand.
void Section::refuse_missing(std::string_view key) const {
    std::string place = "configuration";
    for (const ConfigKey& candidate : config_keys()) {
        const std::string_view name = candidate.name;
        if (!name.starts_with(pattern_ + ".")) {
            continue;
        }
        const auto* given = values_->find(full_key(name.substr(pattern_.size() + 1)));
        if (given != nullptr) {
            place = given->front().source;
            break;
        }
    }
    throw ConfigError(place + ": " + full_key(key) + " is missing: add " + std::string{key} +
                      " = VALUE to this section, expected " + row(key).expected);
}

const ConfigKey& Section::row(std::string_view key) const {
    const std::string name =
        pattern_.empty() ? std::string{key} : std::string{pattern_}.append(".").append(key);
    const std::vector<ConfigKey>& keys = config_keys();
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&name](const ConfigKey& row) { return row.name == name; });
    BOOST_ASSERT(found != keys.end());
    return *found;
}

}  // namespace millrace::config
