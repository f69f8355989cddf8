"""Hosts with addresses of their own: network namespaces on one switch, made and removed here."""
import os
import subprocess

from .host import Host


class Network:
    """Address N of `hosts` is 198.18.0.N. Nothing outside these namespaces is reachable."""

    def __init__(self, lab, hosts):
        """`hosts`: name to last octet."""
        self._prefix = f"mr{os.getpid()}{os.urandom(2).hex()}"
        self._made = []
        self.hosts = {}
        lab.add(self)
        switch = self._make("switch")
        _ip_in(switch, "link", "add", "br0", "type", "bridge")
        _ip_in(switch, "link", "set", "br0", "up")
        for number, (name, octet) in enumerate(hosts.items()):
            namespace = self._make(name)
            port = f"port{number}"
            _ip_in(namespace, "link", "add", "eth0", "type", "veth",
                   "peer", "name", port, "netns", switch)
            _ip_in(switch, "link", "set", port, "master", "br0", "up")
            _ip_in(namespace, "address", "add", f"198.18.0.{octet}/24", "dev", "eth0")
            _ip_in(namespace, "link", "set", "eth0", "up")
            self.hosts[name] = Host(name, f"198.18.0.{octet}", namespace)

    def stop(self):
        while self._made:
            _ip("netns", "delete", self._made.pop())

    def _make(self, name):
        namespace = f"{self._prefix}-{name}"
        _ip("netns", "add", namespace)
        self._made.append(namespace)
        _ip_in(namespace, "link", "set", "lo", "up")
        return namespace


def _ip(*arguments):
    _run("ip", *arguments)


def _ip_in(namespace, *arguments):
    # Not `ip -n`, which also remounts /sys and cannot do so inside a chroot.
    _run("nsenter", f"--net=/run/netns/{namespace}", "ip", *arguments)


def _run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
