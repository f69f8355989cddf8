"""What the mailbox and the scripted node share: lines in, replies out, and the data between."""


class LineReader:
    """Lines that end with LF, from a socket. An empty result is the end of the connection."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""

    def line(self):
        while b"\n" not in self._buffer:
            if not self._fill():
                return b""
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def exactly(self, count):
        while len(self._buffer) < count:
            if not self._fill():
                return b""
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def peek(self, count):
        while len(self._buffer) < count:
            if not self._fill():
                break
        return self._buffer[:count]

    def data(self):
        """The message up to CRLF.CRLF, with the dots that SMTP added removed; None if cut off."""
        while True:
            if self._buffer.startswith(b".\r\n"):
                message, self._buffer = b"", self._buffer[3:]
                return message
            end = self._buffer.find(b"\r\n.\r\n")
            if end >= 0:
                message, self._buffer = self._buffer[: end + 2], self._buffer[end + 5 :]
                if message.startswith(b"."):
                    message = message[1:]
                return message.replace(b"\r\n.", b"\r\n")
            if not self._fill():
                return None

    def _fill(self):
        try:
            chunk = self._sock.recv(1 << 20)
        except OSError:
            return False
        self._buffer += chunk
        return bool(chunk)


def path_of(argument):
    """The address of MAIL FROM:<...> or RCPT TO:<...>."""
    return argument.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")
