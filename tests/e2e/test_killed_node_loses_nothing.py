"""kill -9 of a node before DATA, in DATA and after the dot; the other node takes over.

The node stops at an exact point of the first message that it gets, and is killed there.
"""
import pytest

from lab import expect, wait
from lab.cluster import Plan

SMALL = b"hello\r\n"
# More than any socket buffer takes: the node is in the middle of it when it is killed.
LARGE = b"0123456789abcdef" * 4 + b"\r\n"
LARGE = LARGE * (8_000_000 // len(LARGE))


def _send_until_stalled(cluster, body):
    """Two messages, one to each node: one of them stops."""
    journeys = [cluster.send(expect.SENDERS[n], body=body) for n in range(2)]
    cluster.nodes[0].wait_for_stall()
    return journeys


def _plan(stall, replay_max):
    return Plan(
        ingresses=1,
        nodes=(f"fake:{stall}", "fake"),
        balancer={"pool.scanners": {"replay-max": replay_max}},
    )


@pytest.mark.parametrize(
    "stall, body, replay_max",
    [("envelope", SMALL, "1m"), ("data", LARGE, "16m")],
    ids=["before DATA", "in DATA, the message fits replay-max"],
)
def test_another_node_takes_the_message_and_postfix_does_not_notice(build, stall, body, replay_max):
    cluster = build(_plan(stall, replay_max))
    journeys = _send_until_stalled(cluster, body)
    cluster.nodes[0].kill()
    for journey in journeys:
        expect.answered_for_a_reason(journey)
        assert len(journey.kept) == 1
        assert journey.deferrals == 0
    assert sorted(journey.line["tries"] for journey in journeys) == ["1", "2"]
    assert {journey.line["node"] for journey in journeys} == {"scan2"}


def test_in_data_that_cannot_be_replayed_postfix_tries_again(build):
    cluster = build(_plan("data", "64k"))
    journeys = _send_until_stalled(cluster, LARGE)
    cluster.nodes[0].kill()
    for journey in journeys:
        expect.answered_for_a_reason(journey)
        assert len(journey.kept) == 1
    assert sum(journey.deferrals for journey in journeys) >= 1


def test_after_the_dot_nothing_is_replayed_and_postfix_tries_again(build):
    """The node had the message: a second copy is allowed, a lost one or a third is not."""
    cluster = build(_plan("dot", "1m"))
    journeys = _send_until_stalled(cluster, SMALL)
    cluster.nodes[0].kill()
    for journey in journeys:
        expect.answered_for_a_reason(journey)
        assert len(journey.kept) == 1 + journey.deferrals
    assert sum(journey.deferrals for journey in journeys) == 1
    wait.until(lambda: len(cluster.balancer.messages()) >= 3, "a line for each try of Postfix")
    results = [line["result"] for line in cluster.balancer.messages()]
    assert sorted(results) == ["accepted", "accepted", "failed"]
