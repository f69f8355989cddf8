# A Postfix of the test's own with the sample configuration of this directory: own directories, free
# ports on loopback. The system's Postfix, its configuration and its queue are not touched. Needs
# root, because Postfix's master does.
package PrivatePostfix;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;

my $SAMPLES = abs_path(dirname(__FILE__) . '/../..');

# A test that is interrupted stops what it has started, like one that ends.
$SIG{$_} = sub { exit 1 } for qw(INT TERM);

# `replace` maps texts of the samples to what this test has in their place; `main` is added to
# main.cf, and `port` is where the ingress listens.
sub start {
    my ($class, %given) = @_;
    die "this test needs root\n" if $> != 0;
    my $self = bless { directory => tempdir('millrace-postfix-XXXXXX', TMPDIR => 1, CLEANUP => 1),
        owner => $$ }, $class;
    my $directory = $self->{directory};
    my $user = getpwnam 'postfix' or die "this test needs the package postfix\n";
    chmod 0755, $directory;
    mkdir "$directory/$_" for qw(etc queue data log);
    chown $user, -1, "$directory/data";

    my ($main, $master) = map { sample($_, $given{replace}) } qw(main.cf master.cf);
    _write("$directory/etc/main.cf", _basis($directory) . $main . $given{main});
    _write("$directory/etc/master.cf", _services($given{port}) . $master);
    $self->{running} = 1;
    $self->command('postfix', 'start') == 0 or die "postfix start: " . $self->log_text;
    return $self;
}

sub sample {
    my ($name, $replace) = @_;
    my $text = _read("$SAMPLES/$name");
    for my $from (sort keys %{$replace}) {
        $text =~ s/\Q$from\E/$replace->{$from}/g;
    }
    return $text;
}

sub command {
    my ($self, $program, @arguments) = @_;
    return system "/usr/sbin/$program -c $self->{directory}/etc @arguments"
        . " >>$self->{directory}/log/output 2>&1";
}

# What postconf has to say against the configuration.
sub warnings {
    my ($self) = @_;
    return scalar `/usr/sbin/postconf -c $self->{directory}/etc 2>&1 >/dev/null`
        . `/usr/sbin/postconf -c $self->{directory}/etc -M 2>&1 >/dev/null`;
}

sub log_text {
    my ($self) = @_;
    return join '', map { -e $_ ? _read($_) : '' }
        map { "$self->{directory}/log/$_" } qw(output mail.log);
}

sub wait_for_log {
    my ($self, $pattern) = @_;
    for (1 .. 3000) {
        my ($found) = $self->log_text =~ /$pattern/m;
        return $found if defined $found;
        select undef, undef, undef, 0.02;
    }
    die "missing in the log: $pattern\n" . $self->log_text;
}

# Waits until so many lines of the log match.
sub wait_for_count {
    my ($self, $count, $pattern) = @_;
    for (1 .. 3000) {
        return if $count <= (() = $self->log_text =~ /$pattern/g);
        select undef, undef, undef, 0.02;
    }
    die "not $count times in the log: $pattern\n" . $self->log_text;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$ || !$self->{running};
    local ($?, $@);
    $self->command('postfix', 'stop');
    return;
}

sub _basis {
    my ($directory) = @_;
    return <<"END";
compatibility_level = 3.6
queue_directory = $directory/queue
data_directory = $directory/data
maillog_file = $directory/log/mail.log
maillog_file_prefixes = $directory/log
myhostname = ingress.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
END
}

sub _services {
    my ($port) = @_;
    my $services = _read('/usr/share/postfix/master.cf.dist');
    $services =~ s/^smtp +inet /127.0.0.1:$port inet /m or die "no smtpd in master.cf.dist\n";
    $services =~ s/^(\S+ +(?:unix|inet|unix-dgram) +\S+ +\S+ +)y/$1n/gm;    # no chroot here
    return $services;
}

sub _write {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    return close $file;
}

sub _read {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

1;
