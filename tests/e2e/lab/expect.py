"""What is asserted about a message in more than one test."""
from .amavisd_settings import BANK, RULE
from .client import Sender
from .rbldnsd import LISTED_V4, LISTED_V6

LISTED = (LISTED_V4, LISTED_V6)
CLEAN = ("198.51.100.7", "2001:db8:7::7")

#: A listed and a clean client of each family. Each has a port and a HELO name of its own.
SENDERS = tuple(
    Sender(address, port=41001 + number, helo=f"client{number}.example.org")
    for number, address in enumerate(LISTED + CLEAN)
)


def true_origin(journey, sender, source="store"):
    """amavisd and the balancer's log know the SMTP client; the policy bank was chosen by it."""
    facts, line = journey.facts, journey.line
    assert facts.client == sender.address
    assert facts.port == str(sender.port)
    assert facts.queue_id == journey.queue_id
    assert (BANK in facts.banks) == (sender.address in LISTED)
    assert (RULE in facts.tests) == (sender.address in LISTED)
    assert line["subject"] == journey.queue_id
    assert line["result"] == "accepted"
    assert line["origin"] == sender.address
    assert line["origin_source"] == source
    assert line["node"] == facts.node


def true_peer(journey):
    """amavisd and the balancer's log know the Postfix host, and the mail returned to it."""
    host = journey.cluster.ingresses[journey.ingress].host
    assert journey.facts.peer == host.address
    assert journey.line["peer"] == host.local_address
    assert journey.reentry_host == host.name


def no_origin(journey):
    """amavisd and the balancer's log know no client; amavisd falls back on its peer."""
    facts, line = journey.facts, journey.line
    assert facts.client == facts.peer
    assert (facts.port, facts.helo) == ("", "")
    assert BANK not in facts.banks
    assert RULE not in facts.tests
    assert line["origin"] == "unknown"


def delivered_once(journey):
    """The mailbox has one copy, with the body that was sent."""
    assert journey.delivery.body == journey.body
    assert len(journey.copies) == 1


def answered_for_a_reason(journey):
    """The copy behind the 2xx that Postfix got is whole."""
    copy = journey.kept_as_answered
    assert copy.partition(b"\r\n\r\n")[2] == journey.body


def scanned(journey):
    """It has passed amavisd."""
    assert journey.facts.node
    assert journey.delivery.fields("X-Spam-Status")
    assert "(amavis" in " ".join(journey.delivery.fields("Received"))


def not_scanned(journey):
    """It was delivered, and no amavisd has heard of it."""
    assert journey.delivery.fields("X-Spam-Status") == []
    assert "(amavis" not in " ".join(journey.delivery.fields("Received"))
    for node in journey.cluster.nodes:
        assert node.log.grep(journey.recipient.partition("@")[0] + "@") == []
