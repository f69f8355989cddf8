"""What the tests of the benchmark's programs share: a sink, a run of load, a connection by hand."""
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import unittest

from farm import programs, scenario

SEED = 7


class SinkCase(unittest.TestCase):
    build = None  # set by main()

    def setUp(self):
        self.stack = self.enterContext(contextlib.ExitStack())

    def new_directory(self):
        return self.stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-smoke-"))

    def start_sink(self, slots=4, mean=0, proxy="off", options=()):
        farm = scenario.Scenario((scenario.Node("n1", slots, mean),))
        log = os.path.join(self.new_directory(), "sink.log")
        sink = programs.Sink(self.build, farm, SEED, log, proxy, options)
        self.stack.callback(sink.process.stop)
        sink.start()
        return sink

    def run_load(self, sink, *arguments, port=None):
        """Straight to the sink's node, or to a port before it."""
        argv = [self.build.load, "--connect", f"127.0.0.1:{port or sink.nodes[0][2]}", "--seed",
                str(SEED), "--limit", "60", *map(str, arguments)]
        out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        return {key: float(value) for key, value in (line.split("=") for line in out.split())}

    def stop(self, sink):
        """The counts of its only node."""
        counts, = sink.stop()
        return {key: float(value) for key, value in counts.items() if key != "node"}


class Client:
    """A connection to the sink's only node, spoken by hand."""

    def __init__(self, sink):
        self._socket = socket.create_connection(("127.0.0.1", sink.nodes[0][2]), timeout=30)
        self._input = self._socket.makefile("rb")

    def send(self, octets):
        self._socket.sendall(octets)

    @property
    def socket(self):
        return self._socket

    def line(self):
        """Empty at the end."""
        try:
            return self._input.readline().decode()
        except ConnectionResetError:
            return ""

    def has_input(self):
        self._socket.setblocking(False)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self._socket.settimeout(30)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._input.close()
        self._socket.close()


def main():
    """Usage: TEST BUILD_DIRECTORY."""
    SinkCase.build = programs.Build(sys.argv.pop(1))
    unittest.main()
