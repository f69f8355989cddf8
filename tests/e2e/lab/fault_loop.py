"""Every kind of fault in a loop while mail flows, and an account of every message.

Nodes, balancer and milter are killed, frozen, stopped and started again, one fault at a time, each
with mail on its way; the next one comes when mail flows again. Postfix may defer whatever it likes.
What must hold is said of messages: each arrives; it arrives twice only if Postfix did not get the
final reply of the first time (RFC 1047); none bounces; the origin that the node was told is its
own.
"""
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from . import expect, wait

_DEFERRED = re.compile(r" (?P<queue_id>\S+): to=<.* status=deferred \((?P<why>.*)\)$")
_BOUNCED = re.compile(r"status=bounced")
_FINAL_REPLY_LOST = re.compile(r"451 4\.4\.2 Filter node lost after end of data|"
                               r"while sending end of data")
_FLOWS_WITHIN = 90.0
_FROZEN_FOR = 2.0


@dataclass
class Account:
    """What became of the messages; `problems` is empty when nothing happened that must not."""

    sent: int
    delivered: int = 0
    duplicated: int = 0
    lost: int = 0
    deferrals: int = 0
    final_replies_lost: int = 0
    problems: list = field(default_factory=list)

    def __str__(self):
        return (f"sent {self.sent}, delivered {self.delivered}, duplicated {self.duplicated} "
                f"(final replies lost: {self.final_replies_lost}), lost {self.lost}; "
                f"{self.deferrals} deferrals, {len(self.problems)} problems")


class FaultLoop:
    def __init__(self, cluster, load, seed=1):
        self.faults = Counter()
        self._cluster = cluster
        self._balancer = cluster.balancer
        self._milter = cluster.ingresses[0].milter
        self._postfix = cluster.ingresses[0].postfix
        self._load = load
        self._chance = random.Random(seed)

    def run(self, is_over):
        """Round after round, each fault once in each, until is_over(), asked between two faults."""
        while True:
            for fault in self._round():
                if is_over():
                    return
                self._wait_for_mail_in_transit()
                fault()
                self._wait_until_mail_flows()

    def run_once(self):
        """Each fault once."""
        rest = iter(range(len(self._round())))
        self.run(lambda: next(rest, None) is None)

    def _round(self):
        faults = [
            self._kill_a_node, self._kill_a_frozen_node, self._freeze_a_node, self._kill_all_nodes,
            self._kill_the_balancer, self._restart_the_balancer, self._kill_the_milter,
            self._drain_a_node,
        ]
        self._chance.shuffle(faults)
        return faults

    def _kill_a_node(self):
        self._note("node killed")
        node = self._a_node()
        node.kill()
        self._pause(self._chance.uniform(0, 2))
        node.start()

    def _kill_a_frozen_node(self):
        self._note("node frozen, then killed")
        node = self._a_node()
        node.freeze()
        self._pause(self._chance.uniform(0, 2))
        node.kill()
        node.start()

    def _freeze_a_node(self):
        self._note("node frozen and woken")
        node = self._a_node()
        node.freeze()
        self._pause(_FROZEN_FOR)
        node.thaw()

    def _kill_all_nodes(self):
        self._note("all nodes killed")
        for node in self._cluster.nodes:
            node.kill()
        self._pause(self._chance.uniform(0, 2))
        for node in self._cluster.nodes:
            node.start()

    def _kill_the_balancer(self):
        self._note("balancer killed")
        self._balancer.kill()
        self._pause(self._chance.uniform(0, 2))
        self._balancer.start()

    def _restart_the_balancer(self):
        self._note("balancer restarted")
        self._balancer.restart()

    def _kill_the_milter(self):
        self._note("milter killed")
        self._milter.kill()
        self._pause(self._chance.uniform(0, 2))
        self._milter.start()

    def _drain_a_node(self):
        self._note("node drained and back")
        node = self._a_node()
        self._balancer.ctl.answer("node", f"scanners/{node.name}", "drain", "--wait", "60s")
        self._balancer.ctl.answer("node", f"scanners/{node.name}", "ready")

    def _note(self, fault):
        self.faults[fault] += 1

    def _a_node(self):
        return self._chance.choice(self._cluster.nodes)

    def _pause(self, seconds):
        """How long the fault lasts: part of it, and not a wait for an effect."""
        end = time.monotonic() + seconds
        self._until(lambda: time.monotonic() >= end, "the end of the fault")

    def _wait_for_mail_in_transit(self):
        self._until(lambda: sum(self._balancer.ctl.in_transit().values()) > 0, "mail in transit")

    def _wait_until_mail_flows(self):
        """Postfix leaves what it deferred alone for minutes, so it is told to try again."""
        mark = self._balancer.log.mark()
        self._postfix.flush()
        self._until(
            lambda: any(line["result"] == "accepted" for line in self._balancer.messages(mark)),
            "mail that flows again")

    def _until(self, condition, what):
        def happened():
            self._load.check()
            return condition()

        wait.until(happened, what, _FLOWS_WITHIN)


def settle(cluster, load):
    """Waits until Postfix's queue is empty; the account of the whole run."""
    postfix = cluster.ingresses[0].postfix
    postfix.flush()
    postfix.wait_until_empty(300.0)
    account = Account(len(load.sent))
    replies_lost = Counter()
    for line in postfix.deferrals():
        match = _DEFERRED.search(line)
        account.deferrals += 1
        if _FINAL_REPLY_LOST.search(match["why"]):
            replies_lost[match["queue_id"]] += 1
    account.final_replies_lost = sum(replies_lost.values())
    account.problems += postfix.log.grep(_BOUNCED.pattern)
    _count_copies(account, cluster.sink, load, replies_lost)
    _check_origins(account, cluster.balancer, load)
    return account


def _count_copies(account, sink, load, replies_lost):
    copies = sink.copies()
    bodies = {sent.recipient: sent.body for sent in load.sent}
    for sent in load.sent:
        count = copies[sent.recipient]
        account.delivered += count > 0
        account.lost += count == 0
        account.duplicated += max(count - 1, 0)
        if not 1 <= count <= 1 + replies_lost[sent.queue_id]:
            account.problems.append(f"{count} copies of {sent.queue_id}, "
                                    f"final reply lost {replies_lost[sent.queue_id]} times")
    for delivery in sink.deliveries:
        if delivery.body != bodies.get(delivery.recipient):
            account.problems.append(f"{delivery.recipient} got something that was not sent")


def _check_origins(account, balancer, load):
    clients = {sent.queue_id: expect.SENDERS[number % len(expect.SENDERS)].address
               for number, sent in enumerate(load.sent)}
    for line in balancer.messages():
        if line["result"] == "accepted" and line["origin"] != clients.get(line["subject"]):
            account.problems.append(f"{line['subject']} has the origin {line['origin']}")
