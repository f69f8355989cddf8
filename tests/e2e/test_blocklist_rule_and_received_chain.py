"""SpamAssassin reads the Received fields: the rule fires for the listed client, and we add none."""
import re

import pytest

from lab import expect
from lab.amavisd_settings import RULE
from lab.cluster import Plan

PLAN = Plan(ingresses=1)


@pytest.mark.parametrize("sender", expect.SENDERS, ids=lambda sender: sender.address)
def test_the_rule_fires_for_the_listed_client_only(cluster, sender):
    journey = cluster.send(sender)
    (status,) = journey.delivery.fields("X-Spam-Status")
    assert (RULE in status) == (sender.address in expect.LISTED)


def test_the_received_chain_is_ingress_node_reentry_and_nothing_else(cluster):
    journey = cluster.send(expect.SENDERS[0])
    reentry, node, ingress = journey.delivery.fields("Received")
    assert re.search(r"by ingress1\.lab\.test \(Postfix\)", reentry)
    assert "amavis" in node
    assert re.search(rf"\[{expect.SENDERS[0].address}\].* by ingress1\.lab\.test \(Postfix\)", ingress)
    assert journey.queue_id in ingress


def test_no_header_field_is_ours(cluster):
    assert b"millrace" not in cluster.send(expect.SENDERS[0]).delivery.header.lower()
