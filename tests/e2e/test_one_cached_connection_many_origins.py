"""Postfix reuses its connection under backlog: each message in it keeps its own origin."""
from collections import defaultdict

from lab import expect
from lab.client import Sender
from lab.cluster import Plan

PLAN = Plan(ingresses=1, nodes=("fake", "fake"), filter_processes=1)
COUNT = 12


def test_each_message_of_a_reused_connection_has_its_own_origin(cluster):
    cluster.hold_back()
    journeys = []
    for number in range(COUNT):
        # Every third message is a local submission: it must not inherit its neighbour's client.
        sender = None if number % 3 == 2 else Sender(
            f"2001:db8::{number:x}" if number % 2 else f"198.51.100.{number}", port=42000 + number
        )
        journeys.append((sender, cluster.send(sender)))
    cluster.let_go()

    sessions = defaultdict(set)
    for sender, journey in journeys:
        line = journey.line
        sessions[line["session"]].add(sender.address if sender else None)
        seen = [node.messages(journey.recipient) for node in cluster.nodes]
        (message,) = [each for messages in seen for each in messages]
        tlvs = message["proxy"]["tlvs"]
        if sender is None:
            assert line["origin_source"] == "local"
            assert "ADDR" not in message["xforward"]
            assert not {"e4", "e5", "e6"} & set(tlvs)
            continue
        assert line["origin"] == tlvs["e4"] == sender.address
        assert tlvs["e5"] == message["xforward"]["PORT"] == str(sender.port)
        assert tlvs["e6"] == message["xforward"]["IDENT"] == journey.queue_id
        assert message["xforward"]["ADDR"].lower().removeprefix("ipv6:") == sender.address
    reused = max(sessions.values(), key=len)
    assert len(reused) >= 3 and None in reused, f"no connection was reused: {dict(sessions)}"


def test_every_message_has_an_id_of_its_own_in_header_and_log(cluster):
    journeys = [cluster.send(expect.SENDERS[0]) for _ in range(2)]
    ids = []
    for journey in journeys:
        assert journey.final_reply
        (message,) = [m for node in cluster.nodes for m in node.messages(journey.recipient)]
        assert message["proxy"]["tlvs"]["05"] == journey.line["id"]
        ids.append(journey.line["id"])
    assert len(set(ids)) == 2
