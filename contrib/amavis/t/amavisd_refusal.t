# A real amavisd: what the module does not let in, and that a refusal costs no child.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

use PrivateAmavisd;
use ProxyBuilder qw(SIGNATURE tlv header v2 local_header with_checksum);
use ReentryHost;
use SmtpClient;

my $reentry = ReentryHost->start(qw(127.0.0.1 127.0.0.5));
my $plain_port = PrivateAmavisd::free_port();
my $amavisd = PrivateAmavisd->start(config => <<"END");
require 'MILLRACE';
Millrace::ProxyV2->enable(
    header_from => [qw( 127.0.0.1 127.0.0.9 [::1] )], header_timeout => 1, header_max => 536 );
\$forward_method = 'smtp:[*]:@{[ $reentry->port ]}';
\@inet_acl = qw( !127.0.0.9 127.0.0.0/8 [::1] );
push \@listen_sockets, '127.0.0.1:$plain_port';
\$interface_policy{'$plain_port'} = 'PLAIN';
\$policy_bank{'PLAIN'} = { millrace_proxy => 0 };
END
my @endpoints = ('127.0.0.2', 40_112, '127.0.0.1', 10_024);
my $good     = v2(@endpoints, tlv(0xE4, '203.0.113.66'));
my $children = $amavisd->wait_for_children;

my %refused = (
    'an SMTP command'                  => "EHLO ingress.example.org\r\n",
    'a signature that goes wrong'      => substr(SIGNATURE, 0, 11) . 'x',
    'a header that stops half-way'     => substr($good, 0, 20),
    'nothing at all'                   => '',
    'a family that is not TCP'         => header(0x21, 0x31, "\0" x 216),
    'an unknown version'               => header(0x31, 0x11, "\0" x 12),
    'a TLV that is cut short'          => v2(@endpoints, "\xE4\0\x0C203."),
    'a wrong checksum'                 => v2(@endpoints, tlv(0x03, "\1\2\3\4")),
    'an origin that is no address'     => v2(@endpoints, tlv(0xE4, 'mail.example.org')),
    'two origins'                      => v2(@endpoints, (tlv(0xE4, '203.0.113.66')) x 2),
    'a header of 537 octets'           => v2(@endpoints, tlv(0x04, 'x' x (537 - 31))),
    'a source outside @inet_acl'       => v2('192.0.2.99', 1, '127.0.0.1', 10_024),
    'a source that @inet_acl excludes' => v2('127.0.0.9', 1, '127.0.0.1', 10_024),
    'a version 1 line that is UNKNOWN' => "PROXY UNKNOWN\r\n",
    'a version 1 line without end'     => 'PROXY TCP4 ' . '1' x 100,
);
for my $name (sort keys %refused) {
    for my $to ($amavisd->port, $amavisd->socket_path) {
        my $client = SmtpClient->connect($to, header => $refused{$name});
        like $client->reply, qr/^421 4\.3\.2 /, "$name is answered 421" . ($to =~ /\D/ ? ' (Unix)' : '');
        is $client->reply, '', 'and the connection ends';
    }
}
like $amavisd->log_text,
    qr/millrace: refused via=127\.0\.0\.1:\d+ reason="TLV of the address appears twice"/,
    'the log says who and why';

subtest 'a port scanner, or a check that has given up' => sub {
    my $commands = "EHLO check\r\nQUIT\r\n";
    for my $octets ('', substr($good, 0, 5), $good, local_header(), local_header() . $commands,
        $good . "NOOP\r\n" x 50, "\0" x 5000)
    {
        my $client = SmtpClient->connect($amavisd->port, header => $octets);
        setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;    # ends in a reset
        close $client->{socket};
        pass 'connected, sent ' . length($octets) . ' octets, gone';
    }
    alive();
};

subtest 'the real peer is tested too' => sub {
    my $client = SmtpClient->connect($amavisd->port, from => '127.0.0.9', header => $good);
    is $client->reply, '', 'a peer outside @inet_acl is not let in by the header it sends';
    $amavisd->wait_for_log(qr/(DENIED ACCESS from IP 127\.0\.0\.9)/);
};

subtest 'a peer that is not in header_from is a plain client' => sub {
    plain_client_is_served(SmtpClient->connect($amavisd->port, from => '127.0.0.5'), '127.0.0.5');
    my $client = SmtpClient->connect($amavisd->port, from => '127.0.0.5', header => $good);
    like $client->reply, qr/^220/, 'greeted at once';
    like $client->reply, qr/^500/, 'each line of a header is nothing but bad syntax' for 1 .. 3;
    like $client->command(''), qr/^500/, 'and what is left of it too';
    $client->quit;
};

subtest 'a policy bank can switch the header off for its port' => sub {
    plain_client_is_served(SmtpClient->connect($plain_port), '127.0.0.1');
};

subtest 'octets after QUIT do not reach the next connection' => sub {
    until ($amavisd->log_text =~ /millrace: discarded=15 /) {
        my $client = SmtpClient->connect($amavisd->port,
            header => $good . "QUIT\r\nEHLO leftover\r\n");
        like $client->reply, qr/^220/, 'greeted';
        like $client->reply, qr/^221/, 'and dismissed, with nothing in between';
    }
};

alive();
is $amavisd->children, $children, 'all children have survived';
is $amavisd->troubles, '', 'nothing went wrong';
done_testing;

# Both children still serve.
sub alive {
    my @clients = map { SmtpClient->connect($amavisd->port, header => $good) } 1, 2;
    like $_->greet, qr/^250/, 'a good connection is served' for @clients;
    $_->quit for @clients;
    return;
}

sub plain_client_is_served {
    my ($client, $address) = @_;
    my $sender = "plain-$address\@example.org";
    $client->greet;
    like $client->message($sender, 'ADDR=203.0.113.66 IDENT=4jX'), qr/^250/, 'accepted';
    $client->quit;
    my $result = $amavisd->result($sender);
    is $result->{peer},     $address,         'with its own address';
    is $result->{client},   '[203.0.113.66]', 'and the client that it names';
    is $result->{queue_id}, '4jX',            'and the queue ID';
    return;
}
