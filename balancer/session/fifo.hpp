// First in, first out, for the few items of one message: the usual number has its place in the
// queue itself.
#pragma once

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <iterator>
#include <utility>

namespace millrace::session {

template <typename T>
// NOLINTNEXTLINE(bugprone-exception-escape): small_vector moves items that do not throw.
class Fifo {
 public:
    void push_back(T item) { items_.push_back(std::move(item)); }

    // REQUIRES of both: !empty().
    [[nodiscard]] T& front() { return items_[first_]; }

    void pop_front() {
        ++first_;
        if (empty()) {
            items_.clear();
            first_ = 0;
        }
    }

    [[nodiscard]] const T& front() const { return items_[first_]; }

    [[nodiscard]] bool empty() const { return first_ == items_.size(); }

    [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

    [[nodiscard]] T& back() { return items_.back(); }

    [[nodiscard]] auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }

    [[nodiscard]] auto end() { return items_.end(); }

    [[nodiscard]] auto rbegin() { return std::make_reverse_iterator(end()); }

    [[nodiscard]] auto rend() { return std::make_reverse_iterator(begin()); }

 private:
    static constexpr std::size_t kUsual = 8;

    boost::container::small_vector<T, kUsual> items_;
    std::size_t first_ = 0;
};

}  // namespace millrace::session
