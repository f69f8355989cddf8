"""A host of the cluster: an address to live at, perhaps a network namespace to live in."""
import ctypes
import os
import socket

from . import ports

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Host:
    """`address` is where other hosts find it. Without a namespace all hosts share the loopback."""

    def __init__(self, name, address="127.0.0.1", netns=None):
        self.name = name
        self.address = address
        self.netns = netns

    @property
    def local_address(self):
        """Where programs of this host find each other."""
        return "127.0.0.1" if self.netns else self.address

    def command(self, argv):
        # Not `ip netns exec`, which also remounts /sys and cannot do so inside a chroot.
        enter = ["nsenter", f"--net=/run/netns/{self.netns}"]
        return [*enter, *argv] if self.netns else list(argv)

    def free_port(self):
        return ports.free_port(("127.0.0.1",) if self.netns else ("127.0.0.1", self.address))

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        """A socket of this host: it stays in the namespace where it was made."""
        if not self.netns:
            return socket.socket(family, kind)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.netns}", os.O_RDONLY)
        try:
            _enter(there)
            try:
                return socket.socket(family, kind)
            finally:
                _enter(home)
        finally:
            os.close(there)
            os.close(home)

    def connect(self, address, port, timeout=30.0):
        sock = self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            sock.settimeout(timeout)
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def is_listening(self, address, port):
        try:
            self.connect(address, port, timeout=2.0).close()
            return True
        except OSError:
            return False


def _enter(namespace):
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
