# A real amavisd: the module survives `amavisd reload`, takes new options from it, and a wrong
# option keeps amavisd from starting at all.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use PrivateAmavisd;
use ProxyBuilder qw(tlv v2);
use ReentryHost;
use SmtpClient;

my $reentry = ReentryHost->start(qw(127.0.0.1 127.0.0.2));
my $config = <<"END";
require 'MILLRACE';
Millrace::ProxyV2->enable(OPTIONS);
\$forward_method = 'smtp:[*]:@{[ $reentry->port ]}';
\$haproxy_target_enabled = 1;    # amavisd's own reader must not wait for a second header
END
my $header = v2('127.0.0.2', 40_112, '127.0.0.1', 10_024,
    tlv(0xE4, '203.0.113.66'), tlv(0xEB, '203.0.113.77'));

my $amavisd = PrivateAmavisd->start(config => with_options(''));
my $before = $amavisd->wait_for_children;
is client_of('before@example.org'), '[203.0.113.66]', 'the origin is in 0xE4';

for my $round (1, 2) {
    $amavisd->reload;
    $before = $amavisd->wait_for_children($before);
    pass "reload $round has replaced the children";
    is client_of("reload$round\@example.org"), '[203.0.113.66]', 'the origin is still in 0xE4';
    is client_of("unix$round\@example.org", $amavisd->socket_path), '[203.0.113.66]',
        'and over the Unix socket';
}

$amavisd->configure(with_options('tlv => { address => 0xEB }'));
$amavisd->reload;
is client_of('renumbered@example.org'), '[203.0.113.77]', 'after another reload it is in 0xEB';

is $amavisd->troubles, '', 'nothing went wrong';
$amavisd->stop;

ok !eval { PrivateAmavisd->start(config => with_options('tlv => { address => 3 }')); 1 },
    'amavisd does not start with a wrong option';
like $@, qr/tlv: address must be 0, or from 0xE0 to 0xEF/, 'and says why';

done_testing;

sub with_options {
    my ($options) = @_;
    return $config =~ s/OPTIONS/$options/r;
}

sub client_of {
    my ($sender, $to) = @_;
    my $client = SmtpClient->connect($to // $amavisd->port, header => $header);
    $client->greet;
    like $client->message($sender), qr/^250/, 'accepted';
    $client->quit;
    is $reentry->next_message->{at}, '127.0.0.2:' . $reentry->port, 'returned to the peer';
    return $amavisd->result($sender)->{client};
}
