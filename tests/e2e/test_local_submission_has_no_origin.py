"""Mail from sendmail(1) has no SMTP client: none is told, and none is made up."""
import ipaddress

import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(ingresses=1, nodes=("fake",))


def test_the_node_is_told_no_client_and_the_log_says_local(cluster):
    # A listed client first: its origin must not outlive its transaction.
    assert cluster.send(expect.SENDERS[0]).final_reply
    journey = cluster.send(None)
    line = journey.line
    assert line["result"] == "accepted"
    assert line["origin_source"] == "local"
    with pytest.raises(ValueError):
        ipaddress.ip_address(line.get("origin", ""))
    (message,) = cluster.nodes[0].messages(journey.recipient)
    assert "ADDR" not in message["xforward"] or message["xforward"]["ADDR"] == "[UNAVAILABLE]"
    assert message["xforward"].get("SOURCE") == "LOCAL"
    assert not {"e4", "e5", "e6", "e7", "e8", "e9"} & set(message["proxy"]["tlvs"])
    assert message["proxy"]["source"][0] == cluster.ingresses[0].host.address
