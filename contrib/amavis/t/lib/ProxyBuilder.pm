# Builds PROXY headers for the tests, octet by octet after the specification and with none of the
# code under test, so that a common error cannot hide.
package ProxyBuilder;

use strict;
use warnings;

use Exporter qw(import);
use Socket qw(AF_INET AF_INET6 inet_pton);

our @EXPORT_OK = qw(SIGNATURE tlv header v2 local_header with_checksum);

use constant SIGNATURE => "\r\n\r\n\0\r\nQUIT\n";

sub tlv {
    my ($type, $value) = @_;
    return chr($type) . pack('n', length $value) . $value;
}

# A header of these parts, its length field right unless it is given.
sub header {
    my ($version_and_command, $family, $body, $length) = @_;
    return SIGNATURE
        . chr($version_and_command)
        . chr($family)
        . pack('n', $length // length $body)
        . $body;
}

# A header of a TCP connection: v2(SOURCE, PORT, DESTINATION, PORT, TLVs...).
sub v2 {
    my ($source, $source_port, $destination, $destination_port, @tlvs) = @_;
    my ($domain, $family) = $source =~ /:/ ? (AF_INET6, 0x21) : (AF_INET, 0x11);
    my $addresses = join '', map { inet_pton($domain, $_) } $source, $destination;
    return header(0x21, $family,
        $addresses . pack('nn', $source_port, $destination_port) . join '', @tlvs);
}

sub local_header { return header(0x20, 0x00, '') }

# The header with a CRC32C TLV behind everything else.
sub with_checksum {
    my ($header) = @_;
    my $longer = substr($header, 0, 14)
        . pack('n', length($header) - 16 + 7)
        . substr($header, 16)
        . tlv(0x03, "\0" x 4);
    substr $longer, -4, 4, pack('N', _crc32c($longer));
    return $longer;
}

# Bit by bit: slow, and not the table that the module uses.
sub _crc32c {
    my ($octets) = @_;
    my $crc = 0xFFFFFFFF;
    for my $octet (unpack 'C*', $octets) {
        $crc ^= $octet;
        for (1 .. 8) {
            my $carry = $crc & 1;
            $crc >>= 1;
            $crc ^= 0x82F63B78 if $carry;
        }
    }
    return $crc ^ 0xFFFFFFFF;
}

1;
