"""Postfix behind a TCP proxy that says who it is: the nodes see the Postfix host, not the proxy."""
from lab import expect
from lab.client import Client
from lab.cluster import SENDER, Plan

PEER = "192.0.2.10"
PLAN = Plan(ingresses=1, nodes=("fake",),
            balancer={"listener.filter": {"trusted-networks": PEER,
                                          "accept-proxy": "on",
                                          "proxy-trusted-networks": "127.0.0.0/8"}})


def test_the_node_sees_the_host_that_the_proxy_named(cluster):
    (node,) = cluster.nodes
    (sender,) = expect.SENDERS[:1]
    recipient = cluster.new_recipient()
    header = f"PROXY TCP4 {PEER} 192.0.2.50 40112 10024\r\n".encode()
    balancer = cluster.balancer
    with Client(cluster.ingresses[0].host, balancer.address, balancer.port,
                preamble=header) as session:
        session.forward(sender, "4jW9801pfMz1bY05")
        session.send(SENDER, [recipient], b"Subject: x\r\n\r\nhello\r\n")
    (message,) = node.messages(recipient)
    assert message["proxy"]["source"] == [PEER, 40112]
    assert message["proxy"]["tlvs"]["e4"] == sender.address
    line = balancer.wait_for_message(lambda line: line["subject"] == "4jW9801pfMz1bY05", "it")
    assert line["peer"] == PEER
