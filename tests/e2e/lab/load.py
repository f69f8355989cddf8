"""Mail in a steady stream through an ingress, for as long as a test wants it."""
import threading
from dataclasses import dataclass

from . import expect
from .wait import Timeout

SMALL = b"hello\r\n"
# Many segments long, and well within the balancer's default for replay-max.
LARGE = (b"0123456789abcdef" * 4 + b"\r\n") * 3000
_LARGE_EVERY = 10
_MESSAGES_A_SESSION = 50
_STALLED_AFTER = 120.0


@dataclass(frozen=True)
class Sent:
    recipient: str
    queue_id: str
    body: bytes


class Load:
    """The next message is sent as soon as fewer than `window` are on their way to the mailbox.

    Use as a context manager: the stream ends with the block. `sent` grows meanwhile.
    """

    def __init__(self, cluster, window=20):
        self.sent = []
        self._cluster = cluster
        self._window = window
        self._arrived_before = cluster.sink.arrived()
        self._end = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._end.set()
        self._thread.join()
        if self._failure and exc == (None, None, None):
            raise self._failure

    def check(self):
        """Tells a test that waits for an effect of the stream when there is none any more."""
        if self._failure:
            raise self._failure

    def _run(self):
        try:
            while self._has_room():
                with self._cluster.connect() as session:
                    self._fill(session)
        except Exception as failure:  # raised again where the test can see it
            self._failure = failure

    def _fill(self, session):
        for _ in range(_MESSAGES_A_SESSION):
            if not self._has_room():
                return
            self._send(session)

    def _has_room(self):
        """False at the end of the stream."""
        waited = 0.0
        while not self._end.is_set():
            arrived = self._cluster.sink.arrived() - self._arrived_before
            if len(self.sent) - arrived < self._window:
                return True
            self._end.wait(0.02)
            waited += 0.02
            if waited > _STALLED_AFTER:
                raise Timeout(f"the stream has stalled: {self._window} messages do not arrive")
        return False

    def _send(self, session):
        number = len(self.sent)
        body = LARGE if number % _LARGE_EVERY == 0 else SMALL
        sender = expect.SENDERS[number % len(expect.SENDERS)]
        journey = self._cluster.send(sender, body=body, session=session)
        self.sent.append(Sent(journey.recipient, journey.queue_id, body))
