"""The programs of a run: the sink, the balancers before it, and the load."""
import itertools
import os
import re
import subprocess
import sys
import urllib.request

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(BENCH), "e2e"))

# pylint: disable=wrong-import-position
from lab import programs, wait  # noqa: E402
from lab.ports import free_port  # noqa: E402
from lab.process import Process  # noqa: E402

HAPROXY = "/usr/sbin/haproxy"
NGINX = "/usr/sbin/nginx"
NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"
_LONG = "10m"  # no time-out of a balancer may end a message


class Build:
    """Where the programs are that were built."""

    def __init__(self, directory):
        directory = os.path.abspath(directory)
        self.balancer = os.path.join(directory, "bin", "millrace-balancer")
        self.load = os.path.join(directory, "tests", "bench_load")
        self.relay = os.path.join(directory, "tests", "bench_relay")
        self.sink = os.path.join(directory, "tests", "bench_sink")
        for path in (self.balancer, self.load, self.relay, self.sink):
            if not os.access(path, os.X_OK):
                raise SystemExit(f"{path} is not there: cmake --build {directory} --target "
                                 "millrace-balancer bench_load bench_relay bench_sink")


class Sink:
    """The nodes of a scenario. `nodes` are (name, slots, port) once it has started."""

    def __init__(self, build, scenario, seed, log, proxy="v2", options=()):
        argv = [build.sink, "--proxy", proxy, "--seed", str(seed), *options]
        for node in scenario.nodes:
            argv += ["--node", f"{node.name},{node.slots},{node.mean:.9f}"]
        self._scenario = scenario
        self.process = Process("bench_sink", argv, log)
        self.nodes = []

    def start(self):
        self.process.start()
        self.process.wait_until_ready(lambda: "ready" in self.process.log.lines(), "ready")
        found = re.findall(r"^(\S+) 127\.0\.0\.1:(\d+)$", "\n".join(self.process.log.lines()),
                           re.MULTILINE)
        ports = {name: int(port) for name, port in found}
        self.nodes = [(node.name, node.slots, ports[node.name]) for node in self._scenario.nodes]

    def stop(self):
        """Ends it; the counts of each node, as dicts of text."""
        self.process.stop()
        lines = [line for line in self.process.log.lines() if line.startswith("node=")]
        return [dict(pair.split("=", 1) for pair in line.split()) for line in lines]


