"""What a program took of the processor, from the kernel's accounts."""
import os
import time

_CPUCLOCK_SCHED = 2  # Linux: the clock of a process is ~pid << 3 | this


def process_seconds(pid):
    """Run time of a process, of threads that have ended as well."""
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)


def thread_seconds(pid):
    """Run time of each thread of a process that runs, by thread ID."""
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                found[int(thread)] = int(file.read().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
    return found


def family_seconds(pid):
    """Of a process, its living children and those that it has waited for; in ticks of the clock."""
    ticks = sum(_times(pid))
    for child in _children(pid):
        try:
            ticks += sum(_times(child))
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile, and is among those waited for the next time
    return ticks / os.sysconf("SC_CLK_TCK")


def _times(pid):
    """User and system time, its own and that of children it has waited for."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return map(int, file.read().rpartition(")")[2].split()[11:15])


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]
