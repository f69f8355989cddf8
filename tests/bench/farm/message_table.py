"""The figures of all rounds as one table: a row for each figure, a column for each contender."""
import statistics

from .contenders import REFERENCE


class Table:
    def __init__(self, labels):
        self._labels = labels
        self._rows = {}  # by title

    def add(self, title, label, value, digits=0):
        """The figure of one contender in one more round."""
        self._rows.setdefault(title, _Row(digits, _kind(title))).add(label, value)

    def markdown(self):
        """The rows of one kind, named before the comma, stand together."""
        kinds = list(dict.fromkeys(map(_kind, self._rows)))
        titles = sorted(self._rows, key=lambda title: kinds.index(_kind(title)))
        lines = [["", *self._labels], ["---"] + ["---:"] * len(self._labels)]
        lines += [[title, *map(self._rows[title].cell, self._labels)] for title in titles]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class _Row:
    def __init__(self, digits, kind):
        self._digits = digits
        # A difference of two times may be next to nothing in one round: its ratio says nothing.
        self._is_difference = kind.startswith("added")
        self._values = {}  # by contender, one of each round

    def add(self, label, value):
        self._values.setdefault(label, []).append(value)

    def cell(self, label):
        values = self._values.get(label)
        if not values:
            return ""
        ratios = self._ratios(values)
        text = f"{statistics.median(values):,.{self._digits}f}"
        if not ratios:
            return text
        text += f" ({statistics.median(ratios):.2f}"
        if label != REFERENCE and len(ratios) > 1:
            text += f"; {min(ratios):.2f}-{max(ratios):.2f}"
        return text + ")"

    def _ratios(self, values):
        references = self._values.get(REFERENCE, [])
        if self._is_difference and references:
            values, references = [statistics.median(values)], [statistics.median(references)]
        return [value / reference for value, reference in zip(values, references) if reference > 0]


def _kind(title):
    return title.partition(",")[0]
