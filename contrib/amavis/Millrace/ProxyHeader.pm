# Decodes the PROXY protocol header (versions 1 and 2) and the origin that Millrace adds to it.
#
# Pure code: octets go in, values come out. It opens no socket, reads no clock and knows nothing
# of amavisd, so a test can cover every case with a table.
#
# A reader first asks `octets_wanted` how much it may read without touching what follows the
# header, and reads until the answer is 0. `decode` then turns the octets into a header, and
# `origin` takes the origin out of the header. Nothing here dies on bad input: each function
# returns (undef, reason) in its place. Values that come from the wire are untainted only by
# matching a pattern that admits what is safe to log and to use.
#
# Specification: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, sections 2.1 and 2.2.
package Millrace::ProxyHeader;

use strict;
use warnings;

use Socket qw(AF_INET AF_INET6 inet_ntop inet_pton);

my $SIGNATURE     = "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A";
my $FIXED_LENGTH  = 16;     # signature, version and command, family, length
my $V1_MARK       = 'PROXY ';
my $V1_LENGTH_MAX = 107;    # with its CRLF, as the specification counts it

my $TYPE_CRC32C    = 0x03;
my $TYPE_UNIQUE_ID = 0x05;

# The TLV types that carry an origin. No registry assigns them, so a site may choose others.
our %DEFAULT_TYPES = (
    address  => 0xE4,
    port     => 0xE5,
    queue_id => 0xE6,
    helo     => 0xE7,
    name     => 0xE8,
);

# Returns how many more octets may be read for a header that begins with these octets: never more
# than belong to the header, and 0 when it is complete. (undef, reason) when they begin no header,
# or one longer than `length_max`.
sub octets_wanted {
    my ($octets, $length_max) = @_;
    my $length = length $octets;

    # The shortest header of all is "PROXY UNKNOWN" and CRLF, so 12 octets are safe to ask for.
    my $begun = substr $octets, 0, length $SIGNATURE;
    if ($begun eq substr $SIGNATURE, 0, length $begun) {
        return length($SIGNATURE) - $length if $length < length $SIGNATURE;
        return _v2_octets_wanted($octets, $length_max);
    }
    my $mark = substr $octets, 0, length $V1_MARK;
    return (undef, 'no PROXY header') if $mark ne substr $V1_MARK, 0, length $mark;
    return length($SIGNATURE) - $length if $length < length $SIGNATURE;

    # Where a version 1 line ends is known only at its end, hence one octet at a time.
    return 0 if substr($octets, -1) eq "\x0A";
    return (undef, 'version 1 line is too long') if $length >= $V1_LENGTH_MAX;
    return 1;
}

sub _v2_octets_wanted {
    my ($octets, $length_max) = @_;
    my $length = length $octets;
    return $FIXED_LENGTH - $length if $length < $FIXED_LENGTH;
    my $total = $FIXED_LENGTH + unpack 'x14 n', $octets;
    return (undef, "header of $total octets is longer than the limit of $length_max")
        if $total > $length_max;
    return $total - $length;
}

# Decodes a complete header. Returns a hash reference with
#   version              1 or 2
#   command              'PROXY', or 'LOCAL' for a connection of the proxy's own (a health check)
#   source, destination  { address, port }, absent for LOCAL; IPv4-mapped addresses become IPv4
#   tlvs                 [ [ type, octets ], ... ] in the order of the header, empty for LOCAL
sub decode {
    my ($octets) = @_;
    return _decode_v1($octets) if substr($octets, 0, length $V1_MARK) eq $V1_MARK;
    return (undef, 'no PROXY header')
        if length $octets < $FIXED_LENGTH
        || substr($octets, 0, length $SIGNATURE) ne $SIGNATURE;
    return _decode_v2($octets);
}

sub _decode_v1 {
    my ($line) = @_;
    $line =~ m{\A PROXY [ ] (TCP4|TCP6)
               [ ] ([0-9A-Fa-f:.]{2,45}) [ ] ([0-9A-Fa-f:.]{2,45})
               [ ] (0|[1-9][0-9]{0,4}) [ ] (0|[1-9][0-9]{0,4}) \x0D\x0A \z}x
        or return (undef, 'malformed or UNKNOWN version 1 line');
    my ($family, $source, $destination, $source_port, $destination_port) = ($1, $2, $3, $4, $5);
    return (undef, 'port out of range') if $source_port > 65_535 || $destination_port > 65_535;
    for my $address ($source, $destination) {
        return (undef, "address does not belong to $family")
            if ($family eq 'TCP6') != ($address =~ /:/);
        $address = canonical_address($address);
        return (undef, 'malformed address') if !defined $address;
    }
    return {
        version     => 1,
        command     => 'PROXY',
        source      => { address => $source, port => $source_port + 0 },
        destination => { address => $destination, port => $destination_port + 0 },
        tlvs        => [],
    };
}

sub _decode_v2 {
    my ($octets) = @_;
    my ($version_and_command, $family, $length) = unpack 'x12 C C n', $octets;
    return (undef, 'length of the header does not match its octets')
        if length $octets != $FIXED_LENGTH + $length;
    return (undef, 'not version 2') if ($version_and_command & 0xF0) != 0x20;

    # Section 2.2: the receiver uses the real endpoints and discards what else a LOCAL header has.
    my $command = $version_and_command & 0x0F;
    return { version => 2, command => 'LOCAL', tlvs => [] } if $command == 0x0;
    return (undef, "unknown command $command") if $command != 0x1;

    my %address_length = (0x11 => 4, 0x21 => 16);
    my $size = $address_length{$family};
    return (undef, sprintf 'family 0x%02x is not TCP over IPv4 or IPv6', $family) if !defined $size;
    return (undef, 'address block is incomplete') if $length < 2 * $size + 4;

    my ($source, $destination, $source_port, $destination_port, $rest) =
        unpack "x$FIXED_LENGTH a$size a$size n n a*", $octets;
    my ($tlvs, $reason) = _decode_tlvs($rest);
    return (undef, $reason) if !$tlvs;
    return (undef, 'CRC32C does not match') if !_checksum_holds($octets, $tlvs);
    return {
        version     => 2,
        command     => 'PROXY',
        source      => { address => _text_of($source), port => _port_of($source_port) },
        destination => { address => _text_of($destination), port => _port_of($destination_port) },
        tlvs        => [ map { [ $_->{type}, $_->{octets} ] } @{$tlvs} ],
    };
}

