#include "balancer/proxy_protocol/header.hpp"

#include "balancer/proxy_protocol/version.hpp"
#include "proto/error_category.hpp"

namespace millrace::proxy_protocol {
namespace {

std::string describe(int value) {
    switch (static_cast<Errc>(value)) {
        case Errc::bad_signature:
            return "no PROXY header";
        case Errc::bad_version:
            return "unknown version or command of the PROXY header";
        case Errc::bad_family:
            return "unknown family or transport in the PROXY header";
        case Errc::bad_address:
            return "bad address in the PROXY header";
        case Errc::bad_port:
            return "bad port in the PROXY header";
        case Errc::bad_length:
            return "bad length in the PROXY header";
        case Errc::bad_checksum:
            return "bad checksum of the PROXY header";
        case Errc::too_long:
            return "PROXY header over the limit";
        case Errc::duplicate_checksum:
            return "more than one checksum in the PROXY header";
    }
    return "unknown error of the PROXY header";
}

}  // namespace

error_code make_error_code(Errc errc) {
    static const ErrorCategory category{"millrace.proxy_protocol", describe};
    return {static_cast<int>(errc), category};
}

bool is_ipv4(const Header& header) {
    return unmapped(header.source.address).is_v4() && unmapped(header.destination.address).is_v4();
}

Result<std::optional<Decoded>> decode(std::string_view bytes, std::size_t length_max) {
    if (bytes.starts_with(kSignatureV1)) {
        return decode_v1(bytes);
    }
    if (bytes.starts_with(kSignatureV2)) {
        return decode_v2(bytes, length_max);
    }
    if (kSignatureV1.starts_with(bytes) || kSignatureV2.starts_with(bytes)) {
        return std::optional<Decoded>();
    }
    return Errc::bad_signature;
}

}  // namespace millrace::proxy_protocol
