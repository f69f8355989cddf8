"""Postfix's lmtp client, a listener with mode = lmtp, one reply for each recipient."""
import pytest

from lab import expect
from lab.cluster import SENDER, Plan

PLAN = Plan(protocol="lmtp")


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_origin_and_return_path_over_lmtp(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    expect.true_peer(journey)
    expect.delivered_once(journey)


def test_every_recipient_has_a_reply_and_a_copy(cluster):
    recipients = [cluster.new_recipient() for _ in range(5)]
    with cluster.connect() as session:
        session.speak_as(expect.SENDERS[0])
        queue_id = session.send(SENDER, recipients, b"Subject: five\r\n\r\nhello\r\n")
    for recipient in recipients:
        cluster.sink.wait_for(recipient)
    sent = cluster.ingresses[0].postfix.log
    for recipient in recipients:
        sent.wait_for(rf" {queue_id}: to=<{recipient}>.*status=sent")
        assert len(cluster.sink.find(recipient)) == 1
    line = cluster.balancer.wait_for_message(lambda line: line["subject"] == queue_id, queue_id)
    assert line["rcpts"] == "5"
    assert line["result"] == "accepted"
