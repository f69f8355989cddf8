"""What is delivered below the header is, octet for octet, what was sent."""
import hashlib
import random

import pytest

from lab import expect
from lab.cluster import Plan

PLAN = Plan(ingresses=1, nodes=("amavisd",))


def _attachment(size):
    """Base64-like lines of 76 characters; the same every time."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    octets = random.Random(1).randbytes(size).translate(bytes(alphabet[i % 64] for i in range(256)))
    return b"".join(octets[at : at + 76] + b"\r\n" for at in range(0, size, 76))


BODIES = {
    "8-bit text": "Grüße aus Köln, 日本語\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    "lines that begin with dots": b".a\r\n..b\r\n...\r\n.\r\n....c\r\n",
    "a lone dot line": b"before\r\n.\r\nafter\r\n",
    "only a lone dot line": b".\r\n",
    "a 998 character line": b"x" * 998 + b"\r\n",
    "a 5000 character line": b"y" * 5000 + b"\r\n",
    "empty lines at the end": b"text\r\n\r\n\r\n\r\n",
    "an empty body": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_body_is_delivered_octet_for_octet(cluster, body):
    expect.delivered_once(cluster.send(expect.SENDERS[0], body=body))


def test_a_25_megabyte_attachment_is_delivered_octet_for_octet(cluster):
    header = b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
    body = _attachment(25 * 1000 * 1000)
    journey = cluster.send(expect.SENDERS[0], header=header, body=body)
    assert len(body) > 25 * 1000 * 1000
    assert hashlib.sha256(journey.delivery.body).digest() == hashlib.sha256(body).digest()
    assert int(journey.line["bytes"]) > len(body)


def test_a_message_without_any_header_is_delivered(cluster):
    journey = cluster.send_raw(expect.SENDERS[0], b"")
    assert journey.delivery.body == b""
    assert journey.line["result"] == "accepted"
