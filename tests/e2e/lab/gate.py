"""Where a node stops every message that it has read to the end, until the test lets it go.

A lock on a file: while the test has it, amavisd waits for it. Nothing is polled, and a node that
is killed at its gate leaves nothing behind.
"""
import fcntl

#: What amavisd logs about a message that finds the gate closed.
STOPPED = "stopped at the gate"


class Gate:
    """Open when made."""

    def __init__(self, lab, name):
        self._path = lab.write(f"{name}.gate", "")
        self._file = open(self._path, encoding="utf-8")  # closed with the gate itself

    @property
    def amavisd_hook(self):
        """Lines of amavisd.conf. Custom::new is called after the final dot, before any check."""
        return f"""
{{ package Amavis::Custom;
  use Fcntl qw(:flock);
  no warnings 'redefine';
  sub new {{
    open(my $gate, '<', '{self._path}') or die "gate: $!";
    return undef if flock($gate, LOCK_SH | LOCK_NB);
    Amavis::Util::do_log(0, '{STOPPED}');
    1 until flock($gate, LOCK_SH);
    return undef;
  }}
}}
"""

    def close(self):
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def open(self):
        fcntl.flock(self._file, fcntl.LOCK_UN)
