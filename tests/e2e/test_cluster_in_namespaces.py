"""The usual cluster, every host with an address of its own: a balancer beside each Postfix.

Postfix submits over 127.0.0.1. Had the node been told that, smtp:[*] would give the mail back to
the node itself.
"""
import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(namespaces=True)


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_mail_returns_to_its_ingress_and_the_node_sees_its_real_address(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    assert journey.facts.peer == f"198.18.0.{ingress + 1}"
    assert journey.line["peer"] == "127.0.0.1"
    assert journey.reentry_host == f"ingress{ingress + 1}"
    expect.delivered_once(journey)


def test_no_node_ever_sees_the_loopback_address_as_its_peer(cluster):
    journeys = [cluster.send(expect.SENDERS[0], ingress) for ingress in (0, 1) for _ in range(2)]
    journeys += [cluster.send(None, ingress) for ingress in (0, 1)]
    peers = {journey.facts.peer for journey in journeys}
    assert peers == {"198.18.0.1", "198.18.0.2"}
    assert {journey.facts.node for journey in journeys} == {"scan1", "scan2"}
