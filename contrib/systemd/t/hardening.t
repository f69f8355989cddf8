# The programs of the release are built as hardened as a distribution builds its own. They are those
# of MILLRACE_BIN, or of build/release.
use strict;
use warnings;

use FindBin;
use Test::More;

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

my $BIN = $ENV{MILLRACE_BIN} // "$FindBin::Bin/../../../build/release/bin";

for my $name (qw(millrace-balancer millrace-milter millracectl)) {
    my $program = "$BIN/$name";
    ok -x $program, "$name is built" or next;
    my $headers = `readelf --wide --file-header --program-headers $program`;
    my $dynamic = `readelf --wide --dynamic $program`;
    my $symbols = `readelf --wide --dyn-syms $program`;

    like $headers, qr/Type:\s+DYN/, "$name: loaded at any address";
    like $dynamic, qr/\(FLAGS_1\).*\bPIE\b/, "$name: a position-independent executable";
    like $headers, qr/GNU_RELRO/, "$name: relocations become read-only";
    like $dynamic, qr/\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b/, "$name: all of them, before main()";
    like $headers, qr/GNU_STACK\s.*\sRW\s/, "$name: nothing runs on the stack";
    unlike $headers, qr/LOAD\s.*\sRWE\s/, "$name: nothing is writable and runs";
    like $symbols, qr/__stack_chk_fail/, "$name: functions check their stack";
    like $symbols, qr/\b__\w+_chk\b/, "$name: copies check their length";
    unlike $dynamic, qr/\((?:RPATH|RUNPATH)\)/, "$name: libraries come from the system alone";
    SKIP: {
        skip 'flow control is of x86', 1 if $headers !~ /Machine:.*X86-64/;
        # The note that switches the guard on is lost to Debian 12's start files, which lack it; so
        # the marks themselves are counted.
        my $marks = () = slurp($program) =~ /\xf3\x0f\x1e\xfa/g;
        cmp_ok $marks, '>', 100, "$name: targets of jumps are marked";
    }
}
done_testing;
