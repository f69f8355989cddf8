"""A client of which Postfix knows no address: libmilter refuses to hear of it, and mail goes on.

After XCLIENT ADDR=[UNAVAILABLE] Postfix announces an IPv4 client named "unknown", which libmilter
takes for a broken CONNECT and ends the session. The default_action that the documents give to this
milter is what lets the message pass."""
from lab.client import Sender
from lab.cluster import Plan

NOBODY = Sender("[UNAVAILABLE]", port=0)
PLAN = Plan(ingresses=1, nodes=("fake",))


def test_its_mail_is_filtered_and_no_origin_is_made_up(cluster):
    postfix = cluster.ingresses[0].postfix
    milter = cluster.ingresses[0].milter
    postfix.change(smtpd_milters=f"{{ {milter.endpoint}, default_action=accept }}")
    journey = cluster.send(NOBODY)
    assert journey.final_reply
    assert journey.line["result"] == "accepted"
    assert journey.line["origin_source"] == "none"
    assert journey.line["origin"] == "unknown"
