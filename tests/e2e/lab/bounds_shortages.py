"""Bounds of what all messages share: the origin store, descriptors, and the disk under the store."""
import itertools
import os
import subprocess
import threading

from . import origin_rpc, wait
from .bounds_bench import HELLO, SENDER, Bench, Row, wait_for_crowd, wait_until_quiet
from .client import Refused
from .cluster import Cluster, Plan
from .expect import SENDERS
from .footprint import Footprint
from .orders import Program
from .publisher import queue_id

_INGRESS = "client.lab.test"  # the name that lab.client says in EHLO
_MIB = 1 << 20
_MESSAGE = [*HELLO, ["MAIL FROM:<a@sender.lab.test>\r\n", 250], ["RCPT TO:<b@lab.test>\r\n", 250],
            ["DATA\r\n", 354], ["Subject: x\r\n\r\nx\r\n.\r\n", 250]]


def origin_records(lab, count=100_000, rate=100_000 / 60):
    """Records at that rate; mail whose records are the oldest and the newest flows meanwhile."""
    bench = Bench(lab)
    publisher = Program(lab, "publisher", socket=bench.balancer.origin_socket,
                        address=SENDER.address, ingress=_INGRESS)
    few = min(1000, count)
    publisher.ask("publish", count=few, rate=rate)
    wait.until(lambda: publisher.ask("look")["stored"] == few, "the first records stored", 60)
    bench.warm_up()
    row = Row(f"{count} records at {rate:.0f}/s", Footprint(bench.pid))
    mark = bench.balancer.log.mark()
    with row.cost:
        publisher.ask("publish", count=count, rate=rate, first=few)
        idents = map(queue_id, itertools.cycle(range(few)))
        with bench.stream(connections=1, idents=idents) as stream:
            seen = wait_for_crowd(publisher, lambda seen: seen["stored"] + seen["refused"]
                                  == count + few, "all answered", 300)
    lines = bench.balancer.messages(mark)
    row.counts = {"stored": seen["stored"] - few, "refused": seen["refused"],
                  "p50_ms": round(seen["p50"] * 1000, 1), "p99_ms": round(seen["p99"] * 1000, 1),
                  "max_ms": round(seen["max"] * 1000, 1), "lookups": len(lines),
                  "found": sum(line["origin_source"] == "store" for line in lines),
                  "records": int(bench.balancer.metric("millrace_origin_records")),
                  "database_KB": _database_size(bench.balancer) >> 10}
    row.expect(row.counts["stored"] == count, f"stored {row.counts['stored']} of {count}")
    row.expect(not stream.refused, f"other mail: {stream.refused[:3]}")
    row.expect(row.counts["found"] == len(lines) > 0, "a lookup that found nothing")
    wait_until_quiet(bench.balancer)
    # The newest records are kept at hand, by design: 20,000 of about 1 KB.
    return [row.finish(near=48 * _MIB)]


def _database_size(balancer):
    path = balancer.settings["origin"]["store"].partition(":")[2]
    return sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))