class Balancer:
    """A program between load and sink: what differs is its command and its configuration."""

    def __init__(self, name, argv, log, http=None):
        self.port = None
        self.group = None  # of the processes
        self._http = http
        self.process = Process(name, argv, log)

    def start(self, port):
        self.port = port
        self.process.start()
        self.group = self.process.child.pid
        self.process.wait_until_ready(lambda: _is_listening(port), f"port {port}")
        if self._http:
            self.process.wait_until_ready(lambda: _is_listening(self._http), "metrics")
            self.process.wait_until_ready(self._has_all_nodes, "all nodes checked")

    def finish(self):
        """Ends it. Before that, where it can be asked: every slot is free again, no node is down."""
        if self._http:
            wait.until(lambda: self._metric("millrace_node_in_flight") == 0, "all slots free")
            if not self._has_all_nodes():
                raise RuntimeError("a node is down: " + self.process.log.path)
        self.stop()

    def stop(self):
        self.process.stop()

    def _has_all_nodes(self):
        return self._metric("millrace_node_up") == self._metric("millrace_node_up", count=True)

    def _metric(self, name, count=False):
        """The sum over all labels, or how many there are."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._http}/metrics", timeout=10) as answer:
            values = re.findall(rf"^{name}{{.*}} (\S+)$", answer.read().decode(), re.MULTILINE)
        return len(values) if count else sum(map(float, values))


def start_millrace(build, nodes, directory, balance, changes=None):
    """The defaults of an operator, the checks included; maxconn is all of a node's children.

    `changes` of the settings are by section.
    """
    port, http = free_port(), free_port()
    settings = {
        "http": {"listen": f"127.0.0.1:{http}"},
        "origin": {"listen": f"unix:{directory}/origin.sock", "store": "memory:"},
        "listener.filter": {"bind": f"127.0.0.1:{port}", "pool": "scanners"},
        "pool.scanners": {
            "balance": balance,
            "node": [f"{name} 127.0.0.1:{at} maxconn={slots}" for name, slots, at in nodes],
            "queue-timeout": _LONG,
            "greeting-timeout": _LONG,
        },
    }
    config = _write(directory, "balancer.conf", programs.render(
        programs.merge(settings, changes or {})))
    balancer = Balancer("millrace-balancer", [build.balancer, "--config", config],
                        os.path.join(directory, "balancer.log"), http)
    balancer.start(port)
    return balancer


def start_haproxy(nodes, directory, balance, sessions=4000):
    """As operators put it before amavisd; without checks, which could only take nodes away."""
    port = free_port()
    lines = ["global", "    nbthread 1", f"    maxconn {sessions}", "defaults", "    mode tcp"]
    lines += [f"    timeout {what} {_LONG}" for what in ("connect", "client", "server", "queue")]
    lines += ["listen filter", f"    bind 127.0.0.1:{port}", f"    balance {balance}"]
    lines += [f"    server {name} 127.0.0.1:{at} send-proxy-v2 maxconn {slots}"
              for name, slots, at in nodes]
    config = _write(directory, "haproxy.cfg", "\n".join(lines) + "\n")
    balancer = Balancer("haproxy", [HAPROXY, "-db", "-f", config],
                        os.path.join(directory, "haproxy.log"))
    balancer.start(port)
    return balancer


def start_relay(build, nodes, directory):
    """A loop that passes octets on: what reading and writing alone cost."""
    port = free_port()
    argv = [build.relay, "--listen", str(port)]
    argv += [f"--node={at}" for _, _, at in nodes]
    balancer = Balancer("bench_relay", argv, os.path.join(directory, "relay.log"))
    balancer.start(port)
    return balancer


def start_nginx(nodes, directory, sessions=4000):
    """One worker. It knows no PROXY header but version 1 towards the nodes."""
    port = free_port()
    with open(os.path.join(BENCH, "farm", "nginx.conf.in"), encoding="utf-8") as file:
        text = file.read()
    values = {
        "MODULE": NGINX_STREAM, "DIRECTORY": directory, "PORT": port, "TIMEOUT": _LONG,
        "CONNECTIONS": 2 * sessions + 100,
        "SERVERS": " ".join(f"server 127.0.0.1:{at};" for _, _, at in nodes),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    config = _write(directory, "nginx.conf", text)
    balancer = Balancer("nginx", [NGINX, "-p", directory, "-e", "stderr", "-c", config],
                        os.path.join(directory, "nginx.log"))
    balancer.start(port)
    return balancer


class Load:
    """One run of bench_load."""

    def __init__(self, build, scenario, port, rate, count, seed, samples):
        self._samples = samples
        self._count = count
        self._limit = 2 * count / rate + 120
        self._argv = [
            build.load, "--connect", f"127.0.0.1:{port}", "--rate", str(rate), "--count",
            str(count), "--seed", str(seed), "--connections", str(scenario.connections),
            "--per-connection", str(scenario.per_connection), "--idle-close",
            str(scenario.idle_close), "--limit", str(self._limit), "--samples", samples,
        ]
        self._child = None

    def start(self):
        self._child = subprocess.Popen(self._argv, stdout=subprocess.PIPE, text=True)

    def wait(self):
        """(seconds of each accepted message, messages without a 2xx, seconds it was late)."""
        out, _ = self._child.communicate(timeout=self._limit + 30)
        if self._child.returncode != 0:
            raise RuntimeError(f"bench_load ended with {self._child.returncode}")
        summary = dict(line.split("=") for line in out.split())
        with open(self._samples, encoding="utf-8") as file:
            samples = [line.split() for line in file]
        times = [float(time) for _, outcome, time in samples if outcome == "accepted"]
        return times, self._count - len(times), float(summary["late_max_s"])

    def stop(self):
        if self._child and self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def versions(build):
    """What is compared, for the head of the table."""
    commands = [[build.balancer, "--version"]]
    if has_haproxy():
        commands.append([HAPROXY, "-v"])
    if has_nginx():
        commands.append([NGINX, "-v"])
    texts = [subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=True).stdout
             for command in commands]
    return [text.split("\n")[0].split(" - ")[0] for text in texts]


def has_haproxy():
    return os.access(HAPROXY, os.X_OK)


def has_nginx():
    return os.access(NGINX, os.X_OK) and os.path.exists(NGINX_STREAM)


def _write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _is_listening(port):
    wanted = f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        # Those that listen come first; thousands that are no more may follow.
        listening = itertools.takewhile(lambda row: row[3] == "0A", map(str.split, file))
        return any(row[1] == wanted for row in listening)
