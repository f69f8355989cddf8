"""balance = hash: all mail for a domain goes to the same node."""
from lab import expect
from lab.cluster import Plan
from lab.postfix_settings import DOMAIN

MESSAGES = 10
DOMAINS = [f"d{number}.{DOMAIN}" for number in range(16)]
PLAN = Plan(
    ingresses=1,
    nodes=("fake", "fake"),
    balancer={"pool.scanners": {"balance": "hash", "hash-key": "recipient-domain"}},
)


def _node_for(cluster, domain):
    """One at a time: a node that has more than its share would pass mail on to the other."""
    (journey,) = cluster.send_to([cluster.new_recipient(domain=domain)], expect.SENDERS[0])
    line = journey.line
    assert (line["result"], line["tries"]) == ("accepted", "1")
    (node,) = [node.name for node in cluster.nodes if node.messages(journey.recipient)]
    assert line["node"] == node
    return node


def test_each_domain_has_its_node(cluster):
    owner = {domain: _node_for(cluster, domain) for domain in DOMAINS}
    assert set(owner.values()) == {"scan1", "scan2"}
    one = next(domain for domain in DOMAINS if owner[domain] == "scan1")
    other = next(domain for domain in DOMAINS if owner[domain] == "scan2")
    # Not by turns, which is what other policies do by themselves.
    assert {_node_for(cluster, one) for _ in range(MESSAGES)} == {"scan1"}
    assert {_node_for(cluster, other) for _ in range(MESSAGES)} == {"scan2"}
