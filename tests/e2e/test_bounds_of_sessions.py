"""What sessions and messages may cost: the short form of `tests/e2e/bounds`. No time is asserted."""
from lab import bounds_sessions as bounds
from lab.bounds_sessions import KIB, MIB


def test_a_node_that_stalls_holds_the_message_back_and_takes_all_of_it_later(bounds_lab):
    (row,) = bounds.stalled_node(bounds_lab, octets=40 * MIB)
    assert row.problems == []
    assert row.counts["taken"] >= 40 * MIB
    assert row.cost.growth <= 8 * MIB


def test_a_node_that_stalls_for_ever_costs_a_4xx_and_no_slot(bounds_lab):
    (row,) = bounds.stalled_node(bounds_lab, octets=40 * MIB, data_timeout="1s")
    assert row.problems == []
    assert row.counts["reply"].startswith("['451 4.4.2 ")


def test_idle_sessions_are_cheap_and_open_no_connection_to_a_node(bounds_lab):
    for row in bounds.idle_sessions(bounds_lab, count=4000):
        assert row.problems == []
        assert row.cost.descriptors[1] >= 4000
        assert row.counts["per_session"] <= 4 * KIB
        assert row.counts["node_connections"] <= 2  # checks


def test_slow_senders_cost_little_and_other_mail_flows(bounds_lab):
    (row,) = bounds.slow_senders(bounds_lab, count=200, rounds=0)
    assert row.problems == []
    assert row.counts["dribbled"] > 0
    assert row.counts["per_message"] <= 64 * KIB


def test_clients_that_do_not_read_their_replies_are_held_back_and_answered_in_the_end(bounds_lab):
    for row in bounds.short_commands(bounds_lab, count=20):
        assert row.problems == []


def test_a_message_in_transit_costs_the_content_that_is_kept_and_little_more(bounds_lab):
    (row,) = bounds.messages_in_transit(bounds_lab, count=20)
    assert row.problems == []
    assert row.counts["per_message"] >= MIB
