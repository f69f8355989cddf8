"""Who sends mail: an SMTP client that can speak as any address (XCLIENT), and sendmail(1)."""
import socket
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Sender:
    """The SMTP client that Postfix is to see."""

    address: str
    port: int = 40025
    name: str = "[UNAVAILABLE]"
    helo: str = "mail.example.org"

    @property
    def xclient(self):
        address = f"IPV6:{self.address}" if ":" in self.address else self.address
        return f"XCLIENT ADDR={address} PORT={self.port} NAME={self.name} PROTO=ESMTP"


class Refused(Exception):
    """Postfix gave no 2xx (or 354)."""


class Client:
    """One SMTP session. Several messages may be sent in it, each as another Sender."""

    def __init__(self, host, address, port, timeout=60.0, preamble=b""):
        """`preamble` goes out first: a PROXY header."""
        self._sock = host.connect(address, port, timeout)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.sendall(preamble)
        self._file = self._sock.makefile("rb")
        self._expect(220)
        self._ask("EHLO client.lab.test")

    def speak_as(self, sender):
        self._ask(sender.xclient, 220)
        self._ask(f"EHLO {sender.helo}")

    def forward(self, sender, ident):
        """Says who the client was as a Postfix does that submits to a content filter."""
        address = f"IPv6:{sender.address}" if ":" in sender.address else sender.address
        self._ask(f"XFORWARD ADDR={address} PORT={sender.port} PROTO=ESMTP HELO={sender.helo} "
                  f"IDENT={ident} SOURCE=REMOTE")

    def send(self, mail_from, recipients, data):
        """Sends `data` (whole CRLF lines, not dot-stuffed); Postfix's queue ID for it."""
        self.begin(mail_from, recipients)
        self.open_data()
        self.write(data)
        return self.finish()

    # The same in steps, for tests that stop between them.

    def begin(self, mail_from, recipients):
        self._ask(f"MAIL FROM:<{mail_from}> BODY=8BITMIME")
        for recipient in recipients:
            self._ask(f"RCPT TO:<{recipient}>")

    def open_data(self):
        self._ask("DATA", 354)

    def write(self, data):
        """Whole lines of the message."""
        if data and not data.endswith(b"\r\n"):
            raise ValueError("the data must end with CRLF")
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        self._sock.sendall(b"." + stuffed if stuffed.startswith(b".") else stuffed)

    def write_some(self, octets):
        """As many of these as go, without a change; how many."""
        return self._sock.send(octets)

    def finish(self):
        """Ends the data; the queue ID."""
        self._sock.sendall(b".\r\n")
        return self._expect(250).partition("queued as ")[2].strip()

    @property
    def local_port(self):
        return self._sock.getsockname()[1]

    def no_operation(self):
        self._ask("NOOP")

    def close(self):
        try:
            self._ask("QUIT", 221)
        except (OSError, Refused):
            pass
        self._file.close()
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _ask(self, command, code=250):
        self._sock.sendall(command.encode() + b"\r\n")
        return self._expect(code)

    def _expect(self, code):
        lines = []
        while True:
            line = self._file.readline().decode("utf-8", "replace")
            lines.append(line.strip())
            if len(line) < 4 or line[3] != "-":
                break
        if not lines[-1].startswith(str(code)):
            raise Refused(f"expected {code}, got {lines}")
        return lines[-1]


def submit_locally(postfix, mail_from, recipients, data):
    """Hands a message to sendmail(1) of that Postfix instance: no SMTP client is involved."""
    subprocess.run(
        postfix.host.command(
            ["/usr/sbin/sendmail", "-C", postfix.config, "-i", "-f", mail_from, "--", *recipients]
        ),
        input=data.replace(b"\r\n", b"\n"),
        check=True,
        env={"MAIL_CONFIG": postfix.config, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
    )
