"""What sessions cost that say nothing: memory, node connections, descriptors."""
import dataclasses
import os
import resource
import subprocess

from . import accounting, programs, scenario

_OTHERS = 100  # descriptors of a program beside its sessions


@dataclasses.dataclass
class Idle:
    kilobytes: float  # a session
    node_connections: int
    descriptors: int
    lost: int  # sessions that were not to be had, or were closed


def raise_limit():
    """Lets this process and those that it starts have as many descriptors as they may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def possible(wanted):
    """Sessions for which a balancer that takes a node connection for each has the descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, (hard - _OTHERS) // 2)


def measure(build, contender, sessions, directory, stack):
    """Opens the sessions, looks, closes them."""
    # Each node has a child for every session: who takes one for each gets it.
    nodes = tuple(scenario.Node(name, sessions, 0) for name in ("n1", "n2"))
    sink = programs.Sink(build, scenario.Scenario(nodes), 1, os.path.join(directory, "sink.log"),
                         contender.proxy)
    stack.callback(sink.process.stop)
    sink.start()
    balancer = contender.start(build, sink.nodes, directory, sessions)
    stack.callback(balancer.stop)
    before = accounting.resident(balancer.group)
    with _Holder(build, balancer.port, sessions) as holder:
        memory = accounting.resident(balancer.group) - before
        found = Idle(memory / 1024 / sessions, accounting.connections_to(at for _, _, at in sink.nodes),
                     accounting.descriptors(balancer.group), 0)
        found.lost = sessions - holder.release()
    return found


class _Holder:
    """bench_load with its sessions open."""

    def __init__(self, build, port, sessions):
        self._child = subprocess.Popen(
            [build.load, "--idle", "--connect", f"127.0.0.1:{port}", "--connections",
             str(sessions), "--limit", "120"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if not self._child.stdout.readline().startswith("idle="):
            self.__exit__()
            raise RuntimeError("bench_load could not open the sessions")
        return self

    def release(self):
        """How many sessions were open until now."""
        out, _ = self._child.communicate(timeout=60)
        return int(out.partition("=")[2])

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        self._child.stdout.close()
        self._child.stdin.close()
