#include "balancer/origin/errc.hpp"

#include "proto/error_category.hpp"

#include <string>

namespace millrace::origin {
namespace {

std::string describe(int value) {
    switch (static_cast<Errc>(value)) {
        case Errc::queue_full:
            return "too many requests wait for the origin store";
        case Errc::disk_full:
            return "no space left for the origin store";
        case Errc::database_busy:
            return "the origin database is locked by another program";
        case Errc::database_corrupt:
            return "the origin database is damaged";
        case Errc::database_failed:
            return "the origin database failed";
    }
    return "unknown error of the origin store";
}

}  // namespace

error_code make_error_code(Errc errc) {
    static const ErrorCategory category{"millrace.origin", describe};
    return {static_cast<int>(errc), category};
}

}  // namespace millrace::origin
