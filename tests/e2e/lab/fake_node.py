"""A scripted node as a part of the lab: started, killed, and asked what it saw."""
import json
import os
import sys

from . import wait
from .process import Process

_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class FakeNode:
    """See scripted_node for what it does. Without `stall` it accepts everything."""

    def __init__(self, lab, host, name, proxy="v2", stall=None):
        self.host = host
        self.name = name
        self.port = host.free_port()
        self.stall = stall
        self._directory = lab.directory(name)
        self._proxy = proxy
        self.process = Process(
            name, [], lab.path(f"{name}.events"), {"PYTHONPATH": _PACKAGE_PARENT}
        )
        lab.add(self)

    @property
    def address(self):
        return self.host.address

    def launch(self):
        argv = [
            sys.executable, "-m", "lab.scripted_node", "--bind", self.address,
            "--port", str(self.port), "--directory", self._directory, "--proxy", self._proxy,
        ]
        if self.stall:
            argv += ["--stall", self.stall]
        self.process.argv = self.host.command(argv)
        self.process.start()

    def wait_until_ready(self):
        self.process.wait_until_ready(
            lambda: self.host.is_listening(self.address, self.port), f"port {self.port}"
        )

    def start(self):
        self.launch()
        self.wait_until_ready()

    def kill(self):
        self.process.kill()

    def stop(self):
        self.process.stop()

    def logs(self):
        return [self.process.log]

    def events(self, kind):
        lines = [line for line in self.process.log.lines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def wait_for_stall(self):
        return wait.until(lambda: self.events("stall"), f"a message that stops in {self.name}")[0]

    def messages(self, recipient=None):
        """What it kept, and what it was told about each."""
        return [
            event
            for event in self.events("message")
            if recipient is None or recipient in event["recipients"]
        ]
