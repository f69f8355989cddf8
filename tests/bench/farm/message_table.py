"""The figures of all rounds as one table, a column for each contender."""
import statistics

from .contenders import REFERENCE


class Series:
    """One figure, such as the CPU time of a message, of each contender in each round."""

    def __init__(self, title, digits=1, shows_range=False):
        self.title = title
        self._digits = digits
        self._shows_range = shows_range
        self._values = {}  # by contender, one of each round

    def add(self, label, value):
        self._values.setdefault(label, []).append(value)

    def cells(self, labels):
        return [self.title] + [self._cell(label) for label in labels]

    def _cell(self, label):
        """The median, and behind it the median of the ratios of the rounds."""
        values = self._values.get(label)
        if not values:
            return ""
        text = f"{statistics.median(values):,.{self._digits}f}"
        ratios = self._ratios(values)
        if not ratios:
            return text
        text += f" ({statistics.median(ratios):.2f}"
        if self._shows_range and label != REFERENCE and len(ratios) > 1:
            text += f"; {min(ratios):.2f}-{max(ratios):.2f}"
        return text + ")"

    def _ratios(self, values):
        references = self._values.get(REFERENCE, [])
        return [value / reference for value, reference in zip(values, references) if reference]


def table(series, labels):
    """Markdown."""
    lines = [["", *labels], ["---"] + ["---:"] * len(labels)]
    lines += [one.cells(labels) for one in series]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
