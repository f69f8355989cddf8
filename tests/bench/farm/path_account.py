"""What became of messages that were sent by one of several paths, and the table of their times."""
import dataclasses

from .figures import Figures

HAPROXY, MILLRACE = "HAProxy", "Millrace"
_PARTS = (("c", "connecting"), ("d", "sending"), ("c+d", "time"))


@dataclasses.dataclass(frozen=True)
class Sent:
    path: str
    recipient: str
    queue_id: str


def account(ports, sent, deliveries, copies):
    """({path: its deliveries}, what went wrong).

    `ports`: {path: port}; `deliveries` as Postfix logged them; `copies`: how many arrived, by recipient.
    """
    attempts = {}
    for each in deliveries:
        attempts.setdefault(each.queue_id, []).append(each)
    found, problems = {path: [] for path in ports}, []
    for message in sent:
        own = attempts.get(message.queue_id, [])
        if [(each.port, each.status) for each in own] != [(ports[message.path], "sent")]:
            ways = ", ".join(f"{each.port} {each.status}" for each in own) or "none"
            problems.append(f"{message.queue_id}, meant for {message.path}, took the ways: {ways}")
        if copies.get(message.recipient, 0) != 1:
            problems.append(f"{copies.get(message.recipient, 0)} copies of {message.queue_id} arrived")
        found[message.path] += own
    return found, problems


def table(rounds):
    """Markdown, milliseconds. `rounds`: {path: the deliveries of each round}."""
    head = ["", "messages"]
    head += [f"{part} {share}" for part, _ in _PARTS for share in ("median", "p99")]
    head += ["median of rounds", f"median - {HAPROXY}", f"median / {HAPROXY}"]
    rows = {path: _Row(path, deliveries) for path, deliveries in sorted(rounds.items())}
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    lines += [row.cells(rows.get(HAPROXY)) for row in rows.values()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines)


class _Row:
    def __init__(self, path, rounds):
        self._path = path
        self._rounds = rounds
        self._all = [each for deliveries in rounds for each in deliveries]
        self.median = self._percentile(self._all, "time", 0.5)

    def cells(self, reference):
        """`reference` is None where there is nothing to compare with."""
        found = [self._path, str(len(self._all))]
        found += [_ms(self._percentile(self._all, part, share))
                  for _, part in _PARTS for share in (0.5, 0.99)]
        medians = [self._percentile(deliveries, "time", 0.5) for deliveries in self._rounds]
        found.append(f"{_ms(min(medians))} to {_ms(max(medians))}")
        if reference:
            found += [f"{1000 * (self.median - reference.median):+.1f}",
                      f"{self.median / reference.median:.2f}"]
        return found + [""] * (2 * (reference is None))

    def _percentile(self, deliveries, part, share):
        return Figures(self._path, [getattr(each, part) for each in deliveries]).percentile(share)


def _ms(seconds):
    return f"{1000 * seconds:.1f}"
