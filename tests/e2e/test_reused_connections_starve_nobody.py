"""reuse = safe: kept connections give way to the messages of another peer, and end when idle.

Two nodes of two children, two ingress hosts, and 40 messages that all begin to wait behind closed
gates: each child is wanted by both peers all the time.
"""
from collections import defaultdict

from lab import expect, ports, wait
from lab.cluster import Plan
from lab.expect import SENDERS

AT_ONCE = 40
INGRESSES = 2
CHILDREN = 4
PLAN = Plan(
    ingresses=INGRESSES,
    gates=True,
    filter_processes=AT_ONCE,
    main={
        "millrace_destination_concurrency_limit": AT_ONCE,
        "millrace_initial_destination_concurrency": AT_ONCE,
    },
    balancer={"pool.scanners": {"reuse": "safe", "tlv": "off", "reuse-idle": "3s",
                                "queue-timeout": "250s"}},
)


def _send_at_once(cluster):
    ctl = cluster.balancer.ctl
    for node in cluster.nodes:
        node.gate.close()
    sent = []
    for ingress in range(INGRESSES):
        with cluster.connect(ingress) as session:
            for sender in (SENDERS * AT_ONCE)[:AT_ONCE // INGRESSES]:
                sent.append((sender, cluster.send(sender, ingress, session=session)))
    wait.until(lambda: ctl.pool()["waiting"] == AT_ONCE - CHILDREN,
               lambda: f"{AT_ONCE - CHILDREN} messages in the line: {ctl.pool()}", 60)
    for node in cluster.nodes:
        node.gate.open()
    return sent


def _wait_until_nobody_is_connected(cluster):
    for node in cluster.nodes:
        wait.until(lambda: ports.connections_to(node.port) == 0,
                   f"no connection to {node.name}", 60)


def test_many_messages_of_two_peers_share_a_few_connections(cluster):
    balancer, mark = cluster.balancer, cluster.balancer.log.mark()
    sent = _send_at_once(cluster)
    peers = defaultdict(set)
    for sender, journey in sent:
        expect.true_origin(journey, sender)
        expect.true_peer(journey)
        expect.delivered_once(journey)
        peers[journey.facts.node, journey.facts.connection].add(journey.facts.peer)
    assert len(peers) <= AT_ONCE / 2, "fewer connections than messages"
    assert {len(each) for each in peers.values()} == {1}, "none served two peers"

    for ingress in cluster.ingresses:
        assert ingress.postfix.deferrals() == []
        assert ingress.postfix.log.grep(r" said: 4\d\d|refused to talk") == []
    lines = balancer.messages(mark)
    assert {(line["result"], line["tries"]) for line in lines} == {("accepted", "1")}
    assert {line["node"] for line in lines} == {node.name for node in cluster.nodes}
    assert balancer.state_changes(mark) == []


def test_a_kept_connection_ends_when_nobody_needs_it(cluster):
    """amavisd itself would let it stand for eight minutes."""
    mark = cluster.balancer.log.mark()
    for _, journey in _send_at_once(cluster):
        assert journey.delivery
    _wait_until_nobody_is_connected(cluster)
    # A node that goes down also loses its connections: that was not it.
    assert cluster.balancer.state_changes(mark) == []
