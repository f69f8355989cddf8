"""A plain text table."""


def render(headings, rows):
    """Columns as wide as their widest cell, two spaces apart, a line under the headings."""
    columns = list(zip(headings, *rows))
    widths = [max(len(cell) for cell in column) for column in columns]

    def line(cells):
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()

    return "\n".join([line(headings), line(["-" * width for width in widths]), *map(line, rows)])
