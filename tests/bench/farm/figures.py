"""Times and shares of a run, and the table of them."""
import dataclasses
import math


@dataclasses.dataclass
class Figures:
    """Of all rounds of one program together."""

    label: str
    times: list = dataclasses.field(default_factory=list)  # seconds, of accepted messages
    others: int = 0  # messages without a 2xx
    served: dict = dataclasses.field(default_factory=dict)  # by node
    faults: int = 0  # what nodes complained about
    held: float = 0.0  # seconds that connections held children
    worked: float = 0.0  # seconds of work in it
    late: float = 0.0  # seconds by which load or nodes were late at most, for want of the processor

    def add(self, other):
        """Another round."""
        self.times += other.times
        self.others += other.others
        self.add_served(other.served)
        self.faults += other.faults
        self.held += other.held
        self.worked += other.worked
        self.late = max(self.late, other.late)

    def add_served(self, served):
        for name, count in served.items():
            self.served[name] = self.served.get(name, 0) + count

    def percentile(self, share):
        ordered = sorted(self.times)
        return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else math.nan

    @property
    def mean(self):
        return sum(self.times) / len(self.times) if self.times else math.nan

    def share_of(self, names):
        total = sum(self.served.values())
        return sum(self.served.get(name, 0) for name in names) / total if total else math.nan


def table(rows, slow, references):
    """Markdown. `references`: (column title, Figures whose p99 is 1.00)."""
    head = ["", "mean", "p50", "p90", "p99", "slow node", "2xx", "other"]
    head += [f"p99 / {title}" for title, _ in references]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for row in rows:
        cells = [row.label]
        cells += [f"{1000 * value:.0f}" for value in (row.mean, row.percentile(0.5),
                                                      row.percentile(0.9), row.percentile(0.99))]
        cells += [f"{100 * row.share_of(slow):.1f} %", str(len(row.times)), str(row.others)]
        cells += [f"{row.percentile(0.99) / reference.percentile(0.99):.2f}"
                  for _, reference in references]
        lines.append(cells)
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines
    )
