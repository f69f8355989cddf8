# As much of amavisd as Millrace::ProxyV2 needs to be loaded and enabled without it.
package AmavisStub;

use strict;
use warnings;

package Amavis;
sub pre_loop_hook { return 'the original' }

package Amavis::Util;
our @log;
sub do_log { my ($level, $format, @values) = @_; push @log, sprintf $format, @values; return }

1;
