"""Mail that comes through a relay we trust: the origin is the client behind the relay."""
import pytest

from lab import expect
from lab.amavisd_settings import BANK
from lab.client import Sender
from lab.cluster import Plan
from lab.rbldnsd import LISTED_V4, LISTED_V6

RELAY = Sender("192.0.2.25", port=43025, helo="backup-mx.lab.test")
SECOND_RELAY = "192.0.2.26"
PLAN = Plan(ingresses=1, nodes=("amavisd",), milter={"trusted-relays": ["192.0.2.0/24"]})


def _received(name, address, by):
    literal = f"IPv6:{address}" if ":" in address else address
    return (f"Received: from {name} ({name} [{literal}])\r\n\tby {by} (Postfix) with ESMTP id ABC\r\n"
            "\tfor <user@lab.test>; Mon, 01 Jan 2024 00:00:00 +0000 (UTC)\r\n").encode()


@pytest.mark.parametrize("origin", [LISTED_V4, LISTED_V6])
def test_the_client_behind_the_relay_is_the_origin(cluster, origin):
    header = _received("spam.example.net", origin, "backup-mx.lab.test")
    journey = cluster.send(RELAY, header=header)
    assert journey.facts.client == origin
    assert BANK in journey.facts.banks
    assert journey.facts.queue_id == journey.queue_id
    assert journey.line["origin"] == origin
    assert journey.line["origin_source"] == "store"
    expect.true_peer(journey)


def test_trusted_hops_are_skipped_and_what_lies_below_is_not_believed(cluster):
    header = (
        _received("mx2.lab.test", SECOND_RELAY, "backup-mx.lab.test")
        + _received("real.example.net", LISTED_V4, "mx2.lab.test")
        + _received("forged.example.net", "198.51.100.200", "real.example.net")
    )
    journey = cluster.send(RELAY, header=header)
    assert journey.facts.client == LISTED_V4
    assert journey.line["origin"] == LISTED_V4


def test_received_fields_of_an_untrusted_client_change_nothing(cluster):
    sender = Sender("198.51.100.9", port=43009)
    header = _received("innocent.example.net", LISTED_V4, "mail.example.org")
    journey = cluster.send(sender, header=header)
    assert journey.facts.client == sender.address
    assert BANK not in journey.facts.banks
    assert journey.line["origin"] == sender.address


def test_a_relay_that_writes_its_own_mail_is_its_origin(cluster):
    journey = cluster.send(RELAY)
    assert journey.facts.client == RELAY.address
    assert journey.line["origin"] == RELAY.address
