"""200 messages at once for two nodes with two children each, alone and beside 500 idle sessions.

`maxconn` is as large as $max_servers, so that checks find no child either: the nodes stop at their
gates until several checks have timed out on them. Busy is not down (R7), and only messages hold
slots (R5).
"""
from contextlib import ExitStack

import pytest

from lab import wait
from lab.client import Client
from lab.cluster import Plan
from lab.expect import SENDERS
from lab.host import Host

MESSAGES = 200
CHILDREN = 2
FULL = {"scan1": CHILDREN, "scan2": CHILDREN}
EMPTY = {"scan1": 0, "scan2": 0}

PLAN = Plan(
    ingresses=1,
    gates=True,
    filter_processes=MESSAGES,
    main={
        "millrace_destination_concurrency_limit": MESSAGES,
        "millrace_initial_destination_concurrency": MESSAGES,
    },
    balancer={"pool.scanners": {
        "balance": "leastconn", "queue-timeout": "250s", "check-timeout": "1s", "fall": "2",
    }},
)


def _idle_sessions(cluster, count, stack):
    """Sessions that have said EHLO and say nothing more."""
    balancer = cluster.balancer
    host = Host("idle")
    return [stack.enter_context(Client(host, balancer.address, balancer.port))
            for _ in range(count)]


def _stop_at_the_gates(cluster, journeys, checks_before):
    """Until all messages are at the balancer and checks have failed on the full nodes."""
    ctl = cluster.balancer.ctl
    waiting = len(journeys) - sum(FULL.values())
    wait.until(lambda: ctl.pool()["waiting"] == waiting,
               lambda: f"{waiting} messages in the line: {ctl.pool()}", 120)
    assert ctl.in_transit() == FULL
    wait.until(lambda: _failed_checks(cluster) >= checks_before + 6, "checks that time out")


def _failed_checks(cluster):
    return cluster.balancer.metric("millrace_check_failures_total")


@pytest.mark.parametrize("idle", [0, 500])
def test_all_are_delivered_once_and_no_node_is_called_down(cluster, idle):
    postfix, balancer = cluster.ingresses[0].postfix, cluster.balancer
    mail_log, balancer_log = postfix.log.mark(), balancer.log.mark()
    arrived = cluster.sink.arrived()
    checks = _failed_checks(cluster)
    with ExitStack() as stack:
        idle_sessions = _idle_sessions(cluster, idle, stack)
        assert balancer.metric("millrace_sessions_active") >= idle
        assert balancer.ctl.in_transit() == EMPTY
        session = stack.enter_context(cluster.connect())
        for node in cluster.nodes:
            node.gate.close()
        journeys = [cluster.send(SENDERS[0], session=session) for _ in range(MESSAGES)]
        _stop_at_the_gates(cluster, journeys, checks)
        for node in cluster.nodes:
            node.gate.open()
        wait.until(lambda: cluster.sink.arrived() == arrived + MESSAGES,
                   lambda: f"{MESSAGES} deliveries: {cluster.sink.arrived() - arrived}", 120)
        wait.until(lambda: balancer.ctl.in_transit() == EMPTY, "all slots free")
        for each in idle_sessions:
            each.no_operation()

    postfix.wait_until_empty()
    copies = cluster.sink.copies()
    assert {copies[journey.recipient] for journey in journeys} == {1}
    assert postfix.deferrals(mail_log) == []
    assert postfix.log.grep(r" said: 4\d\d|refused to talk", mail_log) == []
    wait.until(lambda: len(balancer.messages(balancer_log)) == MESSAGES, "a line for each message")
    lines = balancer.messages(balancer_log)
    assert {(line["result"], line["tries"]) for line in lines} == {("accepted", "1")}
    assert {line["node"] for line in lines} == set(FULL)
    assert balancer.state_changes(balancer_log) == []
