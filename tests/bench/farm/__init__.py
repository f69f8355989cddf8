"""The parts of the benchmark: scenario, programs under test, load, computed ideal, table."""
