"""A DNS blocklist of our own: rbldnsd with one zone that lists one IPv4 and one IPv6 address."""
import socket
import struct

from .process import Process

ZONE = "bl.lab.test"
LISTED_V4 = "203.0.113.66"
LISTED_V6 = "2001:db8:66::66"


class Rbldnsd:
    def __init__(self, lab, host):
        self.host = host
        self.name = f"rbldnsd@{host.name}"
        self.port = host.free_port()
        directory = lab.directory(f"{host.name}-rbldnsd")
        lab.write(f"{host.name}-rbldnsd/v4", f":127.0.0.2:listed\n{LISTED_V4}\n")
        lab.write(f"{host.name}-rbldnsd/v6", f":127.0.0.2:listed\n{LISTED_V6}/128\n")
        self.process = Process(
            self.name,
            host.command([
                "/usr/sbin/rbldnsd", "-n", "-u", "rbldns:rbldns", "-w", directory,
                "-b", f"{host.local_address}/{self.port}",
                f"{ZONE}:ip4set:v4", f"{ZONE}:ip6trie:v6",
            ]),
            lab.path(f"{host.name}-rbldnsd.log"),
        )
        lab.add(self)

    @property
    def endpoint(self):
        """For SpamAssassin's dns_server."""
        return f"[{self.host.local_address}]:{self.port}"

    def start(self):
        self.process.start()
        self.process.wait_until_ready(lambda: self.is_listed("66.113.0.203"), "an answer")

    def is_listed(self, labels):
        """Asks for `labels` under the zone, as a scanner would."""
        name = b"".join(
            bytes([len(part)]) + part.encode() for part in f"{labels}.{ZONE}".split(".")
        )
        query = struct.pack(">6H", 0x6D72, 0x0100, 1, 0, 0, 0) + name + b"\0" + b"\0\1\0\1"
        with self.host.socket(kind=socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.5)
            try:
                sock.sendto(query, (self.host.local_address, self.port))
                answer = sock.recv(512)
            except OSError:
                return False
        return struct.unpack(">H", answer[6:8])[0] > 0

    def stop(self):
        self.process.stop()

    def logs(self):
        return [self.process.log]
