"""Many clients of a balancer in one process, each of which goes through the same steps and stays.

A step is what to say and the reply code to wait for; `null` says nothing and waits for the reply.
Where the last step is done, or the reply was another one, a client holds its connection, and if there
is a `dribble`, sends one octet of it every second.

Orders: `join` (count), `leave`, `look` tells the counts. `shout`: all read nothing any more and send
`shout`, so many `times`, as far as it goes; `listen`: they read again.
"""
import itertools
import resource
import selectors
import socket
import time
from collections import Counter

from . import orders

_AT_A_TIME = 200  # on their way to the last step: the line of the listening socket is finite
_IP_BIND_ADDRESS_NO_PORT = 24
_SMALL_WINDOW = 4096


class Member:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.step = 0
        self.heard = b""
        self.unsent = b""
        self.shouted = 0
        self.has_arrived = False
        self.is_deaf = False
        self.events = 0


class Crowd:
    def __init__(self, options):
        self._target = tuple(options["target"])
        self._sources = itertools.cycle(options.get("sources", ["127.0.0.1"]))
        self._steps = [(say.encode() if say is not None else b"", code)
                       for say, code in options["steps"]]
        self._dribble = options.get("dribble", "").encode()
        self._shout = options.get("shout", "").encode() * options.get("times", 1)
        self._loop = orders.Loop()
        self._members = set()
        self._wanted = 0
        self._joined = 0
        self._counts = Counter()
        self._replies = Counter()
        self._dribbled = 0
        self._dribble_at = time.monotonic()

    def run(self):
        self._loop.run(self._obey, self._ready, self._tick)

    def _obey(self, order):
        if order["order"] == "join":
            self._wanted += order["count"]
        elif order["order"] == "leave":
            for member in list(self._members):
                self._part(member)
            self._wanted = self._joined
        elif order["order"] == "shout":
            for member in list(self._members):
                member.is_deaf = True
                self._say(member, self._shout)
        elif order["order"] == "listen":  # the deaf hear again
            for member in self._members:
                member.is_deaf = False
                self._watch_again(member)
        return {"connected": len(self._members), "joined": self._joined,
                "arrived": self._counts["arrived"], "stopped": self._counts["stopped"],
                "lost": self._counts["lost"], "replies": dict(self._replies), "dribbled": self._dribbled,
                "shouted": sum(member.shouted for member in self._members)}

    def _tick(self):
        while self._joined < self._wanted and (
                self._joined - self._counts["arrived"] - self._counts["stopped"]
                - self._counts["lost"] < _AT_A_TIME):
            self._join()
        if self._dribble and time.monotonic() >= self._dribble_at:
            self._dribble_at += 1.0
            for member in list(self._members):
                if member.has_arrived:
                    self._say(member, self._dribble[member.number % len(self._dribble):][:1])
                    member.number += 1
                    self._dribbled += 1

    def _join(self):
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        if self._shout:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW)
        sock.bind((next(self._sources), 0))
        sock.connect_ex(self._target)
        member = Member(sock, 0)
        self._members.add(member)
        self._joined += 1
        self._watch(member, selectors.EVENT_READ)

    def _watch(self, member, events):
        selector = self._loop.selector
        if member.events and events:
            selector.modify(member.sock, events, member)
        elif member.events:
            selector.unregister(member.sock)
        elif events:
            selector.register(member.sock, events, member)
        member.events = events

    def _part(self, member):
        if member in self._members:
            self._members.discard(member)
            self._watch(member, 0)
            member.sock.close()

    def _ready(self, member, mask):
        if mask & selectors.EVENT_WRITE:
            self._say(member, b"")
        if mask & selectors.EVENT_READ and member in self._members:
            self._hear(member)

    def _hear(self, member):
        try:
            chunk = member.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._counts["lost"] += not member.has_arrived
            self._part(member)
            return
        *lines, member.heard = (member.heard + chunk).split(b"\n")
        for line in lines:
            if line[3:4] != b"-":
                self._replied(member, line[:3].decode("latin-1"))

    def _replied(self, member, code):
        self._replies[code] += 1
        if member.has_arrived:
            return
        is_expected = code == str(self._steps[member.step][1])
        member.step += 1
        if is_expected and member.step < len(self._steps):
            self._say(member, self._steps[member.step][0])
        else:
            member.has_arrived = True
            self._counts["arrived" if is_expected else "stopped"] += 1

    def _say(self, member, octets):
        member.unsent += octets
        try:
            sent = member.sock.send(member.unsent) if member.unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._counts["lost"] += not member.has_arrived
            self._part(member)
            return
        member.unsent = member.unsent[sent:]
        member.shouted += sent if member.is_deaf else 0
        self._watch_again(member)

    def _watch_again(self, member):
        self._watch(member, (0 if member.is_deaf else selectors.EVENT_READ)
                    | (selectors.EVENT_WRITE if member.unsent else 0))


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Crowd(orders.options()).run()
