# A real amavisd, with the module loaded by configuration: who it thinks the peer and the client of
# a message are, which policy banks that chooses, and where the mail returns to.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use PrivateAmavisd;
use ProxyBuilder qw(tlv v2 local_header with_checksum);
use ReentryHost;
use SmtpClient;

my $reentry = ReentryHost->start(qw(127.0.0.1 127.0.0.2 127.0.0.3 ::1));
my $return_port = $reentry->port;
my $amavisd = PrivateAmavisd->start(config => <<"END");
require 'MILLRACE';
Millrace::ProxyV2->enable;
\$forward_method = 'smtp:[*]:$return_port';
\@client_ipaddr_policy = (
    [qw( 203.0.113.0/24 2001:db8:66::/48 )] => 'LISTED', [qw( 0.0.0.0 )] => 'UNKNOWN' );
\$policy_bank{'LISTED'} = {}; \$policy_bank{'UNKNOWN'} = {};
\$interface_policy{'10024'} = 'INTERFACE'; \$policy_bank{'INTERFACE'} = {};
\$interface_policy{'@{[ $return_port - 1 ]}'} = 'WILDCARD';
\$policy_bank{'WILDCARD'} = { forward_method => 'smtp:[*]:*' };
END
my $serial = 0;

my @origin_tlvs = (tlv(0xE4, '203.0.113.66'), tlv(0xE5, '4711'), tlv(0xE6, '4jW9801pfMz1bY05'));
my $full = with_checksum(v2('127.0.0.2', 40_112, '127.0.0.1', 10_024, @origin_tlvs,
    tlv(0xE7, 'mail.example.org'), tlv(0xE8, 'client.example.org'), tlv(0x05, '0190f3c2')));
my %as_in_the_header = (
    peer     => '127.0.0.2',
    client   => '[203.0.113.66]:4711',
    queue_id => '4jW9801pfMz1bY05',
    helo     => 'mail.example.org',
    name     => 'client.example.org',
    banks    => 'INTERFACE/LISTED',
);

subtest 'the header alone tells everything, over inet' => sub {
    my ($result, $returned) = deliver([ $amavisd->port, header => $full ]);
    is_result($result, %as_in_the_header);
    is $returned->{at}, "127.0.0.2:$return_port", 'the mail returns to the peer';
    is $returned->{xforward}{ADDR}, '203.0.113.66', 'and the re-entry host is told the client';
};

subtest 'the header alone tells everything, over a Unix socket' => sub {
    my ($result, $returned) = deliver([ $amavisd->socket_path, header => $full ]);
    is_result($result, %as_in_the_header, banks => 'SOCKET/INTERFACE/LISTED');
    is $returned->{at}, "127.0.0.2:$return_port", 'the mail returns to the peer';
};

subtest 'two ingress hosts get their own mail back' => sub {
    for my $ingress (qw(127.0.0.2 127.0.0.3 127.0.0.1)) {
        my $header = v2($ingress, 40_112, '127.0.0.1', 10_024, @origin_tlvs);
        my ($result, $returned) = deliver([ $amavisd->port, header => $header ]);
        is_result($result, peer => $ingress, client => '[203.0.113.66]:4711');
        is $returned->{at}, "$ingress:$return_port", "returned to $ingress";
    }
};

subtest 'IPv6, for the peer and for the client' => sub {
    my $header = with_checksum(v2('::1', 40_112, '::1', 10_024, tlv(0xE4, '2001:DB8:66:0::1')));
    my ($result, $returned) = deliver([ $amavisd->port, header => $header, host => '::1' ]);
    is_result($result, peer => '::1', client => '[2001:db8:66::1]', banks => 'INTERFACE/LISTED');
    is $returned->{at}, "::1:$return_port", 'the mail returns to the peer';
};

subtest 'the announced destination port decides the policy bank and smtp:[*]:*' => sub {
    my $header = v2('127.0.0.3', 40_112, '127.0.0.1', $return_port - 1, @origin_tlvs);
    my ($result, $returned) = deliver([ $amavisd->port, header => $header ]);
    is_result($result, peer => '127.0.0.3', banks => 'WILDCARD/LISTED');
    is $returned->{at}, "127.0.0.3:$return_port", 'returned to the announced port + 1';
};

subtest 'XFORWARD that agrees' => sub {
    my ($result) = deliver([ $amavisd->port, header => $full ],
        'ADDR=203.0.113.66 PORT=4712 NAME=other.example.org HELO=other IDENT=4jW9801pfMz1bY05');
    is_result($result, %as_in_the_header, client => '[203.0.113.66]:4712',
        name => 'other.example.org', helo => 'other');
    unlike logged($result), qr/mismatch/, 'no mismatch is logged';
};

subtest 'XFORWARD that says only part is completed' => sub {
    my ($result) = deliver([ $amavisd->port, header => $full ], 'ADDR=203.0.113.66');
    is_result($result, %as_in_the_header);
};

subtest 'XFORWARD that names another queue ID wins' => sub {
    my ($result) = deliver([ $amavisd->port, header => $full ], 'IDENT=4jXforward');
    is_result($result, %as_in_the_header, queue_id => '4jXforward');
    like logged($result), qr/mismatch queue_id=4jXforward proxy_queue_id=4jW9801pfMz1bY05/,
        'and the mismatch is logged';
};

subtest 'XFORWARD [UNAVAILABLE] falls back to the header' => sub {
    my ($result) = deliver([ $amavisd->port, header => $full ],
        'ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] NAME=[UNAVAILABLE] HELO=[UNAVAILABLE]');
    is_result($result, %as_in_the_header);
};

