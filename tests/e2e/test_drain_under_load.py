"""A node is drained and taken back while mail flows through both."""
import json

from lab import wait
from lab.cluster import Plan
from lab.load import Load

PLAN = Plan(
    ingresses=1,
    nodes=("amavisd", "amavisd"),
    gates=True,
    balancer={"pool.scanners": {"balance": "leastconn"}},
)
NODE = "scanners/scan1"
FLOWING = 20  # messages that show that mail flows


def _lines(cluster, node, mark):
    return [line for line in cluster.balancer.messages(mark) if line["node"] == node]


def _wait_for_mail_through(cluster, node, count, mark):
    wait.until(lambda: len(_lines(cluster, node, mark)) >= count,
               lambda: f"{count} messages through {node}: {cluster.balancer.ctl.nodes()}", 60)


def test_it_ends_what_it_has_gets_nothing_new_and_comes_back(cluster):
    balancer, (scan1, _) = cluster.balancer, cluster.nodes
    ctl, postfix = balancer.ctl, cluster.ingresses[0].postfix
    with Load(cluster) as load:
        _wait_for_mail_through(cluster, "scan1", 1, 0)
        scan1.stop_at_gate(2)
        drained_at, facts_before = balancer.log.mark(), len(scan1.facts())

        drain = ctl.begin("node", NODE, "drain", "--wait", "250s")
        balancer.log.wait_for(rf"{NODE}: node state=drain", drained_at)
        # New messages go elsewhere at once, and millracectl waits for the old ones.
        _wait_for_mail_through(cluster, "scan2", FLOWING, drained_at)
        assert _lines(cluster, "scan1", drained_at) == []
        assert ctl.nodes()["scan1"]["in_transit"] == 2
        assert drain.is_running()

        scan1.gate.open()
        assert drain.wait_for_end() == 0
        (row,) = json.loads(drain.log.text())["nodes"]
        assert (row["node"], row["state"], row["in_transit"]) == ("scan1", "drain", 0)
        _wait_for_mail_through(cluster, "scan2", 2 * FLOWING, drained_at)
        ended = _lines(cluster, "scan1", drained_at)
        assert [(line["result"], line["tries"]) for line in ended] == [("accepted", "1")] * 2
        wait.until(lambda: len(scan1.facts()) >= facts_before + 2, "scan1 logging what it had")
        assert len(scan1.facts()) == facts_before + 2

        ready_at = balancer.log.mark()
        (row,) = ctl.answer("node", NODE, "ready")["nodes"]
        assert row["state"] == "up"
        _wait_for_mail_through(cluster, "scan1", FLOWING, ready_at)

    postfix.wait_until_empty()
    copies = cluster.sink.copies()
    assert {copies[sent.recipient] for sent in load.sent} == {1}
    assert postfix.deferrals() == []
