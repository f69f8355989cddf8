# What the decoder takes, what it refuses, and what it makes of it. No sockets, no amavisd.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/..", "$FindBin::Bin/lib";
use Test::More;

use Millrace::ProxyHeader;
use ProxyBuilder qw(SIGNATURE tlv header v2 local_header with_checksum);

my $LIMIT = 4096;
my @V4    = ('192.0.2.10',    40_112, '192.0.2.21',    10_024);
my @V6    = ('2001:db8::10', 40_112, '2001:db8::21', 10_024);
my %TYPES = %Millrace::ProxyHeader::DEFAULT_TYPES;

sub decode { return Millrace::ProxyHeader::decode(@_) }

subtest 'addresses and ports are read from version 2' => sub {
    for my $endpoints (\@V4, \@V6) {
        my ($header, $reason) = decode(v2(@{$endpoints}));
        is $reason, undef, 'accepted';
        is $header->{command}, 'PROXY', 'command';
        is_deeply [ map { @{ $header->{$_} }{qw(address port)} } qw(source destination) ],
            $endpoints, "@{$endpoints}";
    }
    my ($mapped) = decode(v2('::ffff:192.0.2.10', 1, '::ffff:192.0.2.21', 65_535));
    is $mapped->{source}{address},   '192.0.2.10', 'an IPv4-mapped source is IPv4';
    is $mapped->{destination}{port}, 65_535,       'highest port';
};