subtest 'XFORWARD that names another client wins alone' => sub {
    my ($result) = deliver([ $amavisd->port, header => $full ], 'ADDR=198.51.100.7');
    is_result($result, peer => '127.0.0.2', client => '[198.51.100.7]', name => '', helo => '',
        queue_id => '', banks => 'INTERFACE');
    like logged($result), qr/millrace: mismatch .*xforward=198\.51\.100\.7 proxy=203\.0\.113\.66/,
        'and the mismatch is logged';
};

subtest 'the same IPv6 address in other words is no mismatch' => sub {
    my $header = v2('127.0.0.2', 1, '127.0.0.1', 10_024, tlv(0xE4, '2001:db8:66::1'));
    my ($result) = deliver([ $amavisd->port, header => $header ],
        'ADDR=IPv6:2001:db8:66:0:0:0:0:1');
    is_result($result, client => '[2001:db8:66:0:0:0:0:1]', banks => 'INTERFACE/LISTED');
    unlike logged($result), qr/mismatch/, 'none is logged';
};

subtest 'a header without an origin names the peer and no client' => sub {
    my ($result, $returned) = deliver(
        [ $amavisd->port, header => v2('127.0.0.2', 40_112, '127.0.0.1', 10_024) ]);
    like logged($result), qr/millrace: message peer=127\.0\.0\.2:40112 origin=unknown/, 'unknown';
    is_result($result, peer => '127.0.0.2', banks => 'INTERFACE/UNKNOWN');
    is $returned->{at}, "127.0.0.2:$return_port", 'the mail returns to the peer';

    ($result) = deliver([ $amavisd->port,
        header => v2('127.0.0.2', 40_112, '127.0.0.1', 10_024) ], 'ADDR=203.0.113.9 IDENT=4jX');
    is_result($result, client => '[203.0.113.9]', queue_id => '4jX', banks => 'INTERFACE/LISTED');
};

subtest 'a version 1 line names the peer' => sub {
    my ($result, $returned) = deliver([ $amavisd->port,
        header => "PROXY TCP4 127.0.0.3 127.0.0.1 40112 10024\r\n" ], 'ADDR=203.0.113.66');
    is_result($result, peer => '127.0.0.3', client => '[203.0.113.66]', banks => 'INTERFACE/LISTED');
    is $returned->{at}, "127.0.0.3:$return_port", 'the mail returns to the peer';
};

subtest 'several messages of one connection' => sub {
    my $client = SmtpClient->connect($amavisd->port, header => $full);
    $client->greet;
    my @xforward = (undef, 'ADDR=198.51.100.7', 'ADDR=198.51.100.8', undef);
    my @results = map { send_message($client, $_) } @xforward;
    $client->quit;
    is_result($results[0], %as_in_the_header);
    is_result($results[1], client => '[198.51.100.7]', banks => 'INTERFACE', queue_id => '');
    is_result($results[2], client => '[198.51.100.8]', banks => 'INTERFACE', queue_id => '');
    is_result($results[3], %as_in_the_header, queue_id => '');
};

subtest 'a connection does not inherit from the one before it in the same child' => sub {
    for (1 .. 4) {    # there are two children
        deliver([ $amavisd->port, header => $full ]);
        my ($result) = deliver([ $amavisd->port, header => local_header() ]);
        is_result($result, peer => '127.0.0.1', queue_id => '', helo => '', name => '',
            banks => 'UNKNOWN');
    }
};

subtest 'a header whose octets arrive one by one, and commands in its last segment' => sub {
    my $client = SmtpClient->connect($amavisd->port);
    $client->send($_) for split //, substr $full, 0, -1;
    $client->send(substr($full, -1) . "EHLO ingress.example.org\r\nNOOP\r\n");
    like $client->reply, qr/^220 /,         'greeted';
    like $client->reply, qr/^250.*XFORWARD/s, 'EHLO was not swallowed';
    like $client->reply, qr/^250 /,         'nor was what follows';
    is_result(send_message($client), %as_in_the_header);
    $client->quit;
};

subtest 'the health check of Millrace: LOCAL, greeting, EHLO, QUIT' => sub {
    for my $to ($amavisd->port, $amavisd->socket_path) {
        my $client = SmtpClient->connect($to, header => local_header());
        like $client->greet, qr/^250/, 'EHLO is answered';
        like $client->quit,  qr/^221/, 'QUIT is answered';
        is $client->reply, '', 'and the connection ends';
    }
};

is $amavisd->troubles, '', 'nothing went wrong';
done_testing;

# Sends one message over a new connection; returns what amavisd says of it and what came back.
sub deliver {
    my ($where, $xforward) = @_;
    my $client = SmtpClient->connect(@{$where});
    $client->greet;
    my $result = send_message($client, $xforward);
    $client->quit;
    return ($result, $result->{returned});
}

sub send_message {
    my ($client, $xforward) = @_;
    my $sender = 'sender' . ++$serial . '@example.org';
    my $reply = $client->message($sender, $xforward // ());
    die "$sender: $reply\n" if $reply !~ /^250 /;
    my $returned = $reentry->next_message;
    die "$returned->{sender} came back instead of $sender\n" if $returned->{sender} ne $sender;
    return { %{ $amavisd->result($sender) }, sender => $sender, returned => $returned };
}

sub is_result {
    my ($result, %expected) = @_;
    is $result->{$_}, $expected{$_}, "$_ is " . ($expected{$_} || 'empty') for sort keys %expected;
    return;
}

# The lines of amavisd's log that belong to the message.
sub logged {
    my ($result) = @_;
    my ($id) = $amavisd->wait_for_log(qr/\(([\d-]+)\) RESULT sender=<\Q$result->{sender}\E>/);
    return join "\n", grep { /\(\Q$id\E\)/ } split /\n/, $amavisd->log_text;
}
