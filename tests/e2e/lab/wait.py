"""Waiting for an event, with a deadline."""
import time


class Timeout(AssertionError):
    """An event did not happen in time."""


def until(condition, what, deadline=30.0):
    """The first true value of condition(); Timeout with `what` when there is none in time.

    `what` may be a callable, so that the text can show what there was instead.
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"not within {deadline:g} s: {what() if callable(what) else what}")
        time.sleep(0.02)
