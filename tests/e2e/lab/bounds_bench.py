"""What the cases of `tests/e2e/bounds` share: a balancer before one cheap node, and a row of figures."""
from dataclasses import dataclass, field
from typing import ClassVar

from . import ports, wait
from .balancer import Balancer
from .client import Sender
from .footprint import Footprint, worked
from .host import Host
from .mail_stream import MailStream
from .orders import Program
from .programs import merge

SENDER = Sender("203.0.113.66")
HELLO = [None, 220], ["EHLO crowd.lab.test\r\n", 250]
SOURCES = [f"127.0.0.{octet}" for octet in range(40, 48)]
_NODE_ADDRESS = "127.0.0.12"


@dataclass
class Row:
    """One line of the table, and what was counted, for whoever asserts it."""

    back_within: ClassVar[float] = 2.0  # seconds after the load; a test is more patient

    name: str
    cost: Footprint
    is_back: bool = False  # memory near the base and descriptors at it, in time
    counts: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)

    def expect(self, holds, problem):
        if not holds:
            self.problems.append(f"{self.name}: {problem}")

    def finish(self, near=4 << 20):
        """Once the load has ended. `near`: octets above the base that count as back."""
        self.is_back = self.cost.settle(near, self.back_within)
        before, _, after = self.cost.descriptors
        self.expect(before == after, f"{after} descriptors afterwards, {before} before")
        self.expect(self.is_back, f"{self.cost.kept >> 10} KB more than before are kept")
        return self


class Bench:
    """A balancer and a wide node in a lab of their own. Use as a context manager of the lab."""

    def __init__(self, lab, settings=None, descriptors=None, small_window=False):
        self.lab = lab
        port = ports.free_port((_NODE_ADDRESS,))
        self.node = Program(lab, "wide_node", address=_NODE_ADDRESS, port=port,
                            small_window=small_window)
        self.balancer = Balancer(lab, Host("balancer"), [], merge({
            "pool.scanners": {"node": f"wide {_NODE_ADDRESS}:{port}", "send-proxy": "off"},
            "listener.filter": {"message-size-limit": "1g", "max-messages": "1000000"},
        }, settings or {}))
        if descriptors:
            argv = self.balancer.process.argv
            self.balancer.process.argv = ["prlimit", f"--nofile={descriptors}", *argv]
        self.node_port = port
        self.node.ask("look")
        self.balancer.start()
        self.balancer.wait_for_nodes(1)

    @property
    def pid(self):
        return self.balancer.process.child.pid

    @property
    def target(self):
        return [self.balancer.address, self.balancer.port]

    def crowd(self, steps, **more):
        return Program(self.lab, "crowd", target=self.target, sources=SOURCES, steps=steps, **more)

    def stream(self, **more):
        return MailStream(self.balancer, SENDER, **more)

    def warm_up(self):
        """Whatever is made once, and not given back, is made now."""
        with self.stream(connections=8) as stream:
            wait.until(lambda: len(stream.accepted) >= 100, "mail flowing")
        wait_until_quiet(self.balancer)

    def wait_until_idle(self):
        """It has done all that it can do for now: a second passes without work."""
        seen = []

        def is_still():
            seen.append(worked(self.pid))
            return len(seen) > 50 and seen[-1] - seen[-50] <= 5  # checks of the node go on

        wait.until(is_still, "the balancer being idle", 120)

    def in_flight(self):
        return int(self.balancer.metric("millrace_node_in_flight"))


def wait_until_quiet(balancer):
    wait.until(lambda: balancer.metric("millrace_sessions_active") == 0, "no session being left", 60)


def wait_for_crowd(crowd, holds, what, deadline=120.0):
    """The counts of the crowd once they are so."""
    last = {}

    def are_so():
        last.update(crowd.ask("look"))
        return holds(last)

    wait.until(are_so, lambda: f"{what}: {last}", deadline)
    return last
