"""Each milter publishes to the balancers of both hosts over TCP, which is TLS with certificates on
both sides. Which balancer a message is submitted to does not matter then."""
import socket

from lab import expect, wait
from lab.cluster import Plan

PLAN = Plan(namespaces=True, origin_tls=True, milter={"publish": "all"})


def test_every_balancer_knows_the_origin_of_every_message(cluster):
    for ingress in (0, 1):
        before = [balancer.metric("millrace_origin_records") for balancer in cluster.balancers]
        journey = cluster.send(expect.SENDERS[0], ingress)
        expect.true_origin(journey, expect.SENDERS[0])
        expect.delivered_once(journey)
        assert journey.line["origin_source"] == "store"
        (line,) = [line for line in cluster.ingresses[ingress].milter.lines()
                   if line["subject"] == journey.queue_id]
        assert line["result"] == "stored" and line["stored"] == "2"
        after = [balancer.metric("millrace_origin_records") for balancer in cluster.balancers]
        assert [now > then for now, then in zip(after, before)] == [True, True]


def test_who_shows_no_certificate_is_turned_away(cluster):
    balancer = cluster.balancer
    mark = balancer.log.mark()
    with balancer.host.connect(balancer.host.address, balancer.origin_port) as sock:
        sock.sendall(b"\0\0\0\x04\x08\x01\x10\x01")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass  # an alert
    wait.until(lambda: balancer.log.grep("origin: handshake failed", mark), "a line in the log")


def test_renewed_certificates_are_used_without_a_restart(cluster):
    for number, ingress in enumerate(cluster.ingresses):
        host = ingress.host
        cluster.certificates.issue(f"{host.name}-milter", host.address)
        cluster.certificates.issue(f"{host.name}-balancer", host.address)
        ingress.balancer.restart()
        journey = cluster.send(expect.SENDERS[1], number)
        expect.true_origin(journey, expect.SENDERS[1])
        assert journey.line["origin_source"] == "store"
        assert ingress.milter.log.grep("tls: certificate reloaded")
