"""What is offered to a farm: nodes, load, connections."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    slots: int
    mean: float  # seconds of work on a message

    @property
    def capacity(self):
        return self.slots / self.mean


@dataclasses.dataclass(frozen=True)
class Scenario:
    nodes: tuple
    connections: int = 64
    per_connection: int = 10
    idle_close: float = 2.0  # seconds, Postfix's connection_cache_time_limit

    @property
    def capacity(self):
        """Messages per second."""
        return sum(node.capacity for node in self.nodes)

    def slow_nodes(self):
        fastest = min(node.mean for node in self.nodes)
        return [node.name for node in self.nodes if node.mean > 2 * fastest]


# Seconds of work on a message, node by node.
_MEANS = {
    "one-slow": (0.2, 0.2, 0.2, 1.0),
    "two-slow": (0.2, 0.2, 1.0, 1.0),
    "equal": (0.2, 0.2, 0.2, 0.2),
}
NAMES = tuple(_MEANS)


def named(name, speed=1.0):
    """Four nodes with eight slots each. `speed` shrinks all times."""
    nodes = tuple(Node(f"n{number}", 8, mean / speed)
                  for number, mean in enumerate(_MEANS[name], start=1))
    return Scenario(nodes, idle_close=2.0 / speed)


def one_slow_node(speed=1.0):
    """The last one is five times slower."""
    return named("one-slow", speed)
