"""Each kind of fault once, under load: the short form of `tests/e2e/soak faults`."""
from lab.cluster import Plan
from lab.fault_loop import FaultLoop, settle
from lab.load import Load

PLAN = Plan(ingresses=1, nodes=("amavisd", "amavisd"),
            main={"milter_default_action": "accept"})


def test_every_message_arrives_once_or_for_a_reason_twice(cluster):
    with Load(cluster) as load:
        loop = FaultLoop(cluster, load)
        loop.run_once()
    account = settle(cluster, load)

    print(account)
    assert account.problems == []
    assert account.delivered == account.sent > 0
    assert set(loop.faults.values()) == {1}
