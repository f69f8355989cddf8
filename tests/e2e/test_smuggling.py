"""What looks like an end of data and is none never makes two messages of one (rule R2).

The content goes to the balancer as no honest Postfix would send it; behind the balancer is a real
amavisd, and behind that a mailbox that ends data at CRLF.CRLF only.
"""
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.amavisd import Amavisd
from lab.balancer import Balancer
from lab.host import Host
from lab.segments import SegmentPeer
from lab.sink import Sink

SENDER = "sender@sender.lab.test"
END = b"\r\n.\r\n"

LINE_ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\0\n")
FAKE_ENDS = [
    before + dot + after
    for dots, line_ends in (((b".",), LINE_ENDS), ((b"..", b". ", b".\0"), LINE_ENDS[:3]))
    for before, dot, after in itertools.product(line_ends, dots, line_ends)
    if END not in before + dot + after
]

#: Where the content is cut, seen from the fake end.
CUTS = ("nowhere", "before", "inside", "behind")


def _has_bare_lf(content):
    return b"\n" in content.replace(b"\r\n", b"")


def _segments(content, fake_end, cut):
    first = content.index(b"before") + len(b"before")
    last = first + len(fake_end)
    places = {
        "nowhere": [],
        "before": [first],
        "inside": range(first + 1, last),
        "behind": [last],
    }[cut]
    edges = [0, *places, len(content)]
    return [content[a:b] for a, b in zip(edges, edges[1:])]


@pytest.fixture(scope="module")
def mailbox(module_lab):
    return Sink(module_lab)


@pytest.fixture(scope="module")
def node(module_lab, mailbox):
    host = Host("scan1", "127.0.0.12")
    made = Amavisd(module_lab, host, "scan1", f"lmtp:{mailbox.path}", proxy="off", servers=6)
    made.start()
    return made


@pytest.fixture(scope="module")
def balancer(module_lab, node):
    host = Host("balancer")
    listeners = {
        f"listener.{protocol}-{policy}": {
            "bind": f"127.0.0.1:{host.free_port()}",
            "mode": protocol,
            "pool": f"scanners-{protocol}",
            "forbid-bare-newline": policy,
        }
        for protocol, policy in itertools.product(("smtp", "lmtp"), ("reject", "off"))
    }
    pool = {"send-proxy": "off", "rise": "1", "inter": "500ms",
            "node": f"scan1 {node.address}:{node.port} maxconn={len(CUTS)}"}
    pools = {"pool.scanners": None, "listener.filter": {"pool": "scanners-smtp"},
             "pool.scanners-smtp": pool, "pool.scanners-lmtp": pool}
    made = Balancer(module_lab, host, [], {**listeners, **pools})
    made.start()
    made.wait_for_nodes(2)
    return made


def _listener(balancer, protocol, policy):
    return int(balancer.settings[f"listener.{protocol}-{policy}"]["bind"].rpartition(":")[2])


class Attack:
    """One message with a fake end in it, and another one behind that."""

    def __init__(self, tag, fake_end, cut):
        self.fake_end = fake_end
        self.cut = cut
        self.recipient = f"{tag}@lab.test"
        self.smuggled = f"smuggled-{tag}@lab.test"
        self.content = (
            b"Subject: innocent\r\n\r\nbefore" + fake_end
            + b"MAIL FROM:<evil@sender.lab.test>\r\nRCPT TO:<" + self.smuggled.encode()
            + b">\r\nDATA\r\nSubject: smuggled\r\n\r\nevil" + END
        )
        self.replies = None

    def carry_out(self, peer):
        segments = _segments(self.content, self.fake_end, self.cut)
        self.replies = peer.send(SENDER, self.recipient, segments)

    def __repr__(self):
        return f"{self.fake_end!r} cut {self.cut}: {self.replies}"


def _carry_out(balancer, protocol, policy):
    """Every fake end in every segmentation, four connections at a time."""

    def run(cut):
        with SegmentPeer(balancer.address, _listener(balancer, protocol, policy), protocol) as peer:
            attacks = [Attack(f"{protocol}-{policy}-{cut}-{number}", fake_end, cut)
                       for number, fake_end in enumerate(FAKE_ENDS)]
            for attack in attacks:
                attack.carry_out(peer)
            return attacks

    with ThreadPoolExecutor(len(CUTS)) as threads:
        return [attack for attacks in threads.map(run, CUTS) for attack in attacks]


@pytest.mark.parametrize("policy", ["reject", "off"])
@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_no_fake_end_makes_two_messages_of_one(balancer, mailbox, protocol, policy, record_property):
    attacks = _carry_out(balancer, protocol, policy)
    record_property("attacks", len(attacks))
    for attack in attacks:
        is_refused = policy == "reject" and _has_bare_lf(attack.content)
        assert len(attack.replies) == 1, attack
        assert attack.replies[0].startswith(b"550 5.6.0" if is_refused else b"250 "), attack
        assert len(mailbox.find(attack.recipient)) == (0 if is_refused else 1), attack
        assert mailbox.find(attack.smuggled) == [], attack


def test_nothing_is_left_in_the_node_that_is_delivered_later(node, mailbox):
    """Runs last: what a node kept of a message that was cut off would be mailed at its end."""
    node.stop()
    assert [each for each in mailbox.deliveries if each.recipient.startswith("smuggled")] == []
    assert set(mailbox.copies().values()) == {1}


def test_what_comes_out_of_the_node_is_one_thing_to_every_server(mailbox):
    """No bare CR or LF: whoever gets it next finds no other end of data in it either."""
    for delivery in mailbox.deliveries:
        lines = delivery.data.replace(b"\r\n", b"")
        assert b"\n" not in lines and b"\r" not in lines, delivery
