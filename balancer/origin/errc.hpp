// How an origin store fails: error codes for what happens while it runs, an exception for what
// keeps it from starting.
#pragma once

#include "proto/result.hpp"

#include <stdexcept>
#include <type_traits>

namespace millrace::origin {

enum class Errc {
    queue_full = 1,  // more requests wait than the store's bound
    disk_full,       // no room, or the configured size is reached
    database_busy,   // another program holds the database
    database_corrupt,
    database_failed,  // any other failure of the database or its disk
};

[[nodiscard]] error_code make_error_code(Errc errc);

// The store cannot be opened. what() is one line for the operator and names the store.
class StoreError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

}  // namespace millrace::origin

template <>
struct boost::system::is_error_code_enum<millrace::origin::Errc> : std::true_type {};
