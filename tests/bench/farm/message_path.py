"""One contender between load and nodes of its own: what a run of messages through it cost."""
import dataclasses
import math
import os
import subprocess
import time

from . import accounting, programs, scenario, syscalls

SLOTS = 100  # of a node: several times the connections, so that no message waits for one
LATE_S = 0.02  # a run in which load was later at an arrival tells nothing about the balancer
_SESSIONS = 4000  # at a time, that the balancer must allow
_TRIES = 3
_SETTLED_NS = 100_000
_PAUSE_S = 0.05


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    size: int  # octets of the body
    per_connection: int
    connections: int
    count: int  # messages in a round
    rate: float = 0  # arrivals per second; 0: all connections are always busy

    def reduced(self, share):
        return dataclasses.replace(self, count=max(int(self.count * share), self.connections))


WORKLOADS = [
    Workload("4k x1", 4096, 1, 16, 8000),
    Workload("4k x100", 4096, 100, 16, 16000),
    Workload("75k x1", 75 * 1024, 1, 16, 6000),
    Workload("75k x100", 75 * 1024, 100, 16, 9600),
    Workload("10m x1", 10 * 1024 * 1024, 1, 4, 120),
    Workload("10m x100", 10 * 1024 * 1024, 100, 4, 400),
]
# Random arrivals, far below what any of them can do: for the time that a message takes.
STEADY = [
    Workload("4k x1 at 1,500/s", 4096, 1, 64, 6000, 1500),
    Workload("4k x100 at 1,500/s", 4096, 100, 64, 6000, 1500),
]
WARM_UP = Workload("warm-up", 4096, 10, 16, 320)


@dataclasses.dataclass
class Cost:
    cpu_us: float  # on a processor, per message
    per_second: float
    p50_us: float
    p99_us: float
    late_s: float
    not_accepted: int


class Path:
    """Sink and balancer, from start to stop."""

    def __init__(self, build, contender, directory, stack):
        self._build = build
        self._contender = contender
        self._sent = 0
        nodes = tuple(scenario.Node(name, SLOTS, 0) for name in ("n1", "n2"))
        self.sink = programs.Sink(build, scenario.Scenario(nodes), 1,
                                  os.path.join(directory, "sink.log"), contender.proxy)
        stack.callback(self.sink.process.stop)
        self.sink.start()
        self._balancer = None
        self.port = self.sink.nodes[0][2]
        if contender.start:
            self._balancer = contender.start(build, self.sink.nodes, directory, _SESSIONS)
            stack.callback(self._balancer.stop)
            self.port = self._balancer.port

    def run(self, workload):
        """Once more if the machine kept load from the processor, as long as there are tries."""
        for _ in range(_TRIES):
            cost = self._run(workload)
            if cost.late_s < LATE_S or cost.not_accepted:
                break
        return cost

    def _run(self, workload):
        before = self._run_time()
        summary = run_load(self._build, self.port, workload)
        self._sent += workload.count
        cpu_us = (self._settled_run_time() - before) / 1000 / workload.count
        return Cost(cpu_us, workload.count / summary["duration_s"],
                    1000 * summary.get("p50_ms", math.nan), 1000 * summary.get("p99_ms", math.nan),
                    summary["late_max_s"], workload.count - int(summary["accepted"]))

    def count_syscalls(self, workload):
        """System calls per message, counted apart: that costs time too."""
        counter = syscalls.Counter(accounting.processes(self._balancer.group))
        try:
            run_load(self._build, self.port, workload)
            self._sent += workload.count
            self._settled_run_time()
            return counter.stop() / workload.count
        finally:
            counter.kill()

    def finish(self):
        """Ends both; what the nodes complain about, a line each."""
        if self._balancer:
            self._balancer.finish()
        counts = self.sink.stop()
        return list(self._complaints(counts))

    def _complaints(self, counts):
        arrived = sum(int(node["messages"]) for node in counts)
        if arrived != self._sent:
            yield f"{self._contender.label}: {self._sent} messages sent, {arrived} arrived"
        for node in counts:
            for what in ("bad_messages", "bad_headers", "abandoned"):
                if int(node[what]):
                    yield f"{self._contender.label}: {node['node']}: {what}={node[what]}"

    def _run_time(self):
        return accounting.run_time(self._balancer.group) if self._balancer else 0

    def _settled_run_time(self):
        """When the balancer has done what remains to do after the last verdict: QUIT, closing."""
        last = self._run_time()
        for _ in range(40):
            time.sleep(_PAUSE_S)
            now = self._run_time()
            if now - last < _SETTLED_NS:
                return now
            last = now
        return last


def run_load(build, port, workload):
    """The summary of bench_load."""
    argv = [build.load, "--connect", f"127.0.0.1:{port}", "--limit", "120",
            "--connections", str(workload.connections), "--count", str(workload.count),
            "--per-connection", str(workload.per_connection), "--size", str(workload.size),
            "--rate", str(workload.rate)]
    out = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, timeout=150).stdout
    return {key: float(value) for key, value in (line.split("=") for line in out.split())}
