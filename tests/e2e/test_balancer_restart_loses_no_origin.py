"""The records are in the store on disk: a balancer may restart between queueing and delivery."""
import pytest

from lab import expect
from lab.client import Sender
from lab.cluster import Plan
from lab.rbldnsd import LISTED_V4

RELAY = Sender("192.0.2.25", port=43025)
PLAN = Plan(ingresses=1, nodes=("amavisd",), milter={"trusted-relays": ["192.0.2.0/24"]})


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_origin_that_only_the_store_knows_survives(cluster, end):
    """Behind a trusted relay XFORWARD names the relay: only the record has the origin."""
    received = f"Received: from x (x [{LISTED_V4}]) by backup-mx.lab.test with ESMTP id A; " \
               "Mon, 01 Jan 2024 00:00:00 +0000\r\n"
    cluster.hold_back()
    behind_relay = cluster.send(RELAY, header=received.encode())
    direct = cluster.send(expect.SENDERS[1])
    if end == "stop":
        assert cluster.balancer.stop() == 0
    else:
        cluster.balancer.kill()
    cluster.balancer.start()
    cluster.balancer.wait_for_nodes(1)
    cluster.let_go()

    assert behind_relay.facts.client == LISTED_V4
    assert behind_relay.line["origin"] == LISTED_V4
    assert behind_relay.line["origin_source"] == "store"
    expect.true_origin(direct, expect.SENDERS[1], source="store")
    for journey in (behind_relay, direct):
        expect.delivered_once(journey)
