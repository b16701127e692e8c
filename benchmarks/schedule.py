"""How much of the limit's schedule is used: 16 dates under a limit with a short period."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Final

import bodies
from measure import THIS, FailedError, run, sync_command
from server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from server import Request

DATES: Final = 16
LIMIT: Final = 2
SLOW: Final = 5_000
"""Records a second that a slow target takes."""


@dataclass(frozen=True)
class Schedule:
    """How long the requests of one run took, from the first to the end of the last response."""

    reader: str
    period: float
    calls: int
    """Records of a day."""
    took: float
    least: float
    """The least that the limit allows for these responses, in seconds."""

    @property
    def lost_a_period(self) -> float:
        """Seconds lost in each wait for the limit, whatever its period."""
        return (self.took - self.least) / waits(DATES)


def waits(requests: int) -> int:
    """Return how many periods this many requests have to wait for."""
    return -(-requests // LIMIT) - 1


def measure(folder: Path, period: float) -> list[Schedule]:
    """Run this tap for a reader that is never waited for, and for a slow one.

    The slow one is busy for two thirds of each period.
    """
    calls = max(1, min(5_000, round(SLOW * period / LIMIT * 2 / 3)))
    name = bodies.account(calls)
    days = [bodies.today() - timedelta(days=ago) for ago in range(DATES)]
    bodies.provide(folder, name, days)
    found = []
    for reader, pace in (("none: /dev/null", None), (f"{SLOW:,} records/s", SLOW)):
        print(f"16 dates, {LIMIT} requests in {period:g} s, reader: {reader}", file=sys.stderr)
        with Server(folder) as server:
            command = sync_command(
                THIS,
                folder,
                api_url=server.url,
                user_name=name,
                rate_limit_requests=LIMIT,
                rate_limit_period=period,
            )
            run(command, folder, read=partial(_read_slowly, pace=pace) if pace else None)
        asked = [request for request in server.requests if request.is_for_calls]
        if len(asked) != DATES:
            raise FailedError(f"{len(asked)} requests for {DATES} dates")
        took = asked[-1].ended - asked[0].arrived
        found.append(Schedule(reader, period, calls, took, least(asked, period)))
    return found


def least(requests: Sequence[Request], period: float) -> float:
    """Return the least seconds for these responses, asked for one after the other.

    A request may go when the response before it is there, and a period after the response to the
    one before the last ``LIMIT``: (ceil(n / LIMIT) - 1) periods, and the responses' own time.
    """
    ends: list[float] = []
    for request in requests:
        due = ends[-1] if ends else 0.0
        if len(ends) >= LIMIT:
            due = max(due, ends[-LIMIT] + period)
        ends.append(due + request.ended - request.arrived)
    return ends[-1]


def _read_slowly(pipe: IO[bytes], pace: int) -> None:
    """Take lines at a pace; time in which none came is not made up for."""
    due = time.monotonic()
    for _ in pipe:
        now = time.monotonic()
        # A sleep takes a moment longer than it should: that much may be made up for.
        due = max(due, now - 0.02) + 1 / pace
        if due - now > 0.005:  # noqa: PLR2004
            time.sleep(due - now)
