"""on-pool-down: with `bypass` mail flows past dead nodes at once, by default it waits for them."""
import pytest

from lab import expect, wait
from lab.cluster import Plan
from lab.programs import merge

MESSAGES = 3
PLAN = Plan(
    ingresses=1, direct=True,
    balancer={
        "pool.scanners": {"on-pool-down": "bypass", "bypass-pool": "direct"},
        # The default too has a way past the nodes that it might take.
        "listener.filter": {"use-pool": "direct if sender-domain nobody.lab.test"},
    },
)


@pytest.fixture(autouse=True)
def all_nodes_up_again(cluster):
    yield
    _start_all(cluster)


def _kill_all(cluster):
    for node in cluster.nodes:
        node.kill()
    _wait_for_states(cluster, "down")


def _start_all(cluster):
    for node in cluster.nodes:
        if not node.process.is_running():
            node.launch()
    for node in cluster.nodes:
        node.wait_until_ready()
    _wait_for_states(cluster, "up")


def _wait_for_states(cluster, state):
    def are_there():
        rows = cluster.balancer.ctl.nodes()
        return all(rows[node.name]["state"] == state for node in cluster.nodes)

    wait.until(are_there, lambda: f"{state}: {cluster.balancer.ctl.nodes()}", 60)


def _bypassed(cluster):
    return cluster.balancer.metric("millrace_bypassed_total")


def _warnings(cluster, queue_id):
    return cluster.balancer.log.grep(f"warning: {queue_id}: message pool=direct bypassed=scanners ")


def test_mail_is_scanned_while_a_single_node_is_left(cluster):
    cluster.nodes[0].kill()
    before = _bypassed(cluster)
    for _ in range(MESSAGES):
        journey = cluster.send(expect.SENDERS[0])
        expect.scanned(journey)
        assert journey.facts.node == "scan2"
    assert _bypassed(cluster) == before


def test_mail_flows_unscanned_and_loudly_while_all_nodes_are_down(cluster):
    before = _bypassed(cluster)
    _kill_all(cluster)
    journeys = [cluster.send(expect.SENDERS[0]) for _ in range(MESSAGES)]
    for journey in journeys:
        expect.delivered_once(journey)
        expect.not_scanned(journey)
        assert journey.deferrals == 0
        assert journey.line["pool"] == "direct"
        assert journey.line["origin"] == expect.SENDERS[0].address
        assert len(_warnings(cluster, journey.queue_id)) == 1
    assert _bypassed(cluster) == before + MESSAGES
    assert f'millrace_bypassed_total{{pool="scanners"}} {int(before) + MESSAGES}' \
        in cluster.balancer.metrics()

    _start_all(cluster)
    journey = cluster.send(expect.SENDERS[0])
    expect.scanned(journey)
    assert journey.line["pool"] == "scanners"
    assert "bypassed" not in journey.line
    assert _warnings(cluster, journey.queue_id) == []
    assert _bypassed(cluster) == before + MESSAGES


def test_nothing_is_bypassed_by_default(cluster):
    """Keep last: it changes the balancer of this module."""
    balancer = cluster.balancer
    balancer.settings = merge(balancer.settings,
                              {"pool.scanners": {"on-pool-down": None, "bypass-pool": None}})
    balancer.restart()
    balancer.wait_for_nodes(cluster.node_count)
    _kill_all(cluster)
    journeys = [cluster.send(expect.SENDERS[0]) for _ in range(MESSAGES)]
    wait.until(lambda: balancer.ctl.pool()["waiting"] == MESSAGES,
               lambda: f"{MESSAGES} messages in the line: {balancer.ctl.pool()}")
    assert cluster.sink.copies().keys().isdisjoint(each.recipient for each in journeys)
    _start_all(cluster)
    for journey in journeys:
        expect.delivered_once(journey)
        expect.scanned(journey)
    assert _bypassed(cluster) == 0
