"""use-pool: some mail goes past the nodes to the re-entry Postfix, all other mail through a node.

Each rule has a message that it is about, and one that it just misses.
"""
from dataclasses import dataclass

import pytest

from lab import expect, wait
from lab.client import Sender
from lab.cluster import SENDER, Cluster, Plan
from lab.postfix_settings import DOMAIN

UNFILTERED = f"unfiltered.{DOMAIN}"
LARGE = 20_000
LINE = b"0123456789abcdef" * 4 + b"\r\n"


@pytest.fixture(scope="module")
def cluster(module_lab):
    domains = module_lab.write(
        "unfiltered_domains", f"# they have asked for it\nother.example\n{UNFILTERED}  # since May\n")
    rules = [f"recipient-domain file:{domains}", "sender-domain <>",
             "origin 192.0.2.0/24,2001:db8:9::/48", f"size-over {LARGE}"]
    return Cluster(module_lab, Plan(
        ingresses=1, nodes=("amavisd",), direct=True,
        balancer={"listener.filter": {"use-pool": [f"direct if {rule}" for rule in rules]}},
    ))


@dataclass(frozen=True)
class Mail:
    domain: str = DOMAIN
    mail_from: str = SENDER
    sender: Sender = expect.SENDERS[0]
    body: bytes = b"hello\r\n"


DIRECT = {
    "domain_in_the_file": Mail(domain=UNFILTERED),
    "null_sender": Mail(mail_from=""),
    "origin": Mail(sender=Sender("192.0.2.255", port=41011)),
    "origin_ipv6": Mail(sender=Sender("2001:db8:9:ffff::1", port=41012)),
    "large": Mail(body=LINE * (LARGE // len(LINE) + 1)),
}
SCANNED = {
    "domain_above": Mail(),
    "domain_below": Mail(domain=f"sub.{UNFILTERED}"),
    "origin_beside": Mail(sender=Sender("192.0.3.0", port=41013)),
    "origin_ipv6_beside": Mail(sender=Sender("2001:db8:a::1", port=41014)),
    "not_large": Mail(body=LINE * (LARGE // len(LINE) - 30)),
}


def _send(cluster, mail):
    (journey,) = cluster.send_to([cluster.new_recipient(domain=mail.domain)], mail.sender,
                                 body=mail.body, mail_from=mail.mail_from)
    expect.delivered_once(journey)
    assert journey.delivery.sender == mail.mail_from
    return journey


@pytest.mark.parametrize("mail", DIRECT.values(), ids=DIRECT)
def test_mail_of_a_rule_goes_past_the_nodes_and_keeps_its_origin(cluster, mail):
    journey = _send(cluster, mail)
    expect.not_scanned(journey)
    line = journey.line
    assert (line["pool"], line["node"], line["result"]) == ("direct", "reentry", "accepted")
    assert line["origin"] == mail.sender.address
    assert line["subject"] == journey.queue_id
    (received,) = journey.postfix.log.grep(f"orig_queue_id={journey.queue_id}")
    assert received.endswith(f"orig_client=unknown[{mail.sender.address}]")


@pytest.mark.parametrize("mail", SCANNED.values(), ids=SCANNED)
def test_other_mail_is_scanned(cluster, mail):
    journey = _send(cluster, mail)
    expect.scanned(journey)
    assert journey.line["pool"] == "scanners"
    expect.true_origin(journey, mail.sender)


def test_a_reentry_that_lacks_a_keyword_is_down_and_says_which(cluster):
    """Keep last: the re-entry of this module stays down."""
    mark = cluster.balancer.log.mark()
    cluster.ingresses[0].postfix.change(smtpd_discard_ehlo_keywords="xforward, silent-discard")
    (down,) = wait.until(lambda: cluster.balancer.state_changes(mark), "a change of state")
    assert (down["subject"], down["state"]) == ("direct/reentry", "down")
    assert down["reason"].endswith("lacks XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
