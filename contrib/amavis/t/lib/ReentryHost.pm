# The Postfix that amavisd gives the mail back to: an SMTP server on one port of several loopback
# addresses that accepts everything and tells which address it was reached at and what it was told.
package ReentryHost;

use strict;
use warnings;

use IO::Select;
use IO::Socket::IP;

# Listens on the same free port of all addresses, or on the port that "address:port" names.
sub start {
    my ($class, @addresses) = @_;
    my $fixed_port = $addresses[0] =~ s/(?<=\d):(\d+)\z// ? $1 : 0;
    my @listeners;
    for my $attempt (1 .. 50) {
        @listeners = ();
        my $port = $fixed_port;
        for my $address (@addresses) {
            my $listener = IO::Socket::IP->new(LocalHost => $address, LocalPort => $port,
                Listen => 16, V6Only => 1, ReuseAddr => 1) or last;
            push @listeners, $listener;
            $port = $listener->sockport;
        }
        last if @listeners == @addresses;
    }
    die "no port is free on all of @addresses\n" if @listeners != @addresses;

    pipe my $reports, my $report or die $!;
    my $pid = fork // die $!;
    if (!$pid) {
        close $reports;
        $report->autoflush(1);
        _serve($report, @listeners);
    }
    close $report;
    return bless { pid => $pid, owner => $$, reports => $reports,
        port => $listeners[0]->sockport }, $class;
}

sub port { return $_[0]{port} }

# The next message: { at => address:port it came to, helo, sender, recipient, xforward => { ... } }.
sub next_message {
    my ($self) = @_;
    local $SIG{ALRM} = sub { die "no message has come back\n" };
    alarm 60;
    my $line = readline $self->{reports};
    alarm 0;
    die "the re-entry host has ended\n" if !defined $line;
    chomp $line;
    my ($at, $helo, $sender, $recipient, @xforward) = split /\t/, $line;
    return { at => $at, helo => $helo, sender => $sender, recipient => $recipient,
        xforward => { map { split /=/, $_, 2 } @xforward } };
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

sub _serve {
    my ($report, @listeners) = @_;
    $SIG{CHLD} = 'IGNORE';
    $SIG{TERM} = sub { require POSIX; POSIX::_exit(0) };
    my $select = IO::Select->new(@listeners);
    while (1) {
        for my $listener ($select->can_read) {
            my $client = $listener->accept or next;
            my $pid = fork // next;
            next if $pid;
            alarm 120;    # a session of a dead test ends itself
            _session($client, $report);
            require POSIX;
            POSIX::_exit(0);
        }
    }
}

sub _session {
    my ($client, $report) = @_;
    my $at = $client->sockhost . ':' . $client->sockport;
    my (@xforward, $helo, $sender, $recipient);
    my $say = sub { syswrite $client, join '', map { "$_\r\n" } @_ };
    $say->('220 reentry.example.org ESMTP');
    local $/ = "\r\n";
    while (defined(my $line = readline $client)) {
        chomp $line;
        if ($line =~ /^EHLO (.*)/i) {
            $helo = $1;
            $say->('250-reentry', '250-PIPELINING', '250-8BITMIME',
                '250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE');
        }
        elsif ($line =~ /^XFORWARD (.*)/i) { push @xforward, split ' ', $1; $say->('250 2.0.0 Ok') }
        elsif ($line =~ /^MAIL FROM:<([^>]*)>/i) { $sender    = $1; $say->('250 2.1.0 Ok') }
        elsif ($line =~ /^RCPT TO:<([^>]*)>/i)   { $recipient = $1; $say->('250 2.1.5 Ok') }
        elsif ($line =~ /^DATA/i) {
            $say->('354 Go on');
            while (defined(my $text = readline $client)) { last if $text eq ".\r\n" }
            print {$report} join("\t", $at, $helo, $sender, $recipient, @xforward), "\n";
            @xforward = ();
            $say->('250 2.0.0 Ok: queued');
        }
        elsif ($line =~ /^QUIT/i) { $say->('221 2.0.0 Bye'); last }
        else                      { $say->('250 2.0.0 Ok') }
    }
    return;
}

1;
