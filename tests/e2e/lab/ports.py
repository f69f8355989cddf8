"""Free TCP and UDP ports, below the range from which the kernel takes its own."""
import random
import socket

_FIRST, _LAST = 20000, 32000
_given = set()

_ESTABLISHED = "01"


def free_port(addresses=("127.0.0.1",)):
    """A port that nobody uses on any of the addresses, and that is given out only once."""
    while True:
        port = random.randint(_FIRST, _LAST)
        if port in _given or not all(_is_free(address, port) for address in addresses):
            continue
        _given.add(port)
        return port


def _is_free(address, port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def connections_to(port):
    """How many connections to a listener on that port there are, outside of namespaces."""
    found = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        found += sum(row[1].endswith(f":{port:04X}") and row[3] == _ESTABLISHED for row in rows)
    return found


def unread_octets(sock):
    """How much of what a loopback socket has sent lies with its peer's kernel, not read."""
    here, there = sock.getsockname()[1], sock.getpeername()[1]
    with open("/proc/net/tcp", encoding="ascii") as file:
        for row in (line.split() for line in file):
            if row[1].endswith(f":{there:04X}") and row[2].endswith(f":{here:04X}"):
                return int(row[4].partition(":")[2], 16)
    return 0
