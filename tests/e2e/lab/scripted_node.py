"""A scanner node that stops at an exact point: run as a program of its own, so that it can be killed.

It speaks like amavisd, keeps every message that it answers with a 250 (the file is complete before
the answer goes out), and prints what happens as JSON, one event to a line. With --stall it stops at
that point of the first message and does nothing more with it until the connection ends:

    envelope  MAIL is not answered
    data      354 is sent; a part of the data is read
    dot       all is read and kept, and the final reply is not sent
"""
import argparse
import hashlib
import json
import os
import socket
import sys
import threading

from . import proxy_header
from .smtp_server import LineReader, path_of

_CAPABILITIES = (
    "VRFY", "PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "DSN",
    "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
)


class Script:
    """What all connections share: the options, the stall that is still to come, the output."""

    def __init__(self, options):
        self.options = options
        self._stall = options.stall
        self._lock = threading.Lock()
        self._messages = 0

    def tell(self, event, **fields):
        with self._lock:
            print(json.dumps({"event": event, **fields}), flush=True)

    def takes_stall(self, point):
        """True once, at the point where the first message is to stop."""
        with self._lock:
            if self._stall != point:
                return False
            self._stall = None
            return True

    def keep(self, data):
        with self._lock:
            self._messages += 1
            path = os.path.join(self.options.directory, f"{os.getpid()}-{self._messages}.eml")
        with open(path, "wb") as file:
            file.write(data)
        return path


class Connection:
    def __init__(self, script, sock):
        self.script = script
        self.sock = sock
        self.reader = LineReader(sock)
        self.proxy = None
        self.xforward = {}
        self.sender = ""
        self.recipients = []
        self.lmtp = False

    def serve(self):
        version = self.script.options.proxy
        if version != "off":
            header = proxy_header.read(self.reader, version)
            tlvs = {kind: value.decode("latin-1") for kind, value in header["tlvs"].items()}
            self.proxy = {**header, "tlvs": tlvs}
        self.reply("220 [127.0.0.1] ESMTP scripted node")
        while line := self.reader.line():
            if not self.command(*line.strip().partition(b" ")[::2]):
                return

    def command(self, verb, argument):
        verb = verb.upper()
        if verb in (b"EHLO", b"LHLO"):
            self.lmtp = verb == b"LHLO"
            self.reply("\r\n".join(f"250-{word}" for word in ("node", *_CAPABILITIES[:-1])))
            self.reply(f"250 {_CAPABILITIES[-1]}")
        elif verb == b"XFORWARD":
            pairs = (pair.partition("=") for pair in argument.decode().split())
            self.xforward.update({key.upper(): value for key, _, value in pairs})
            self.reply("250 2.0.0 ok")
        elif verb == b"MAIL":
            if self.script.takes_stall("envelope"):
                return self.stall("envelope")
            self.sender, self.recipients = path_of(argument), []
            self.reply("250 2.1.0 ok")
        elif verb == b"RCPT":
            self.recipients.append(path_of(argument))
            self.reply("250 2.1.5 ok")
        elif verb == b"DATA":
            return self.data()
        elif verb == b"RSET":
            self.xforward = {}
            self.reply("250 2.0.0 ok")
        elif verb == b"QUIT":
            self.reply("221 2.0.0 bye")
            return False
        else:
            self.reply("250 2.0.0 ok")
        return True

    def data(self):
        self.reply("354 go on")
        if self.script.takes_stall("data"):
            self.reader.peek(1024)
            return self.stall("data")
        data = self.reader.data()
        if data is None:
            self.script.tell("cut", recipients=self.recipients)
            return False
        path = self.script.keep(data)
        self.script.tell(
            "message",
            proxy=self.proxy,
            xforward=self.xforward,
            sender=self.sender,
            recipients=self.recipients,
            sha256=hashlib.sha256(data).hexdigest(),
            path=path,
        )
        if self.script.takes_stall("dot"):
            return self.stall("dot")
        for recipient in self.recipients if self.lmtp else [self.recipients[0]]:
            self.reply(f"250 2.0.0 Ok: queued as {os.path.basename(path)} for {recipient}")
        self.xforward = {}
        return True

    def stall(self, point):
        """Answers nothing more; in the data it does not even read."""
        self.script.tell("stall", at=point)
        if point == "data":
            threading.Event().wait()
        while self.sock.recv(65536):
            pass
        return False

    def reply(self, text):
        self.sock.sendall(text.encode() + b"\r\n")


def _serve(script, sock):
    with sock:
        try:
            Connection(script, sock).serve()
        except proxy_header.BadHeader as bad:
            script.tell("bad-header", text=str(bad))
        except OSError as error:
            script.tell("lost", text=str(error))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--proxy", choices=("off", "v1", "v2"), default="v2")
    parser.add_argument("--stall", choices=("envelope", "data", "dot"))
    script = Script(parser.parse_args())
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A small window: what the node does not read stays with the sender.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    listener.bind((script.options.bind, script.options.port))
    listener.listen(100)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve, args=(script, sock), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
