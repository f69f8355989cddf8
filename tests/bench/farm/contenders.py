"""What stands between load and nodes when the cost of a message is measured."""
import dataclasses
import typing

from . import programs


@dataclasses.dataclass(frozen=True)
class Contender:
    label: str
    proxy: str  # the header that its nodes demand
    # (build, nodes, directory, sessions at a time) -> programs.Balancer; None: straight to a node.
    start: typing.Callable | None


REFERENCE = "HAProxy"
DIRECT = "direct"


def _millrace(changes):
    def start(build, nodes, directory, _sessions):  # its default allows more than are opened
        return programs.start_millrace(build, nodes, directory, "leastconn", changes)
    return start


def installed():
    """Those that can be started here; Millrace first."""
    # Connections to the nodes serve several messages only where XFORWARD alone tells the origin.
    reuse = {"pool.scanners": {"reuse": "safe", "tlv": "off"}}
    found = [Contender("Millrace", "v2", _millrace({})),
             Contender("Millrace reuse=safe", "v2", _millrace(reuse))]
    if programs.has_haproxy():
        found.append(Contender(REFERENCE, "v2", lambda _, nodes, directory, sessions:
                               programs.start_haproxy(nodes, directory, "leastconn", sessions)))
    if programs.has_nginx():
        found.append(Contender("nginx stream", "v1", lambda _, nodes, directory, sessions:
                               programs.start_nginx(nodes, directory, sessions)))
    found.append(Contender("bare relay", "v2", lambda build, nodes, directory, _:
                           programs.start_relay(build, nodes, directory)))
    return found + [Contender(DIRECT, "off", None)]
