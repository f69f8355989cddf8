"""Two ingress hosts, two nodes, PROXY v2 with the module of contrib/amavis, XFORWARD as well."""
import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(proxy="v2")


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_each_client_is_known_and_its_mail_returns_to_the_ingress(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    expect.true_peer(journey)
    assert journey.facts.helo == sender.helo
    expect.delivered_once(journey)


def test_the_message_counters_of_both_nodes_rise(cluster):
    """roundrobin: two messages one after the other go to different nodes."""
    journeys = [cluster.send(expect.SENDERS[0]) for _ in range(2)]
    assert {journey.facts.node for journey in journeys} == {"scan1", "scan2"}
    metrics = cluster.balancer.metrics()
    for node in ("scan1", "scan2"):
        assert f'node="{node}",pool="scanners",result="accepted"' in metrics or (
            f'pool="scanners",node="{node}",result="accepted"' in metrics
        )


def test_several_clients_in_one_session_with_the_ingress(cluster):
    """The milter sees one TCP connection; each XCLIENT makes it another client."""
    with cluster.connect() as session:
        journeys = [
            (sender, cluster.send(sender, session=session)) for sender in expect.SENDERS * 2
        ]
    for sender, journey in journeys:
        expect.true_origin(journey, sender)


def test_several_messages_of_one_client_in_one_session(cluster):
    sender = expect.SENDERS[0]
    with cluster.connect() as session:
        journeys = [cluster.send(sender, session=session) for _ in range(3)]
    assert len({journey.queue_id for journey in journeys}) == 3
    for journey in journeys:
        expect.true_origin(journey, sender)
