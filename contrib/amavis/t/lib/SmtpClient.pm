# The balancer's side of a connection to amavisd, one command at a time.
package SmtpClient;

use strict;
use warnings;

use IO::Socket::IP;
use IO::Socket::UNIX;

# Connects to a port (from an address, if given) or to the path of a Unix socket, and sends these
# octets at once.
sub connect {
    my ($class, $to, %given) = @_;
    my $socket = $to =~ m{^/}
        ? IO::Socket::UNIX->new(Peer => $to)
        : IO::Socket::IP->new(PeerHost => $given{host} // '127.0.0.1', PeerPort => $to,
            $given{from} ? (LocalHost => $given{from}) : ());
    die "cannot connect to $to: $@$!\n" if !$socket;
    my $self = bless { socket => $socket, buffer => '' }, $class;
    $self->send($given{header} // '');
    return $self;
}

sub send {
    my ($self, $octets) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $octets) {
        my $sent = syswrite $self->{socket}, $octets;
        return if !defined $sent;
        substr $octets, 0, $sent, '';
    }
    return;
}

# The next reply as one string, its lines joined by newlines; '' when the connection has ended.
sub reply {
    my ($self) = @_;
    my @lines;
    local $SIG{ALRM} = sub { die "no reply from amavisd\n" };
    alarm 60;
    while (defined(my $line = $self->_line)) {
        push @lines, $line;
        last if $line =~ /^\d{3}(?: |$)/;
    }
    alarm 0;
    return join "\n", @lines;
}

sub _line {
    my ($self) = @_;
    while (index($self->{buffer}, "\r\n") < 0) {
        sysread $self->{socket}, $self->{buffer}, 4096, length $self->{buffer} or return;
    }
    my ($line, $rest) = split /\r\n/, $self->{buffer}, 2;
    $self->{buffer} = $rest;
    return $line;
}

sub command {
    my ($self, $line) = @_;
    $self->send("$line\r\n");
    return $self->reply;
}

# Waits for the greeting and answers it; returns the reply to EHLO.
sub greet {
    my ($self) = @_;
    my $greeting = $self->reply;
    die "greeted with $greeting\n" if $greeting !~ /^220 /;
    return $self->command('EHLO ingress.example.org');
}

# Sends one message; returns the reply to its final dot.
sub message {
    my ($self, $sender, @xforward) = @_;
    for my $line (@xforward ? "XFORWARD @xforward" : (), "MAIL FROM:<$sender>",
        'RCPT TO:<user@example.net>')
    {
        my $reply = $self->command($line);
        die "$line: $reply\n" if $reply !~ /^250 /;
    }
    $self->command('DATA') =~ /^354 / or die "no 354\n";
    return $self->command("From: <$sender>\r\nSubject: test\r\n\r\nHello.\r\n.");
}

sub quit {
    my ($self) = @_;
    return $self->command('QUIT');
}

1;
