# The header is read from a socket, whole, wherever its octets are split, and what follows it stays
# in the socket.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/..", "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Socket qw(AF_UNIX MSG_DONTWAIT MSG_PEEK PF_UNSPEC SOCK_STREAM);
use Test::More;

use AmavisStub;
use Millrace::ProxyV2;
use ProxyBuilder qw(tlv v2 local_header with_checksum);

my $FOLLOWS = "EHLO ingress.example.org\r\n";
my $V6 = v2('2001:db8::10', 40_112, '2001:db8::21', 10_024,
    tlv(0xE4, '2001:db8:66::1'), tlv(0xE5, '4711'), tlv(0xE6, '4jW9801pfMz1bY05'));

# Long enough for a machine in trouble; no test waits for it to pass unless it says so.
Millrace::ProxyV2->enable(header_timeout => 60);

subtest 'every split point' => sub {
    my $full = with_checksum($V6 . '');
    my $budget = v2('192.0.2.10', 1, '192.0.2.21', 2, tlv(0x04, 'x' x (232 - 31)));
    for my $header ($full, $budget, local_header(), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n") {
        my @wrong = grep { !arrives($header, $_) } 0 .. length($header) + length $FOLLOWS;
        is_deeply \@wrong, [], 'header of ' . length($header) . ' octets';
    }
};

subtest 'one octet at a time' => sub {
    my ($near, $far) = socket_pair();
    my $header = with_checksum($V6);
    my $writer = in_child(sub { send_when_drained($near, $far, split //, $header) });
    my ($octets) = Millrace::ProxyV2::_read_header($near);
    is $octets, $header, 'read';
    reap($writer);
};

subtest 'a header of 536 octets, which is what Postfix takes, and of 4096' => sub {
    for my $total (536, 4096) {
        my ($near, $far) = socket_pair();
        my $header = v2('192.0.2.10', 1, '192.0.2.21', 2, tlv(0x04, 'x' x ($total - 31)));
        syswrite $far, $header . $FOLLOWS;
        my ($octets) = Millrace::ProxyV2::_read_header($near);
        is $octets, $header, "$total octets";
        is pending($near), $FOLLOWS, 'and nothing more';
    }
};

subtest 'what is no header is refused as soon as that is sure' => sub {
    for my $octets ("E", "\r\n\r\n\0\r\nX", "QUIT\r\n", v2('::1', 1, '::1', 2, tlv(4, 'x' x 5000))) {
        my ($near, $far) = socket_pair();
        syswrite $far, $octets;    # and the connection stays open
        my ($read, $reason) = Millrace::ProxyV2::_read_header($near);
        is $read, undef, length($octets) . ' octets';
        ok $reason, $reason // 'no reason';
    }
};

subtest 'a peer that closes' => sub {
    for my $have (0, 1, 15, 16, 17, length($V6) - 1) {
        my ($near, $far) = socket_pair();
        syswrite $far, substr $V6, 0, $have;
        close $far;
        my ($read, $reason) = Millrace::ProxyV2::_read_header($near);
        is $read, undef, "after $have octets";
        is $reason, $have ? 'connection closed within the header' : '', 'reason';
    }
};

subtest 'a peer that stays silent is given up without an exception' => sub {
    my ($near, $far) = socket_pair();
    local $Millrace::ProxyV2::options{header_timeout} = 0.05;
    syswrite $far, substr $V6, 0, 20;
    my ($read, $reason) = Millrace::ProxyV2::_read_header($near);
    is $reason, 'no complete PROXY header in time', 'reason';
};

done_testing;

sub arrives {
    my ($header, $split) = @_;
    my ($near, $far) = socket_pair();
    my $all    = $header . $FOLLOWS;
    my @parts  = (substr($all, 0, $split), substr $all, $split);
    my $writer = in_child(sub { send_when_drained($near, $far, grep { length } @parts) });
    my ($octets) = Millrace::ProxyV2::_read_header($near);
    my $right = defined $octets && $octets eq $header;

    # The rest may still be on its way: the writer closes when it has sent everything.
    close $far;
    my $rest = '';
    1 while sysread $near, $rest, 4096, length $rest;
    reap($writer);
    return $right && $rest eq $FOLLOWS;
}

# Sends each part when the reader has taken the one before. The last part of the header is never
# followed by a wait: what comes after it stays unread.
sub send_when_drained {
    my ($near, $far, @parts) = @_;
    while (@parts) {
        syswrite $far, shift @parts;
        last if !@parts;
        until (drained($near)) { select undef, undef, undef, 0.0005 }
    }
    return;
}

# True when nothing is left to read, or when the reader has read its last and looks no more.
sub drained {
    my ($near) = @_;
    my $waiting = pending($near);
    return $waiting eq '' || substr($FOLLOWS, 0, length $waiting) eq $waiting;
}

sub pending {
    my ($near) = @_;
    my $waiting = '';
    recv $near, $waiting, 4096, MSG_PEEK | MSG_DONTWAIT;
    return $waiting // '';
}

sub socket_pair {
    my ($near, $far) = IO::Socket::UNIX->socketpair(AF_UNIX, SOCK_STREAM, PF_UNSPEC);
    return ($near, $far);
}

sub in_child {
    my ($work) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    $work->();
    require POSIX;
    POSIX::_exit(0);
}

sub reap { waitpid $_[0], 0; return }
