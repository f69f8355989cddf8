#include "balancer/session/shortage.hpp"

#include <boost/system/errc.hpp>

#include <algorithm>
#include <array>

namespace millrace::session {

bool is_shortage_of_ours(error_code error) {
    using boost::system::errc::errc_t;
    constexpr std::array kShortages = {
        errc_t::too_many_files_open, errc_t::too_many_files_open_in_system, errc_t::no_buffer_space,
        errc_t::not_enough_memory, errc_t::address_not_available};
    return std::any_of(kShortages.begin(), kShortages.end(),
                       [error](errc_t shortage) { return error == shortage; });
}

}  // namespace millrace::session
