# The configuration snippet as it is shipped, and with all of its examples in force, is one that
# amavisd starts with.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use PrivateAmavisd;
use ProxyBuilder qw(local_header);
use SmtpClient;

my $snippet = read_file("$FindBin::Bin/../60-millrace");
$snippet =~ s{'/usr/local/share/millrace/amavis/Millrace/ProxyV2\.pm'}{'MILLRACE'}
    or die "the snippet loads another file\n";

# An example is a commented line that begins with a setting. Its ports would not be free.
my $examples = $snippet =~ s/^(\s*)# (?=[\@\$]\w+|\w+ +=>)/$1/gmr;
$examples =~ s/^\$inet_socket_port .*$//m;

is_served(PrivateAmavisd->start(config => $snippet), qr/header=mandatory from=all /);
is_served(PrivateAmavisd->start(config => $examples),
    qr/header=mandatory from=192\.0\.2\.10,.* tlv_address=0xe4 /);
done_testing;

sub is_served {
    my ($amavisd, $announcement) = @_;
    ok $amavisd->wait_for_log($announcement), 'the module says how it works';
    my $client = SmtpClient->connect($amavisd->socket_path, header => local_header());
    like $client->greet, qr/^250/, 'a health check is answered';
    $client->quit;
    is $amavisd->troubles, '', 'nothing went wrong';
    return;
}

sub read_file {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/ = undef;
    return scalar <$file>;
}
