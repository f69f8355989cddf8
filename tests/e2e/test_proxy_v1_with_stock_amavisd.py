"""send-proxy = v1 and amavisd's own $haproxy_target_enabled: the peer by PROXY, the origin by XFORWARD."""
import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(proxy="v1")


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_peer_by_proxy_v1_and_origin_by_xforward(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    expect.true_peer(journey)
    expect.delivered_once(journey)


def test_checks_cost_the_nodes_no_child(cluster):
    """A check without a proper header makes amavisd log TROUBLE and end the child."""
    cluster.send(expect.SENDERS[0]).delivery
    for node in cluster.nodes:
        assert node.log.grep("TROUBLE") == []
