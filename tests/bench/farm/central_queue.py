"""The computed ideal: one line for all nodes, first come, first served, and no time lost in between.

The rule decides which node the head of the line gets. Its arrivals and the work on each message are
those of bench_load and bench_sink with the same seed, so a difference in the result is a difference
in what was decided, not in luck.
"""
import collections
import heapq
import random

from . import draws


class Place:
    """A node of the simulation."""

    def __init__(self, node):
        self.name = node.name
        self.slots = node.slots
        self.mean = node.mean
        self.busy = 0
        self.served = 0

    @property
    def free(self):
        return self.slots - self.busy


def random_free_slot(places, _waiting, chance):
    """Any free slot with the same probability."""
    free = [place for place in places if place.free]
    return chance.choices(free, [place.free for place in free])[0] if free else None


def least_connections(places, _waiting, chance):
    """A node with the fewest messages, one of them at random."""
    free = [place for place in places if place.free]
    least = min((place.busy for place in free), default=0)
    return chance.choice([place for place in free if place.busy == least]) if free else None


def fastest_free(places, _waiting, _chance):
    """The fastest node with a free slot; among equals the least loaded."""
    free = [place for place in places if place.free]
    return min(free, key=lambda place: (place.mean, place.busy), default=None)


def threshold(places, waiting, chance, share=0.25):
    """A slower node only when the line for the fast ones is long enough to pay for it."""
    chosen = fastest_free(places, waiting, chance)
    if chosen is None:
        return None
    best = min(place.mean for place in places)
    fast = [place for place in places if place.mean <= 2 * best]
    if chosen in fast:
        return chosen
    wait = waiting * best / sum(place.slots for place in fast)
    return chosen if wait > share * (chosen.mean - best) else None


RULES = {
    "random free slot": random_free_slot,
    "least connections": least_connections,
    "fastest free node": fastest_free,
    "threshold 1/4": threshold,
}


def simulate(scenario, rate, seed, count, rule):
    """(seconds in the system of each message, {node: messages})."""
    chance = random.Random(seed)
    work = draws.exponentials(seed, draws.SERVICE, count)
    places = [Place(node) for node in scenario.nodes]
    line = collections.deque()
    ends = []  # (time, place)
    times = [0.0] * count

    def serve(now):
        while line:
            place = rule(places, len(line), chance)
            if place is None:
                return
            number, arrived = line.popleft()
            end = now + work[number] * place.mean
            place.busy += 1
            place.served += 1
            times[number] = end - arrived
            heapq.heappush(ends, (end, number, place))

    def run_until(limit):
        while ends and ends[0][0] <= limit:
            end, _, place = heapq.heappop(ends)
            place.busy -= 1
            serve(end)

    now = 0.0
    for number, gap in enumerate(draws.exponentials(seed, draws.ARRIVAL, count)):
        now += gap / rate
        run_until(now)
        line.append((number, now))
        serve(now)
    run_until(float("inf"))
    return times, {place.name: place.served for place in places}
