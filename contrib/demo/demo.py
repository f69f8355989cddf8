"""The demonstration behind contrib/demo/run: builds the cluster, sends the mail, prints the table."""
import argparse
import os
import signal
import sys
import time

import table
from lab.amavisd_settings import RULE
from lab.client import Refused, Sender
from lab.cluster import Cluster, Plan
from lab.rbldnsd import LISTED_V4, LISTED_V6
from lab.wait import Timeout
from lab.workspace import Lab

#: (what it is, the SMTP client or None for sendmail(1), whether the blocklist has it)
KINDS = (
    ("listed IPv4", Sender(LISTED_V4, 41001, helo="bot.example.net"), True),
    ("clean IPv4", Sender("198.51.100.7", 41002, helo="mail.example.org"), False),
    ("listed IPv6", Sender(LISTED_V6, 41003, helo="bot6.example.net"), True),
    ("local user", None, False),
)
HEADINGS = ("message", "SMTP client", "node", "amavisd: peer", "amavisd: client",
            "amavisd: queue ID", "blocklist", "")


def main():
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Lab("demo") as lab:
        try:
            _say("starting Postfix, milter, balancer, two amavisd with SpamAssassin, rbldnsd")
            plan = Plan(ingresses=1, millrace=not options.without_millrace,
                        proxy="off" if options.without_millrace else "v2")
            cluster = Cluster(lab, plan)
            cluster.sink.directory = lab.directory("mailbox")
            passed = _run(cluster, options.messages)
            if options.keep:
                _keep(cluster)
        except (Timeout, Refused, FileNotFoundError, RuntimeError) as failure:
            for name, log in lab.logs():
                print(f"----- {name}\n{log.tail(25)}", file=sys.stderr)
            print(f"FAIL: {failure}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            _say("stopping everything")
    return 0 if passed else 1


def _options():
    parser = argparse.ArgumentParser(prog="contrib/demo/run")
    parser.add_argument("--messages", type=int, default=len(KINDS), metavar="N")
    parser.add_argument("--keep", action="store_true")
    # The baseline: Postfix submits to the first amavisd itself.
    parser.add_argument("--without-millrace", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.messages < 1:
        parser.error("--messages must be at least 1")
    return options


def _run(cluster, count):
    _say(f"sending {count} messages")
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    journeys = [(kind, cluster.send(kind[1])) for kind in kinds]
    rows, failures = [], 0
    for number, (kind, journey) in enumerate(journeys, 1):
        row, wrong = _row(kind, journey)
        rows.append(row)
        failures += bool(wrong)
        if number % 25 == 0:
            _say(f"{number} of {count} have arrived")
        for each in wrong:
            _say(f"{journey.recipient}: {each}")
    print()
    print(table.render(HEADINGS, rows))
    print()
    host = cluster.ingresses[0].host
    print(f"peer: the Postfix host that submitted ({host.address}); amavisd gives the mail back to it.")
    print("client: the SMTP client that gave the message to Postfix. A local user has none: amavisd"
          "\nthen shows its peer, and no queue ID.")
    print(f"\n{count - failures} of {count} messages PASS" + (f", {failures} FAIL" if failures else ""))
    return not failures


def _row(kind, journey):
    """The table row, and what is wrong."""
    name, sender, is_listed = kind
    facts, delivery = journey.facts, journey.delivery
    expected = {
        "peer": (facts.peer, journey.postfix.host.address),
        "client": (facts.client, sender.address if sender else facts.peer),
        "queue ID": (facts.queue_id, journey.queue_id or ""),
        "blocklist verdict": (RULE in facts.tests, is_listed),
        "returned to": (delivery.host, journey.postfix.hostname),
        "body": (delivery.body, journey.body),
    }
    wrong = [f"{what} is {got!r}, not {want!r}"
             for what, (got, want) in expected.items() if got != want]
    verdict = "listed" if RULE in facts.tests else "clean"
    cells = (name, sender.address if sender else "(none)", facts.node, facts.peer,
             facts.client if sender else f"({facts.client})", facts.queue_id or "(none)",
             verdict, "FAIL" if wrong else "PASS")
    return cells, wrong


def _keep(cluster):
    ingress = cluster.ingresses[0]
    postfix = ingress.postfix
    print(f"""
Everything stays up until Ctrl-C (or: kill {os.getpid()}).

Send mail as a local user:
    echo hello | sendmail -C {postfix.config} -f me@sender.lab.test you@rcpt.lab.test
Send mail as any SMTP client (needs swaks; XCLIENT is allowed to everybody here):
    swaks --server {postfix.ingress_address}:{postfix.ingress} --to you@rcpt.lab.test \\
          --from me@sender.lab.test --xclient-addr 203.0.113.66 --xclient-port 4711

Logs:     tail -f {cluster.lab.root}/*.log {cluster.lab.root}/scan*/amavis.log
Mailbox:  {cluster.sink.directory}""")
    if ingress.balancer:
        print(f"Metrics:  curl http://127.0.0.1:{ingress.balancer.http}/metrics")
    sys.stdout.flush()
    while True:
        signal.pause()


_started = time.monotonic()


def _say(text):
    print(f"[{time.monotonic() - _started:5.1f} s] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
