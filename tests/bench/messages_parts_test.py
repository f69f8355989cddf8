#!/usr/bin/python3
"""The parts of the message benchmark notice what they must notice, and reckon as they say.

Usage: messages_parts_test.py BUILD_DIRECTORY
"""
import os
import subprocess
import unittest

from farm import accounting, contenders, idle, message_path, syscalls
from farm.message_table import Table
from lab import wait  # farm has made it known
from sink_case import Client, SinkCase, main

FEW = message_path.Workload("few", 1000, 5, 4, 20)
STRAIGHT = contenders.Contender("straight", "off", None)


class PathTest(SinkCase):
    def path(self, contender):
        return message_path.Path(self.build, contender, self.new_directory(), self.stack)

    def test_a_sound_run_has_no_complaints(self):
        path = self.path(STRAIGHT)
        self.assertEqual(path.run(FEW).not_accepted, 0)
        self.assertEqual(path.finish(), [])

    def test_a_message_that_was_not_sent_and_arrives_is_noticed(self):
        path = self.path(STRAIGHT)
        path.run(FEW)
        message_path.run_load(self.build, path.port, FEW)
        self.assertEqual(path.finish(), ["straight: 20 messages sent, 40 arrived"])

    def test_a_message_that_is_not_as_it_was_sent_is_noticed(self):
        path = self.path(STRAIGHT)
        with Client(path.sink) as client:
            client.line()
            client.send(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
            while not client.line().startswith("354 "):
                pass
            client.send(b"changed\r\n.\r\n")
            client.line()
        self.assertIn("straight: n1: bad_messages=1", path.finish())

    def test_messages_that_nobody_takes_are_not_accepted(self):
        path = self.path(STRAIGHT)
        path.sink.stop()
        self.assertEqual(path.run(FEW).not_accepted, FEW.count)

    def test_every_contender_takes_all_messages_and_costs_processor_time(self):
        for contender in contenders.installed():
            with self.subTest(contender.label):
                path = self.path(contender)
                cost = path.run(FEW)
                self.assertEqual((cost.not_accepted, path.finish()), (0, []))
                self.assertEqual(cost.cpu_us > 0, contender.start is not None)


class AccountingTest(SinkCase):
    def test_the_processes_of_a_group_are_found_and_no_others(self):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, process_group=0) as leader, \
                subprocess.Popen(["cat"], stdin=subprocess.PIPE,
                                 process_group=leader.pid) as member, \
                subprocess.Popen(["cat"], stdin=subprocess.PIPE, process_group=0):
            self.assertEqual(sorted(accounting.processes(leader.pid)),
                             sorted([leader.pid, member.pid]))

    def test_time_memory_and_descriptors_are_those_of_the_program(self):
        sink = self.start_sink(slots=50)
        group = sink.process.child.pid
        before = accounting.run_time(group), accounting.descriptors(group)
        with Client(sink) as client:
            client.line()
            self.assertEqual(accounting.descriptors(group), before[1] + 1)
        # Booked when the kernel takes the processor away from it.
        wait.until(lambda: accounting.run_time(group) > before[0], "time on a processor")
        self.assertGreater(accounting.resident(group), os.sysconf("SC_PAGE_SIZE"))

    @unittest.skipUnless(syscalls.can_be_counted(), "perf may not count them here")
    def test_system_calls_are_counted_from_the_start_to_the_stop(self):
        sink = self.start_sink()
        self.run_load(sink, "--count", 100)
        counter = syscalls.Counter([sink.process.child.pid])
        self.addCleanup(counter.kill)
        with Client(sink) as client:
            client.line()
            for _ in range(100):
                client.send(b"NOOP\r\n")
                client.line()
        # For each command at least one to wait, to read and to write, and hardly more.
        self.assertIn(counter.stop(), range(300, 500))


class IdleTest(SinkCase):
    def test_a_balancer_in_front_holds_sessions_and_millrace_no_node_for_them(self):
        found = idle.measure(self.build, contenders.installed()[0], 50, self.new_directory(),
                             self.stack)
        self.assertEqual(found.lost, 0)
        self.assertLessEqual(found.node_connections, 2)  # a check of each node may be under way
        self.assertGreater(found.descriptors, 50)

    def test_sessions_are_as_many_as_there_are_descriptors_for(self):
        idle.raise_limit()
        self.assertEqual(idle.possible(10), 10)
        self.assertLess(idle.possible(10**9), 10**9)


class TableTest(unittest.TestCase):
    def cells(self, title, values):
        table = Table(list(values))
        for label, figures in values.items():
            for figure in figures:
                table.add(title, label, figure)
        return table.markdown().split("\n")[2].strip("| ").split(" | ")[1:]

    def test_a_ratio_is_that_of_each_round(self):
        self.assertEqual(self.cells("CPU, x", {"A": [10, 30, 20], "HAProxy": [10, 10, 20]}),
                         ["20 (1.00; 1.00-3.00)", "10 (1.00)"])

    def test_the_ratio_of_added_times_is_that_of_the_medians(self):
        self.assertEqual(self.cells("added p50, x", {"A": [10, 30, 20], "HAProxy": [-1, 40, 50]}),
                         ["20 (0.50)", "40 (1.00)"])

    def test_without_a_reference_there_is_no_ratio(self):
        self.assertEqual(self.cells("CPU, x", {"A": [10, 30, 20]}), ["20"])


if __name__ == "__main__":
    main()
