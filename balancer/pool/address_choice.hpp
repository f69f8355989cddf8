// Which of the addresses that a host name has is used for its node.
//
// The present one as long as the answer still has it: name servers turn the order of their answers
// about, and that must not move mail to and fro. Otherwise the first that can be a node's; the
// system's resolver has put them in the order of RFC 6724.
#pragma once

#include "proto/endpoint.hpp"

#include <optional>
#include <vector>

namespace millrace::pool {

// `present`: unspecified when there is none. Nothing when no address of the answer can be used.
[[nodiscard]] std::optional<Address> choose_address(const std::vector<Address>& answer,
                                                    const Address& present);

}  // namespace millrace::pool
