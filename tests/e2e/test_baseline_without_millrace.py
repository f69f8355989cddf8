"""The lab proves itself: what the real programs do when nothing stands between them.

If these fail, no other end-to-end test says anything about Millrace.
"""
import pytest

from lab.amavisd_settings import BANK, RULE
from lab.client import Client, Sender
from lab.cluster import SENDER, Plan
from lab.rbldnsd import LISTED_V4, LISTED_V6

CLEAN_V4 = "198.51.100.7"
PLAN = Plan(nodes=("amavisd",), proxy="off", millrace=False)


@pytest.mark.parametrize("address, listed", [(LISTED_V4, True), (LISTED_V6, True), (CLEAN_V4, False)])
def test_postfix_tells_amavisd_the_client_and_gets_the_mail_back(cluster, address, listed):
    for ingress, host in enumerate(("ingress1", "ingress2")):
        journey = cluster.send(Sender(address), ingress)
        facts = journey.facts
        assert facts.peer == cluster.ingresses[ingress].host.address
        assert facts.client == address
        assert facts.queue_id == journey.queue_id
        assert (BANK in facts.banks) == listed
        assert (RULE in facts.tests) == listed
        assert journey.reentry_host == host


def test_a_local_submission_tells_amavisd_no_client(cluster):
    facts = cluster.send(None).facts
    assert facts.queue_id == ""
    assert facts.client == facts.peer, "amavisd falls back to its own peer"


def test_the_sink_keeps_every_octet(cluster):
    body = b".\r\n..\r\n\xe4\xf6\xfc\r\n" + b"x" * 5000 + b"\r\n.end\r\n"
    assert cluster.send(Sender(CLEAN_V4), body=body).delivery.body == body


@pytest.mark.parametrize("proxy", ["v1", "v2"])
def test_a_node_takes_the_peer_from_a_proxy_header(build, proxy):
    cluster = build(Plan(ingresses=2, nodes=("amavisd",), proxy=proxy, millrace=False))
    node = cluster.nodes[0]
    header = {
        "v1": f"PROXY TCP4 127.0.0.3 {node.address} 4711 {node.port}\r\n".encode(),
        "v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
        + bytes([127, 0, 0, 3])
        + bytes(map(int, node.address.split(".")))
        + (4711).to_bytes(2, "big")
        + node.port.to_bytes(2, "big"),
    }[proxy]
    recipient = cluster.new_recipient()
    with Client(node.host, node.address, node.port, preamble=header) as session:
        session.forward(Sender(LISTED_V4), "QUEUEID1")
        session.send(SENDER, [recipient], b"Subject: x\r\n\r\nhello\r\n")
    facts = node.wait_for_facts(recipient)
    assert facts.peer == "127.0.0.3"
    assert facts.client == LISTED_V4
    assert facts.queue_id == "QUEUEID1"
    assert cluster.sink.wait_for(recipient).host == "ingress2.lab.test"


def test_namespaces_give_every_host_an_address_of_its_own(build):
    cluster = build(Plan(nodes=("amavisd",), proxy="off", millrace=False, namespaces=True))
    for ingress, address in enumerate(("198.18.0.1", "198.18.0.2")):
        journey = cluster.send(Sender(LISTED_V4), ingress)
        assert journey.facts.peer == address
        assert journey.reentry_host == f"ingress{ingress + 1}"
