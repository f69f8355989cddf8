"""`tests/bench/amavis` works with what is installed. What it measures is not looked at."""
import os
import subprocess
import sys

from lab.programs import REPOSITORY


def test_every_message_of_a_short_run_arrives_once_by_its_path():
    run = subprocess.run(
        [sys.executable, os.path.join(REPOSITORY, "tests/bench/amavis"),
         "--messages", "3", "--rounds", "1", "--concurrency", "2", "--children", "3"],
        capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in run.stdout.splitlines() if line.startswith("|")]
    counts = {row[0]: row[1] for row in rows}
    assert counts["Millrace"] == "3"
    assert counts.get("HAProxy", "3") == "3"
