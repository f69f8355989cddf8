// The epoll set that Asio itself waits on, as a descriptor that can be waited for.
#pragma once

#include <boost/asio/io_context.hpp>

namespace millrace::net {

// Readable while Asio has something to do for a descriptor, a signal or a timer; not for what was
// posted. Asio's: not to be closed.
[[nodiscard]] int asio_set(boost::asio::io_context& context);

}  // namespace millrace::net