def few_descriptors(lab, descriptors=64, count=150, seconds=5.0):
    """More connections than descriptors, for so long; each wants to send a message."""
    bench = Bench(lab, descriptors=descriptors)
    bench.warm_up()
    row = Row(f"{count} connections, {descriptors} descriptors", Footprint(bench.pid))
    crowd = bench.crowd(_MESSAGE)
    with row.cost:
        crowd.ask("join", count=count)
        bench.balancer.log.wait_for(r"listener/filter: accept error=")
        wait_for_crowd(crowd, lambda seen: seen["connected"] == count, "all connected")
        _wait_until_settled(crowd)
        threading.Event().wait(seconds)  # the node is checked every 0.5 s
        held = crowd.ask("look")
        waiting = count - held["replies"].get("220", 0)
        crowd.ask("leave")
    replies = held["replies"]
    row.counts = {"waiting": waiting, **{code: replies[code] for code in sorted(replies)}}
    with bench.stream(connections=1) as stream:
        wait.until(lambda: stream.passed, "mail afterwards")
    wait_until_quiet(bench.balancer)
    messages = bench.node.ask("look")["messages"]
    row.expect(waiting > 0, "nobody had to wait")
    row.expect(held["arrived"] <= messages, f"a 250 without a node: {held}, {messages} taken")
    row.expect(not any(code.startswith("5") for code in replies), f"a 5xx: {replies}")
    row.expect(not stream.refused, f"mail afterwards: {stream.refused[:3]}")
    row.counts["taken"] = messages
    row.counts["node_down"] = len(bench.balancer.log.grep(r": node state=down"))
    row.counts["checks_not_made"] = int(bench.balancer.metric("millrace_check_failures_total"))
    row.expect(row.counts["node_down"] == 0, "the node was marked down")
    row.expect(row.counts["checks_not_made"] > 1, "no check came in the way of the shortage")
    return [row.finish()]


def _wait_until_settled(crowd):
    """No reply for a second."""
    seen = []

    def is_still():
        seen.append(crowd.ask("look")["replies"])
        return len(seen) > 50 and seen[-1] == seen[-50]

    wait.until(is_still, "replies coming to an end", 60)


def full_disk(lab, on_error, size="1m"):
    """The disk under the store is full; then there is room again."""
    disk = SmallDisk(lab, size)
    cluster = Cluster(lab, Plan(
        ingresses=1, nodes=("fake",), milter={"on-error": on_error},
        balancer={"origin": {"store": f"sqlite:{disk.path}/origins.db"}}))
    balancer = cluster.balancer
    assert _source(cluster) == "store"
    wait_until_quiet(balancer)
    row = Row(f"full disk, on-error = {on_error}", Footprint(balancer.process.child.pid))
    with row.cost:
        disk.fill()
        row.counts["stored_till_full"] = _publish_until_refused(balancer)
        row.counts["meanwhile"] = _try_one(cluster)
        disk.empty()
        wait.until(lambda: origin_rpc.publish(balancer.origin_socket, "mx.lab.test", "4after0room",
                                              SENDER.address) == origin_rpc.STORED,
                   "a record stored again", 30)
        row.counts["afterwards"] = _source(cluster)
    # A record that could not be written may still be at hand in memory.
    expected = ("xforward", "store") if on_error == "accept" else ("451",)
    row.expect(row.counts["meanwhile"] in expected, f"meanwhile: {row.counts['meanwhile']}")
    row.expect(row.counts["afterwards"] == "store", f"afterwards: {row.counts['afterwards']}")
    row.expect(len(balancer.log.grep(r"origin: store recovered")) == 1, "no line tells of it")
    wait_until_quiet(balancer)
    return [row.finish()]


def _source(cluster):
    """Where the origin of a message that is sent now was found."""
    return cluster.send(SENDERS[0]).line["origin_source"]


def _try_one(cluster):
    try:
        return _source(cluster)
    except Refused as refused:
        return "451" if "'451 " in str(refused) else str(refused)


def _publish_until_refused(balancer, most=20_000):
    for number in range(most):
        status = origin_rpc.publish(balancer.origin_socket, "mx.lab.test", queue_id(number),
                                    SENDER.address)
        if status != origin_rpc.STORED:
            return number
    raise wait.Timeout(f"{most} records fit on the full disk")


class SmallDisk:
    """A file system of that size, in memory."""

    name = "disk"

    def __init__(self, lab, size):
        self.path = lab.directory("disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "millrace-lab", self.path],
                       check=True)
        lab.add(self)

    def fill(self):
        with open(f"{self.path}/ballast", "wb", buffering=0) as file:
            for piece in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * piece)
                except OSError:
                    pass

    def empty(self):
        os.remove(f"{self.path}/ballast")

    def stop(self):
        subprocess.run(["umount", "-l", self.path], check=True)
