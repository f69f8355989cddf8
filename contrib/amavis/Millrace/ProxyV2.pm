# Teaches a stock amavisd (2.13 or later) the PROXY protocol and the origin that Millrace puts into
# its header, by configuration only. README.md says how to install it.
#
# amavisd knows a version 1 line, which names the connecting Postfix host (the peer) and nothing
# else. A version 2 header from Millrace also names the SMTP client that gave the message to that
# host (the origin). With this module the peer becomes amavisd's connecting client (@inet_acl,
# policy banks by interface, "smtp:[*]:PORT"), and the origin becomes the client of the message
# (client_ipaddr_policy, logs, IP reputation) wherever XFORWARD does not say it already.
#
# amavisd has no hook at the right places, so four of its functions are wrapped:
#   Amavis::pre_loop_hook                    the parent, when all modules are loaded: wraps the rest
#   Amavis::In::SMTP::process_smtp_request   a connection begins: reads the header
#   Amavis::In::SMTP::normalize_ip_addr      called at MAIL with the address XFORWARD gave, or with
#                                            none: supplies the origin before policy banks are chosen
#   check_mail (the callback that the second gets)   completes the other properties of the client
# amavisd does not start if one of them is missing or has another prototype.
#
# An exception in a child of amavisd ends the child, which costs seconds. So nothing that a peer
# sends makes this module die: a refused connection is logged, answered 421 and closed.
package Millrace::ProxyV2;

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use File::Basename qw(dirname);
use Scalar::Util ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

BEGIN { require(dirname(__FILE__) . '/ProxyHeader.pm') }

# The key by which a policy bank switches the header off (0) or on (1, the default).
my $BANK_KEY = 'millrace_proxy';

my %DEFAULTS = (
    header_from    => undef,    # peers that must begin with a header; undef: all of them
    header_timeout => 15,       # seconds in which the whole header has to arrive
    header_max     => 4096,     # octets; a longer header is refused unread
    tlv            => {},       # other TLV types: { address => 0xE4, ... }; 0 ignores a property
);

our %options;        # what `enable` was given, over %DEFAULTS
my $header_peers;    # Amavis::Lookup::IP of header_from, or undef for all

# The connection that this child serves, if it began with a header; a hash with
#   peer            text for the log
#   origin          what the header says of it (see Millrace::ProxyHeader::origin)
#   xforward        the address that XFORWARD gave for the message now in transit, or undef
#   mail            true from its first MAIL on
#   messages        how many messages it has brought
our $connection;

# To be called from amavisd's configuration, once. Dies on a bad option, so that amavisd does not
# start with it.
sub enable {
    my ($class, %given) = @_;
    die "Millrace::ProxyV2 is enabled already\n" if %options;
    for my $name (sort keys %given) {
        die "Millrace::ProxyV2: unknown option $name\n" if !exists $DEFAULTS{$name};
    }
    my %merged = (%DEFAULTS, %given);
    for my $name (qw(header_timeout header_max)) {
        die "Millrace::ProxyV2: $name must be a positive number\n"
            if $merged{$name} !~ /\A[0-9]+\z/ || $merged{$name} == 0;
    }
    die "Millrace::ProxyV2: header_from must be a list in [ ]\n"
        if defined $merged{header_from} && ref $merged{header_from} ne 'ARRAY';
    $merged{tlv} = _checked_types($merged{tlv});

    %options = %merged;
    $Amavis::Conf::policy_bank{''}{$BANK_KEY} = 1;
    _wrap('Amavis::pre_loop_hook', undef, \&_before_the_fork);
    return 1;
}

sub _checked_types {
    my ($given) = @_;
    my %types = (%Millrace::ProxyHeader::DEFAULT_TYPES, %{$given});
    my %taken;
    for my $property (sort keys %types) {
        my $type = $types{$property};
        die "Millrace::ProxyV2: tlv: unknown property $property\n"
            if !exists $Millrace::ProxyHeader::DEFAULT_TYPES{$property};
        die "Millrace::ProxyV2: tlv: $property must be 0, or from 0xE0 to 0xEF\n"
            if $type !~ /\A[0-9]+\z/ || ($type != 0 && ($type < 0xE0 || $type > 0xEF));
        die "Millrace::ProxyV2: tlv: $property and $taken{$type} have the same type\n"
            if $type != 0 && $taken{$type};
        $taken{$type} = $property;
    }
    return \%types;
}

