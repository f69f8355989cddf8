"""A connection has had its messages: Postfix takes another one, and nothing is deferred."""
from collections import Counter

from lab import expect
from lab.cluster import Plan

COUNT = 12
MESSAGES_MAX = 2
PLAN = Plan(ingresses=1, nodes=("fake",), filter_processes=1,
            balancer={"listener.filter": {"max-messages": str(MESSAGES_MAX)}})


def test_postfix_goes_on_over_another_connection_and_defers_nothing(cluster):
    cluster.hold_back()
    journeys = [cluster.send(expect.SENDERS[number % len(expect.SENDERS)])
                for number in range(COUNT)]
    cluster.let_go()

    sessions = Counter(journey.line["session"] for journey in journeys)
    assert max(sessions.values()) == MESSAGES_MAX, sessions
    ids = {journey.queue_id for journey in journeys}
    deferrals = [line for line in cluster.ingresses[0].postfix.deferrals()
                 if any(queue_id in line for queue_id in ids) and "deferred transport" not in line]
    assert deferrals == []
