"""Bounds of sessions and messages: each case builds its bench, loads it, and returns rows."""
import threading

from . import wait
from .big_message import LINE, BigMessage
from .bounds_bench import HELLO, Bench, Row, wait_for_crowd, wait_until_quiet
from .footprint import Footprint, in_kernel
from .mail_stream import percentile

MIB = 1 << 20
KIB = 1 << 10
_ENVELOPE = ["MAIL FROM:<a@sender.lab.test>\r\n", 250], ["RCPT TO:<b@lab.test>\r\n", 250]
_OPEN_DATA = ["DATA\r\n", 354]


def stalled_node(lab, octets=200 * MIB, data_timeout=None):
    """A large message to a node that reads nothing of it; then it goes on, or never does."""
    settings = {"pool.scanners": {"data-timeout": data_timeout}} if data_timeout else {}
    bench = Bench(lab, settings, small_window=True)
    bench.warm_up()
    row = Row(f"{octets // MIB} MB to a stalled node", Footprint(bench.pid))
    with row.cost:
        bench.node.ask("stall")
        message = BigMessage(bench.balancer, octets)
        message.start()
        if data_timeout:
            row.name += " for ever"
        else:
            message.wait_until_blocked()
            row.counts["held"] = _held(bench, message)
            row.expect(row.counts["held"] <= 256 * KIB, f"holds {row.counts['held']} octets")
            bench.node.ask("resume")
        message.join(300)
    row.counts["reply"] = message.reply.partition("got ")[2] or message.reply
    row.counts["in_flight"] = bench.in_flight()
    bench.node.ask("resume")
    wait_until_quiet(bench.balancer)
    row.counts["taken"] = bench.node.ask("look")["octets"]
    row.expect(row.cost.growth <= 16 * MIB, f"grew by {row.cost.growth} octets")
    row.expect(row.counts["in_flight"] == 0, "the slot is not free")
    good = "Filter node" in message.reply if data_timeout else message.reply.startswith("250")
    row.expect(good, f"Postfix heard {message.reply}")
    row.finish()
    return [row]


def _held(bench, message):
    """Octets in user space: what the client has sent, less what is in the kernel or at the node."""
    wait.until(lambda: bench.node.ask("look")["in_content"] == 1, "the message in transit")
    looked = bench.node.ask("look")
    ours, nodes = bench.balancer.port, bench.node_port
    front, back = in_kernel(ours), in_kernel(nodes)
    there = looked["ports"][0]
    queued = (front[message.port, ours]["send"] + front[ours, message.port]["receive"]
              + back[there, nodes]["send"] + back[nodes, there]["receive"])
    return message.sent - queued - looked["taken"]


def idle_sessions(lab, count=10_000):
    """They have said EHLO, or not even that. Other mail flows meanwhile."""
    bench = Bench(lab, {"listener.filter": {"max-sessions": str(count + 100)}},
                  descriptors=count + 200)
    bench.warm_up()
    rows = []
    # What the event loop knows of a descriptor it keeps for the next one.
    near = MIB + count * KIB
    for name, steps in (("greeted", HELLO[:1]), ("EHLO said", HELLO)):
        row = Row(f"{count} idle sessions, {name}", Footprint(bench.pid))
        crowd = bench.crowd(steps)
        with row.cost:
            crowd.ask("join", count=count)
            wait_for_crowd(crowd, lambda seen: seen["arrived"] == count, f"{count} arrived")
            row.counts["per_session"] = (row.cost.peak_now() - row.cost.rss[0]) // count
            row.counts["in_flight"] = bench.in_flight()
            row.counts["node_connections"] = bench.node.ask("look")["connections"]
            with bench.stream() as stream:
                wait.until(lambda: len(stream.accepted) >= 50, "other mail flowing")
            row.counts["other_mail"] = len(stream.accepted)
            row.expect(not stream.refused, f"other mail: {stream.refused[:3]}")
            crowd.ask("leave")
        wait_until_quiet(bench.balancer)
        row.expect(row.counts["in_flight"] == 0, "idle sessions hold slots")
        rows.append(row.finish(near))
        near = MIB
        crowd.stop()
    return rows


