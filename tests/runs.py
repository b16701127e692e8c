"""Runs of the tap within the tests' own process, on a clock that waits in no time."""

from __future__ import annotations

import contextlib
import io
import json
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from itertools import dropwhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from oracle import expected_row

from tap_ozonetel_cdr.clock import Clock
from tap_ozonetel_cdr.errors import TapError
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Callable

    from ozonetel_sandbox import Sandbox

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=timezone.utc)
TODAY = date(2026, 11, 20)


class StillClock(Clock):
    """A calendar that stands still, and time that passes only where somebody waits."""

    def __init__(self) -> None:
        """Start at an arbitrary time."""
        self.passed = 1000.0

    def now(self) -> datetime:
        """Return always the same noon in Kolkata."""
        return NOW

    def monotonic(self) -> float:
        """Return the time that was waited."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Wait without waiting; as with any clock, a moment longer than asked for."""
        self.passed += seconds + 0.001


@dataclass
class Run:
    """What a run wrote, and how it ended."""

    days: list[list[dict[str, Any]]] = field(default_factory=list)
    """The records in front of each STATE line."""
    rest: list[dict[str, Any]] = field(default_factory=list)
    """The records behind the last STATE line."""
    states: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    """The line that the run ended with, when it failed."""

    @property
    def bookmarks(self) -> list[str]:
        """The bookmark in each STATE line."""
        return [state["bookmarks"]["cdr"]["replication_key_value"] for state in self.states]


def run(
    sandbox: Sandbox, clock: StillClock, state: dict[str, Any] | None = None, /, **settings: object
) -> Run:
    """Run the tap to its end."""
    timed = type("TimedTap", (TapOzonetelCDR,), {"clock": clock})
    config = {
        "api_url": sandbox.url,
        "user_name": sandbox.user_name,
        "api_key": sandbox.api_key,
        **settings,
    }
    result = Run()
    with io.TextIOWrapper(io.BytesIO()) as output:
        with contextlib.redirect_stdout(output):
            try:
                timed(config=config, state=state or {}, parse_env_config=False).sync_all()
            except TapError as error:
                result.error = error.line
        lines = output.buffer.getvalue().splitlines(keepends=True)
    read(lines, result)
    if not result.error and result.states[-2:-1] == result.states[-1:] and not result.days[-1]:
        # The SDK repeats the last STATE at the end.
        result.days.pop()
        result.states.pop()
    return result


def read(lines: list[bytes], result: Run) -> None:
    """Sort the lines of a run; a STATE in front of the SCHEMA only repeats what was given."""
    messages = [json.loads(line) for line in lines]
    for message in dropwhile(lambda message: message["type"] == "STATE", messages):
        if message["type"] == "RECORD":
            result.rest.append(message["record"])
        elif message["type"] == "STATE":
            result.states.append(message["value"])
            result.days.append(result.rest)
            result.rest = []


def expected(sandbox: Sandbox, day: date, at: datetime | None = NOW) -> list[dict[str, Any]]:
    """Return the rows that a day's records have to become; None is the real time."""
    zone = ZoneInfo(sandbox.timezone)
    return [expected_row(record, day, zone) for record in sandbox.records(day, at=at)]


def days_from(first: date, last: date = TODAY) -> list[date]:
    """Return the days from ``first`` to ``last``."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
