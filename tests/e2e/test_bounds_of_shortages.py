"""Too many records, too few descriptors, no room on the disk: the short form of `tests/e2e/bounds`."""
import pytest

from lab import bounds_shortages as bounds
from lab.bounds_bench import Row
from lab.workspace import Lab


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(Row, "back_within", 30.0)


@pytest.fixture
def lab():
    with Lab("bounds") as made:
        yield made


def test_every_record_of_many_is_acknowledged_and_found(lab):
    (row,) = bounds.origin_records(lab, count=5000, rate=2500)
    assert row.problems == []
    assert row.counts["stored"] == row.counts["records"] - 1000 == 5000


def test_more_connections_than_descriptors_wait_or_hear_a_4xx_and_blame_no_node(lab):
    (row,) = bounds.few_descriptors(lab, seconds=2.5)
    assert row.problems == []


@pytest.mark.parametrize("on_error", ["accept", "tempfail"])
def test_a_full_disk_under_the_store_is_left_to_on_error_and_recovered_from(lab, on_error):
    (row,) = bounds.full_disk(lab, on_error)
    assert row.problems == []
