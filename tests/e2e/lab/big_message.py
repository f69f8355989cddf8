"""One large message, sent to a balancer by a thread of its own."""
import threading

from . import wait
from .client import Client, Refused

LINE = b"0123456789abcdef" * 4 + b"\r\n"


class BigMessage(threading.Thread):
    """Sends one message of that size; `sent` grows, `reply` is there at the end."""

    def __init__(self, balancer, octets):
        super().__init__(daemon=True)
        self.octets = octets
        self.sent = 0
        self.reply = None
        self._client = Client(balancer.host, balancer.address, balancer.port, timeout=300)
        self._client.begin("big@sender.lab.test", ["user@lab.test"])
        self._client.open_data()
        self.port = self._client.local_port

    def run(self):
        piece = LINE * (65536 // len(LINE))
        try:
            while self.sent < self.octets:
                rest = memoryview(piece)
                while rest:
                    taken = self._client.write_some(rest)
                    self.sent += taken
                    rest = rest[taken:]
            self.reply = "250 " + self._client.finish()
        except (OSError, Refused) as failure:
            self.reply = str(failure)
        self._client.close()

    def wait_until_blocked(self):
        """Nothing has been taken for a second."""
        seen = []

        def is_still():
            seen.append(self.sent)
            return len(seen) > 50 and 0 < seen[-1] == seen[-50]

        wait.until(is_still, lambda: f"the sender being blocked, {self.sent} octets so far", 60)
