# A stock amavisd of the test's own: own directories, free ports on loopback, no scanners, stopped
# by its process id. Nothing of the system's amavisd is read or touched, except its programs.
#
# amavisd insists on configuration files that belong to root and on running as somebody else, so
# this needs root and the user amavis of the package.
package PrivateAmavisd;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $MODULES  = abs_path(dirname(__FILE__) . '/../../Millrace');
my $PATIENCE = 60;    # seconds until an event that must come is declared missing

# The one line per message that tests look at.
my $RESULT_TEMPLATE = 'RESULT sender=%s peer=[:REMOTEHOSTADDR] client=[:client_addr_port]'
    . ' name=%g helo=[:client_helo] queue_id=%Q banks=%p reply=[:smtp_response]';

# A test that is interrupted stops what it has started, like one that ends.
$SIG{$_} = sub { exit 1 } for qw(INT TERM);

# Starts one; `config` is Perl text that goes behind the basic settings, where
# MILLRACE stands for the path of the installed module. Returns when amavisd says that it is ready.
sub start {
    my ($class, %given) = @_;
    die "this test needs root\n" if $> != 0;
    my $user = getpwnam 'amavis' or die "this test needs the package amavisd-new\n";

    my $self = bless { directory => tempdir('millrace-amavis-XXXXXX', TMPDIR => 1, CLEANUP => 1),
        port => free_port(), owner => $$ }, $class;
    chmod 0755, $self->{directory};
    mkdir "$self->{directory}/$_" for qw(home work perl perl/Millrace);
    chown $user, -1, map { "$self->{directory}/$_" } qw(home work);
    for my $file (glob "$MODULES/*.pm") { copy($file, "$self->{directory}/perl/Millrace") or die $! }
    $self->configure($given{config});
    $self->_listen_for_readiness;
    $self->_run;
    $self->wait_until_ready;
    return $self;
}

# Writes the configuration; it counts from the next start or reload on.
sub configure {
    my ($self, $config) = @_;
    my $directory = $self->{directory};
    $config =~ s{\bMILLRACE\b}{$directory/perl/Millrace/ProxyV2.pm}g;
    open my $file, '>', "$directory/amavisd.conf" or die $!;
    print {$file} <<"END";
use strict;
\$daemon_user = 'amavis'; \$daemon_group = 'amavis';
\$MYHOME = '$directory/home'; \$TEMPBASE = '$directory/work';
\$pid_file = '$directory/home/pid'; \$lock_file = '$directory/home/lock';
\$DO_SYSLOG = 0; \$LOGFILE = '$directory/home/log'; \$log_level = 2;
\$log_templ = "$RESULT_TEMPLATE"; \$log_recip_templ = undef;
\$enable_db = 0; \$enable_zmq = 0; \$max_servers = 2; \$max_requests = 1000;
\$myhostname = 'node.example.org'; \$mydomain = 'example.org';
\@bypass_virus_checks_maps = (1); \@bypass_spam_checks_maps = (1);
\$enable_dkim_verification = 0; \$smtp_connection_cache_enable = 0;
\$inet_socket_bind = undef; \@inet_acl = qw( 127.0.0.0/8 [::1] );
\@listen_sockets = ('127.0.0.1:$self->{port}', '[::1]:$self->{port}', '$directory/home/smtp.sock');
\$unix_socket_mode = 0777;
\$interface_policy{'SOCK'} = 'SOCKET'; \$policy_bank{'SOCKET'} = { protocol => 'SMTP' };
$config
1;
END
    close $file;
    return;
}

sub port        { return $_[0]{port} }
sub socket_path { return "$_[0]{directory}/home/smtp.sock" }

# The ids of the children that take connections. A child that dies is replaced under another id.
sub children {
    my ($self) = @_;
    open my $list, '<', "/proc/$self->{pid}/task/$self->{pid}/children" or die $!;
    return join ' ', sort { $a <=> $b } split ' ', <$list> // '';
}

