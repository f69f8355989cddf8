"""What Postfix's smtp(8) logs about a delivery: where to, and where the time went."""
import dataclasses
import re

_DELIVERY = re.compile(
    r" (?P<queue_id>\w+): to=<(?P<recipient>[^>]*)>,(?: orig_to=<[^>]*>,)?"
    r" relay=(?:none|[^,\[]*\[[^]]*\](?::(?P<port>\d+))?),(?: conn_use=(?P<use>\d+),)? delay=[\d.]+,"
    r" delays=[\d.]+/[\d.]+/(?P<connecting>[\d.]+)/(?P<sending>[\d.]+),"
    r" dsn=[\d.]+, status=(?P<status>\w+) \(")


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One attempt for one recipient. Of delays=a/b/c/d only c and d depend on what is at `port`.

    `connecting` (c) lasts from the connection to the reply to EHLO, `sending` (d) from there to the
    reply to the final dot; seconds, as Postfix gives them: two significant digits.
    """

    queue_id: str
    recipient: str
    port: int  # None: a Unix socket, or no connection at all
    connecting: float
    sending: float
    status: str
    use: int = 1  # its place among the messages of that connection

    @property
    def time(self):
        return self.connecting + self.sending


def delivery(line):
    """None if the line is about something else."""
    match = _DELIVERY.search(line)
    if not match:
        return None
    return Delivery(match["queue_id"], match["recipient"], match["port"] and int(match["port"]),
                    float(match["connecting"]), float(match["sending"]), match["status"],
                    int(match["use"] or 1))


def deliveries(lines):
    return [found for found in map(delivery, lines) if found]
