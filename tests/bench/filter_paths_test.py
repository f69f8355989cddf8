#!/usr/bin/python3
"""What Postfix logs is read as it is meant, and nothing that went wrong is overlooked. Starts nothing."""
import unittest

from farm import path_account, postfix_log
from farm.path_account import HAPROXY, MILLRACE, Sent
from farm.postfix_log import Delivery

PREFIX = "Nov 21 12:00:00 host postfix/millrace/smtp[7]: "
PORTS = {HAPROXY: 10001, MILLRACE: 10002}
SENT = [Sent(HAPROXY, "a@example.org", "A1"), Sent(MILLRACE, "b@example.org", "B2")]
ONE_EACH = {"a@example.org": 1, "b@example.org": 1}


def delivered(queue_id, port, status="sent", connecting=0.002, sending=0.07):
    return Delivery(queue_id, "x@example.org", port, connecting, sending, status)


BOTH = [delivered("A1", 10001), delivered("B2", 10002)]


class PostfixLogTest(unittest.TestCase):
    def test_c_and_d_of_delays_are_read_with_the_port_that_was_connected_to(self):
        cases = {
            "4jW9801pfMz1bY05: to=<u@example.org>, relay=127.0.0.1[127.0.0.1]:10001, delay=0.083,"
            " delays=0.0048/0.00021/0.0034/0.075, dsn=2.0.0, status=sent (250 2.0.0 Ok)":
                Delivery("4jW9801pfMz1bY05", "u@example.org", 10001, 0.0034, 0.075, "sent"),
            "4jW: to=<u@example.org>, orig_to=<v@example.org>, relay=f.example.org[2001:db8::1]:10024,"
            " conn_use=2, delay=12, delays=1/0/0/11, dsn=2.0.0, status=sent (250 queued as 1)":
                Delivery("4jW", "u@example.org", 10024, 0.0, 11.0, "sent", use=2),
            "4jW: to=<u@example.org>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=4.4.1,"
            " status=deferred (connect to 127.0.0.1[127.0.0.1]:10024: Connection refused)":
                Delivery("4jW", "u@example.org", None, 0.0, 0.0, "deferred"),
            "4jW: to=<u@example.org>, relay=lab.test[/run/sink.sock], delay=0.1,"
            " delays=0.05/0.01/0.02/0.03, dsn=2.0.0, status=sent (250 2.0.0 kept)":
                Delivery("4jW", "u@example.org", None, 0.02, 0.03, "sent"),
        }
        for line, expected in cases.items():
            with self.subTest(line):
                self.assertEqual(postfix_log.delivery(PREFIX + line), expected)

    def test_other_lines_are_no_deliveries(self):
        lines = ["", PREFIX + "4jW: from=<s@example.org>, size=99, nrcpt=1 (queue active)",
                 PREFIX + "4jW: removed", PREFIX + "connect from client[192.0.2.1]"]
        self.assertEqual(postfix_log.deliveries(lines), [])

    def test_the_time_on_a_path_is_c_and_d_together(self):
        self.assertAlmostEqual(delivered("A1", 1, connecting=0.25, sending=0.5).time, 0.75)


class AccountTest(unittest.TestCase):
    def test_deliveries_belong_to_the_path_of_their_message(self):
        found, problems = path_account.account(
            PORTS, SENT, [delivered("other", 10001), *BOTH], ONE_EACH)
        self.assertEqual(found, {HAPROXY: BOTH[:1], MILLRACE: BOTH[1:]})
        self.assertEqual(problems, [])

    def test_what_did_not_arrive_once_by_its_path_is_a_problem(self):
        cases = {
            "lost": (BOTH, {"a@example.org": 1}),
            "twice": (BOTH, {**ONE_EACH, "b@example.org": 2}),
            "the other path": ([BOTH[0], delivered("B2", 10001)], ONE_EACH),
            "tried twice": ([delivered("A1", None, "deferred"), *BOTH], ONE_EACH),
            "not logged": (BOTH[:1], ONE_EACH),
        }
        for name, (deliveries, copies) in cases.items():
            with self.subTest(name):
                _, problems = path_account.account(PORTS, SENT, deliveries, copies)
                self.assertEqual(len(problems), 1)


class TableTest(unittest.TestCase):
    def rows(self, rounds):
        lines = path_account.table(rounds).split("\n")
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]

    def test_all_rounds_together_are_compared_with_haproxy(self):
        slow = [[delivered("A1", 1, connecting=0.01, sending=0.07)],
                [delivered("A1", 1, connecting=0.02, sending=0.08)] * 2]
        fast = [[delivered("B2", 2, connecting=0.0, sending=0.05)] * 3]
        self.assertEqual(self.rows({MILLRACE: fast, HAPROXY: slow}), [
            [HAPROXY, "3", "20.0", "20.0", "80.0", "80.0", "100.0", "100.0", "80.0 to 100.0", "+0.0",
             "1.00"],
            [MILLRACE, "3", "0.0", "0.0", "50.0", "50.0", "50.0", "50.0", "50.0 to 50.0", "-50.0",
             "0.50"],
        ])

    def test_without_haproxy_nothing_is_compared(self):
        (row,) = self.rows({MILLRACE: [[delivered("B2", 2)]]})
        self.assertEqual(row[-2:], ["", ""])


if __name__ == "__main__":
    unittest.main()