subtest 'addresses and ports are read from version 1' => sub {
    for my $case (
        [ 'TCP4', @V4 ], [ 'TCP6', @V6 ], [ 'TCP6', '2001:DB8:0:0::10', 1, '::1', 2 ],
        [ 'TCP6', ('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 65_535) x 2 ],
        )
    {
        my ($family, $source, $sport, $destination, $dport) = @{$case};
        my $line = "PROXY $family $source $destination $sport $dport\r\n";
        is_deeply [ Millrace::ProxyHeader::octets_wanted($line, $LIMIT) ], [0], "complete: $line";
        my ($header) = decode($line);
        is $header->{source}{port}, $sport, 'source port';
        is $header->{destination}{address},
            Millrace::ProxyHeader::canonical_address($destination), 'destination';
        is_deeply $header->{tlvs}, [], 'carries nothing else';
    }
};

subtest 'a LOCAL header says nothing, whatever it carries' => sub {
    my @v4_block = ("\x7F\0\0\1" x 2) . "\0\1\0\2";
    for my $octets (local_header(), header(0x20, 0x11, $v4_block[0] . tlv(0xE4, 'junk'))) {
        is_deeply [ decode($octets) ], [ { version => 2, command => 'LOCAL', tlvs => [] } ],
            length($octets) . ' octets';
    }
};

subtest 'every origin property comes back' => sub {
    my %said = (
        address   => '203.0.113.66',
        port      => 4711,
        queue_id  => '4jW9801pfMz1bY05',
        helo      => 'mail.example.org',
        name      => 'client.example.org',
        unique_id => '0190f3c2-7d1e',
    );
    my @tlvs = (tlv(0x05, $said{unique_id}), map { tlv($TYPES{$_}, $said{$_}) } sort keys %TYPES);
    for my $octets (v2(@V4, @tlvs), with_checksum(v2(@V6, @tlvs))) {
        my ($header) = decode($octets);
        my ($origin) = Millrace::ProxyHeader::origin($header, \%TYPES);
        is_deeply $origin, { %said, ignored => [] }, length($octets) . ' octets';
    }
};

subtest 'the origin address becomes canonical' => sub {
    my %canonical = (
        '203.0.113.66'                            => '203.0.113.66',
        '2001:DB8:66:0:0:0:0:1'                   => '2001:db8:66::1',
        '::ffff:203.0.113.66'                     => '203.0.113.66',
        '::1'                                     => '::1',
        'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' => 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    );
    for my $text (sort keys %canonical) {
        my ($origin) = origin_of(tlv(0xE4, $text));
        is $origin->{address}, $canonical{$text}, $text;
    }
};

subtest 'an origin that is no IP address is refused' => sub {
    for my $text (
        '', 'unknown', 'mail.example.org', '203.0.113', '203.0.113.256', '203.0.113.066',
        ' 203.0.113.66', '203.0.113.66 ', "203.0.113.66\n", "203.0.113.66\0", '[2001:db8::1]',
        'IPv6:2001:db8::1', '2001:db8::1%eth0', '203.0.113.66/32', '0xcb007142', '3405803842',
        '1::2::3', "\xCB\0qB", '2001:db8:' . '0' x 40 . ':1',
        )
    {
        my ($origin, $reason) = origin_of(tlv(0xE4, $text));
        is $origin, undef, 'refused: ' . $text =~ s/([^ -~])/sprintf '\x%02x', ord $1/egr;
        is $reason, 'origin is not an IP address', 'and the reason says so';
    }
};

subtest 'a property that appears twice is refused' => sub {
    for my $type (0xE4 .. 0xE8, 0x05) {
        my ($origin, $reason) = origin_of(tlv($type, '192.0.2.1'), tlv($type, '192.0.2.1'));
        is $origin, undef, sprintf '0x%02x', $type;
        like $reason, qr/twice/, 'and the reason says so';
    }
    my ($origin) = origin_of(tlv(0xEA, 'one'), tlv(0xEA, 'two'), tlv(0x04, ''), tlv(0x04, ''));
    is_deeply $origin, { ignored => [] }, 'types of others may appear as often as they like';
};

subtest 'an unusable value of another property is left out, and the mail goes on' => sub {
    my @cases = (
        [ 0xE5, 'port',      '', '0', '65536', '123456', '04711', '-1', "25\n", 'smtp' ],
        [ 0xE6, 'queue_id',  '', 'a b', "4XyZ12\r\n", 'x' x 129, "4XyZ\xFF" ],
        [ 0xE7, 'helo',      '', "mail\0", 'a b', "evil\r\nsubject", 'x' x 256 ],
        [ 0xE8, 'name',      '', "tab\there", 'x' x 256 ],
        [ 0x05, 'unique_id', '', 'a b', "\xFF\xFE", 'x' x 129 ],
    );
    for my $case (@cases) {
        my ($type, $property, @values) = @{$case};
        for my $value (@values) {
            my ($origin) = origin_of(tlv(0xE4, '203.0.113.66'), tlv($type, $value));
            is_deeply $origin, { address => '203.0.113.66', ignored => [$property] },
                "$property of " . length($value) . ' octets';
        }
    }
};

subtest 'types are configurable, and 0 switches a property off' => sub {
    my %types = (address => 0xE9, port => 0, queue_id => 0xEF, helo => 0, name => 0);
    my ($header) = decode(v2(@V4,
        tlv(0xE4, 'not ours'), tlv(0xE9, '203.0.113.66'), tlv(0xE5, '4711'), tlv(0xEF, '4XyZ12')));
    my ($origin) = Millrace::ProxyHeader::origin($header, \%types);
    is_deeply $origin, { address => '203.0.113.66', queue_id => '4XyZ12', ignored => [] }, 'read';
};

subtest 'malformed headers are refused' => sub {
    my $good = v2(@V4, tlv(0xE4, '203.0.113.66'));
    my %malformed = (
        'no TLV fits in one octet'       => v2(@V4, "\xE4"),
        'no TLV fits in two octets'      => v2(@V4, "\xE4\0"),
        'a TLV beyond the end'           => v2(@V4, "\xE4\0\5abcd"),
        'a TLV of 65535 octets'          => v2(@V4, "\xE4\xFF\xFF" . 'x' x 20),
        'version 1 in version 2'         => header(0x11, 0x11, "\0" x 12),
        'version 3'                      => header(0x31, 0x11, "\0" x 12),
        'command 2'                      => header(0x22, 0x11, "\0" x 12),
        'PROXY of an unknown family'     => header(0x21, 0x00, ''),
        'datagrams'                      => header(0x21, 0x12, "\0" x 12),
        'datagrams over IPv6'            => header(0x21, 0x22, "\0" x 36),
        'Unix sockets'                   => header(0x21, 0x31, "\0" x 216),
        'IPv4 block too short'           => header(0x21, 0x11, "\0" x 11),
        'IPv6 block of IPv4 length'      => header(0x21, 0x21, "\0" x 12),
        'nothing but the fixed part'     => header(0x21, 0x11, ''),
        'one octet missing'              => substr($good, 0, -1),
        'one octet too many'             => "$good\0",
        'length field too small'         => header(0x21, 0x11, "\0" x 12, 11),
        'fixed part cut'                 => substr($good, 0, 15),
        'CRC32C wrong'                   => v2(@V4, tlv(0x03, "\1\2\3\4")),
        'CRC32C of three octets'         => v2(@V4, tlv(0x03, "\0\0\0")),
        'CRC32C of five octets'          => v2(@V4, tlv(0x03, "\0" x 5)),
        'CRC32C twice'                   => with_checksum(with_checksum($good)),
        'version 1, unknown protocol'    => "PROXY UNKNOWN\r\n",
        'version 1, no CR'               => "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        'version 1, port too high'       => "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        'version 1, leading zero'        => "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        'version 1, no IPv4 address'     => "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
        'version 1, IPv6 as TCP4'        => "PROXY TCP4 ::1 ::1 1 2\r\n",
        'version 1, IPv4 as TCP6'        => "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        'version 1, one port missing'    => "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        'version 1, two spaces'          => "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        'nothing'                        => '',
        'an SMTP command'                => "EHLO ingress.example.org\r\n",
    );
    for my $name (sort keys %malformed) {
        my ($header, $reason) = decode($malformed{$name});
        is $header, undef, $name;
        ok $reason, 'with a reason: ' . ($reason // 'none');
    }
};

subtest 'CRC32C' => sub {
    # RFC 3720, appendix B.4, and the check value of the polynomial.
    my %vectors = (
        '123456789'                    => 0xE3069283,
        "\0" x 32                      => 0x8A9136AA,
        "\xFF" x 32                    => 0x62A8AB43,
        pack('C*', 0 .. 31)            => 0x46DD794E,
        pack('C*', reverse 0 .. 31)    => 0x113FDB5C,
        ''                             => 0,
    );
    is Millrace::ProxyHeader::crc32c($_), $vectors{$_}, sprintf '%08x', $vectors{$_}
        for sort keys %vectors;

    my $good = with_checksum(v2(@V6, tlv(0xE4, '203.0.113.66'), tlv(0xE6, '4XyZ12')));
    ok decode($good), 'a right checksum is accepted';
    # A flipped bit may make the checksum unrecognisable, and the checksum is optional; or the
    # header LOCAL, whose contents are discarded. No other goes unnoticed.
    for my $bit (0 .. 8 * length($good) - 1) {
        my ($header) = decode(flipped($good, $bit));
        next if !$header || $header->{command} eq 'LOCAL';
        ok !(grep { $_->[0] == 0x03 } @{ $header->{tlvs} }), "bit $bit hides the checksum";
    }
};

subtest 'octets_wanted never asks for more than the header and knows when to stop' => sub {
    my $header = with_checksum(v2(@V4, tlv(0xE4, '203.0.113.66')));
    for my $octets ($header, local_header(), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n") {
        for my $have (0 .. length $octets) {
            my ($wanted) = Millrace::ProxyHeader::octets_wanted(substr($octets, 0, $have), $LIMIT);
            my $left = length($octets) - $have;
            ok $left == 0 ? $wanted == 0 : $wanted > 0 && $wanted <= $left, "$have octets read"
                or last;
        }
    }
    my @strangers = ("E", "EHLO x\r\n", "\r\n\r\n\0\r\nQUIX", "\r\nQ", "PROXX", 'PROXY ' . 'x' x 101);
    for my $octets (@strangers) {
        my ($wanted, $reason) = Millrace::ProxyHeader::octets_wanted($octets, $LIMIT);
        is $wanted, undef, 'not a header: ' . $octets =~ s/([^ -~])/sprintf '\x%02x', ord $1/egr;
        ok $reason, $reason // 'no reason';
    }
};

subtest 'the length limit is exact' => sub {
    for my $total (16 + 12, 231, 232, 233, 535, 536, 537, 4096) {
        my $header = v2(@V4, padding($total - 28));
        is length $header, $total, "a header of $total octets";
        my $begun = substr $header, 0, 16;
        my ($fits)  = Millrace::ProxyHeader::octets_wanted($begun, $total);
        my ($above) = Millrace::ProxyHeader::octets_wanted($begun, $total - 1);
        is $fits,  $total - 16, 'is read when the limit allows it';
        is $above, undef,       'and refused when the limit is one less';
        ok decode($header), 'decodes';
    }
    my ($wanted, $reason) =
        Millrace::ProxyHeader::octets_wanted(header(0x21, 0x11, '', 0xFFFF), $LIMIT);
    is $wanted, undef, 'the longest possible header is refused before it is read';
};

done_testing;

sub origin_of {
    my ($header, $reason) = decode(v2(@V4, @_));
    return (undef, $reason) if !$header;
    return Millrace::ProxyHeader::origin($header, \%TYPES);
}

sub flipped {
    my ($octets, $bit) = @_;
    vec($octets, $bit, 1) ^= 1;
    return $octets;
}

sub padding {
    my ($octets) = @_;
    return $octets >= 3 ? tlv(0x04, "\0" x ($octets - 3)) : '';
}
