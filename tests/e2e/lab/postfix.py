"""A private Postfix instance: the ingress and the re-entry of one host."""
import json
import os
import re
import subprocess

from . import postfix_settings, wait
from .logfile import LogFile
from .process import Process

_TOOLS = "/usr/sbin"
_MASTER = "/usr/lib/postfix/sbin/master"


class Postfix:
    """Configuration, queue, data and log are private; ports are high.

    Ports: `ingress` (smtpd, with the milter, XCLIENT allowed, to the content filter) and `reentry`
    (takes the mail back from the filter and delivers it to the mailbox).
    """

    def __init__(self, lab, host, sink_path, reentry_port, main=None, filter_service=None):
        self.host = host
        self.name = f"postfix@{host.name}"
        self.hostname = f"{host.name}.lab.test"
        self.ingress = host.free_port()
        self.reentry = reentry_port
        self.config = lab.directory(f"{host.name}-postfix")
        self.queue = lab.directory(f"{host.name}-queue")
        self.log = LogFile(lab.path(f"{host.name}-mail.log"))
        self._data = lab.directory(f"{host.name}-postfix-data", owner="postfix")
        self._sink_path = sink_path
        self._lab = lab
        self.main = dict(main or {})
        self.filter_service = dict(filter_service or {})
        self.process = Process(
            self.name,
            host.command([_MASTER, "-c", self.config, "-d"]),
            lab.path(f"{host.name}-master.log"),
        )
        lab.add(self)

    def configure(self):
        settings = postfix_settings.main(self, self._sink_path, self._data)
        settings.update(self.main)
        text = "".join(f"{key} = {value}\n" for key, value in settings.items())
        self._lab.write(f"{self.host.name}-postfix/main.cf", text)
        self._lab.write(
            f"{self.host.name}-postfix/master.cf",
            postfix_settings.master(self, self.filter_service),
        )

    def start(self):
        self.configure()
        self._run("postfix", "-c", self.config, "check")
        self.process.start()
        for address, port in ((self.ingress_address, self.ingress), (self.host.address, self.reentry)):
            self.process.wait_until_ready(
                lambda: self.host.is_listening(address, port), f"port {port}"
            )

    @property
    def ingress_address(self):
        """Where the clients of the tests connect."""
        return self.host.local_address

    def change(self, **settings):
        """New main.cf settings, read by every Postfix process that starts from now on."""
        self.main.update(settings)
        self.configure()
        self._run("postfix", "-c", self.config, "reload")

    def stop(self):
        self.process.stop()

    def logs(self):
        return [self.log, self.process.log]

    # The queue.

    def queued(self):
        """postqueue -j: one dict for every message in the queue."""
        out = self._run("postqueue", "-c", self.config, "-j")
        return [json.loads(line) for line in out.splitlines()]

    def flush(self):
        """Try everything now, suspended destinations included."""
        self._run("postqueue", "-c", self.config, "-f")

    def wait_until_empty(self, deadline=120.0):
        """Until nothing is in the queue."""
        skips_seen = 0

        def is_empty():
            # A queue run that meets a message still locked leaves it alone for minutes.
            nonlocal skips_seen
            skips = len(self.log.grep(r": skipped, still being delivered"))
            if skips > skips_seen:
                skips_seen = skips
                self.flush()
            return not self.queued()

        wait.until(is_empty, lambda: f"an empty queue: {self.queued()}", deadline)

    def requeue(self, queue_id):
        self._run("postsuper", "-c", self.config, "-r", queue_id)

    def release(self, queue_id="ALL"):
        """Lets a message go that the ingress held."""
        self._run("postsuper", "-c", self.config, "-H", queue_id)

    # The log.

    def history(self, queue_id):
        """Every log line of that queue ID."""
        return self.log.grep(rf" {re.escape(queue_id)}: ")

    def deferrals(self, mark=0):
        return self.log.grep(r"status=deferred", mark)

    def suspensions(self, mark=0):
        """Where Postfix gave the whole filter up for a while, new mail included."""
        return self.log.grep(r"delivery temporarily suspended", mark)

    def _run(self, tool, *arguments):
        result = subprocess.run(
            self.host.command([os.path.join(_TOOLS, tool), *arguments]),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RuntimeError(f"{tool} {arguments}: {result.stdout}{result.stderr}")
        return result.stdout
