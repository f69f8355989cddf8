# The sample configuration in a real Postfix: what the filter and the milter are told, what the
# re-entry service takes and from whom, and that neither a missing milter nor a filter that was away
# for a moment holds mail up.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../../amavis/t/lib";
use IO::Socket::INET;
use Test::More;

use MacroMilter;
use PrivatePostfix;
use ReentryHost;
use SmtpClient;

my ($NODE, $CLIENT) = ('127.0.0.21', '127.0.0.66');
my ($port, $reentry_port) = map { free_port() } 1, 2;
my $filter  = ReentryHost->start('127.0.0.1');
my $mailbox = ReentryHost->start('127.0.0.1');
my $milter  = MacroMilter->start;
my $postfix = PrivatePostfix->start(
    port    => $port,
    replace => {
        '127.0.0.1:10029'       => '127.0.0.1:' . $milter->port,
        '[127.0.0.1]:10024'     => '[127.0.0.1]:' . $filter->port,
        '192.0.2.10:10025'      => "127.0.0.1:$reentry_port",
        '192.0.2.21,192.0.2.22' => $NODE,
    },
    main => <<"END",
relay_domains = example.net
relay_transport = smtp:[127.0.0.1]:@{[ $mailbox->port ]}
virtual_alias_maps = inline:{user\@example.net=mapped\@example.net}
smtp_fallback_relay = [127.0.0.1]:@{[ $mailbox->port ]}
smtp_bind_address = 127.0.0.77
smtp_helo_name = other.example.org
END
);

is $postfix->warnings, '', 'postconf has nothing to complain about';

my $filtered;
subtest 'a message is told to the filter and to the milter under one queue ID' => sub {
    submit('first@example.org');
    $filtered = $filter->next_message;
    my $session = $milter->next_session;

    is $filtered->{recipient}, 'user@example.net', 'the address is not mapped yet';
    is $filtered->{xforward}{ADDR},   $CLIENT,    'ADDR is the client';
    is $filtered->{xforward}{SOURCE}, 'REMOTE',   'SOURCE';
    is $filtered->{xforward}{HELO}, 'client.example.org', 'HELO';
    like $filtered->{xforward}{IDENT}, qr/\A[0-9B-Zb-z]{12,}\z/, 'IDENT is a long queue ID';

    is $session->{connect}{address}, $CLIENT, 'the milter sees the client';
    is $session->{connect}{port}, $filtered->{xforward}{PORT}, 'with the same port';
    is $session->{eom}{i}, $filtered->{xforward}{IDENT}, 'and the same queue ID at the end';
    is $session->{connect}{j}, $filtered->{helo}, 'j is the name that the filter is greeted with';
    is $session->{connect}{'{daemon_addr}'}, '127.0.0.1', '{daemon_addr}';
    is $session->{connect}{'{daemon_port}'}, $port, '{daemon_port}';
    ok defined $session->{connect}{$_}, $_ for qw({daemon_name} {client_name} {client_ptr});
};

subtest 'what comes back from a node goes to the mailbox, unfiltered and unnoted' => sub {
    my $client = SmtpClient->connect($reentry_port, from => $NODE);
    $client->greet;
    my %xforward = %{ $filtered->{xforward} };
    $client->command('XFORWARD ' . join ' ', map { "$_=$xforward{$_}" } qw(ADDR PORT));
    like $client->message('first@example.org', "IDENT=$xforward{IDENT}"), qr/^250/, 'accepted';
    $client->quit;
    is $mailbox->next_message->{recipient}, 'mapped@example.net', 'the address is mapped now';
    my $names = qr{orig_queue_id=\Q$xforward{IDENT}\E,? .*orig_client=\S*\[\Q$CLIENT\E\]};
    ok $postfix->wait_for_log(qr{postfix/reentry/smtpd.*: (client=.*$names)}),
        'its log line names the true client and the first queue ID';
};

subtest 'nobody else may use the re-entry service' => sub {
    my $client = SmtpClient->connect($reentry_port, from => $CLIENT);
    my $reply = $client->reply;
    $reply = $client->command('EHLO client.example.org') if $reply =~ /^220/;
    $reply = $client->command('MAIL FROM:<x@example.org>') if $reply =~ /^250/;
    like $reply, qr/^554/, 'refused';
};

subtest 'a filter that was away delays only what met it closed' => sub {
    my $filter_port = $filter->port;
    undef $filter;

    # Many at a time, which is when Postfix suspends a destination: held back and released at once.
    my $many = 30;
    $postfix->command('postconf', '-e', 'defer_transports=millrace');
    $postfix->command('postfix', 'reload');
    submit("unlucky$_\@example.org") for 1 .. $many;
    $postfix->wait_for_count($many, qr/status=deferred/);
    $postfix->command('postconf', '-e', 'defer_transports=');
    $postfix->command('postfix', 'reload');
    $postfix->command('postqueue', '-f');
    $postfix->wait_for_count(2 * $many, qr/status=deferred/);
    unlike $postfix->log_text, qr{postfix/millrace/smtp.*status=sent.*:@{[ $mailbox->port ]}\D},
        'none has slipped past by way of smtp_fallback_relay';

    $filter = ReentryHost->start("127.0.0.1:$filter_port");
    submit('lucky@example.org');
    is next_new_sender(), 'lucky@example.org', 'the next message goes at once';
    unlike $postfix->log_text, qr/temporarily suspended/, 'the destination was not suspended';
};

subtest 'a milter that is away holds nothing up' => sub {
    $milter->stop;
    submit('unnoted@example.org');
    is next_new_sender(), 'unnoted@example.org', 'the filter gets the message';
};

done_testing;

# Of the filter's next message that is none of the delayed ones: Postfix may have been about to try
# some of those once more.
sub next_new_sender {
    my $sender;
    do { $sender = $filter->next_message->{sender} } while $sender =~ /^unlucky/;
    return $sender;
}

sub submit {
    my ($sender) = @_;
    my $client = SmtpClient->connect($port, from => $CLIENT);
    $client->reply;
    $client->command('EHLO client.example.org');
    my $reply = $client->message($sender);
    die "$sender: $reply\n" if $reply !~ /^250 /;
    $client->quit;
    return;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die $!;
    return $socket->sockport;
}
