"""Reads a PROXY protocol header, version 1 or 2, from a LineReader."""
import ipaddress
import struct

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_LENGTHS = {0x11: 4, 0x21: 16}


class BadHeader(Exception):
    """The bytes are not the header that was asked for."""


def read(reader, version):
    """{command, source, destination, tlvs}; tlvs maps a type ("e4") to bytes."""
    if version == "v1":
        return _read_v1(reader.line())
    head = reader.exactly(16)
    if not head.startswith(_SIGNATURE):
        raise BadHeader(repr(head))
    version_command, family, length = head[12], head[13], struct.unpack(">H", head[14:])[0]
    body = reader.exactly(length)
    if version_command >> 4 != 2 or len(body) != length:
        raise BadHeader(repr(head + body))
    if version_command & 0xF == 0:
        return {"command": "LOCAL", "source": None, "destination": None, "tlvs": {}}
    size = _LENGTHS[family]
    source, destination = body[:size], body[size : 2 * size]
    ports = struct.unpack(">HH", body[2 * size : 2 * size + 4])
    return {
        "command": "PROXY",
        "source": [str(ipaddress.ip_address(source)), ports[0]],
        "destination": [str(ipaddress.ip_address(destination)), ports[1]],
        "tlvs": _tlvs(body[2 * size + 4 :]),
    }


def _tlvs(rest):
    tlvs = {}
    while rest:
        kind, length = rest[0], struct.unpack(">H", rest[1:3])[0]
        if f"{kind:02x}" in tlvs or len(rest) < 3 + length:
            raise BadHeader(repr(rest))
        tlvs[f"{kind:02x}"] = rest[3 : 3 + length]
        rest = rest[3 + length :]
    return tlvs


def _read_v1(line):
    words = line.decode("ascii", "replace").split()
    if len(words) < 2 or words[0] != "PROXY":
        raise BadHeader(repr(line))
    if words[1] == "UNKNOWN":
        return {"command": "LOCAL", "source": None, "destination": None, "tlvs": {}}
    return {
        "command": "PROXY",
        "source": [words[2], int(words[4])],
        "destination": [words[3], int(words[5])],
        "tlvs": {},
    }
