# systemd understands the units, and they are as closed as they claim to be.
use strict;
use warnings;

use FindBin;
use Test::More;

my $EXPOSURE_MAX = 2.0;

for my $daemon (qw(balancer milter)) {
    my $unit = "$FindBin::Bin/../millrace-$daemon.service";

    my $report = `systemd-analyze security --offline=true --no-pager $unit 2>&1`;
    my ($exposure) = $report =~ /exposure level for \S+: ([0-9.]+)/;
    ok defined $exposure && $exposure < $EXPOSURE_MAX, "$daemon: exposure below $EXPOSURE_MAX"
        or diag $report;

    # The programs and their manual pages need not be installed here.
    my @complaints = grep { !/is not executable: No such file|Command 'man / }
        split /^/, `systemd-analyze verify $unit 2>&1`;
    is join('', grep { /millrace/ } @complaints), '', "$daemon: nothing unknown in it";
}
done_testing;
