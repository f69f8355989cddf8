"""Real amavisd, messages in a stream, kill -9 of nodes and balancer among them."""
from collections import Counter

from lab import expect, wait
from lab.cluster import Plan

MESSAGES = 48
PLAN = Plan(ingresses=1, nodes=("amavisd", "amavisd"))


def _trouble(cluster, number):
    """What happens before message `number` is sent."""
    scan1, scan2 = cluster.nodes
    events = {
        8: scan1.kill, 16: scan1.start, 20: scan2.kill, 28: scan2.start,
        32: cluster.balancer.kill, 36: cluster.balancer.start,
        40: scan1.kill, 44: scan1.start,
    }
    events.get(number, lambda: None)()


def test_every_message_arrives_and_copies_have_a_reason(cluster):
    journeys = []
    for number in range(MESSAGES):
        _trouble(cluster, number)
        journeys.append(cluster.send(expect.SENDERS[number % len(expect.SENDERS)]))

    postfix = cluster.ingresses[0].postfix
    wait.until(lambda: not postfix.queued(), lambda: f"an empty queue: {postfix.queued()}", 120)
    copies = Counter(delivery.recipient for delivery in cluster.sink.deliveries)
    for number, journey in enumerate(journeys):
        sender = expect.SENDERS[number % len(expect.SENDERS)]
        assert 1 <= copies[journey.recipient] <= 1 + journey.deferrals, journey.recipient
        assert journey.delivery.body == journey.body
        assert journey.facts.client == sender.address
        assert journey.facts.queue_id == journey.queue_id
    bounces = [delivery for delivery in cluster.sink.deliveries if delivery.sender == ""]
    assert bounces == []
