"""Publishes an origin record as a milter would: for records that no milter would publish.

The schema is proto/origin.proto. Frames are a 4 byte big-endian length and a protobuf message.
"""
import socket
import struct
import time

STORED = 1


def publish(path, ingress, queue_id, connected_address, connected_port=40025, origin_address=None):
    """The Status of the response."""
    frame = request(7, ingress, queue_id, connected_address, connected_port, origin_address)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(path)
        sock.sendall(frame)
        reader = sock.makefile("rb")
        (length,) = struct.unpack(">I", reader.read(4))
        number, status = response(reader.read(length))
    assert number == 7, number
    return status


def request(number, ingress, queue_id, connected_address, connected_port=40025,
            origin_address=None):
    """The frame that asks to store one record."""
    client = _text(1, origin_address or connected_address) + _text(5, "stale.example") + _text(6, "ESMTP")
    record = (
        _text(1, ingress)
        + _text(2, queue_id)
        + _text(3, connected_address)
        + _number(4, connected_port)
        + _bytes(5, client)
        + _number(8, int(time.time() * 1000))
    )
    payload = _number(1, number) + _bytes(2, record)
    return struct.pack(">I", len(payload)) + payload


def response(payload):
    """The number of the request and the Status."""
    fields = _fields(payload)
    return fields[1], fields.get(2, 0)


def _varint(value):
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field, value):
    return _bytes(field, value.encode())


def _fields(message):
    """Field number to value, for a flat message of numbers and bytes."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            found[key >> 3] = varint()
        else:
            length = varint()
            found[key >> 3] = message[at : at + length]
            at += length
    return found
