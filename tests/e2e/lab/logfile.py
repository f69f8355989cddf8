"""A log that a program is writing: read, searched and waited for."""
import os
import re

from . import wait


class LogFile:
    """The log at `path`. A mark is a position: what was written before it is not looked at."""

    def __init__(self, path):
        self.path = path

    def mark(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def text(self, mark=0):
        if not os.path.exists(self.path):
            return ""
        with open(self.path, "rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace")

    def lines(self, mark=0):
        """Complete lines only: the last one may still be on its way."""
        text = self.text(mark)
        return text[: text.rfind("\n") + 1].splitlines()

    def grep(self, pattern, mark=0):
        return [line for line in self.lines(mark) if re.search(pattern, line)]

    def wait_for(self, pattern, mark=0, deadline=30.0):
        """The first line that matches."""

        def found():
            lines = self.grep(pattern, mark)
            return lines[0] if lines else None

        return wait.until(found, f"/{pattern}/ in {self.path}", deadline)

    def tail(self, count=80):
        return "\n".join(self.text().splitlines()[-count:])
