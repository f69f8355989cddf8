// What the kernel knows of a TCP connection and Asio's headers have no name for.
#pragma once

namespace millrace::test {

// Segments that this end has received so far.
[[nodiscard]] unsigned segments_received(int descriptor);

}  // namespace millrace::test
