// Feeds one input to an incremental parser in many segmentations: whole, octet by octet, and cut
// at every single point. Incremental parsers break at segment boundaries, so all of them get this.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

namespace millrace::test {

// `feed` is called once per segmentation with the segments in order.
inline void for_each_split(std::string_view input,
                           const std::function<void(const std::vector<std::string_view>&)>& feed) {
    feed({input});
    std::vector<std::string_view> octets;
    for (std::size_t i = 0; i < input.size(); ++i) {
        octets.push_back(input.substr(i, 1));
    }
    feed(octets);
    for (std::size_t cut = 1; cut < input.size(); ++cut) {
        feed({input.substr(0, cut), input.substr(cut)});
    }
}

}  // namespace millrace::test
