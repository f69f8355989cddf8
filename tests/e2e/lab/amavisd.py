"""One scanner node: a stock amavisd with SpamAssassin and a configuration of its own."""
import re
from dataclasses import dataclass

from . import amavisd_settings, wait
from .gate import STOPPED
from .logfile import LogFile
from .process import Process

_USER = "amavis"


@dataclass
class Facts:
    """What amavisd believed about one message.

    Messages of one `connection` came in one after another over the same one.
    """

    connection: str
    peer: str  # the host that connected, which forward_method smtp:[*] answers to
    client: str  # the SMTP client that gave the message to Postfix; "" if unknown
    port: str
    queue_id: str
    mail_id: str
    banks: list
    helo: str
    tests: list
    recipients: list
    response: str  # where it forwarded to, and what that host answered
    node: str = ""


_FACTS = re.compile(
    r"\((?P<connection>\d+-\d+)\S*\) FACTS peer=(?P<peer>\S*) client=(?P<client>\S*) port=(?P<port>\d*) queue=(?P<queue_id>\S*)"
    r" mail_id=(?P<mail_id>\S*) banks=(?P<banks>\S*) helo=(?P<helo>\S*) tests=(?P<tests>\S*)"
    r" rcpts=(?P<recipients>\S*) response=(?P<response>.*)"
)


class Amavisd:
    """`proxy` is off, v1 (amavisd's own haproxy_target_enabled) or v2 (the module of contrib).

    `forward` is a forward_method. Mail from the listed addresses gets the policy bank LISTED,
    chosen by @client_ipaddr_policy. With a `gate` messages can be stopped in the node.
    """

    def __init__(self, lab, host, name, forward, proxy="v2", servers=2, dns=None, gate=None):
        self.host = host
        self.name = name
        self.gate = gate
        self.port = host.free_port()
        home = lab.directory(name, owner=_USER)
        for part in ("tmp", "db", "quarantine"):
            lab.directory(f"{name}/{part}", owner=_USER)
        self.log = LogFile(lab.path(f"{name}/amavis.log"))
        amavisd_settings.write_spamassassin(lab, name, dns)
        lab.write(
            f"{name}.conf",
            amavisd_settings.configuration(
                self, home, forward, servers, extra=gate.amavisd_hook if gate else ""
            ),
        )
        self._mark = 0
        files = [lab.path(f"{name}.conf"), *amavisd_settings.proxy_snippets(lab, name, proxy)]
        options = [word for file in files for word in ("-c", file)]
        self.process = Process(
            name,
            host.command(["/usr/sbin/amavisd", *options, "foreground"]),
            lab.path(f"{name}.out"),
        )
        lab.add(self)

    @property
    def address(self):
        return self.host.address

    def start(self):
        self.launch()
        self.wait_until_ready()

    def launch(self):
        self._mark = self.log.mark()
        self.process.start()

    def wait_until_ready(self):
        """By its log: a bare connect would cost it a child where it expects a PROXY header."""
        self.process.wait_until_ready(
            lambda: self.log.grep("ready for work", self._mark), "ready for work"
        )

    def stop_at_gate(self, count):
        """Closes the gate, and waits until that many messages have come to it."""
        mark = self.log.mark()
        self.gate.close()
        wait.until(lambda: len(self.log.grep(STOPPED, mark)) == count,
                   lambda: f"{count} messages at the gate of {self.name}: {self.log.tail(20)}")

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.thaw()

    def logs(self):
        return [self.log, self.process.log]

    def facts(self):
        found = []
        for line in self.log.grep("FACTS peer="):
            match = _FACTS.search(line)
            if not match:
                raise ValueError(f"not a line of ours: {line}")
            fields = match.groupdict()
            for name, separator in (("banks", "/"), ("tests", ","), ("recipients", ",")):
                fields[name] = [each for each in fields[name].split(separator) if each]
            fields["tests"] = [each.partition("=")[0] for each in fields["tests"]]
            fields["recipients"] = [each.strip("<>") for each in fields["recipients"]]
            found.append(Facts(**fields, node=self.name))
        return found

    def facts_about(self, recipient):
        return [each for each in self.facts() if recipient in each.recipients]

    def wait_for_facts(self, recipient, deadline=30.0):
        return wait.until(
            lambda: self.facts_about(recipient), f"{self.name} logging {recipient}", deadline
        )[0]
