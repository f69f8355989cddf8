"""The usual topologies: ingress hosts with Millrace, scanner nodes, the mailbox at the end."""
import itertools
from dataclasses import dataclass

from . import ports
from .amavisd import Amavisd
from .balancer import Balancer
from .certificates import Certificates
from .client import Client, submit_locally
from .fake_node import FakeNode
from .gate import Gate
from .host import Host
from .journey import Journey
from .milter import Milter
from .network import Network
from .postfix import Postfix
from .postfix_settings import DOMAIN, HELD_DOMAIN
from .programs import merge
from .rbldnsd import Rbldnsd
from .sink import Sink

SENDER = "sender@sender.lab.test"


@dataclass
class Plan:
    """What to build. `nodes` are "amavisd" or "fake"; a fake one may be given its stall: "fake:dot".

    proxy: off, v1 or v2, said to the nodes and to the balancer alike.
    protocol: smtp or lmtp, between Postfix and the balancer.
    forward: amavisd's forward_method; None gives mail back to the host that submitted it.
    direct: the balancer has a pool "direct" that leads past the nodes to the first ingress's re-entry.
    millrace: without it Postfix submits to the first node itself.
    origin_tls: every milter publishes to all balancers, over TCP with TLS, not by a Unix socket.
    gates: each amavisd has a gate where the test may stop its messages.
    """

    ingresses: int = 2
    nodes: tuple = ("amavisd", "amavisd")
    proxy: str = "v2"
    protocol: str = "smtp"
    forward: str = None
    namespaces: bool = False
    direct: bool = False
    millrace: bool = True
    balancer: dict = None
    milter: dict = None
    main: dict = None
    filter_processes: int = 10
    gates: bool = False
    origin_tls: bool = False


@dataclass
class Ingress:
    host: Host
    postfix: Postfix
    milter: Milter = None
    balancer: Balancer = None


