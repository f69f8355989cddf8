"""kill -9 of the balancer while a message is before DATA, in DATA and after the dot."""
import pytest

from lab import expect
from lab.cluster import Plan
from test_killed_node_loses_nothing import LARGE, SMALL


@pytest.mark.parametrize(
    "stall, body, copies",
    [("envelope", SMALL, {1}), ("data", LARGE, {1}), ("dot", SMALL, {1, 2})],
    ids=["before DATA", "in DATA", "after the dot"],
)
def test_postfix_delivers_the_message_when_the_balancer_is_back(build, stall, body, copies):
    cluster = build(Plan(ingresses=1, nodes=(f"fake:{stall}",)))
    sender = expect.SENDERS[0]
    journey = cluster.send(sender, body=body)
    cluster.nodes[0].wait_for_stall()
    cluster.balancer.kill()
    journey.postfix.log.wait_for(rf" {journey.queue_id}: .*status=deferred")
    cluster.balancer.start()
    cluster.balancer.wait_for_nodes(1)

    expect.answered_for_a_reason(journey)
    assert len(journey.kept) in copies
    assert journey.line["origin"] == sender.address
    assert journey.line["origin_source"] == "store"
    assert journey.kept[-1]["proxy"]["tlvs"]["e4"] == sender.address


def test_mail_that_arrives_while_the_balancer_is_dead_waits(build):
    """No acknowledgement can be had: on-error = accept lets the mail in, XFORWARD has the origin."""
    cluster = build(Plan(ingresses=1, nodes=("fake",), milter={"timeout": "500ms"}))
    cluster.balancer.kill()
    journeys = [cluster.send(sender) for sender in expect.SENDERS]
    for journey in journeys:
        journey.postfix.log.wait_for(rf" {journey.queue_id}: .*status=deferred")
    cluster.balancer.start()
    for journey, sender in zip(journeys, expect.SENDERS):
        expect.answered_for_a_reason(journey)
        assert len(journey.kept) == 1
        assert journey.line["origin"] == sender.address
        assert journey.line["origin_source"] == "xforward"
