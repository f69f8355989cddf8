"""xforward = off: nothing but the PROXY header tells the node about the origin."""
import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(proxy="v2", balancer={"pool.scanners": {"xforward": "off"}})


@pytest.mark.parametrize("ingress", [0, 1])
@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_client_address_policy_bank_and_queue_id_come_from_the_tlvs(cluster, sender, ingress):
    journey = cluster.send(sender, ingress)
    expect.true_origin(journey, sender)
    expect.true_peer(journey)


def test_the_node_got_no_xforward_at_all(cluster):
    """By default no TLV carries the HELO name: had XFORWARD been sent, amavisd would know it."""
    assert cluster.send(expect.SENDERS[0]).facts.helo == ""


def test_a_local_submission_after_a_listed_client_is_not_taken_for_it(cluster):
    cluster.send(expect.SENDERS[0]).delivery
    facts = cluster.send(None).facts
    assert facts.client == facts.peer, "amavisd knows no client and falls back to its peer"
    assert facts.banks == []
    assert facts.queue_id == ""
