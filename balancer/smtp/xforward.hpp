// The XFORWARD attributes of one transaction (Postfix XFORWARD_README): who gave the message to
// the sender of the command. Reader and writer of the command are both here.
//
// An attribute is not given (nullopt), given as unavailable (empty), or known. Values are decoded:
// no xtext, no "IPv6:" prefix, no control characters, well-formed UTF-8 where they are not ASCII;
// addresses are addresses and ports are ports. Port 0 and [TEMPUNAVAIL] count as unavailable. The
// same attribute twice in one command is refused; in a later command it replaces the earlier one.
#pragma once

#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {

enum class XforwardSource { local, remote };

struct Xforward {
    static constexpr std::size_t kValueLengthMax = 255;  // octets, decoded

    std::optional<std::string> name;
    std::optional<std::string> address;  // canonical text of an address, or empty
    std::optional<std::string> port;     // decimal text, or empty
    std::optional<std::string> protocol;
    std::optional<std::string> helo;
    std::optional<std::string> ident;
    std::optional<XforwardSource> source;

    [[nodiscard]] bool is_empty() const;
    // The address as a value; nothing when it is not given or unavailable.
    [[nodiscard]] std::optional<Address> client_address() const;

    friend bool operator==(const Xforward&, const Xforward&) = default;
};

// Which attributes a server announced behind XFORWARD in its EHLO reply.
struct XforwardAttributes {
    bool name = false;
    bool address = false;
    bool port = false;
    bool protocol = false;
    bool helo = false;
    bool ident = false;
    bool source = false;

    [[nodiscard]] bool any() const;
    [[nodiscard]] XforwardAttributes without(const XforwardAttributes& others) const;
    [[nodiscard]] static XforwardAttributes all();

    friend bool operator==(const XforwardAttributes&, const XforwardAttributes&) = default;
};

// Merges the attributes of one XFORWARD command ("ADDR=192.0.2.1 PORT=4711") into `into`; on an
// error `into` is unchanged.
[[nodiscard]] Result<void> parse_xforward(std::string_view argument, Xforward& into);

// Complete XFORWARD command lines with CRLF, each at most 512 octets, with the given attributes
// that were announced; a value that cannot fit is sent as [UNAVAILABLE]. Empty when nothing is
// left.
struct XforwardLines {
    std::string wire;
    std::size_t count = 0;  // commands in it, each of which gets a reply
};

[[nodiscard]] XforwardLines encode_xforward(const Xforward& attributes,
                                            const XforwardAttributes& announced);
// The same behind what `out` has; how many commands that is.
[[nodiscard]] std::size_t append_xforward(const Xforward& attributes,
                                          const XforwardAttributes& announced, std::string& out);

// The keyword with its attributes as announced in EHLO: "XFORWARD NAME ADDR ...".
[[nodiscard]] std::string xforward_keyword(const XforwardAttributes& attributes);
// The attributes behind that keyword; unknown ones are passed over, case does not matter.
[[nodiscard]] XforwardAttributes parse_xforward_attributes(std::string_view attributes);

}  // namespace millrace::smtp