# Replaces a function of amavisd by one that gets the original as its first argument. Refuses to
# touch anything but the function that this module was written for.
sub _wrap {
    my ($name, $prototype, $wrapper) = @_;
    no strict 'refs';
    die "Millrace::ProxyV2: this amavisd has no $name\n" if !defined &{$name};
    my $original = \&{$name};
    my $found = prototype $original;
    die "Millrace::ProxyV2: $name of this amavisd takes other arguments\n"
        if ($found // 'none') ne ($prototype // 'none');
    my $replacement = sub { return $wrapper->($original, @_) };
    &Scalar::Util::set_prototype($replacement, $prototype);
    no warnings 'redefine';
    *{$name} = $replacement;
    return;
}

# Runs in the parent after all modules are loaded and privileges dropped. An error here must end
# amavisd: without the wrappers it would read every header as SMTP.
sub _before_the_fork {
    my ($original, @arguments) = @_;
    eval {
        $header_peers = Amavis::Lookup::IP->new(@{ $options{header_from} })
            if $options{header_from};
        require Amavis::In::SMTP;
        _wrap('Amavis::In::SMTP::process_smtp_request', '$$$$', \&_serve_connection);
        _wrap('Amavis::In::SMTP::normalize_ip_addr',    '$',    \&_client_address);
        1;
    } or do {
        my $trouble = $@;
        chomp $trouble;
        _log(-2, 'cannot start: %s', $trouble);
        die "$trouble\n";
    };
    _log(1, 'header=mandatory from=%s %s',
        $options{header_from} ? join(',', @{ $options{header_from} }) : 'all',
        join ' ', map { sprintf 'tlv_%s=0x%02x', $_, $options{tlv}{$_} } sort keys %{ $options{tlv} });
    return $original->(@arguments);
}

# In place of process_smtp_request: reads the header, makes the connection what it says, and then
# lets amavisd do what it always does. @inet_acl has passed the real peer before this is called.
sub _serve_connection {
    my ($original, $smtp, $socket, $lmtp, $conn, $check_mail) = @_;
    return $original->($smtp, $socket, $lmtp, $conn, $check_mail) if !_expects_header($conn);

    Amavis::Util::new_am_id(undef, $Amavis::child_invocation_count, undef);
    local $connection =
        { peer => undef, origin => {}, xforward => undef, mail => 0, messages => 0 };
    my ($accepted, $reason);
    eval {
        ($accepted, $reason) = _accept($smtp, $socket, $conn);
        1;
    } or do {
        ($accepted, $reason) = (0, "internal error: $@");
    };
    return _refuse($smtp, $socket, $conn, $reason) if !$accepted;

    # amavisd's own reader of version 1 lines would wait for a second header.
    $Amavis::Conf::current_policy_bank{haproxy_target_enabled} = 0;
    my $completing_check_mail = sub {
        my ($message, @rest) = @_;
        _complete($message);
        return $check_mail->($message, @rest);
    };
    eval {
        $original->($smtp, $socket, $lmtp, $conn, $completing_check_mail);
        1;
    } or _end_or_die($smtp, $@);
    return;
}

# A check that finds all children busy gives up and is gone when a child at last greets it. amavisd
# ends the child that cannot write its reply, so checks would cost a busy node its children. Before
# the first MAIL there is no state that could be lost, and the connection just ends.
sub _end_or_die {
    my ($smtp, $trouble) = @_;
    die $trouble
        if $connection->{mail} || $trouble !~ /\AError (?:writing|flushing) an SMTP response/;
    $smtp->{session_closed_normally} = 1;
    _log(4, 'peer=%s reason="gone before its first message"', $connection->{peer});
    return;
}

sub _expects_header {
    my ($conn) = @_;
    return 0 if !Amavis::Conf::c($BANK_KEY);
    return 1 if !$header_peers || !defined $conn->client_ip;    # a Unix socket has no address
    return Amavis::Lookup::IP::lookup_ip_acl($conn->client_ip, $header_peers) ? 1 : 0;
}

# Reads and applies the header of a new connection. Returns 1, or (0, reason); a reason of ''
# means that the peer closed without sending anything, as port checks do.
sub _accept {
    my ($smtp, $socket, $conn) = @_;

    # amavisd empties its input buffer only when a child starts. What the previous client of this
    # child sent after its QUIT would be read as this one's commands.
    my $left_over = length $smtp->{smtp_inpbuf};
    _log(0, 'discarded=%d reason="octets left over from the previous connection"', $left_over)
        if $left_over;
    $smtp->{smtp_inpbuf} = '';

    my ($octets, $trouble) = _read_header($socket);
    return (0, $trouble) if !defined $octets;
    my ($header, $error) = Millrace::ProxyHeader::decode($octets);
    return (0, $error) if !$header;
    my ($origin, $flaw) = Millrace::ProxyHeader::origin($header, $options{tlv});
    return (0, $flaw) if !$origin;

    my $via = _endpoint($conn->client_ip, $conn->client_port, 'unix');
    if ($header->{command} eq 'LOCAL') {
        $connection->{peer} = $via;
        _log(4, 'header=local via=%s', $via);
        return 1;
    }
    return (0, 'access denied to the source of the header') if !_adopt($conn, $header);
    $connection->{origin} = $origin;
    $connection->{peer}   = _endpoint($conn->client_ip, $conn->client_port);
    _log(1, 'header=v%d peer=%s node=%s via=%s %s',
        $header->{version}, $connection->{peer},
        _endpoint($conn->socket_ip, $conn->socket_port),
        $via, _origin_text($origin));
    return 1;
}

# Makes the source and destination of the header the endpoints of amavisd's connection. The source
# has to pass @inet_acl as the real peer did, since "smtp:[*]:PORT" will connect to it; on the way
# this loads the policy banks of the announced destination.
sub _adopt {
    my ($conn, $header) = @_;
    my ($source, $destination) = @{$header}{qw(source destination)};
    return 0
        if !Amavis::access_is_allowed(undef, $source->{address}, $source->{port},
        $destination->{address}, $destination->{port});
    $conn->client_ip($source->{address});
    $conn->client_port($source->{port});
    $conn->socket_ip($destination->{address});
    $conn->socket_port($destination->{port});
    return 1;
}

# Reads exactly one header, however its octets arrive, and nothing of what follows it. Waits with
# select and not under amavisd's alarm, which would end the child.
sub _read_header {
    my ($socket) = @_;
    my $deadline = clock_gettime(CLOCK_MONOTONIC) + $options{header_timeout};
    my $octets = '';
    while (1) {
        my ($wanted, $reason) = Millrace::ProxyHeader::octets_wanted($octets, $options{header_max});
        return (undef, $reason) if !defined $wanted;
        return $octets if $wanted == 0;

        my $left = $deadline - clock_gettime(CLOCK_MONOTONIC);
        return (undef, 'no complete PROXY header in time') if $left <= 0;
        my $readable = '';
        vec($readable, fileno $socket, 1) = 1;
        next if select($readable, undef, undef, $left) <= 0;

        my $got = sysread $socket, $octets, $wanted, length $octets;
        next if !defined $got && ($! == EINTR || $! == EAGAIN);
        return (undef, "cannot read: $!") if !defined $got;
        next if $got > 0;
        return (undef, $octets eq '' ? '' : 'connection closed within the header');
    }
}

# Ends a connection without ending the child.
sub _refuse {
    my ($smtp, $socket, $conn, $reason) = @_;
    my $via = _endpoint($conn->client_ip, $conn->client_port, 'unix');
    if ($reason eq '') {
        _log(4, 'header=none via=%s reason="connection closed"', $via);
    } else {
        _log(0, 'refused via=%s reason="%s"', $via, $reason);
        local $SIG{PIPE} = 'IGNORE';    # the peer may be gone
        eval {
            $smtp->{sock}        = $socket;
            $smtp->{ssl_active}  = 0;
            $smtp->{pipelining}  = 0;
            $smtp->{smtp_outbuf} = [];
            $conn->appl_proto($smtp->{proto} = 'SMTP');
            $smtp->smtp_resp(1, "421 4.3.2 Service not available: $reason");
            1;
        } or _log(4, 'reply to %s not sent', $via);
    }
    $smtp->{session_closed_normally} = 1;    # or amavisd adds a 421 when the child ends
    return;
}

# In place of normalize_ip_addr, as amavisd's SMTP code sees it: at MAIL it is given the ADDR of
# XFORWARD, or nothing where there was none or [UNAVAILABLE].
sub _client_address {
    my ($original, $given) = @_;
    my $address = $original->($given);
    return $address if !$connection;
    my $known = defined $address && $address ne '';
    $connection->{xforward} = $known ? $address : undef;
    $connection->{mail}     = 1;
    return $known ? $address : $connection->{origin}{address};
}

# Gives the message what the header knows of its client and XFORWARD did not say. XFORWARD is of
# this message, the header of the whole connection: where they name different clients, nothing of
# the header is used.
sub _complete {
    my ($message) = @_;
    my $origin   = $connection->{origin};
    my $xforward = $connection->{xforward};
    my $first    = !$connection->{messages}++;

    my $agree =
          !defined $xforward
        || !defined $origin->{address}
        || _same_address($xforward, $origin->{address});
    if ($agree) {
        my %value_of = defined $origin->{address} ? %{$origin} : ();
        _supply($message, "client_$_", $value_of{$_}) for qw(port name helo);

        # A queue ID belongs to one message, the others follow on a connection without it.
        _supply($message, 'queue_id', $origin->{queue_id}) if $first;
    }
    my %client = (
        address  => $message->client_addr,
        port     => $message->client_port,
        queue_id => $message->queue_id,
    );
    my $used = defined $xforward ? 'xforward' : defined $client{address} ? 'proxy' : 'none';
    _log(1, 'message peer=%s %s origin_source=%s',
        $connection->{peer}, _origin_text(\%client), $used);
    if (!$agree) {
        _log(0, 'mismatch queue_id=%s xforward=%s proxy=%s used=xforward',
            $client{queue_id} // 'unknown', $xforward, $origin->{address});
    } elsif ($first && defined $origin->{queue_id} && $origin->{queue_id} ne $client{queue_id}) {
        _log(0, 'mismatch queue_id=%s proxy_queue_id=%s used=xforward',
            $client{queue_id}, $origin->{queue_id});
    }
    return;
}

sub _supply {
    my ($message, $property, $value) = @_;
    $message->$property($value) if defined $value && ($message->$property // '') eq '';
    return;
}

sub _same_address {
    my ($left, $right) = map { Millrace::ProxyHeader::canonical_address($_) // '' } @_;
    return $left eq $right;
}

sub _origin_text {
    my ($origin) = @_;
    my @parts = ('origin=' . _endpoint($origin->{address}, $origin->{port}, 'unknown'));
    for my $property (qw(queue_id helo name unique_id)) {
        push @parts, "$property=$origin->{$property}" if defined $origin->{$property};
    }
    push @parts, 'ignored=' . join ',', @{ $origin->{ignored} } if @{ $origin->{ignored} // [] };
    return join ' ', @parts;
}

sub _endpoint {
    my ($address, $port, $otherwise) = @_;
    return $otherwise if !defined $address || $address eq '';
    $address = "[$address]" if $address =~ /:/;
    return $port ? "$address:$port" : $address;
}

sub _log {
    my ($level, $format, @values) = @_;
    Amavis::Util::do_log($level, "millrace: $format", @values);
    return;
}

1;
