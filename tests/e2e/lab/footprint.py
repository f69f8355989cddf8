"""What a process costs: resident memory and descriptors, before, at their highest, and afterwards."""
import os
import threading
import time

_LOOK_EVERY = 0.02
_RESET_PEAK = "5"  # proc(5), clear_refs


class Footprint:
    """Use as a context manager around a load: `with Footprint(pid) as cost: ...`.

    `rss`, `descriptors`: [before, peak, after], memory in octets. The kernel keeps the highest
    memory itself; descriptors are looked at 50 times a second. Memory in the kernel (socket
    buffers) is not part of it.
    """

    def __init__(self, pid):
        self.pid = pid
        self.rss = [resident(pid), 0, 0]
        self.descriptors = [_descriptors_at_rest(pid), 0, 0]
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write(_RESET_PEAK)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """The load goes on, but its peak is no longer looked for."""
        if self._end.is_set():
            return
        self._end.set()
        self._thread.join()
        self.rss[1] = self.peak_now()

    def settle(self, near, seconds):
        """After the load: looks until all is back, for that long at most. Whether it is."""
        self.close()
        started = time.monotonic()
        while True:
            self.rss[2], self.descriptors[2] = resident(self.pid), descriptors(self.pid)
            is_back = self.kept <= near and self.descriptors[2] == self.descriptors[0]
            if is_back or time.monotonic() - started >= seconds:
                return is_back
            time.sleep(_LOOK_EVERY)

    def peak_now(self):
        return resident(self.pid, "VmHWM")

    @property
    def growth(self):
        return self.rss[1] - self.rss[0]

    @property
    def kept(self):
        return self.rss[2] - self.rss[0]

    def _look(self):
        while not self._end.wait(_LOOK_EVERY):
            self.descriptors[1] = max(self.descriptors[1], descriptors(self.pid))


def resident(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"{pid} has ended")


def _descriptors_at_rest(pid):
    """Without those of a health check, or of a question for metrics, that is just being made."""
    fewest = descriptors(pid)
    for _ in range(25):
        time.sleep(_LOOK_EVERY)
        fewest = min(fewest, descriptors(pid))
    return fewest


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def worked(pid):
    """Processor time so far, in hundredths of a second."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def in_kernel(port):
    """Octets in the buffers of all TCP connections of this host to or from that port, each end:
    {"send": octets, "receive": octets} by (local port, remote port)."""
    found = {}
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    for row in rows:
        local, remote = (int(end.split(":")[1], 16) for end in row[1:3])
        if port in (local, remote):
            send, receive = (int(octets, 16) for octets in row[4].split(":"))
            found[local, remote] = {"send": send, "receive": receive}
    return found
