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


def one_slow_node(speed=1.0):
    """Four nodes with eight slots each, the last one five times slower. `speed` shrinks all times."""
    fast = 0.2 / speed
    names = ("n1", "n2", "n3")
    nodes = tuple(Node(name, 8, fast) for name in names) + (Node("n4", 8, 5 * fast),)
    return Scenario(nodes, idle_close=2.0 / speed)
