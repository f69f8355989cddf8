"""A node that takes as many messages at a time as come, accepts all, and keeps nothing of them.

Orders: `look` tells the counts; after `stall` it reads no content any more, until `resume`.
"""
import resource
import selectors
import socket

from . import orders

_HELLO = (b"250-node\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
          b"250-ENHANCEDSTATUSCODES\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n")
_END = b"\r\n.\r\n"
_SMALL_WINDOW = 16384


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.line = b""
        self.is_content = False
        self.tail = b""  # the last octets of the content: the end may be split anywhere
        self.octets = 0
        self.is_read = True
        self.had_mail = False


class WideNode:
    def __init__(self, options):
        self._loop = orders.Loop()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.get("small_window"):
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW)
        self._listener.bind((options["address"], options["port"]))
        self._listener.listen(4096)
        self._listener.setblocking(False)
        self._loop.selector.register(self._listener, selectors.EVENT_READ, self._listener)
        self._is_stalled = False
        self._connections = set()
        self._counts = {"messages": 0, "octets": 0, "cut": 0, "mails": 0}

    def run(self):
        self._loop.run(self._obey, self._ready, lambda: None)

    def _obey(self, order):
        if order["order"] in ("stall", "resume"):
            self._is_stalled = order["order"] == "stall"
            for connection in list(self._connections):
                self._watch(connection)
        reading = [connection for connection in self._connections if connection.is_content]
        return {**self._counts, "connections": len(self._connections), "in_content": len(reading),
                "taken": sum(connection.octets for connection in reading),
                "ports": [connection.sock.getpeername()[1] for connection in reading[:4]]}

    def _watch(self, connection):
        is_read = not (self._is_stalled and connection.is_content)
        if is_read and not connection.is_read:
            self._loop.selector.register(connection.sock, selectors.EVENT_READ, connection)
        elif connection.is_read and not is_read:
            self._loop.selector.unregister(connection.sock)
        connection.is_read = is_read

    def _ready(self, data, _mask):
        if data is self._listener:
            self._accept()
        else:
            self._read(data)

    def _accept(self):
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock)
        self._connections.add(connection)
        self._loop.selector.register(sock, selectors.EVENT_READ, connection)
        sock.send(b"220 node ESMTP\r\n")

    def _read(self, connection):
        try:
            chunk = connection.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._close(connection)
            return
        while chunk:
            chunk = self._content(connection, chunk) if connection.is_content else (
                self._commands(connection, chunk))
        if connection in self._connections:
            self._watch(connection)

    def _close(self, connection):
        if connection in self._connections:
            self._counts["cut"] += connection.is_content
            self._connections.discard(connection)
            if connection.is_read:
                self._loop.selector.unregister(connection.sock)
            connection.sock.close()

    def _content(self, connection, chunk):
        """What stands behind the end."""
        seen = connection.tail + chunk
        end = seen.find(_END)
        if end < 0:
            connection.tail = seen[-4:]
            connection.octets += len(chunk)
            return b""
        behind = seen[end + len(_END):]
        self._counts["messages"] += 1
        self._counts["octets"] += connection.octets + len(chunk) - len(behind)
        connection.is_content = False
        self._say(connection, b"250 2.0.0 Ok: taken\r\n")
        return behind

    def _commands(self, connection, chunk):
        line, newline, rest = (connection.line + chunk).partition(b"\n")
        if not newline:
            connection.line = line
            return b""
        connection.line = b""
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.is_content, connection.tail, connection.octets = True, b"\r\n", 0
            self._say(connection, b"354 go on\r\n")
        elif verb == b"QUIT":
            self._say(connection, b"221 2.0.0 bye\r\n")
            self._close(connection)
            return b""
        else:
            self._counts["mails"] += verb == b"MAIL"
            self._say(connection, _HELLO if verb in (b"EHLO", b"LHLO") else b"250 2.0.0 ok\r\n")
        return rest

    def _say(self, connection, octets):
        try:
            connection.sock.send(octets)
        except OSError:
            pass  # the next read tells


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    WideNode(orders.options()).run()
