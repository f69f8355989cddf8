"""maxconn = auto: a node's children are counted by how it greets, whatever it was started with.

Two real nodes of two children each, ordered to begin at one message, and a line that waits for
them behind closed gates.
"""
from lab import wait
from lab.cluster import Plan
from lab.expect import SENDERS

MESSAGES = 80
CHILDREN = 2
PLAN = Plan(
    ingresses=1,
    gates=True,
    filter_processes=MESSAGES,
    main={
        "millrace_destination_concurrency_limit": MESSAGES,
        "millrace_initial_destination_concurrency": MESSAGES,
    },
    balancer={"pool.scanners": {"queue-timeout": "250s"}},
)


def _limits(ctl):
    return {name: row["maxconn"] for name, row in ctl.nodes().items()}


def test_the_children_of_real_nodes_are_found(cluster):
    postfix, ctl = cluster.ingresses[0].postfix, cluster.balancer.ctl
    mail_log, balancer_log = postfix.log.mark(), cluster.balancer.log.mark()
    arrived = cluster.sink.arrived()
    for node in cluster.nodes:
        ctl.answer("node", f"scanners/{node.name}", "maxconn", "1")
        ctl.answer("node", f"scanners/{node.name}", "maxconn", "auto")
    assert set(_limits(ctl).values()) == {1}
    assert all(row["maxconn_auto"] for row in ctl.nodes().values())
    seen = {node.name: [] for node in cluster.nodes}

    def note_limits():
        for name, limit in _limits(ctl).items():
            seen[name].append(limit)
        return cluster.sink.arrived() == arrived + MESSAGES

    for node in cluster.nodes:
        node.gate.close()
    with cluster.connect() as session:
        for _ in range(MESSAGES):
            cluster.send(SENDERS[0], session=session)
    wait.until(lambda: ctl.pool()["waiting"] == MESSAGES - len(cluster.nodes), "a line", 60)
    for node in cluster.nodes:
        node.gate.open()
    wait.until(note_limits,
               lambda: f"{MESSAGES} deliveries: {cluster.sink.arrived() - arrived}", 120)

    for limits in seen.values():
        assert max(limits) >= CHILDREN, "it has grown to what the node can do"
        assert limits[-1] <= CHILDREN + 1, f"and is no more than a probe above it: {limits}"
    postfix.wait_until_empty()
    assert postfix.deferrals(mail_log) == []
    assert cluster.balancer.state_changes(balancer_log) == []
