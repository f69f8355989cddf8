#!/usr/bin/python3
"""The sink's faults, LMTP and idle sessions are what they are said to be. No time is asserted.

Usage: faults_test.py BUILD_DIRECTORY
"""
import socket
import struct
import subprocess

from farm import draws, programs
from sink_case import SEED, Client, SinkCase, main

ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
DATA_SEGMENTS_IN = 152  # offset of tcpi_data_segs_in in struct tcp_info


class FaultsTest(SinkCase):
    def start_faulty(self, fault):
        return self.start_sink(options=["--fault", f"n1,{fault}"])

    def test_a_node_that_refuses_cannot_be_connected_to(self):
        sink = self.start_faulty("refuse")
        with self.assertRaises(ConnectionRefusedError):
            Client(sink)
        self.assertEqual(self.run_load(sink, "--count", 3)["lost"], 3)
        self.assertEqual(self.stop(sink)["connections"], 0)

    def test_a_node_that_turns_away_says_421_and_closes(self):
        sink = self.start_faulty("turn-away")
        with Client(sink) as client:
            self.assertTrue(client.line().startswith("421 "))
            self.assertEqual(client.line(), "")
        self.assertEqual(self.run_load(sink, "--count", 5)["tempfailed"], 5)
        self.assertEqual(self.stop(sink)["turned_away"], 6)

    def test_a_silent_node_takes_the_connection_and_does_not_greet(self):
        sink = self.start_faulty("silent")
        with Client(sink) as client:
            client.send(b"EHLO x\r\n")
            client.socket.shutdown(socket.SHUT_WR)
            # It has seen our end, and with it all that came before.
            self.assertEqual(client.line(), "")
        self.assertEqual(self.stop(sink)["not_greeted"], 1)

    def test_a_connection_is_cut_at_the_octet_that_was_named(self):
        sink = self.start_faulty("cut=1000")
        with Client(sink) as client:
            client.line()
            for octets, reply in (999, "250 "), (1000, ""):
                client.send(ENVELOPE + b"DATA\r\n")
                while not client.line().startswith("354 "):
                    pass
                client.send(b"x" * (octets - 5) + b"\r\n.\r\n")
                self.assertEqual(client.line()[:4], reply)
        self.assertEqual(self.run_load(sink, "--count", 4, "--size", 2000)["lost"], 4)
        counts = self.stop(sink)
        self.assertEqual((counts["cut"], counts["messages"]), (5, 1))

    def test_the_messages_that_are_deferred_are_the_drawn_ones(self):
        count, share = 60, 0.3
        sink = self.start_faulty(f"tempfail={share}")
        result = self.run_load(sink, "--count", count, "--connections", 4, "--per-connection", 5)
        drawn = sum(value < share for value in draws.uniforms(SEED, draws.FAULT, count))
        self.assertEqual((result["tempfailed"], result["accepted"]), (drawn, count - drawn))
        counts = self.stop(sink)
        self.assertEqual((counts["tempfailed"], counts["messages"]), (drawn, count))

    def test_faults_that_are_not_understood_are_refused(self):
        for fault in ("n1,slow", "n1,cut", "n1,refuse=1", "n2,silent"):
            with self.subTest(fault):
                argv = [self.build.sink, "--node", "n1,1,0", "--fault", fault, "--limit", "0"]
                ended = subprocess.run(argv, capture_output=True, text=True, check=False)
                self.assertEqual(ended.returncode, 64)
                self.assertIn("fault = ", ended.stderr)

    def test_replies_are_written_one_by_one_only_when_that_is_wanted(self):
        for options, is_apart in ((), False), (("--replies-apart",), True):
            with self.subTest(options), Client(self.start_sink(options=options)) as client:
                client.line()
                before = segments_in(client)
                client.send(b"NOOP\r\n" * 3)
                for _ in range(3):
                    client.line()
                self.assertEqual(segments_in(client) - before > 1, is_apart)


class LmtpTest(SinkCase):
    def test_every_recipient_has_a_verdict_of_its_own(self):
        sink = self.start_sink()
        with Client(sink) as client:
            client.line()
            client.send(b"LHLO x\r\n" + ENVELOPE + b"RCPT TO:<c@example.org>\r\nDATA\r\n")
            while not client.line().startswith("354 "):
                pass
            client.send(b"x\r\n.\r\nNOOP\r\n")
            texts = [client.line() for _ in range(3)]
        self.assertEqual([" from n1: " in text for text in texts], [True, True, False])

    def test_load_waits_for_all_verdicts_before_it_uses_the_session_again(self):
        sink = self.start_sink()
        result = self.run_load(sink, "--lmtp", "--recipients", 3, "--count", 40, "--connections", 4,
                               "--per-connection", 5)
        self.assertEqual(result["accepted"], 40)
        counts = self.stop(sink)
        self.assertEqual((counts["messages"], counts["bad_messages"]), (40, 0))
        self.assertGreaterEqual(counts["connections"], 8)

    def test_a_balancer_in_between_changes_nothing(self):
        sink = self.start_sink(proxy="v2")
        balancer = programs.start_millrace(self.build, sink.nodes, self.new_directory(),
                                           "leastconn", {"listener.filter": {"mode": "lmtp"}})
        self.stack.callback(balancer.stop)
        result = self.run_load(sink, "--lmtp", "--recipients", 3, "--count", 40, "--connections", 4,
                               "--per-connection", 5, port=balancer.port)
        self.assertEqual(result["accepted"], 40)
        counts = self.stop(sink)
        self.assertEqual((counts["messages"], counts["bad_messages"]), (40, 0))


class IdleTest(SinkCase):
    def hold(self, sink, sessions):
        """(sessions when all were opened, at the end of the input)."""
        argv = [self.build.load, "--connect", f"127.0.0.1:{sink.nodes[0][2]}", "--idle",
                "--connections", str(sessions), "--limit", "60"]
        ended = subprocess.run(argv, input="", capture_output=True, text=True, check=True)
        return [int(line.split("=")[1]) for line in ended.stdout.split()]

    def test_sessions_are_held_until_the_input_ends(self):
        sink = self.start_sink(slots=100)
        self.assertEqual(self.hold(sink, 100), [100, 100])
        counts = self.stop(sink)
        self.assertEqual((counts["connections"], counts["messages"]), (100, 0))

    def test_sessions_that_were_not_to_be_had_are_not_counted(self):
        self.assertEqual(self.hold(self.start_sink(options=["--fault", "n1,turn-away"]), 10), [0, 0])


def segments_in(client):
    """Segments with data that the client's socket has got."""
    info = client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("I", info, DATA_SEGMENTS_IN)[0]


if __name__ == "__main__":
    main()
