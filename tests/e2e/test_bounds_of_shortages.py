"""Too many records, too few descriptors, no room on the disk: the short form of `tests/e2e/bounds`."""
import pytest

from lab import bounds_shortages as bounds


def test_every_record_of_many_is_acknowledged_and_found(bounds_lab):
    (row,) = bounds.origin_records(bounds_lab, count=5000, rate=2500)
    assert row.problems == []
    assert row.counts["stored"] == row.counts["records"] - 1000 == 5000


def test_more_connections_than_descriptors_wait_or_hear_a_4xx_and_blame_no_node(bounds_lab):
    (row,) = bounds.few_descriptors(bounds_lab, seconds=2.5)
    assert row.problems == []


@pytest.mark.parametrize("on_error", ["accept", "tempfail"])
def test_a_full_disk_under_the_store_is_left_to_on_error_and_recovered_from(bounds_lab, on_error):
    (row,) = bounds.full_disk(bounds_lab, on_error)
    assert row.problems == []
