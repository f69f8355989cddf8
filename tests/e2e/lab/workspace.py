"""The private directory of a run, and everything that must be stopped and removed at its end."""
import os
import shutil
import tempfile

#: Labs that are open now; a failed test shows the logs of their parts.
open_labs = []


class Lab:
    """Use as a context manager. Parts are stopped in the reverse order of their start."""

    def __init__(self, name="lab"):
        self.root = tempfile.mkdtemp(prefix=f"millrace-{name}-")
        os.chmod(self.root, 0o755)  # Postfix, amavisd and rbldnsd run as users of their own
        self._parts = []
        open_labs.append(self)

    def directory(self, name, owner=None, mode=0o755):
        path = os.path.join(self.root, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if owner:
            shutil.chown(path, owner, owner)
        return path

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def add(self, part):
        """`part` has stop(); and, if it wants its logs shown, name and logs()."""
        self._parts.append(part)
        return part

    def logs(self):
        """(name, LogFile) of every part."""
        return [
            (f"{part.name}: {os.path.basename(log.path)}", log)
            for part in self._parts
            if hasattr(part, "logs")
            for log in part.logs()
        ]

    def close(self):
        failures = []
        while self._parts:
            try:
                self._parts.pop().stop()
            except Exception as failure:  # one part must not keep the others alive
                failures.append(failure)
        if self in open_labs:
            open_labs.remove(self)
        shutil.rmtree(self.root, ignore_errors=True)
        if failures:
            raise failures[0]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
