"""Nodes that are killed and started again in a loop while mail flows, and what that cost.

One node is killed at a time, always with messages in transit, and the next one only when mail flows
through the last one again: at every moment a node is up. So Postfix may hear of a kill only where a
message had been sent to the killed node to the end (rule R6): 451 after the final dot, and a line
of the balancer that says the same. Everything else has to be taken over unseen.
"""
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field

from . import wait

_DEFERRED = re.compile(r" (?P<queue_id>\S+): to=<.* status=deferred \((?P<why>.*)\)$")
_LOST_AFTER_THE_DOT = re.compile(
    r"said: 451 4\.4\.2 Filter node lost after end of data\b.* \(in reply to end of DATA command\)$"
)


@dataclass
class Account:
    """What became of the messages; `problems` is empty when nothing happened that must not."""

    messages: int
    lost_after_the_dot: int = 0
    second_copies: int = 0
    failovers: Counter = field(default_factory=Counter)  # by the stage where the node failed
    problems: list = field(default_factory=list)

    def __str__(self):
        stages = ", ".join(f"{count} in {stage}" for stage, count in sorted(self.failovers.items()))
        return (f"{self.messages} messages, {sum(self.failovers.values())} failovers unseen by "
                f"Postfix ({stages}), {self.lost_after_the_dot} times 451 after the final dot, "
                f"{self.second_copies} second copies, {len(self.problems)} problems")


class KillLoop:
    def __init__(self, cluster, load):
        self.kills = 0
        self.frozen_kills = 0
        self._cluster = cluster
        self._balancer = cluster.balancer
        self._load = load

    def run(self, is_over):
        """Until is_over(), which is asked between two kills. All nodes are up afterwards."""
        for node, is_frozen in itertools.cycle(
            itertools.product(self._cluster.nodes, (True, False))
        ):
            if is_over():
                return
            self._kill(node, is_frozen)
            self._restart(node)

    def _kill(self, node, is_frozen):
        """In the midst of its work; or frozen first, when messages stop at every stage of it."""
        states = {name: row["state"] for name, row in self._balancer.ctl.nodes().items()}
        assert set(states.values()) == {"up"}, states
        if is_frozen:
            node.freeze()
            self.frozen_kills += 1
        least = self._balancer.ctl.nodes()[node.name]["maxconn"] if is_frozen else 1
        self._until(lambda: self._balancer.ctl.in_transit()[node.name] >= least,
                    f"{least} messages in transit at {node.name}")
        node.kill()
        self.kills += 1

    def _restart(self, node):
        """Every other time only when the balancer has found out that it is down."""
        if self.kills % 2:
            self._until(lambda: self._state(node) == "down", f"{node.name} found to be down")
        node.start()
        mark = self._balancer.log.mark()
        self._until(lambda: self._state(node) == "up" and self._has_finished_one(node, mark),
                    f"mail through {node.name} again")

    def _state(self, node):
        return self._balancer.ctl.nodes()[node.name]["state"]

    def _has_finished_one(self, node, mark):
        return any(line["node"] == node.name and line["result"] == "accepted"
                   for line in self._balancer.messages(mark))

    def _until(self, condition, what):
        def happened():
            self._load.check()
            return condition()

        wait.until(happened, what, 60)


def settle(cluster, load):
    """Waits until Postfix's queue is empty; the account of the whole run."""
    postfix = cluster.ingresses[0].postfix
    postfix.wait_until_empty()
    account = Account(len(load.sent))
    lines = cluster.balancer.messages()
    lost = Counter(line["subject"] for line in lines if line["result"] != "accepted")
    _count_deferrals(account, postfix, lost)
    for line in lines:
        if line["result"] == "accepted" and line["tries"] != "1":
            account.failovers.update(each.split(": ")[1] for each in _failed_tries(line))
    _count_copies(account, cluster.sink, load, lost)
    return account


def _failed_tries(line):
    return line["failed_tries"].split("; ")


def _count_deferrals(account, postfix, lost):
    """Every deferral needs its line of the balancer, and the other way round."""
    deferred = Counter()
    for line in postfix.deferrals():
        match = _DEFERRED.search(line)
        deferred[match["queue_id"]] += 1
        if not _LOST_AFTER_THE_DOT.search(match["why"]):
            account.problems.append(f"deferred before the final dot: {line}")
    account.lost_after_the_dot = sum(deferred.values())
    if deferred != lost:
        account.problems.append(f"Postfix: {deferred - lost}, balancer: {lost - deferred}")
    account.problems += postfix.suspensions()


def _count_copies(account, sink, load, lost):
    copies = sink.copies()
    bodies = {sent.recipient: sent.body for sent in load.sent}
    for sent in load.sent:
        count = copies[sent.recipient]
        account.second_copies += max(count - 1, 0)
        if not 1 <= count <= 1 + lost[sent.queue_id]:
            account.problems.append(
                f"{count} copies of {sent.queue_id}, lost {lost[sent.queue_id]} times")
    for delivery in sink.deliveries:
        if delivery.body != bodies.get(delivery.recipient):
            account.problems.append(f"{delivery.recipient} got something that was not sent")
