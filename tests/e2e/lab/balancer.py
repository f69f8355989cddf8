"""millrace-balancer: its configuration, its life, its log lines and its metrics."""
import re

from . import logline, programs, wait
from .ctl import Ctl
from .process import Process


class Balancer:
    """One balancer for the hosts and nodes given. Restarting it keeps ports, store and log.

    `settings` is laid over the configuration below: {"pool.scanners": {"xforward": "off"}}.
    """

    def __init__(self, lab, host, nodes, settings=None):
        self.host = host
        self.name = f"balancer@{host.name}"
        self.port = host.free_port()
        self.http = host.free_port()
        self.origin_port = None
        self.origin_socket = lab.path(f"{host.name}-origin.sock")
        self.ctl = Ctl(lab, host)
        directory = lab.directory(f"{host.name}-balancer")
        self.address = "127.0.0.1"
        self.settings = programs.merge(
            {
                "log-level": "info",
                "log-target": "stderr",
                "origin": {
                    "listen": f"unix:{self.origin_socket}",
                    "store": f"sqlite:{directory}/origins.db",
                },
                "admin": {"listen": f"unix:{self.ctl.socket}"},
                "http": {"listen": f"127.0.0.1:{self.http}"},
                "listener.filter": {
                    "bind": f"{self.address}:{self.port}",
                    "mode": "smtp",
                    "pool": "scanners",
                    "trusted-networks": "127.0.0.0/8",
                },
                "pool.scanners": {
                    "balance": "roundrobin",
                    "send-proxy": "v2",
                    "node": [f"{n.name} {n.address}:{n.port} maxconn=2" for n in nodes],
                    "inter": "500ms",
                    "fastinter": "200ms",
                    "rise": "1",
                    "fall": "2",
                },
            },
            settings or {},
        )
        self._config = f"{host.name}-balancer.conf"
        self._lab = lab
        self.process = Process(
            self.name,
            host.command(
                [programs.path_of("millrace-balancer"), "--config", lab.path(self._config)]
            ),
            lab.path(f"{host.name}-balancer.log"),
        )
        self.log = self.process.log
        lab.add(self)

    def listen_for_origins_over_tls(self, keys):
        """On the host's address instead of a Unix socket, open to the whole lab's network."""
        self.origin_port = self.host.free_port()
        keys = {"listen": f"{self.host.address}:{self.origin_port}",
                "trusted-networks": "198.18.0.0/24", **keys}
        self.settings = programs.merge(self.settings, {"origin": keys})

    def start(self):
        self._lab.write(self._config, programs.render(self.settings))
        self.process.start()
        self.process.wait_until_ready(
            lambda: self.host.is_listening(self.address, self.port)
            and self.host.is_listening("127.0.0.1", self.http),
            f"ports {self.port} and {self.http}",
        )

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()

    def logs(self):
        return [self.log]

    def messages(self, mark=0):
        """The one line of every message, as dicts; `subject` is the queue ID."""
        lines = [logline.parse(line) for line in self.log.grep(r": message ", mark)]
        return [line for line in lines if line and line["event"] == "message"]

    def wait_for_message(self, is_it, what, mark=0, deadline=30.0):
        def found():
            return [line for line in self.messages(mark) if is_it(line)]

        return wait.until(found, f"{self.name} logging {what}", deadline)[0]

    def state_changes(self, mark=0):
        """The lines about nodes that changed their state, as dicts; `subject` is POOL/NODE."""
        lines = [logline.parse(line) for line in self.log.grep(r": node state=", mark)]
        return [line for line in lines if line]

    def metric(self, name):
        """The sum of a metric over all its labels; 0 when it is not there."""
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)", self.metrics(), re.MULTILINE)
        return sum(float(value) for value in values)

    def metrics(self):
        return self.get("/metrics")

    def get(self, path):
        with self.host.connect("127.0.0.1", self.http) as sock:
            sock.sendall(f"GET {path} HTTP/1.0\r\nHost: lab\r\n\r\n".encode())
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"GET {path}: {head.decode()}")
        return body.decode()

    def wait_for_nodes(self, count):
        """Until that many nodes are up."""
        wait.until(
            lambda: self.metric("millrace_node_up") == count,
            lambda: f"{count} nodes up at {self.name}: {self.metrics()}",
        )
