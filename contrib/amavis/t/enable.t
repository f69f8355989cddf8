# The options: what is accepted, and that a wrong one keeps amavisd from starting.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/..", "$FindBin::Bin/lib";
use Test::More;

use AmavisStub;
use Millrace::ProxyV2;

my @refused = (
    [ 'unknown option unknown',                 unknown        => 1 ],
    [ 'header_timeout must be a positive number', header_timeout => 0 ],
    [ 'header_timeout must be a positive number', header_timeout => '15s' ],
    [ 'header_max must be a positive number',   header_max     => -1 ],
    [ 'header_from must be a list in [ ]',      header_from    => '192.0.2.10' ],
    [ 'tlv: unknown property adress',           tlv => { adress => 0xE4 } ],
    [ 'tlv: address must be 0, or from 0xE0 to 0xEF', tlv => { address => 0x03 } ],
    [ 'tlv: port must be 0, or from 0xE0 to 0xEF',    tlv => { port    => 0xF0 } ],
    [ 'tlv: helo must be 0, or from 0xE0 to 0xEF',    tlv => { helo    => 'e7' } ],
    [ 'have the same type',                     tlv => { port => 0xE4 } ],
);
for my $case (@refused) {
    my ($message, %options) = @{$case};
    ok !eval { Millrace::ProxyV2->enable(%options); 1 }, "refused: $message";
    like $@, qr/\Q$message\E/, 'with the reason';
}
is(Amavis->pre_loop_hook, 'the original', 'a refused option has changed nothing');

ok eval {
    Millrace::ProxyV2->enable(
        header_from    => [qw( 192.0.2.0/24 2001:db8::/32 )],
        header_timeout => 5,
        tlv            => { address => 0xEB, helo => 0, name => 0 },
    );
}, 'good options are accepted' or diag $@;
is $Amavis::Conf::policy_bank{''}{millrace_proxy}, 1, 'policy banks know their key';

ok !eval { Millrace::ProxyV2->enable; 1 }, 'enabling twice is refused';
like $@, qr/enabled already/, 'with the reason';

ok !eval { Amavis->pre_loop_hook; 1 }, 'an amavisd without the functions to wrap does not start';
like $Amavis::Util::log[0], qr/millrace: cannot start: /, 'and the log says why';

done_testing;
