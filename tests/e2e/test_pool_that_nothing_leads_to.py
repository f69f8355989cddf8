"""A pool that no listener and no rule names is checked as properly as any other.

Its operator has taken the rule out for a while, and wants no alarm.
"""
from lab.cluster import Plan


def test_its_node_is_up(build):
    cluster = build(Plan(ingresses=1, nodes=("fake",), direct=True))
    assert cluster.balancer.ctl.nodes()["reentry"]["state"] == "up"
