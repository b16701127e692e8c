"""Runs of the tap: how one is made within the tests' own process, and what any of them wrote."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from clocks import NOW, TODAY, PassingClock, StillClock, until
from oracle import expected_row

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.errors import TapError
from tap_ozonetel_cdr.tap import TapOzonetelCDR

# Handed on, for who runs the tap needs time.
__all__ = ["NOW", "TODAY", "StillClock", "until"]


@dataclass
class Run:
    """What a run wrote, and how it ended."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    """All lines in their order."""
    error: str | None = None
    """The line that the run ended with, when it failed."""
    days: list[list[dict[str, Any]]] = field(default_factory=list)
    """The records in front of each STATE line."""
    rest: list[dict[str, Any]] = field(default_factory=list)
    """The records behind the last STATE line."""
    states: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, output: bytes, error: str | None = None) -> Run:
        """Read the lines of a run.

        A STATE in front of the SCHEMA only repeats what was given. At the end of a whole run the
        SDK repeats the last one, unless it is what was given. Neither counts as a day.
        """
        result = cls([json.loads(line) for line in output.splitlines()], error)
        given = None
        for number, message in enumerate(result.messages):
            if message["type"] == "RECORD":
                result.rest.append(message["record"])
            elif message["type"] == "STATE" and not number:
                given = message["value"]
            elif message["type"] == "STATE":
                result.states.append(message["value"])
                result.days.append(result.rest)
                result.rest = []
        last = result.states[-2:]
        if not error and len(last) == 2 and last[0] == last[1] != given and not result.days[-1]:
            result.states.pop()
            result.days.pop()
        return result

    @property
    def types(self) -> list[str]:
        """The type of each line."""
        return [message["type"] for message in self.messages]

    @property
    def records(self) -> list[dict[str, Any]]:
        """All records in their order."""
        return [m["record"] for m in self.messages if m["type"] == "RECORD"]

    @property
    def bookmarks(self) -> list[Any]:
        """The bookmark behind each day, None where there is none yet."""
        entries = [state.get("bookmarks", {}).get("cdr", {}) for state in self.states]
        return [entry.get("replication_key_value") for entry in entries]


def sandbox_on(clock: PassingClock, **rules: Any) -> Sandbox:  # noqa: ANN401  # a sandbox's own
    """Return an account in the sandbox, on a clock."""
    return Sandbox(now=clock.now, monotonic=clock.monotonic, **rules)


def tap_for(
    sandbox: Sandbox,
    clock: PassingClock,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    /,
    **settings: object,
) -> TapOzonetelCDR:
    """Return the tap for an account, on a clock."""
    timed = type("TimedTap", (TapOzonetelCDR,), {"clock": clock})
    config = {
        "api_url": sandbox.url,
        "user_name": sandbox.user_name,
        "api_key": sandbox.api_key,
        "timezone": sandbox.timezone,
        **settings,
    }
    made: TapOzonetelCDR = timed(
        config=config, state=state or {}, catalog=catalog, parse_env_config=False
    )
    return made


def run(
    sandbox: Sandbox,
    clock: PassingClock,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    /,
    **settings: object,
) -> Run:
    """Run the tap to its end."""
    error = None
    with io.TextIOWrapper(io.BytesIO()) as output:
        with contextlib.redirect_stdout(output):
            try:
                tap_for(sandbox, clock, state, catalog, **settings).sync_all()
            except TapError as failure:
                error = failure.line
        written = output.buffer
        assert isinstance(written, io.BytesIO)
        return Run.of(written.getvalue(), error)


class Sync(Protocol):
    """Runs the tap to its end, in this process, on the clock and the account of the test."""

    def __call__(
        self,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        /,
        **settings: object,
    ) -> Run:
        """Run it once."""


def expected(sandbox: Sandbox, day: date, at: datetime | None = NOW) -> list[dict[str, Any]]:
    """Return the rows that a day's records have to become; None is the real time."""
    zone = ZoneInfo(sandbox.timezone)
    return [expected_row(record, day, zone) for record in sandbox.records(day, at=at)]


def days_from(first: date, last: date = TODAY) -> list[date]:
    """Return the days from ``first`` to ``last``."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
