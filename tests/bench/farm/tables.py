"""Medians and Markdown."""
import statistics


def median(values, digits=0):
    return f"{statistics.median(values):.{digits}f}"


def spread(values, digits=2):
    """Median, and between which bounds all of them lie."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}-{max(values):.{digits}f})")


def markdown(rows):
    """The first row is the head; the first column is text, the others are numbers."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join(
        "| " + " | ".join([row[0].ljust(widths[0])]
                          + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]) + " |"
        for row in [rows[0], rule, *rows[1:]])
