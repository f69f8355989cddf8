"""Queue IDs recycle: a record of another client under the same ID must not be taken."""
from lab import expect, origin_rpc
from lab.client import Sender
from lab.cluster import Plan
from lab.rbldnsd import LISTED_V4

PLAN = Plan(ingresses=1, nodes=("amavisd",))
MISMATCHES = "millrace_origin_mismatches_total"


def test_xforward_wins_over_a_stale_record_and_the_mismatch_is_counted(cluster):
    sender = Sender("198.51.100.77", port=44077)
    cluster.hold_back()
    journey = cluster.send(sender)
    before = cluster.balancer.metric(MISMATCHES)
    status = origin_rpc.publish(
        cluster.balancer.origin_socket, journey.postfix.hostname, journey.queue_id, LISTED_V4
    )
    assert status == origin_rpc.STORED
    cluster.let_go()
    expect.true_origin(journey, sender, source="xforward")
    assert cluster.balancer.metric(MISMATCHES) == before + 1


def test_the_same_record_of_the_same_client_is_believed(cluster):
    """The counterpart: without it the test above could pass because records are never used."""
    sender = Sender("198.51.100.78", port=44078)
    cluster.hold_back()
    journey = cluster.send(sender)
    before = cluster.balancer.metric(MISMATCHES)
    status = origin_rpc.publish(
        cluster.balancer.origin_socket, journey.postfix.hostname, journey.queue_id,
        sender.address, sender.port, origin_address=LISTED_V4,
    )
    assert status == origin_rpc.STORED
    cluster.let_go()
    assert journey.line["origin_source"] == "store"
    assert journey.facts.client == LISTED_V4
    assert cluster.balancer.metric(MISMATCHES) == before


def test_a_record_of_another_ingress_is_not_taken(cluster):
    sender = Sender("198.51.100.79", port=44079)
    cluster.hold_back()
    journey = cluster.send(sender)
    status = origin_rpc.publish(
        cluster.balancer.origin_socket, "elsewhere.lab.test", journey.queue_id, sender.address,
        sender.port, origin_address=LISTED_V4,
    )
    assert status == origin_rpc.STORED
    cluster.let_go()
    expect.true_origin(journey, sender)
