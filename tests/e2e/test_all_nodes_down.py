"""Both nodes are down, then one comes back. Postfix must never suspend the filter as a whole.

Within `inter` x `rise` of its return is said here without a clock: as many checks have passed as
`rise` says, and no message asks again that could wait.
"""
import re

import pytest

from lab import wait
from lab.cluster import Plan
from lab.expect import SENDERS
from lab.load import Load
from lab.programs import merge

MESSAGES = 20
# So many Postfix gives a destination at first (initial_destination_concurrency). The default
# matters here: with more at a time it takes more failures to suspend one.
AT_A_TIME = 5
# The node that is back is soon too busy for a line of one second.
AT_MAIL = re.compile(r" said: 451 4\.3\.2 (No filter node is up|All filter nodes are busy)"
                     r".* \(in reply to MAIL FROM command\)\)$")
RISE = 3
PLAN = Plan(
    ingresses=1,
    nodes=("amavisd", "amavisd"),
    balancer={"pool.scanners": {"rise": str(RISE)}},
)


@pytest.fixture(autouse=True)
def all_nodes_up_again(cluster):
    yield
    for node in cluster.nodes:
        if not node.process.is_running():
            node.start()
    _wait_for_states(cluster, "up", cluster.nodes)


def _set_queue_timeout(cluster, time):
    balancer = cluster.balancer
    balancer.settings = merge(balancer.settings, {"pool.scanners": {"queue-timeout": time}})
    balancer.restart()
    balancer.wait_for_nodes(2)


def _kill_all(cluster):
    """No node is up, and the balancer knows it."""
    for node in cluster.nodes:
        node.kill()
    _wait_for_states(cluster, "down", cluster.nodes)


def _wait_for_states(cluster, state, nodes):
    def are_there():
        rows = cluster.balancer.ctl.nodes()
        return all(rows[node.name]["state"] == state for node in nodes)

    wait.until(are_there, lambda: f"{state}: {cluster.balancer.ctl.nodes()}", 60)


def _send(cluster):
    with cluster.connect() as session:
        return [cluster.send(SENDERS[0], session=session) for _ in range(MESSAGES)]


def test_a_filter_that_is_not_there_at_all_is_suspended(cluster):
    """The control: this Postfix does what the other tests say does not happen."""
    postfix = cluster.ingresses[0].postfix
    mail_log = postfix.log.mark()
    cluster.balancer.kill()
    _send(cluster)
    wait.until(lambda: postfix.suspensions(mail_log), "Postfix suspending the filter", 60)
    cluster.balancer.start()
    postfix.flush()
    postfix.wait_until_empty()


def test_what_waits_at_mail_flows_when_rise_checks_have_passed(cluster):
    _set_queue_timeout(cluster, "250s")
    _kill_all(cluster)
    postfix, balancer = cluster.ingresses[0].postfix, cluster.balancer
    mail_log, balancer_log = postfix.log.mark(), balancer.log.mark()
    journeys = _send(cluster)
    wait.until(lambda: balancer.ctl.pool()["waiting"] == AT_A_TIME,
               lambda: f"{AT_A_TIME} messages in the line: {balancer.ctl.pool()}", 60)
    cluster.nodes[0].start()

    for journey in journeys:
        assert journey.delivery
    postfix.wait_until_empty()
    assert postfix.deferrals(mail_log) == []
    assert postfix.suspensions(mail_log) == []
    wait.until(lambda: len(balancer.messages(balancer_log)) >= len(journeys), "a line for each")
    lines = balancer.messages(balancer_log)
    assert {(line["node"], line["result"], line["tries"]) for line in lines} == \
        {("scan1", "accepted", "1")}
    (up,) = balancer.state_changes(balancer_log)
    assert (up["subject"], up["state"]) == ("scanners/scan1", "up")
    assert up["reason"] == f"check passed {RISE} times"


def test_what_has_waited_too_long_hears_451_at_mail_and_comes_again(cluster):
    _set_queue_timeout(cluster, "1s")
    _kill_all(cluster)
    postfix = cluster.ingresses[0].postfix
    mail_log = postfix.log.mark()
    journeys = _send(cluster)
    wait.until(lambda: all(journey.deferrals for journey in journeys), "451 for every message", 60)
    cluster.nodes[0].start()
    _wait_for_states(cluster, "up", cluster.nodes[:1])
    postfix.flush()

    for journey in journeys:
        assert journey.delivery
        assert journey.line["node"] == "scan1"
    assert [line for line in postfix.deferrals(mail_log) if not AT_MAIL.search(line)] == []
    assert postfix.suspensions(mail_log) == []


def test_nodes_that_die_under_load_are_no_reason_to_give_the_filter_up(cluster):
    """Before the balancer knows that they are down, messages have tried them all in vain."""
    _set_queue_timeout(cluster, "60s")
    balancer, postfix = cluster.balancer, cluster.ingresses[0].postfix
    mail_log = postfix.log.mark()
    with Load(cluster) as load:
        wait.until(lambda: all(balancer.ctl.in_transit().values()), "both nodes at work", 60)
        _kill_all(cluster)
        cluster.nodes[0].start()
        _wait_for_states(cluster, "up", cluster.nodes[:1])
    postfix.wait_until_empty()

    copies = cluster.sink.copies()
    assert all(copies[sent.recipient] >= 1 for sent in load.sent)
    answered = re.compile(r" said: 451 4\.[34]\.2 .* \(in reply to (\S+ )+command\)\)$")
    assert [line for line in postfix.deferrals(mail_log) if not answered.search(line)] == []
    assert postfix.suspensions(mail_log) == []
