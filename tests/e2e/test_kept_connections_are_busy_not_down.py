"""reuse = safe: a node whose children all hold kept connections has none for a check (R7).

It has done nothing wrong, and a message would get one of the connections at once.
"""
from lab import expect, ports, wait
from lab.cluster import Plan

CHILDREN = 2
PLAN = Plan(
    ingresses=1, nodes=("amavisd",), gates=True,
    balancer={"pool.scanners": {"reuse": "safe", "tlv": "off", "reuse-idle": "1h",
                                "check-timeout": "500ms", "fall": "2"}},
)


def test_a_node_with_all_children_kept_is_not_called_down(cluster):
    (node,), balancer = cluster.nodes, cluster.balancer
    mark = balancer.log.mark()
    node.gate.close()
    journeys = [cluster.send(expect.SENDERS[0]) for _ in range(CHILDREN)]
    wait.until(lambda: balancer.ctl.in_transit() == {node.name: CHILDREN}, "all children at work")
    node.gate.open()
    for journey in journeys:
        assert journey.line["result"] == "accepted"
    checks = balancer.metric("millrace_check_failures_total")

    def is_decided():
        failed = balancer.metric("millrace_check_failures_total") - checks
        return failed >= 4 or ports.connections_to(node.port) < CHILDREN

    wait.until(is_decided, "checks that find no child, or a child set free for them", 60)
    assert balancer.state_changes(mark) == []