# Waits until amavisd has its two children, none of them among the old ones if these are given.
sub wait_for_children {
    my ($self, $old) = @_;
    my %old = map { $_ => 1 } split ' ', $old // '';
    return _until('children', sub {
        my @all = split ' ', $self->children;
        return @all == 2 && !grep({ $old{$_} } @all) ? "@all" : undef;
    });
}

# What `amavisd reload` does, by amavisd itself; returns when it is ready again.
sub reload {
    my ($self) = @_;
    delete local $ENV{NOTIFY_SOCKET};
    system('/usr/sbin/amavisd', '-c', "$self->{directory}/amavisd.conf", 'reload') == 0
        or die "amavisd reload failed\n";
    return $self->wait_until_ready;
}

sub log_text {
    my ($self) = @_;
    open my $file, '<', "$self->{directory}/home/log" or return '';
    local $/ = undef;
    return scalar <$file>;
}

# What amavisd has to complain about: a child that gives up, a taint or Perl warning.
sub troubles {
    my ($self) = @_;
    return join "\n",
        grep { /TROUBLE|process rundown|Insecure|uninitialized|_WARN|_DIE/ }
        grep { !/Pid_file created by this same process/ } split /\n/, $self->log_text;
}

# Returns the first captured group, or the match, of a log line that must come.
sub wait_for_log {
    my ($self, $pattern) = @_;
    return _until("log line $pattern",
        sub { my ($found) = $self->log_text =~ /$pattern/m; $found });
}

# The RESULT line of a message as a hash.
sub result {
    my ($self, $sender) = @_;
    my $line = $self->wait_for_log(qr/RESULT sender=<\Q$sender\E> (.*)/);
    return { $line =~ /(\w+)=(.*?)(?= \w+=|$)/g };
}

sub wait_until_ready {
    my ($self) = @_;
    my $deadline = clock_gettime(CLOCK_MONOTONIC) + $PATIENCE;
    while (clock_gettime(CLOCK_MONOTONIC) < $deadline) {
        my $readable = '';
        vec($readable, fileno $self->{notify}, 1) = 1;
        if (select $readable, undef, undef, 0.2) {
            recv $self->{notify}, my $state, 4096, 0;
            return $self if $state =~ /^READY=1/m;
        }
        if (waitpid($self->{pid}, 1) == $self->{pid}) {
            undef $self->{pid};
            last;
        }
    }
    die "amavisd is not ready: " . $self->output . $self->log_text;
}

sub output {
    my ($self) = @_;
    open my $file, '<', "$self->{directory}/output" or return '';
    local $/ = undef;
    return scalar <$file>;
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid};
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    undef $self->{pid};
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->stop if $self->{owner} == $$;
    return;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die $!;
    return $socket->sockport;
}

sub _listen_for_readiness {
    my ($self) = @_;
    my $path = "$self->{directory}/notify";
    $self->{notify} = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die $!;
    chmod 0777, $path;
    return;
}

sub _run {
    my ($self) = @_;
    my $pid = fork // die $!;
    if ($pid) {
        $self->{pid} = $pid;
        return;
    }
    $ENV{NOTIFY_SOCKET} = "$self->{directory}/notify";
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', "$self->{directory}/output";
    open STDERR, '>&', \*STDOUT;
    exec '/usr/sbin/amavisd', '-c', "$self->{directory}/amavisd.conf", 'foreground';
    die "exec: $!";
}

sub _until {
    my ($what, $condition) = @_;
    my $deadline = clock_gettime(CLOCK_MONOTONIC) + $PATIENCE;
    while (1) {
        my $found = $condition->();
        return $found if defined $found;
        die "missing after $PATIENCE seconds: $what\n"
            if clock_gettime(CLOCK_MONOTONIC) > $deadline;
        select undef, undef, undef, 0.02;
    }
}

1;
