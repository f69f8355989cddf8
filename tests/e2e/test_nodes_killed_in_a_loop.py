"""Nodes are killed and started again in a loop under load: the short form of `tests/e2e/soak`."""
from lab.cluster import Plan
from lab.kill_loop import KillLoop, settle
from lab.load import Load

KILLS = 6
PLAN = Plan(ingresses=1, nodes=("amavisd", "amavisd"))


def test_postfix_hears_of_it_only_after_the_dot_and_the_queue_drains(cluster):
    with Load(cluster) as load:
        loop = KillLoop(cluster, load)
        loop.run(lambda: loop.kills == KILLS)
    account = settle(cluster, load)

    print(account)
    assert account.problems == []
    # A frozen node finishes nothing: what it had when it was killed was cut.
    assert sum(account.failovers.values()) + account.lost_after_the_dot >= loop.frozen_kills
