# A milter that agrees to everything and tells what Postfix told it: the octets of the protocol and
# no library, so that nothing but Postfix's own configuration decides which macros come.
package MacroMilter;

use strict;
use warnings;

use IO::Socket::INET;

my %STAGE_OF = (C => 'connect', H => 'helo', M => 'mail', R => 'rcpt', T => 'data',
    L => 'header', N => 'eoh', B => 'body', E => 'eom');

sub start {
    my ($class) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8, ReuseAddr => 1)
        or die $!;
    pipe my $reports, my $report or die $!;
    my $self = bless { port => $listener->sockport, reports => $reports, owner => $$ }, $class;
    $self->{pid} = fork // die $!;
    if (!$self->{pid}) {
        $SIG{CHLD} = 'IGNORE';
        $report->autoflush(1);
        while (my $connection = $listener->accept) {
            my $pid = fork // next;
            next if $pid;
            alarm 120;
            _session($connection, $report);
            require POSIX;
            POSIX::_exit(0);
        }
    }
    return $self;
}

sub port { return $_[0]{port} }

# The next session: { stage => { macro => value } }, and what `connect` was given besides.
sub next_session {
    my ($self) = @_;
    local $SIG{ALRM} = sub { die "no milter session has ended\n" };
    alarm 60;
    my $line = readline $self->{reports};
    alarm 0;
    my %session;
    for my $field (split /\t/, $line =~ s/\n\z//r) {
        my ($stage, $name, $value) = split /\x01/, $field, -1;
        $session{$stage}{$name} = $value;
    }
    return \%session;
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    kill TERM => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY { local ($?, $@); return $_[0]->stop }

sub _session {
    my ($connection, $report) = @_;
    my @fields;
    while (defined(my $packet = _packet($connection))) {
        my ($command, $content) = unpack 'a a*', $packet;
        if ($command eq 'O') {
            syswrite $connection, pack 'N a N N N', 13, 'O', 6, 0, 0;
        } elsif ($command eq 'D') {
            my ($of, @pairs) = (substr($content, 0, 1), split /\0/, substr($content, 1), -1);
            my $stage = $STAGE_OF{$of} // $of;
            while (@pairs > 1) {
                my ($name, $value) = splice @pairs, 0, 2;
                push @fields, join "\x01", $stage, $name, $value;
            }
        } elsif ($STAGE_OF{$command}) {
            if ($command eq 'C') {
                my ($name, $family, $port, $address) = unpack 'Z* a n Z*', $content;
                push @fields, map { join "\x01", 'connect', @{$_} } [ name => $name ],
                    [ port => $port ], [ address => $address ];
            }
            syswrite $connection, pack 'N a', 1, 'c';
        } elsif ($command eq 'Q') {
            last;
        }
    }
    print {$report} join("\t", @fields), "\n";
    return;
}

sub _packet {
    my ($connection) = @_;
    my $header = _octets($connection, 4) // return;
    return _octets($connection, unpack 'N', $header);
}

sub _octets {
    my ($connection, $wanted) = @_;
    my $octets = '';
    while (length $octets < $wanted) {
        sysread $connection, $octets, $wanted - length $octets, length $octets or return;
    }
    return $octets;
}

1;
