// The error vocabulary of both programs: a value or an error code, never an exception, wherever a
// peer or the network decides the outcome. Exceptions are kept for "cannot start".
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace millrace {

template <typename T>
using Result = boost::system::result<T>;

using boost::system::error_code;

}  // namespace millrace