sub _decode_tlvs {
    my ($octets) = @_;
    my $offset = 0;
    my @tlvs;
    while ($offset < length $octets) {
        return (undef, 'TLV is cut short') if length($octets) - $offset < 3;
        my ($type, $length) = unpack 'C n', substr $octets, $offset, 3;
        $offset += 3;
        return (undef, sprintf 'TLV 0x%02x is longer than the header', $type)
            if length($octets) - $offset < $length;
        push @tlvs,
            {
            type      => $type,
            octets    => substr($octets, $offset, $length),
            from_back => length($octets) - $offset
            };
        $offset += $length;
    }
    return \@tlvs;
}

# True where there is no checksum, or where the only one is right. The checksum covers the whole
# header with its own four octets as zeros.
sub _checksum_holds {
    my ($octets, $tlvs) = @_;
    my @checksums = grep { $_->{type} == $TYPE_CRC32C } @{$tlvs};
    return 1 if !@checksums;
    return 0 if @checksums > 1 || length $checksums[0]{octets} != 4;
    my $blanked = $octets;
    substr $blanked, length($octets) - $checksums[0]{from_back}, 4, "\0\0\0\0";
    return crc32c($blanked) == unpack 'N', $checksums[0]{octets};
}

# Takes the origin out of a decoded header. `types` names the TLV types, as %DEFAULT_TYPES does; a
# type of 0 means that this property is not looked for. Returns a hash reference that holds what
# the header says of address, port, queue_id, helo, name and unique_id, and in `ignored` the names
# of those whose value is not usable.
#
# A header that says one thing twice, or whose origin address is not an IP address, cannot be
# trusted at all and is an error. HELO and host names were chosen by strangers: a bad one is only
# left out, or anyone could have his mail refused by the node.
sub origin {
    my ($header, $types) = @_;
    my %property_of = ($TYPE_UNIQUE_ID => 'unique_id');
    $property_of{ $types->{$_} } = $_ for grep { $types->{$_} } keys %{$types};

    my %raw;
    for my $tlv (@{ $header->{tlvs} }) {
        my $property = $property_of{ $tlv->[0] } or next;
        return (undef, "TLV of the $property appears twice") if exists $raw{$property};
        $raw{$property} = $tlv->[1];
    }

    my %origin = (ignored => []);
    if (exists $raw{address}) {
        $origin{address} = canonical_address(delete $raw{address});
        return (undef, 'origin is not an IP address') if !defined $origin{address};
    }
    for my $property (sort keys %raw) {
        my $value = _usable($property, $raw{$property});
        if (defined $value) {
            $origin{$property} = $value;
        } else {
            push @{ $origin{ignored} }, $property;
        }
    }
    return \%origin;
}

sub _usable {
    my ($property, $octets) = @_;
    if ($property eq 'port') {
        return if $octets !~ /\A([1-9][0-9]{0,4})\z/;
        return $1 <= 65_535 ? $1 + 0 : undef;
    }
    return $octets =~ /\A([A-Za-z0-9._-]{1,128})\z/ ? $1 : undef if $property eq 'queue_id';
    return $octets =~ /\A([\x21-\x7E]{1,128})\z/    ? $1 : undef if $property eq 'unique_id';

    # What amavisd accepts as the value of an XFORWARD attribute.
    return $octets =~ /\A([\x21-\x7E\x80-\xFF]{1,255})\z/ ? $1 : undef;
}

# Returns the address in its canonical text (RFC 5952, IPv4-mapped as IPv4), or undef for anything
# that is not exactly one IP address: no brackets, no prefix, no zone.
sub canonical_address {
    my ($text) = @_;
    return if !defined $text || $text !~ /\A([0-9A-Fa-f:.]{2,45})\z/;
    my $address = $1;
    my $packed  = inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address);
    return defined $packed ? _text_of($packed) : undef;
}

sub _text_of {
    my ($packed) = @_;
    $packed = substr $packed, 12 if $packed =~ /\A\0{10}\xFF\xFF/s && length $packed == 16;
    my $text = inet_ntop(length $packed == 4 ? AF_INET : AF_INET6, $packed);
    $text =~ /\A([0-9a-f:.]+)\z/ or return;
    return $1;
}

# A number that was unpacked from the wire, untainted.
sub _port_of {
    my ($number) = @_;
    return $number =~ /\A([0-9]+)\z/ ? $1 + 0 : undef;
}

# CRC-32C (RFC 3720, appendix B.4): reflected polynomial 0x82F63B78. Headers are short, so a table
# of 256 entries is fast enough.
my @CRC_TABLE = map {
    my $crc = $_;
    $crc = $crc & 1 ? ($crc >> 1) ^ 0x82F63B78 : $crc >> 1 for 1 .. 8;
    $crc;
} 0 .. 255;

sub crc32c {
    my ($octets) = @_;
    my $crc = 0xFFFFFFFF;
    $crc = $CRC_TABLE[ ($crc ^ $_) & 0xFF ] ^ ($crc >> 8) for unpack 'C*', $octets;
    return $crc ^ 0xFFFFFFFF;
}

1;
