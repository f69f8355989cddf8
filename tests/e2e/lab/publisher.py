"""Publishes origin records at a steady rate on a few connections, as many milters would.

Orders: `publish` (count, rate, first) begins; `look` tells what was acknowledged and how soon.
"""
import selectors
import socket
import struct
import time

from . import orders
from .mail_stream import percentile
from .origin_rpc import STORED, request, response

_CONNECTIONS = 4


def queue_id(number):
    """A long queue ID as Postfix makes them."""
    return f"4publ{number:08d}z1bY05"


class Connection:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.setblocking(False)
        self.unsent = b""
        self.heard = b""


class Publisher:
    def __init__(self, options):
        self._address = options["address"]
        self._ingress = options["ingress"]
        self._loop = orders.Loop(tick=0.002)
        self._connections = [Connection(options["socket"]) for _ in range(_CONNECTIONS)]
        for connection in self._connections:
            self._loop.selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._rate = 1.0
        self._started = time.monotonic()
        self._first = self._sent = self._count = 0
        self._at = {}  # when a record went out, by its number
        self._seconds = []
        self._refused = 0

    def run(self):
        self._loop.run(self._obey, self._ready, self._tick)

    def _obey(self, order):
        if order["order"] == "publish":
            self._rate, self._count, self._sent = order["rate"], order["count"], 0
            self._first = order.get("first", 0)
            self._started = time.monotonic()
        return {"sent": self._sent, "stored": len(self._seconds), "refused": self._refused,
                "behind": len(self._at), "p50": percentile(self._seconds, 0.50),
                "p99": percentile(self._seconds, 0.99), "max": max(self._seconds, default=0)}

    def _tick(self):
        due = min(int((time.monotonic() - self._started) * self._rate), self._count)
        while self._sent < due:
            number = self._first + self._sent
            connection = self._connections[number % _CONNECTIONS]
            connection.unsent += request(number + 1, self._ingress, queue_id(number),
                                         self._address)
            self._at[number + 1] = time.monotonic()
            self._sent += 1
        for connection in self._connections:
            self._send(connection)

    def _send(self, connection):
        try:
            sent = connection.sock.send(connection.unsent) if connection.unsent else 0
        except BlockingIOError:
            return
        connection.unsent = connection.unsent[sent:]

    def _ready(self, connection, _mask):
        chunk = connection.sock.recv(1 << 16)
        if not chunk:
            raise SystemExit("the balancer has closed the connection")
        connection.heard += chunk
        at = 0
        while len(connection.heard) >= at + 4:
            (length,) = struct.unpack_from(">I", connection.heard, at)
            if len(connection.heard) < at + 4 + length:
                break
            self._answered(*response(connection.heard[at + 4:at + 4 + length]))
            at += 4 + length
        connection.heard = connection.heard[at:]

    def _answered(self, number, status):
        seconds = time.monotonic() - self._at.pop(number)
        if status == STORED:
            self._seconds.append(seconds)
        else:
            self._refused += 1


if __name__ == "__main__":
    Publisher(orders.options()).run()
