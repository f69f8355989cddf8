"""Small messages to a balancer, one after the other on a few connections, each of them timed."""
import threading
import time
from dataclasses import dataclass

from .client import Client, Refused

_BODY = b"Subject: stream\r\n\r\n" + b"0123456789abcdef" * 4 + b"\r\n"


@dataclass(frozen=True)
class Passed:
    started: float  # time.monotonic()
    seconds: float
    refusal: str = ""  # empty: accepted


class MailStream:
    """Use as a context manager: the stream ends with the block. `passed` grows meanwhile.

    `idents`, if given, are the queue IDs that XFORWARD names, in turn.
    """

    def __init__(self, balancer, sender, connections=4, pause=0.02, idents=None):
        self.passed = []
        self._balancer = balancer
        self._sender = sender
        self._pause = pause
        self._idents = idents
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True)
                         for _ in range(connections)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def accepted(self):
        return [each for each in list(self.passed) if not each.refusal]

    @property
    def refused(self):
        return [each for each in list(self.passed) if each.refusal]

    def _run(self):
        balancer = self._balancer
        while not self._end.is_set():
            try:
                with Client(balancer.host, balancer.address, balancer.port) as client:
                    while not self._end.wait(self._pause):
                        self._send(client)
            except (OSError, Refused) as failure:
                self.passed.append(Passed(time.monotonic(), 0.0, str(failure)))
                self._end.wait(self._pause)

    def _send(self, client):
        started = time.monotonic()
        if self._idents:
            client.forward(self._sender, next(self._idents))
        client.send("sender@sender.lab.test", ["user@lab.test"], _BODY)
        self.passed.append(Passed(started, time.monotonic() - started))


def percentile(seconds, share):
    """The smallest of them that `share` of all do not exceed; 0 if there are none."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
