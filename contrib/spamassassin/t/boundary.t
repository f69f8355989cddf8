# With the sample settings, the client that SpamAssassin looks up is the one that came from outside,
# for each of the usual ways of a message.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use Mail::SpamAssassin;
use Mail::SpamAssassin::PerMsgStatus;
use Test::More;

my $empty = tempdir(CLEANUP => 1);
my $scanner = Mail::SpamAssassin->new({
    config_text        => read_file("$FindBin::Bin/../local.cf"),
    userprefs_filename => '/dev/null',
    userstate_dir      => $empty,
    dont_copy_prefs    => 1,
    local_tests_only   => 1,
});
my @complaints;
{
    local $SIG{__WARN__} = sub { push @complaints, @_ };
    $scanner->init(0);
}
is_deeply [ grep { !/tlds defined/ } @complaints ], [], 'the settings are valid';

my $INGRESS = 'ingress.example.org (Postfix)';
my $BACKUP  = 'backup.example.org (Postfix)';
my @cases = (
    [ 'straight to an ingress host', '203.0.113.66', received('203.0.113.66', $INGRESS) ],
    [ 'over IPv6', '2001:db8:66::1', received('IPv6:2001:db8:66::1', $INGRESS) ],
    [ 'by way of the backup MX', '203.0.113.66',
        received('198.51.100.25', $INGRESS) . received('203.0.113.66', $BACKUP) ],
    [ 'from one ingress host to the other', '203.0.113.66',
        received('192.0.2.11', $INGRESS) . received('203.0.113.66', $INGRESS) ],
    [ 'with a forged hop below the client', '203.0.113.66',
        received('203.0.113.66', $INGRESS) . received('198.51.100.77', $BACKUP) ],
    [ 'from a host that is trusted but no MX', '192.0.2.130',
        received('192.0.2.130', $INGRESS) . received('203.0.113.66', 'app.example.org') ],
    [ 'submitted on an ingress host', undef, local_submission() ],
    [ 'with the Received field of the ingress removed', undef, '' ],
);
for my $case (@cases) {
    my ($way, $client, $fields) = @{$case};
    my $mail = $scanner->parse($fields . "From: <a\@example.com>\nSubject: test\n\nHello.\n", 1);
    Mail::SpamAssassin::PerMsgStatus->new($scanner, $mail)->extract_message_metadata;
    my ($external) = @{ $mail->{metadata}{relays_external} // [] };
    is $external && $external->{ip}, $client, $way;
    $mail->finish;
}
done_testing;

sub read_file {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/ = undef;
    return scalar <$file>;
}

sub received {
    my ($address, $by) = @_;
    return "Received: from client.example.com (client.example.com [$address])\n"
        . "\tby $by with ESMTP id 4jW9801pfMz1bY05\n"
        . "\tfor <user\@example.org>; Fri, 20 Nov 2026 10:00:00 +0000 (UTC)\n";
}

sub local_submission {
    return "Received: by $INGRESS, from userid 1000)\n"
        . "\tid 4jW9801pfMz1bY05; Fri, 20 Nov 2026 10:00:00 +0000 (UTC)\n";
}
