"""One supervised program: started, waited for, stopped or killed by its own process group."""
import ctypes
import os
import signal
import subprocess

from . import wait
from .logfile import LogFile

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Process:
    """The program leads a process group of its own, and ends when the test run ends.

    Standard output and error go to `log_path`, appended to across restarts.
    """

    def __init__(self, name, argv, log_path, environment=None):
        self.name = name
        self.argv = argv
        self.log = LogFile(log_path)
        self.environment = environment
        self.child = None

    def start(self):
        assert not self.is_running(), f"{self.name} runs already"
        with open(self.log.path, "ab") as log:
            self.child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=end_with_parent,
                env={**os.environ, **(self.environment or {})},
            )

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def wait_until_ready(self, condition, what, deadline=60.0):
        def ready_or_dead():
            if not self.is_running():
                raise wait.Timeout(
                    f"{self.name} ended with {self.child.returncode}:\n{self.log.tail(30)}"
                )
            return condition()

        wait.until(ready_or_dead, f"{self.name}: {what}", deadline)

    def stop(self, deadline=15.0):
        """Asks the leader to end, then makes sure that nothing of its group is left."""
        if self.child is None:
            return None
        if self.is_running():
            self.child.terminate()
            try:
                self.child.wait(deadline)
            except subprocess.TimeoutExpired:
                pass
        return self.kill()

    def kill(self):
        """kill -9 of the whole group: no part of the program gets a chance to say goodbye."""
        if self.child is None:
            return None
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = self.child.wait()
        self.child = None
        return code

    def freeze(self):
        """Stops the whole group where it is: it takes connections and answers nothing."""
        os.killpg(self.child.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.child.pid, signal.SIGCONT)

    def wait_for_end(self, deadline=60.0):
        """The exit code of a program that ends by itself."""
        wait.until(lambda: not self.is_running(), f"{self.name} ending", deadline)
        return self.child.returncode


def end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
