"""A Postfix that takes mail on several ports, each with its own milters, and throws it away."""
import subprocess
import time

from . import origin_service, processor  # noqa: F401  pylint: disable=unused-import; finds the lab

# pylint: disable=wrong-import-position
from lab import postfix_settings, wait  # noqa: E402
from lab.host import Host  # noqa: E402
from lab.postfix import Postfix  # noqa: E402
from lab.ports import free_port  # noqa: E402

SMTP_SOURCE = "/usr/sbin/smtp-source"
_RECIPIENT = f"anybody@{postfix_settings.DOMAIN}"


class Ingress(Postfix):
    """`milters`: {label: smtpd_milters}. The ports are alike but for that."""

    def __init__(self, lab, milters):
        host = Host("ingress")
        super().__init__(lab, host, None, host.free_port(), main={
            "relay_transport": "discard:",
            # The smtpd processes of all ports live through a batch, and none is short of them.
            "default_process_limit": "200",
        })
        self._milters = milters
        self.ports = {label: free_port() for label in milters}

    def configure(self):
        super().configure()
        with open(f"{self.config}/master.cf", "a", encoding="utf-8") as file:
            for label, port in self.ports.items():
                file.write(f"127.0.0.1:{port} inet n - n - - smtpd\n"
                           f"  -o smtpd_milters={self._milters[label]}\n")

    def start(self):
        super().start()
        for port in self.ports.values():
            self.process.wait_until_ready(
                lambda port=port: self.host.is_listening("127.0.0.1", port), f"port {port}")

    def send(self, label, count, sessions, size, per_session):
        """Messages per second, until the last one was accepted."""
        argv = [SMTP_SOURCE, "-s", str(sessions), "-m", str(count), "-l", str(size),
                "-f", "somebody@sender.lab.test", "-t", _RECIPIENT]
        argv += ["-d"] if per_session else []
        began = time.monotonic()
        subprocess.run([*argv, f"inet:127.0.0.1:{self.ports[label]}"], check=True, timeout=600)
        return count / (time.monotonic() - began)

    def settle(self):
        """Until everything is delivered: what is left would slow the next batch."""
        wait.until(lambda: not self.queued(), "an empty queue", 300)

    def processor_seconds(self):
        return processor.family_seconds(self.process.child.pid)
