"""send-proxy = off, stock amavisd: the node's peer is the balancer, XFORWARD carries the origin."""
import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(proxy="off", forward="smtp:[127.0.0.2]:{reentry}")


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_origin_by_xforward_alone(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    assert journey.facts.peer == cluster.balancer.address
    assert journey.line["peer"] == cluster.ingresses[ingress].host.address
    assert journey.reentry_host == "ingress1", "the fixed forward_method of this plan"
    expect.delivered_once(journey)
