"""One real Postfix, and two ways from it to the same real amavisd nodes: HAProxy and Millrace."""
import itertools
import threading

from . import postfix_log, programs  # the latter makes the lab known
from .path_account import HAPROXY, MILLRACE, Sent, account

# pylint: disable=wrong-import-position
from lab import ports, postfix_settings, wait  # noqa: E402
from lab.amavisd import Amavisd  # noqa: E402
from lab.balancer import Balancer  # noqa: E402
from lab.client import Client, Sender  # noqa: E402
from lab.host import Host  # noqa: E402
from lab.milter import Milter  # noqa: E402
from lab.postfix import Postfix  # noqa: E402
from lab.sink import Sink  # noqa: E402

_TRANSPORT = "millrace"  # as the lab's Postfix calls it; the same for both
_SENDER = "sender@sender.lab.test"
_CLIENT = Sender("198.51.100.7")
_LINE = b"The quick brown fox jumps over the lazy dog, and on.\r\n"
_DELIVERED_WITHIN = 60.0
# What the lab's balancer has otherwise than one whose operator says nothing.
_OF_THE_LAB = ("balance", "send-proxy", "inter", "fastinter", "rise", "fall")


class FilterPaths:
    """Started when made; stopped with its lab. HAProxy only where it is installed."""

    def __init__(self, lab, children, size):
        self._ingress = Host("ingress1", "127.0.0.2")
        self._numbers = itertools.count(1)
        self._body = _LINE * (size // len(_LINE) + 1)
        self._sink = Sink(lab)
        self._reentry = ports.free_port((self._ingress.address,))
        self._slots = children - 1  # as recommended: the health check needs a child too
        nodes = self._start_nodes(lab, children)
        balancer = self._start_millrace(lab, nodes)
        self._ports = {MILLRACE: balancer.port}
        if programs.has_haproxy():
            self._ports[HAPROXY] = self._start_haproxy(lab, nodes).port
        self._postfix = self._start_postfix(lab, balancer)
        balancer.wait_for_nodes(len(nodes))

    @property
    def names(self):
        return sorted(self._ports)

    def run(self, orders):
        """Sends messages; an order is a list of paths. The messages of an order go one after another,
        the orders go at the same time. ({path: deliveries}, what went wrong)."""
        clients = [_Client(self, order) for order in orders]
        for client in clients:
            client.thread.start()
        for client in clients:
            client.thread.join()
        for client in clients:
            if client.failure:
                raise client.failure
        self._settle()
        sent = [message for client in clients for message in client.sent]
        return account(self._ports, sent, postfix_log.deliveries(self._postfix.log.lines()),
                       self._sink.copies())

    def session(self):
        return Client(self._ingress, self._postfix.ingress_address, self._postfix.ingress)

    def send(self, path, session):
        """Sends one message, and waits until Postfix is done with it."""
        recipient = f"m{next(self._numbers)}@{_domain(path)}"
        mark = self._postfix.log.mark()
        data = b"Subject: " + recipient.encode() + b"\r\n\r\n" + self._body
        queue_id = session.send(_SENDER, [recipient], data)
        wait.until(lambda: self._postfix.log.grep(f" {queue_id}: to=.* status=sent ", mark),
                   f"the end of {queue_id}", _DELIVERED_WITHIN)
        return Sent(path, recipient, queue_id)

    def _settle(self):
        """All is delivered, and no connection is left that the next message could use."""
        self._postfix.wait_until_empty()
        wait.until(lambda: not any(map(ports.connections_to, self._ports.values())),
                   "the end of all connections to the filter")

    def _start_nodes(self, lab, children):
        nodes = [Amavisd(lab, Host(name), name, f"smtp:[*]:{self._reentry}", servers=children)
                 for name in ("scan1", "scan2")]
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait_until_ready()
        return nodes

    def _start_millrace(self, lab, nodes):
        balancer = Balancer(lab, Host("balancer"), nodes, {"pool.scanners": {
            **dict.fromkeys(_OF_THE_LAB),
            "node": [f"{node.name} {node.address}:{node.port} maxconn={self._slots}"
                     for node in nodes],
        }})
        balancer.start()
        return balancer

    def _start_haproxy(self, lab, nodes):
        haproxy = programs.start_haproxy(
            [(node.name, self._slots, node.port) for node in nodes],
            lab.directory("haproxy"), "leastconn")
        return lab.add(haproxy)

    def _start_postfix(self, lab, balancer):
        milter = Milter(lab, self._ingress, [balancer.origin_socket])
        milter.start()
        total = 2 * self._slots
        # One client, one queue, one transport for all: the recipient decides the next hop alone.
        filters = ", ".join(f"{{{_domain(path)} = FILTER {_TRANSPORT}:[127.0.0.1]:{port}}}"
                            for path, port in self._ports.items())
        settings = {
            "smtpd_milters": milter.endpoint,
            "smtpd_recipient_restrictions": f"check_recipient_access inline:{{{filters}}}, permit",
            "delay_logging_resolution_limit": "6",
            # As contrib/postfix has them.
            f"{_TRANSPORT}_destination_concurrency_limit": total,
            f"{_TRANSPORT}_initial_destination_concurrency": total,
            f"{_TRANSPORT}_destination_concurrency_failed_cohort_limit": 0,
        }
        postfix = Postfix(lab, self._ingress, self._sink.path, self._reentry, settings,
                          {"processes": 2 * total})
        postfix.start()
        return postfix


class _Client:
    """Who brings the messages of one order to Postfix, in a session of its own."""

    def __init__(self, paths, order):
        self.sent = []
        self.failure = None
        self._paths = paths
        self._order = order
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        try:
            with self._paths.session() as session:
                session.speak_as(_CLIENT)
                for path in self._order:
                    self.sent.append(self._paths.send(path, session))
        except Exception as failure:  # raised again by who waits for the thread
            self.failure = failure


def _domain(path):
    return f"{path.lower()}.{postfix_settings.DOMAIN}"
