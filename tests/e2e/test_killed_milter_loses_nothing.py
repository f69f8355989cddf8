"""kill -9 of the milter at every step of an SMTP session with the ingress.

Postfix then does what milter_default_action says. Either way, what it answered with 2xx arrives,
and what it refused does not.
"""
import pytest

from lab import expect
from lab.client import Refused
from lab.cluster import SENDER, Plan

STEPS = ("before the session", "before MAIL", "before DATA", "in the content", "after the reply")


def _send_killing_the_milter(cluster, recipient, step):
    """The queue ID; None when the message was refused."""
    milter = cluster.ingresses[0].milter

    def now(this):
        if step == this:
            milter.kill()

    try:
        now("before the session")
        with cluster.connect() as session:
            session.speak_as(expect.SENDERS[0])
            now("before MAIL")
            session.begin(SENDER, [recipient])
            now("before DATA")
            session.open_data()
            session.write(b"Subject: x\r\n\r\n")
            now("in the content")
            session.write(b"hello\r\n")
            queue_id = session.finish()
            now("after the reply")
            return queue_id
    except Refused as refused:
        assert "'4" in str(refused), "a milter's trouble is never a 5xx"
        return None
    finally:
        assert not milter.process.is_running()
        milter.start()


@pytest.mark.parametrize("action", ["accept", "tempfail"])
def test_what_was_accepted_arrives_and_what_was_refused_does_not(build, action):
    cluster = build(Plan(ingresses=1, nodes=("fake",), main={"milter_default_action": action}))
    (node,) = cluster.nodes
    answers = {}
    for step in STEPS:
        recipient = cluster.new_recipient()
        answers[recipient] = _send_killing_the_milter(cluster, recipient, step)
        if action == "accept" or step == "after the reply":
            assert answers[recipient], f"refused: {step}"
        # The milter is back: the next message has its record.
        journey = cluster.send(expect.SENDERS[1])
        assert journey.line["origin_source"] == "store"
    for recipient, queue_id in answers.items():
        if queue_id:
            cluster.ingresses[0].postfix.log.wait_for(rf" {queue_id}: to=<{recipient}>.*status=sent")
        assert len(node.messages(recipient)) == (1 if queue_id else 0)
        for message in node.messages(recipient):
            assert message["proxy"]["tlvs"]["e4"] == expect.SENDERS[0].address
