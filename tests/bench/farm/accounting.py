"""What the kernel says about the processes of a program, by the process group they are in."""
import os


def processes(group):
    """The processes of a group: nginx is a master and a worker."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and _group(name) == group:
            found.append(int(name))
    return found


def run_time(group):
    """Nanoseconds that all tasks of the group were on a processor, by the scheduler's account."""
    total = 0
    for process in processes(group):
        tasks = f"/proc/{process}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total


def resident(group):
    """Octets of memory in use (VmRSS)."""
    total = 0
    for process in processes(group):
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            total += sum(1024 * int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return total


def descriptors(group):
    """Of the process that has most of them."""
    return max(len(os.listdir(f"/proc/{process}/fd")) for process in processes(group))


def connections_to(ports):
    """Established connections to any of these ports of the loopback, seen from the listener."""
    wanted = {f"{port:04X}" for port in ports}
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        rows = map(str.split, file)
        # A row may come twice when connections elsewhere come and go meanwhile.
        return len({(row[1], row[2]) for row in rows
                    if row[3] == "01" and row[1].rpartition(":")[2] in wanted})


def _group(process):
    """None for one that has ended meanwhile."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return None
