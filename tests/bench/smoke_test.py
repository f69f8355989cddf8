#!/usr/bin/python3
"""The programs of the benchmark do what the benchmark takes for granted. No time is asserted.

Usage: smoke_test.py BUILD_DIRECTORY
"""
from farm import draws
from sink_case import SEED, Client, SinkCase, main

V2_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
V1_UNKNOWN = b"PROXY UNKNOWN\r\n"


class SmokeTest(SinkCase):
    def test_every_message_arrives_whole_and_once_although_connections_outnumber_children(self):
        sink = self.start_sink(slots=2, mean=0.001)
        result = self.run_load(sink, "--count", 40, "--connections", 8, "--per-connection", 5,
                               "--idle-close", 0.01)
        counts = self.stop(sink)
        self.assertEqual(result["accepted"], 40)
        self.assertEqual(result["tempfailed"] + result["refused"] + result["lost"]
                         + result["unfinished"], 0)
        self.assertEqual(counts["messages"], 40)
        self.assertGreaterEqual(counts["connections"], 8)
        self.assertEqual((counts["bad_messages"], counts["abandoned"]), (0, 0))

    def test_a_child_serves_one_connection_until_it_is_closed(self):
        sink = self.start_sink(slots=1, mean=0)
        with Client(sink) as first, Client(sink) as second:
            self.assertTrue(first.line().startswith("220 "))
            # The kernel has connected the second one, but nobody greets it.
            first.send(b"NOOP\r\n")
            self.assertTrue(first.line().startswith("250 "))
            self.assertFalse(second.has_input())
            first.send(b"QUIT\r\n")
            self.assertTrue(second.line().startswith("220 "))

    def test_idle_connections_are_closed_and_replaced(self):
        # On a machine that is too busy for a gap between messages none is idle: tried again.
        self.assertTrue(any(self.connections_at_twenty_per_second() > 1 for _ in range(10)))

    def connections_at_twenty_per_second(self):
        """How many one client needs that closes them as soon as there is no message."""
        sink = self.start_sink(slots=4, mean=0)
        result = self.run_load(sink, "--count", 10, "--connections", 1, "--per-connection", 100,
                               "--rate", 20, "--idle-close", 0)
        self.assertEqual(result["accepted"], 10)
        return self.stop(sink)["connections"]

    def test_arrivals_and_work_are_those_of_the_simulation(self):
        count, mean, rate = 50, 0.002, 500
        sink = self.start_sink(slots=50, mean=mean)
        result = self.run_load(sink, "--count", count, "--connections", 50, "--rate", rate)
        work = mean * sum(draws.exponentials(SEED, draws.SERVICE, count))
        last_arrival = sum(draws.exponentials(SEED, draws.ARRIVAL, count)) / rate
        self.assertAlmostEqual(self.stop(sink)["worked_s"], work, delta=1e-6)
        self.assertGreaterEqual(result["duration_s"], last_arrival)

    def test_content_that_was_changed_is_noticed(self):
        sink = self.start_sink(slots=1, mean=0)
        with Client(sink) as client:
            client.line()
            client.send(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
            while not client.line().startswith("354 "):
                pass
            client.send(b"X-Bench-Number: 1\r\nX-Bench-Size: 3\r\nX-Bench-Checksum: 5\r\n\r\n"
                        b"a\r\n.\r\n")
            self.assertTrue(client.line().startswith("250 "))
        self.assertEqual(self.stop(sink)["bad_messages"], 1)

    def test_the_header_is_demanded_in_its_version(self):
        for proxy, good, bad in (("v2", V2_LOCAL, V1_UNKNOWN), ("v1", V1_UNKNOWN, V2_LOCAL)):
            with self.subTest(proxy):
                sink = self.start_sink(slots=1, mean=0, proxy=proxy)
                for header in (bad, b"EHLO x\r\n" * 20):
                    with Client(sink) as client:
                        client.send(header)
                        self.assertEqual(client.line(), "")
                with Client(sink) as client:
                    client.send(good)
                    self.assertTrue(client.line().startswith("220 "))
                counts = self.stop(sink)
                self.assertEqual((counts["bad_headers"], counts["checks"]), (2, 1))


if __name__ == "__main__":
    main()
