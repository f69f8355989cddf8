"""postsuper -r gives a message a new queue ID; XFORWARD still has the original one."""
from lab import expect
from lab.cluster import Plan

PLAN = Plan(ingresses=1, nodes=("amavisd",))


def test_origin_is_found_under_the_original_queue_id(cluster):
    sender = expect.SENDERS[0]
    journey = cluster.send(sender, held=True)
    assert [each["queue_id"] for each in journey.postfix.queued()] == [journey.queue_id]
    journey.postfix.requeue(journey.queue_id)
    expect.true_origin(journey, sender)
    expect.true_peer(journey)
    expect.delivered_once(journey)
    assert journey.postfix.log.grep(f"orig_id={journey.queue_id}"), "it was requeued"
