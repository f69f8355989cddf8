// Frames of the origin RPC: the same ones wherever the bytes are cut, and encoding gives them back.

#include "proto/frame.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <string>
#include <vector>

using millrace::fuzz::require;

namespace {

struct Stream {
    std::vector<std::string> frames;
    millrace::error_code error;
    bool is_idle = true;

    friend bool operator==(const Stream&, const Stream&) = default;
};

Stream read_all(std::initializer_list<std::string_view> segments) {
    millrace::FrameReader reader;
    Stream stream;
    for (auto segment : segments) {
        while (!segment.empty() && !stream.error) {
            auto frame = reader.read(segment);
            if (!frame) {
                stream.error = frame.error();
                millrace::fuzz::require_described(stream.error);
                require(reader.read(segment).error() == stream.error);
            } else if (*frame) {
                stream.frames.push_back(**frame);
            }
        }
    }
    stream.is_idle = reader.is_idle();
    return stream;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    const auto stream = read_all({input.whole});
    require(stream == read_all({input.first, input.second}));
    std::string verbatim;
    for (const auto& frame : stream.frames) {
        require(!frame.empty() && frame.size() <= millrace::kFrameLengthMax);
        verbatim += millrace::encode_frame(frame);
    }
    require(input.whole.starts_with(verbatim));
    require(stream.error || !stream.is_idle || verbatim.size() == input.whole.size());
    return 0;
}
