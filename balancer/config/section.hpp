// One section of the configuration, read by its keys: what was given, or the default of the table,
// as a typed value. Whatever is not understood becomes a ConfigError that names file, line, key and
// what was expected.
#pragma once

#include "proto/runtime/config_file.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::config {

// REQUIRES: the values outlive the section.
class Section {
 public:
    // Section(values, "pool.*", "scanners"), Section(values, "origin"), Section(values): the top.
    explicit Section(const ConfigValues& values, std::string pattern = {}, std::string name = {});

    // "scanners"; empty for a section that there is only once.
    [[nodiscard]] const std::string& name() const { return name_; }

    // "pool.scanners.balance"
    [[nodiscard]] std::string full_key(std::string_view key) const;
    // As given, or the default; empty when there is neither.
    [[nodiscard]] std::vector<ConfigValue> texts(std::string_view key) const;

    // `parse` goes from text to an optional. Without value and default the key is missing.
    template <typename Parse>
    [[nodiscard]] auto read(std::string_view key, Parse parse) const {
        auto value = read_optional(key, parse);
        if (!value) {
            refuse_missing(key);
        }
        return *std::move(value);
    }

    template <typename Parse>
    [[nodiscard]] auto read_optional(std::string_view key, Parse parse) const {
        const std::vector<ConfigValue> all = texts(key);
        decltype(parse(std::string_view{})) value;
        if (!all.empty()) {
            value = parse(all.front().text);
            if (!value) {
                refuse(key, all.front());
            }
        }
        return value;
    }

    // All values of a repeatable key, each once.
    template <typename Parse>
    [[nodiscard]] auto read_all(std::string_view key, Parse parse) const {
        std::vector<typename decltype(parse(std::string_view{}))::value_type> values;
        for (const ConfigValue& text : texts(key)) {
            auto value = parse(text.text);
            if (!value) {
                refuse(key, text);
            }
            if (std::find(values.begin(), values.end(), *value) != values.end()) {
                refuse_value(full_key(key), text, "each value once: remove one of the two");
            }
            values.push_back(*std::move(value));
        }
        return values;
    }

    // For what only several keys together can tell. REQUIRES: the key has a value.
    [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;
    [[noreturn]] void refuse_missing(std::string_view key) const;

 private:
    [[noreturn]] void refuse(std::string_view key, const ConfigValue& value) const;
    [[nodiscard]] const ConfigKey& row(std::string_view key) const;

    const ConfigValues* values_;
    std::string pattern_;
    std::string name_;
};

}  // namespace millrace::config
