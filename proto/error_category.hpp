// The category behind a module's `enum class Errc`: a name and a text for each enumerator.
//
// Boost's base class has a destructor that is not virtual, by design: categories are never deleted
// through it. g++ warns of every class derived from it, so the one that is needed is here. An
// instance lives for the whole program (a function's static), because error codes point to it.
#pragma once

#include <boost/system/error_category.hpp>

#include <string>

namespace millrace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): see above
class ErrorCategory final : public boost::system::error_category {
 public:
    using Describe = std::string (*)(int value);

    // name: "millrace.smtp". describe: the text for one enumerator.
    constexpr ErrorCategory(const char* name, Describe describe)
        : name_(name), describe_(describe) {}

    [[nodiscard]] const char* name() const noexcept override { return name_; }

    [[nodiscard]] std::string message(int value) const override { return describe_(value); }

 private:
    const char* name_;
    Describe describe_;
};

#pragma GCC diagnostic pop

}  // namespace millrace
