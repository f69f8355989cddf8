"""The mailbox at the end: an LMTP server on a Unix socket that keeps every delivery as it came."""
import os
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from . import wait
from .smtp_server import LineReader, path_of


@dataclass
class Delivery:
    """One recipient's copy. `host` is the name by which the delivering Postfix introduced itself."""

    host: str
    sender: str
    recipient: str
    header: bytes
    body: bytes
    time: float = field(default_factory=time.time)

    @property
    def data(self):
        return self.header + b"\r\n\r\n" + self.body

    def fields(self, name):
        """The values of all header fields of that name, top first, unfolded."""
        unfolded = self.header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
        found = []
        for line in unfolded.decode("latin-1").split("\r\n"):
            key, colon, value = line.partition(":")
            if colon and key.lower() == name.lower():
                found.append(value.strip())
        return found


class Sink:
    """A Unix socket is reached from every network namespace.

    With `directory` set each delivery is also a file there, for people to read.
    """

    name = "sink"

    def __init__(self, lab):
        self.directory = None
        self.path = lab.path("sink.sock")
        self.deliveries = []
        self._arrived = set()
        self._bodies = {}  # each once, however often it arrives
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()
        lab.add(self)

    def find(self, recipient):
        with self._lock:
            return [each for each in self.deliveries if each.recipient == recipient]

    def arrived(self):
        """How many recipients have got something."""
        with self._lock:
            return len(self._arrived)

    def copies(self):
        """How many copies each recipient has got."""
        with self._lock:
            return Counter(delivery.recipient for delivery in self.deliveries)

    def wait_for(self, recipient, deadline=60.0):
        """The first delivery to `recipient`."""
        found = wait.until(lambda: self.find(recipient), f"a delivery to {recipient}", deadline)
        return found[0]

    def stop(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _keep(self, host, sender, recipients, data):
        header, _, body = data.partition(b"\r\n\r\n")
        with self._lock:
            body = self._bodies.setdefault(body, body)
            for recipient in recipients:
                delivery = Delivery(host, sender, recipient, header, body)
                self.deliveries.append(delivery)
                self._arrived.add(delivery.recipient)
                if self.directory:
                    name = f"{len(self.deliveries):04}-{delivery.recipient}.eml"
                    with open(os.path.join(self.directory, name.replace("/", "_")), "wb") as file:
                        file.write(delivery.data)

    def _serve(self, sock):
        reader = LineReader(sock)
        host, sender, recipients = "", "", []

        def reply(text):
            try:
                sock.sendall(text.encode() + b"\r\n")
            except OSError:
                pass

        with sock:
            reply("220 sink.lab.test LMTP")
            while line := reader.line():
                verb, _, argument = line.strip().partition(b" ")
                verb = verb.upper()
                if verb in (b"LHLO", b"EHLO"):
                    host = argument.decode()
                    reply("250-sink.lab.test\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n"
                          "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME")
                elif verb == b"MAIL":
                    sender, recipients = path_of(argument), []
                    reply("250 2.1.0 ok")
                elif verb == b"RCPT":
                    recipients.append(path_of(argument))
                    reply("250 2.1.5 ok")
                elif verb == b"DATA":
                    reply("354 go on")
                    data = reader.data()
                    if data is None:
                        return
                    self._keep(host, sender, recipients, data)
                    for _ in recipients:
                        reply("250 2.0.0 kept")
                elif verb == b"QUIT":
                    reply("221 2.0.0 bye")
                    return
                else:
                    reply("250 2.0.0 ok")
