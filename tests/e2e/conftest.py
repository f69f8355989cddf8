"""What all end-to-end tests share: the lab on the path, and the logs of every part on failure."""
import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import workspace  # noqa: E402
from lab.bounds_bench import Row  # noqa: E402
from lab.cluster import Cluster, Plan  # noqa: E402

_LINES_SHOWN = 60


def pytest_configure():
    """A run that is told to end cleans up like one that is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="module")
def module_lab(request):
    """One private directory for the module."""
    name = request.module.__name__.removeprefix("test_")[:20]
    with workspace.Lab(name) as lab:
        yield lab


@pytest.fixture(scope="module")
def cluster(request, module_lab):
    """The module's PLAN, built once."""
    return Cluster(module_lab, getattr(request.module, "PLAN", Plan()))


@pytest.fixture
def build():
    """build(Plan(...)): a cluster for one test alone."""
    labs = []

    def make(plan):
        labs.append(workspace.Lab("test"))
        return Cluster(labs[-1], plan)

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def bounds_lab(monkeypatch):
    """For the short forms of `tests/e2e/bounds`: what is given back may take its time on a busy machine."""
    monkeypatch.setattr(Row, "back_within", 30.0)
    with workspace.Lab("bounds") as lab:
        yield lab


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and call.when in ("setup", "call"):
        for lab in workspace.open_labs:
            report.sections += [(name, log.tail(_LINES_SHOWN)) for name, log in lab.logs()]
