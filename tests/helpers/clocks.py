"""Time for tests: it passes where somebody waits for it, and nobody sleeps."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_ozonetel_cdr.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=timezone.utc)
"""Noon in Kolkata."""
TODAY = date(2026, 11, 20)


class PassingClock(Clock):
    """Time that passes, on the calendar as well, only where somebody waits."""

    def __init__(self, begin: datetime = NOW) -> None:
        """Begin at an instant."""
        self.begin = begin
        self.passed = 0.0

    def now(self) -> datetime:
        """Return the instant it is."""
        return self.begin + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Return the seconds waited."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Wait without waiting; as with any clock, a moment longer than asked for."""
        self.passed += seconds + 0.001


class StillClock(PassingClock):
    """Time that passes only where somebody waits, below a calendar that stands still."""

    def now(self) -> datetime:
        """Return always the same noon in Kolkata."""
        return self.begin


def until(condition: Callable[[], object]) -> None:
    """Wait until another thread or process has made something so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