def slow_senders(lab, count=1000, few=150, rounds=4, seconds=8.0):
    """One octet a second, in the content and in the envelope, and what other mail sees of it."""
    bench = Bench(lab, {"pool.scanners": {"maxconn": None}}, descriptors=3 * count + 300)
    bench.warm_up()
    in_data = bench.crowd([*HELLO, *_ENVELOPE, _OPEN_DATA], dribble="slow\r\n" * 20)
    in_envelope = bench.crowd(HELLO, dribble="MAIL FROM:<" + "a" * 500)
    row = Row(f"{count} slow senders in DATA, {count // 10} in MAIL", Footprint(bench.pid))
    with row.cost:
        in_data.ask("join", count=count)
        in_envelope.ask("join", count=count // 10)
        wait_for_crowd(in_data, lambda seen: seen["arrived"] == count, "all in DATA")
        wait_for_crowd(in_envelope, lambda seen: seen["dribbled"] > 0, "all in MAIL")
        with bench.stream() as stream:
            wait.until(lambda: len(stream.accepted) >= 50, "other mail flowing")
        row.counts["other_mail"] = len(stream.accepted)
        row.counts["in_flight"] = bench.in_flight()
        row.counts["per_message"] = (row.cost.peak_now() - row.cost.rss[0]) // count
        row.counts["dribbled"] = in_data.ask("look")["dribbled"]
        in_envelope.ask("leave")
        in_data.ask("leave")
    wait_until_quiet(bench.balancer)
    row.expect(not stream.refused, f"other mail: {stream.refused[:3]}")
    row.expect(row.counts["in_flight"] >= count, "the slow ones are not in transit")
    row.finish()
    for crowd in (in_data, in_envelope):
        crowd.stop()
    return [row, _side_by_side(bench, few, rounds, seconds)] if rounds else [row]


def _side_by_side(bench, few, rounds, seconds):
    """The same stream with and without slow senders, in turn."""
    row = Row(f"{few} slow senders beside other mail", Footprint(bench.pid))
    crowd = bench.crowd([*HELLO, *_ENVELOPE, _OPEN_DATA], dribble="slow\r\n" * 20)
    times = {True: [], False: []}
    with row.cost:
        for number in range(2 * rounds):
            is_with = number % 2 == 1
            if is_with:
                crowd.ask("join", count=few)
                wait_for_crowd(crowd, lambda seen: seen["connected"] == few
                               and seen["arrived"] == seen["joined"], "all in DATA")
            with bench.stream() as stream:
                threading.Event().wait(seconds)
            times[is_with] += [each.seconds for each in stream.accepted]
            row.expect(not stream.refused, f"other mail: {stream.refused[:3]}")
            crowd.ask("leave")
            wait_until_quiet(bench.balancer)
    for is_with, name in ((False, "without"), (True, "with")):
        row.counts[f"p50_ms_{name}"] = round(percentile(times[is_with], 0.50) * 1000, 1)
        row.counts[f"p99_ms_{name}"] = round(percentile(times[is_with], 0.99) * 1000, 1)
    row.counts["messages"] = len(times[True]) + len(times[False])
    crowd.stop()
    return row.finish()


def messages_in_transit(lab, count=100, octets=MIB):
    """Content that the nodes have taken, and of which a copy is kept for another node."""
    bench = Bench(lab, {"pool.scanners": {"replay-max": str(octets)}}, descriptors=2 * count + 200)
    bench.warm_up()
    row = Row(f"{count} messages in transit, {octets // KIB} KB of each", Footprint(bench.pid))
    lines = octets // len(LINE)
    crowd = bench.crowd([*HELLO, *_ENVELOPE, _OPEN_DATA], shout=LINE.decode(), times=lines)
    with row.cost:
        crowd.ask("join", count=count)
        wait_for_crowd(crowd, lambda seen: seen["arrived"] == count, "all in DATA")
        crowd.ask("shout")
        wait.until(lambda: bench.node.ask("look")["taken"] == count * lines * len(LINE),
                   "the node having all of it", 120)
        row.counts["per_message"] = (row.cost.peak_now() - row.cost.rss[0]) // count
        row.counts["in_flight"] = bench.in_flight()
        crowd.ask("leave")
    wait_until_quiet(bench.balancer)
    row.expect(row.counts["in_flight"] == count, "not all are in transit")
    row.expect(row.counts["per_message"] <= octets + 256 * KIB,
               f"{row.counts['per_message']} octets for each message")
    return [row.finish()]


def short_commands(lab, count=200, octets=128 * KIB):
    """Commands in one go from clients that do not read their replies."""
    bench = Bench(lab, descriptors=2 * count + 200)
    bench.warm_up()
    rows = []
    for command in ("NOOP\r\n", "EHLO x\r\n"):
        row = Row(f"{count} deaf clients, {octets // KIB} KB of {command.split()[0]}",
                  Footprint(bench.pid))
        crowd = bench.crowd(HELLO, shout=command, times=octets // len(command))
        with row.cost:
            crowd.ask("join", count=count)
            wait_for_crowd(crowd, lambda seen: seen["arrived"] == count, f"{count} arrived")
            # It finds all at once, as after a moment in which it was busy.
            bench.balancer.process.freeze()
            crowd.ask("shout")
            row.counts["at_once"] = _wait_until_hoarse(crowd) // count
            bench.balancer.process.thaw()
            bench.wait_until_idle()
            row.counts["sent_each"] = _wait_until_hoarse(crowd) // count
            row.counts["per_session"] = (row.cost.peak_now() - row.cost.rss[0]) // count
            with bench.stream() as stream:
                wait.until(lambda: len(stream.accepted) >= 50, "other mail flowing")
            row.expect(not stream.refused, f"other mail: {stream.refused[:3]}")
            before = crowd.ask("look")["replies"].get("250", 0)
            crowd.ask("listen")
            commands = count * (octets // len(command))
            seen = wait_for_crowd(
                crowd, lambda seen: seen["replies"].get("250", 0) >= before + commands
                or seen["connected"] < count, "every command answered", 300)
            row.counts["answered"] = seen["replies"]["250"] - before
            crowd.ask("leave")
        wait_until_quiet(bench.balancer)
        row.expect(row.counts["answered"] == commands, f"{commands} commands")
        row.expect(row.counts["per_session"] <= 256 * KIB,
                   f"{row.counts['per_session']} octets for each session")
        rows.append(row.finish())
        crowd.stop()
    return rows


def _wait_until_hoarse(crowd):
    """Octets that went before nothing has gone for a second."""
    seen = []

    def is_still():
        seen.append(crowd.ask("look")["shouted"])
        return len(seen) > 50 and 0 < seen[-1] == seen[-50]

    wait.until(is_still, lambda: f"the clients being blocked: {crowd.ask('look')}", 120)
    return seen[-1]
