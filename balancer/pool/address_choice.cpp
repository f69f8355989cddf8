#include "balancer/pool/address_choice.hpp"

#include <algorithm>

namespace millrace::pool {

namespace {

// 0.0.0.0 and :: are how filters of names say "nowhere".
bool is_usable(const Address& address) {
    return !address.is_unspecified() && !address.is_multicast();
}

}  // namespace

std::optional<Address> choose_address(const std::vector<Address>& answer, const Address& present) {
    if (is_usable(present) && std::find(answer.begin(), answer.end(), present) != answer.end()) {
        return present;
    }
    const auto first = std::find_if(answer.begin(), answer.end(), is_usable);
    return first == answer.end() ? std::nullopt : std::optional{*first};
}

}  // namespace millrace::pool