class Cluster:
    """Started when made; stopped with its lab."""

    def __init__(self, lab, plan):
        self.lab = lab
        self.plan = plan
        self._numbers = itertools.count(1)
        scanners = [f"scan{n + 1}" for n in range(len(plan.nodes))]
        names = [f"ingress{n + 1}" for n in range(plan.ingresses)]
        hosts = self.hosts = self._hosts(names, scanners)
        self.reentry = ports.free_port([hosts[name].address for name in names]
                                       if not plan.namespaces else ["127.0.0.1"])
        self.sink = Sink(lab)
        self._blocklists = {}
        self.nodes = [self._node(hosts[name], name, kind)
                      for name, kind in zip(scanners, plan.nodes)]
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_ready()
        self.certificates = Certificates(lab) if plan.origin_tls else None
        self.balancers = self._make_balancers([hosts[name] for name in names])
        self.ingresses = [self._ingress(hosts[name], n) for n, name in enumerate(names)]
        for balancer in self.balancers:
            balancer.wait_for_nodes(self.node_count)

    @property
    def balancer(self):
        return self.balancers[0]

    @property
    def node_count(self):
        """In all pools of a balancer."""
        return len(self.nodes) + (1 if self.plan.direct else 0)

    # Sending.

    def new_recipient(self, held=False, domain=DOMAIN):
        """`domain` is this Postfix's own, or below it."""
        return f"m{next(self._numbers)}@{HELD_DOMAIN if held else domain}"

    def connect(self, ingress=0):
        """An SMTP session with that ingress."""
        postfix = self.ingresses[ingress].postfix
        return Client(postfix.host, postfix.ingress_address, postfix.ingress)

    def send(self, sender, ingress=0, body=b"hello\r\n", header=b"", held=False, session=None):
        """Sends one message as the SMTP client `sender` (None: a local submission)."""
        recipient = self.new_recipient(held)
        data = b"Subject: " + recipient.encode() + b"\r\n" + header + b"\r\n" + body
        queue_id = None
        if sender is None:
            submit_locally(self.ingresses[ingress].postfix, SENDER, [recipient], data)
        elif session:
            session.speak_as(sender)
            queue_id = session.send(SENDER, [recipient], data)
        else:
            with self.connect(ingress) as session_of_its_own:
                session_of_its_own.speak_as(sender)
                queue_id = session_of_its_own.send(SENDER, [recipient], data)
        return Journey(self, ingress, recipient, queue_id, data)

    def send_to(self, recipients, sender, ingress=0, body=b"hello\r\n", mail_from=SENDER):
        """One message to them all, as the SMTP client `sender`; a journey for each recipient."""
        data = b"Subject: " + recipients[0].encode() + b"\r\n\r\n" + body
        with self.connect(ingress) as session:
            session.speak_as(sender)
            queue_id = session.send(mail_from, recipients, data)
        return [Journey(self, ingress, recipient, queue_id, data) for recipient in recipients]

    def send_raw(self, sender, data, ingress=0):
        """Sends exactly these bytes."""
        recipient = self.new_recipient()
        with self.connect(ingress) as session:
            session.speak_as(sender)
            queue_id = session.send(SENDER, [recipient], data)
        return Journey(self, ingress, recipient, queue_id, data)

    def hold_back(self, ingress=0):
        """From now on that ingress queues mail and submits none of it to the filter."""
        self.ingresses[ingress].postfix.change(defer_transports="millrace")

    def let_go(self, ingress=0):
        """Submits what was held back, all at once."""
        self.ingresses[ingress].postfix.change(defer_transports="")
        self.ingresses[ingress].postfix.flush()

    # Building.

    def _hosts(self, ingresses, scanners):
        octets = {name: 1 + n for n, name in enumerate(ingresses)}
        octets.update({name: 11 + n for n, name in enumerate(scanners)})
        if self.plan.namespaces:
            return Network(self.lab, octets).hosts
        # 127.0.0.1 is the balancer's: whoever confuses it with a peer or a node is found out.
        return {name: Host(name, f"127.0.0.{1 + octet}") for name, octet in octets.items()}

    def _node(self, host, name, kind):
        if kind.startswith("fake"):
            stall = kind.partition(":")[2] or None
            return FakeNode(self.lab, host, name, self.plan.proxy, stall)
        return Amavisd(
            self.lab, host, name,
            forward=(self.plan.forward or "smtp:[*]:{reentry}").format(reentry=self.reentry),
            proxy=self.plan.proxy,
            dns=self._blocklist(host).endpoint,
            gate=Gate(self.lab, name) if self.plan.gates else None,
        )

    def _blocklist(self, host):
        if host.netns not in self._blocklists:
            where = host if host.netns else Host("dns")
            self._blocklists[host.netns] = Rbldnsd(self.lab, where)
            self._blocklists[host.netns].start()
        return self._blocklists[host.netns]

    def _make_balancers(self, hosts):
        if not self.plan.millrace:
            return []
        where = hosts if self.plan.namespaces else [Host("balancer")]
        settings = {"pool.scanners": {"send-proxy": self.plan.proxy},
                    "listener.filter": {"mode": self.plan.protocol}}
        if self.plan.direct:
            reentry = f"{self.hosts['ingress1'].address}:{self.reentry}"
            settings["pool.direct"] = {"node": f"reentry {reentry}", "send-proxy": "off",
                                       "inter": "500ms", "fastinter": "200ms",
                                       "rise": "1", "fall": "2"}
        made = []
        for host in where:
            balancer = Balancer(self.lab, host, self.nodes, settings)
            if self.certificates:
                balancer.listen_for_origins_over_tls(
                    self.certificates.issue(f"{host.name}-balancer", host.address))
            balancer.settings = merge(balancer.settings, self.plan.balancer or {})
            balancer.start()
            made.append(balancer)
        return made

    def _ingress(self, host, number):
        balancer = self.balancers[number % len(self.balancers)] if self.balancers else None
        main = {}
        milter = None
        if balancer:
            milter = Milter(self.lab, host, [balancer.origin_socket], self.plan.milter)
            if self.certificates:
                origins = [f"{one.host.address}:{one.origin_port}" for one in self.balancers]
                milter.publish_over_tls(
                    origins, self.certificates.issue(f"{host.name}-milter", host.address))
            milter.start()
            main["smtpd_milters"] = milter.endpoint
            main["content_filter"] = f"millrace:[{balancer.address}]:{balancer.port}"
        else:
            node = self.nodes[0]
            main["content_filter"] = f"millrace:[{node.address}]:{node.port}"
        main.update(self.plan.main or {})
        service = {"protocol": self.plan.protocol, "processes": self.plan.filter_processes}
        postfix = Postfix(self.lab, host, self.sink.path, self.reentry, main, service)
        postfix.start()
        return Ingress(host, postfix, milter, balancer)

