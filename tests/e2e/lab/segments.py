"""A peer that cuts its content into segments where the test wants, otherwise as Postfix is."""
import socket

from . import ports, wait


class SegmentPeer:
    """One SMTP or LMTP session with a listener of the balancer; a message after the other."""

    def __init__(self, address, port, protocol, timeout=20.0):
        self._sock = socket.create_connection((address, port), timeout)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._sock.makefile("rb")
        self._expect(b"220")
        self._say(b"LHLO" if protocol == "lmtp" else b"EHLO", b" peer.lab.test\r\n")
        self._expect(b"250")

    def send(self, mail_from, recipient, segments):
        """One message, dots and all as given, to one recipient; every reply to its content.

        Each segment has been read before the next one leaves. The replies end where the answer to
        a VRFY comes: what was smuggled past the balancer would be answered before it.
        """
        self._say(f"MAIL FROM:<{mail_from}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
        for code in (b"250", b"250", b"354"):
            self._expect(code)
        for segment in segments:
            self._sock.sendall(segment)
            wait.until(lambda: ports.unread_octets(self._sock) == 0, "the segment to be read")
        return self._replies_to_content()

    def close(self):
        self._file.close()
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _replies_to_content(self):
        replies = [self._reply()]
        self._say(b"VRFY in-step\r\n")
        while not (reply := self._reply()).startswith(b"252"):
            replies.append(reply)
        return replies

    def _say(self, *parts):
        self._sock.sendall(b"".join(parts))

    def _reply(self):
        lines = [self._file.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(self._file.readline())
        if not lines[-1]:
            raise EOFError("the balancer has closed the connection")
        return b"".join(lines)

    def _expect(self, code):
        reply = self._reply()
        if not reply.startswith(code):
            raise AssertionError(f"expected {code!r}, got {reply!r}")
