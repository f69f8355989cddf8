"""A balancer that takes records into SQLite, in a directory of its own, and what it says of itself."""
import os
import re
import sqlite3
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e"))

# pylint: disable=wrong-import-position
from lab import programs  # noqa: E402
from lab.ports import free_port  # noqa: E402
from lab.process import Process  # noqa: E402

from . import processor  # noqa: E402


class OriginService:
    """The defaults of an operator, with a node that is never asked anything."""

    def __init__(self, build, directory):
        self.name = "balancer"
        self._http = free_port()
        self.socket = os.path.join(directory, "origin.sock")
        self.database = os.path.join(directory, "origins.db")
        config = os.path.join(directory, "balancer.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(programs.render({
                "http": {"listen": f"127.0.0.1:{self._http}"},
                "origin": {"listen": f"unix:{self.socket}", "store": f"sqlite:{self.database}"},
                "listener.filter": {"bind": f"127.0.0.1:{free_port()}", "pool": "scanners"},
                "pool.scanners": {"node": "n1 127.0.0.1:9 disabled"},
            }))
        self.process = Process("millrace-balancer", [program(build), "--config", config],
                               os.path.join(directory, "balancer.log"))

    def start(self):
        self.process.start()
        self.process.wait_until_ready(self._is_ready, "started")

    def stop(self):
        self.process.stop()

    def kill(self):
        """Nothing that it still wanted to do is done."""
        self.process.kill()

    def commits(self):
        return int(self._metric("millrace_origin_commits_total"))

    def processor_seconds(self):
        """(of the event loop, of the other threads, which is the one that runs SQLite)."""
        threads = processor.thread_seconds(self.process.child.pid)
        loop = threads.pop(self.process.child.pid)
        return loop, sum(threads.values())

    def records(self):
        """How many there are on disk for each ingress. Not before it has ended."""
        connection = sqlite3.connect(self.database)
        try:
            return dict(connection.execute("SELECT ingress, count(*) FROM origins GROUP BY ingress"))
        finally:
            connection.close()

    def _is_ready(self):
        return os.path.exists(self.socket) and any(
            "event=started" in line or " started" in line for line in self.process.log.lines())

    def _metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._http}/metrics", timeout=10) as answer:
            return re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE).group(1)


def program(build, name="bin/millrace-balancer"):
    path = os.path.join(os.path.abspath(build), name)
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: cmake --build {build} --target "
                         f"{os.path.basename(name)}")
    return path
