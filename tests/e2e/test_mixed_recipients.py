"""One message whose recipients want different pools: the first of them decides, Postfix hears
452 for the others and sends the message to them again. No queue run but the test's own.
"""
import pytest

from lab import expect, wait
from lab.cluster import Plan
from lab.postfix_settings import DOMAIN

# Postfix goes through recipients in the order of their domains: one comes first, one last.
FIRST, LAST = f"aaa.{DOMAIN}", f"zzz.{DOMAIN}"
PLAN = Plan(
    ingresses=1, nodes=("amavisd",), direct=True,
    main={"minimal_backoff_time": "1h", "maximal_backoff_time": "1h", "queue_run_delay": "1h"},
    balancer={"listener.filter": {"use-pool": f"direct if recipient-domain {FIRST},{LAST}"}},
)
ANOTHER_POOL = r"said: 452 4\.5\.3 .*\(in reply to RCPT TO command\)"


def _send(cluster, unfiltered):
    """One message to both; the journey to the unfiltered recipient and that to the other."""
    recipients = [cluster.new_recipient(domain=unfiltered), cluster.new_recipient()]
    return cluster.send_to(recipients, expect.SENDERS[0])


def _wait_for_lines(balancer, mark, count):
    """The balancer logs a message when Postfix has its reply: a moment later than Postfix does."""
    wait.until(lambda: len(balancer.messages(mark)) >= count, f"{count} lines of messages")
    assert len(balancer.messages(mark)) == count


def _each_went_its_own_way(direct, filtered):
    for journey, pool in ((direct, "direct"), (filtered, "scanners")):
        expect.delivered_once(journey)
        line = journey.line
        assert (line["pool"], line["result"]) == (pool, "accepted")
        assert line["origin"] == expect.SENDERS[0].address
    expect.not_scanned(direct)
    expect.scanned(filtered)
    assert filtered.facts.recipients == [filtered.recipient]


@pytest.mark.parametrize("unfiltered", [FIRST, LAST])
def test_the_others_hear_452_and_come_again_as_a_message_of_their_own(cluster, unfiltered):
    postfix, mark = cluster.ingresses[0].postfix, cluster.balancer.log.mark()
    direct, filtered = _send(cluster, unfiltered)
    now, later = (direct, filtered) if unfiltered == FIRST else (filtered, direct)
    expect.delivered_once(now)
    postfix.log.wait_for(f"to=<{later.recipient}>.* status=deferred .*{ANOTHER_POOL}")
    assert later.copies == []
    _wait_for_lines(cluster.balancer, mark, 1)

    postfix.flush()
    _each_went_its_own_way(direct, filtered)
    assert now.deferrals == 0
    assert later.deferrals == 1
    postfix.wait_until_empty()
    _wait_for_lines(cluster.balancer, mark, 2)


def test_nobody_hears_452_when_recipients_are_sent_one_by_one(cluster):
    """Keep last: it changes the Postfix of this module."""
    postfix = cluster.ingresses[0].postfix
    postfix.change(millrace_destination_recipient_limit="1")
    mark = postfix.log.mark()
    direct, filtered = _send(cluster, FIRST)
    _each_went_its_own_way(direct, filtered)
    assert postfix.log.grep("said: 4", mark) == []
    assert postfix.deferrals(mark) == []
