"""One message's way through the cluster, as each program saw it."""
import re
from dataclasses import dataclass
from functools import cached_property

from . import wait


@dataclass
class Journey:
    """Made by Cluster.send. What is asked for is waited for, then kept."""

    cluster: object
    ingress: int
    recipient: str
    queue_id: str  # None for a local submission, until it is looked up
    sent: bytes

    def __hash__(self):
        return id(self)

    @property
    def body(self):
        """What was sent below the header."""
        return self.sent.partition(b"\r\n\r\n")[2]

    @property
    def postfix(self):
        return self.cluster.ingresses[self.ingress].postfix

    @cached_property
    def delivery(self):
        """The first copy in the mailbox."""
        return self.cluster.sink.wait_for(self.recipient)

    @property
    def copies(self):
        return self.cluster.sink.find(self.recipient)

    @property
    def reentry_host(self):
        """The name of the Postfix host to which the node gave the message."""
        return self.delivery.host.partition(".")[0]

    @cached_property
    def facts(self):
        """What the amavisd that had it last believed."""
        nodes = [node for node in self.cluster.nodes if hasattr(node, "facts_about")]
        return wait.until(
            lambda: [fact for node in nodes for fact in node.facts_about(self.recipient)],
            f"a node logging {self.recipient}",
        )[-1]

    @cached_property
    def line(self):
        """The balancer's log line about the delivery that succeeded."""
        final = self.final_reply
        balancer = self.cluster.ingresses[self.ingress].balancer
        return balancer.wait_for_message(
            lambda line: line.get("reply") == final, f'the reply "{final}" ({self.queue_id})'
        )

    @cached_property
    def final_reply(self):
        """What the filter answered in the end, as Postfix logged it."""
        skips_seen = 0

        def sent():
            # A queue run that meets a message still locked leaves it alone for minutes.
            nonlocal skips_seen
            skips = len(self.postfix.log.grep(rf" {self.queue_id}: skipped, still being delivered"))
            if skips > skips_seen:
                skips_seen = skips
                self.postfix.flush()
            return self._sent_lines()

        line = wait.until(sent, f"status=sent by millrace for {self.recipient}")[-1]
        return re.search(r"status=sent \((.*)\)$", line)[1]

    @property
    def deferrals(self):
        """How often Postfix had to put it off."""
        return len(self.postfix.log.grep(rf"to=<{re.escape(self.recipient)}>.* status=deferred"))

    @property
    def kept(self):
        """Every copy that a scripted node took, whether or not its 250 arrived."""
        nodes = [node for node in self.cluster.nodes if hasattr(node, "messages")]
        return [message for node in nodes for message in node.messages(self.recipient)]

    @property
    def kept_as_answered(self):
        """The copy that the final reply names: a 250 is only worth what lies behind it."""
        name = re.search(r"queued as (\S+)", self.final_reply)[1]
        (copy,) = [each for each in self.kept if each["path"].endswith(f"/{name}")]
        with open(copy["path"], "rb") as file:
            return file.read()

    def _sent_lines(self):
        lines = self.postfix.log.grep(rf"to=<{re.escape(self.recipient)}>.* status=sent \(")
        return [line for line in lines if "sink.sock" not in line]
