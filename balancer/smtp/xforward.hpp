// The XFORWARD attributes of one transaction (Postfix XFORWARD_README): who gave the message to
// the sender of the command. Reader and writer of the command are both here.
//
// An attribute is not given (nothing), given as unavailable (empty), or known. Values are decoded:
// no xtext, no "IPv6:" prefix, no control characters, well-formed UTF-8 where they are not ASCII;
// addresses are addresses and ports are ports. Port 0 and [TEMPUNAVAIL] count as unavailable, an
// unavailable source as not given. The same attribute twice in one command is refused; in a later
// command it replaces the earlier one.
#pragma once

#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::smtp {

struct XforwardAttribute;
struct XforwardAttributes;

enum class XforwardName : std::uint8_t { name, address, port, protocol, helo, ident, source };

enum class XforwardSource { local, remote };

// Kept as it goes to a node, because nearly always it goes there as it came.
class Xforward {
 public:
    static constexpr std::size_t kValueLengthMax = 255;  // octets, decoded
    static constexpr std::size_t kAttributes = 7;

    [[nodiscard]] bool is_empty() const { return wire_.empty(); }

    // The value of an attribute; good until one is set.
    [[nodiscard]] std::optional<std::string_view> value(XforwardName name) const;

    [[nodiscard]] auto name() const { return value(XforwardName::name); }

    // Canonical text of an address, or empty.
    [[nodiscard]] auto address() const { return value(XforwardName::address); }

    // Decimal text, or empty.
    [[nodiscard]] auto port() const { return value(XforwardName::port); }

    [[nodiscard]] auto protocol() const { return value(XforwardName::protocol); }

    [[nodiscard]] auto helo() const { return value(XforwardName::helo); }

    [[nodiscard]] auto ident() const { return value(XforwardName::ident); }

    [[nodiscard]] std::optional<XforwardSource> source() const;

    // The address as a value; nothing when it is not given or unavailable.
    [[nodiscard]] std::optional<Address> client_address() const;

    // The port as a value; 0 when it is not given or unavailable.
    [[nodiscard]] std::uint16_t client_port() const { return port_; }

    // Empty: unavailable. REQUIRES: the attribute can have the value, which is decoded and in its
    // canonical form.
    void set(XforwardName name, std::string_view value);

    // The same values.
    friend bool operator==(const Xforward& a, const Xforward& b);

 private:
    friend Result<void> parse_xforward(std::string_view argument, Xforward& into);
    friend std::size_t append_xforward(const Xforward& attributes,
                                       const XforwardAttributes& announced, std::string& out);

    // Where one attribute is in wire_, in octets.
    struct Field {
        std::uint16_t begin = 0;
        std::uint16_t value = 0;  // where its value begins, which goes on to the end
        std::uint16_t end = 0;    // as `begin`: not given; as `value`: unavailable

        [[nodiscard]] bool is_given() const { return begin != end; }
    };

    // Puts "NAME=VALUE" as it goes to a node; the value that value() shows begins at `value_at`.
    void put(XforwardName name, std::string_view word, std::size_t value_at);
    // In its place, which others may be behind; where that is.
    [[nodiscard]] std::size_t insert(XforwardName name, std::string_view word);
    void forget(XforwardName name);
    // What is behind an attribute in wire_ is now so much further on.
    void shift_behind(XforwardName name, std::ptrdiff_t octets);

    // All that is given, as it stands in a command, in the order of the names. Each fits into a
    // command.
    std::string wire_;
    std::array<Field, kAttributes> fields_;  // by name
    std::vector<std::string> decoded_;  // by name, where wire_ has xtext; none, most of the time
    Address address_;
    std::uint16_t port_ = 0;
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
