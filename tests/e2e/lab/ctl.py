"""millracectl: what an operator asks and orders."""
import json
import subprocess

from . import programs
from .process import Process


class Ctl:
    """`socket` is where the balancer is to listen."""

    def __init__(self, lab, host):
        self.socket = lab.path(f"{host.name}-admin.sock")
        self._lab = lab
        self._host = host

    def nodes(self):
        """`show nodes`: the row of each node, by its name."""
        return {row["node"]: row for row in self.answer("show", "nodes")["nodes"]}

    def pool(self, name="scanners"):
        """`show pools`: the row of that pool."""
        (row,) = [row for row in self.answer("show", "pools")["pools"] if row["pool"] == name]
        return row

    def in_transit(self):
        return {name: row["in_transit"] for name, row in self.nodes().items()}

    def answer(self, *words):
        """What it says about an order that is carried out at once."""
        result = subprocess.run(self._command(words), capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"millracectl {words}: {result.returncode} {result.stderr}")
        return json.loads(result.stdout)

    def begin(self, *words):
        """A millracectl that takes its time; see Process.wait_for_end() and `log`."""
        name = f"{self._host.name}-ctl"
        process = Process(name, self._command(words), self._lab.path(f"{name}.out"))
        self._lab.add(process)
        process.start()
        return process

    def _command(self, words):
        program = programs.path_of("millracectl")
        return self._host.command([program, "--socket", self.socket, "--json", *words])
