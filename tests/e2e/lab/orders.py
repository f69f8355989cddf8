"""A program of the lab that takes orders: one line of JSON in, one line out, for each order.

For what must not share a process with the test, because it has thousands of sockets. The program
serves its sockets on the same loop, so it works on between the orders.
"""
import json
import os
import selectors
import subprocess
import sys

from .process import end_with_parent

_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ANSWERED_WITHIN = 120.0


class Program:
    """Runs `python -m lab.MODULE OPTIONS`, where OPTIONS is one argument of JSON."""

    def __init__(self, lab, module, **options):
        self.name = module
        errors = lab.path(f"{module}-{len(os.listdir(lab.root))}.errors")
        with open(errors, "wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", f"lab.{module}", json.dumps(options)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                start_new_session=True, preexec_fn=end_with_parent,
                env={**os.environ, "PYTHONPATH": _PACKAGE_PARENT})
        self._errors = errors
        self._answers = selectors.DefaultSelector()
        self._answers.register(self._child.stdout, selectors.EVENT_READ)
        lab.add(self)

    def ask(self, order, **fields):
        """What it answers, a dict."""
        self._child.stdin.write(json.dumps({"order": order, **fields}) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline() if self._answers.select(_ANSWERED_WITHIN) else ""
        if not line:
            with open(self._errors, encoding="utf-8") as errors:
                raise RuntimeError(f"{self.name} does not answer {order}: {errors.read()}")
        return json.loads(line)

    def stop(self):
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()
        self._answers.close()


class Loop:
    """The other end: sockets that are ready, orders, and a clock that ticks."""

    def __init__(self, tick=0.05):
        self.selector = selectors.DefaultSelector()
        self._tick = tick
        os.set_blocking(0, False)
        self.selector.register(0, selectors.EVENT_READ, None)
        self._input = b""

    def run(self, obey, ready, tick):
        """obey(order) gives the answer; ready(data, mask) and tick() serve the sockets."""
        while True:
            for key, mask in self.selector.select(self._tick):
                if key.data is not None:
                    ready(key.data, mask)
                elif not self._take_orders(obey):
                    return
            tick()

    def _take_orders(self, obey):
        chunk = os.read(0, 65536)
        *lines, self._input = (self._input + chunk).split(b"\n")
        for line in lines:
            print(json.dumps(obey(json.loads(line))), flush=True)
        return bool(chunk)


def options():
    return json.loads(sys.argv[1])
