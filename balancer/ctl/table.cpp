#include "balancer/ctl/render.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::ctl {
namespace {

using Line = std::vector<std::string>;

// Columns as wide as their longest cell, but the last, which is as long as it is.
class Table {
 public:
    explicit Table(Line heading) : widths_(heading.size(), 0) { add(std::move(heading)); }

    void add(Line line) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            widths_[i] = std::max(widths_[i], line[i].size());
        }
        lines_.push_back(std::move(line));
    }

    [[nodiscard]] std::string text() const {
        constexpr std::size_t kGap = 2;
        std::string text;
        for (const Line& line : lines_) {
            std::string row;
            for (std::size_t i = 0; i < line.size(); ++i) {
                row += line[i];
                row.append(widths_[i] - line[i].size() + kGap, ' ');
            }
            row.erase(row.find_last_not_of(' ') + 1);
            text += row + "\n";
        }
        return text;
    }

 private:
    std::vector<std::size_t> widths_;
    std::vector<Line> lines_;
};

// In the largest unit that leaves two or more of it, rounded down: 90s, 119m, 47h, 30d.
std::string age(admin::Milliseconds time) {
    using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
    if (time < std::chrono::minutes(2)) {
        return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count()) + "s";
    }
    if (time < std::chrono::hours(2)) {
        return std::to_string(std::chrono::floor<std::chrono::minutes>(time).count()) + "m";
    }
    if (time < std::chrono::hours(48)) {
        return std::to_string(std::chrono::floor<std::chrono::hours>(time).count()) + "h";
    }
    return std::to_string(std::chrono::floor<Days>(time).count()) + "d";
}

std::string limit(const admin::NodeRow& row) {
    if (row.is_maxconn_auto) {
        return "auto(" + std::to_string(row.maxconn) + ")";
    }
    return row.maxconn == 0 ? "-" : std::to_string(row.maxconn);
}

// "192.0.2.21:10024", "192.0.2.21:10024 (scan1.example.com)", "- (scan1.example.com)"
std::string address(const admin::NodeRow& row) {
    const std::string place = row.endpoint.empty() ? "-" : row.endpoint;
    return row.host.empty() ? place : place + " (" + row.host + ")";
}

std::string nodes(const std::vector<admin::NodeRow>& rows) {
    Table table({"NODE", "STATE", "SINCE", "IN-TRANSIT", "MAXCONN", "WEIGHT", "MESSAGES", "ADDRESS",
                 "REASON"});
    for (const admin::NodeRow& row : rows) {
        table.add({to_string(row.name), row.state, age(row.since), std::to_string(row.in_flight),
                   limit(row), std::to_string(row.weight) + (row.is_backup ? " backup" : ""),
                   std::to_string(row.messages_total), address(row), row.reason});
    }
    return table.text();
}

std::string pools(const std::vector<admin::PoolRow>& rows) {
    Table table(
        {"POOL", "BALANCE", "NODES", "USABLE", "IN-TRANSIT", "WAITING", "MAXQUEUE", "TIMEOUT"});
    for (const admin::PoolRow& row : rows) {
        table.add({row.name, row.balance, std::to_string(row.nodes),
                   std::to_string(row.nodes_usable), std::to_string(row.in_flight),
                   std::to_string(row.waiting), std::to_string(row.maxqueue),
                   age(row.queue_timeout)});
    }
    return table.text();
}

std::string queue(const std::vector<admin::WaiterRow>& rows) {
    Table table({"POOL", "WAITING", "TRIED"});
    for (const admin::WaiterRow& row : rows) {
        table.add({row.pool, age(row.waited), std::to_string(row.tried)});
    }
    return table.text();
}

}  // namespace

std::string render_table(const admin::Command& command, const admin::Response& response) {
    const auto* show = std::get_if<admin::Show>(&command);
    if (show != nullptr && show->subject == admin::Subject::pools) {
        return pools(response.pools);
    }
    if (show != nullptr && show->subject == admin::Subject::queue) {
        return queue(response.queue);
    }
    return nodes(response.nodes);
}

}  // namespace millrace::ctl
