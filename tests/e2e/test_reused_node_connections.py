"""reuse = safe: several messages over one connection to amavisd, each with an origin of its own.

The PROXY header says only the peer, XFORWARD alone tells the origin; there is no milter here, so
that a client may also be unknown. `facts.connection` is what amavisd calls the connection that a
message came by.
"""
import pytest

from lab import expect, workspace
from lab.client import Sender
from lab.cluster import Cluster, Plan
from lab.expect import SENDERS

UNKNOWN = Sender("[UNAVAILABLE]", port="[UNAVAILABLE]", helo="nobody.example.org")


@pytest.fixture(scope="module", params=["v2", "v1"])
def cluster(request):
    with workspace.Lab("reuse") as lab:
        yield Cluster(lab, Plan(
            ingresses=1,
            nodes=("amavisd",),
            proxy=request.param,
            main={"smtpd_milters": ""},
            # Longer than any pause between two messages here.
            balancer={"pool.scanners": {"reuse": "safe", "tlv": "off", "reuse-idle": "30s"}},
        ))


def _one_after_another(cluster, senders):
    journeys = []
    for sender in senders:
        journeys.append(cluster.send(sender))
        assert journeys[-1].line["result"] == "accepted"
    assert len({journey.facts.connection for journey in journeys}) == 1
    return journeys


def test_each_message_of_a_connection_has_its_own_origin(cluster):
    senders = SENDERS * 2
    for sender, journey in zip(senders, _one_after_another(cluster, senders)):
        expect.true_origin(journey, sender, source="xforward")
        expect.true_peer(journey)
        expect.delivered_once(journey)
        assert journey.facts.helo == sender.helo


def test_local_mail_inherits_no_client_from_the_message_before_it(cluster):
    known, local, after = _one_after_another(cluster, [SENDERS[0], None, SENDERS[1]])
    expect.true_origin(known, SENDERS[0], source="xforward")
    expect.no_origin(local)
    assert local.line["origin_source"] == "local"
    expect.true_origin(after, SENDERS[1], source="xforward")


def test_mail_of_an_unknown_client_inherits_none_either(cluster):
    """XFORWARD says ADDR=[UNAVAILABLE]."""
    known, unknown, after = _one_after_another(cluster, [SENDERS[0], UNKNOWN, SENDERS[1]])
    expect.true_origin(known, SENDERS[0], source="xforward")
    expect.no_origin(unknown)
    assert unknown.facts.queue_id == unknown.queue_id
    expect.true_origin(after, SENDERS[1], source="xforward")
