"""Whole runs against an API whose finished days are complete at 03:00 only, at whatever hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from clocks import StillClock
from runs import expected, run, sandbox_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ozonetel_sandbox import Sandbox

KOLKATA = ZoneInfo("Asia/Kolkata")
FIRST = date(2026, 11, 2)
START = {"start_date": str(FIRST)}


class Calendar(StillClock):
    """A clock whose calendar is set by hand."""

    moment = datetime(2026, 11, 2, 12, tzinfo=KOLKATA)

    def now(self) -> datetime:
        """Return what the calendar is set to."""
        return self.moment


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of November 2026 by the account's clock."""
    return datetime(2026, 11, day, hour, minute, tzinfo=KOLKATA)


def daily(hour: int, minute: int, days: Iterable[int] = range(3, 13)) -> list[datetime]:
    """Return a run a day."""
    return [at(day, hour, minute) for day in days]


class Warehouse:
    """What runs left in a target that upserts, and how many requests each took."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[int] = []
        self.state: dict[str, Any] | None = None

    def load(self, account: Sandbox, clock: Calendar, **settings: object) -> None:
        """Run the tap, and load what it writes."""
        before = len(account.requests)
        result = run(account, clock, self.state, **START, **settings)
        assert result.error is None
        for row in (row for rows in result.days for row in rows):
            self.rows[row["CallID"], row["UCID"]] = row
        self.state = result.states[-1] if result.states else self.state
        self.requests.append(len(account.requests) - before)
        clock.passed += 3600

    def holds(self, account: Sandbox, days: Iterable[date], now: datetime) -> bool:
        """Tell whether each record of days that are complete is there, as it last was."""
        truth = [row for day in days for row in expected(account, day, now)]
        return bool(truth) and all(self.rows.get((r["CallID"], r["UCID"])) == r for r in truth)


@pytest.mark.parametrize("settling", ["empty", "partial", "whole"])
@pytest.mark.parametrize(
    ("moments", "requests"),
    [
        pytest.param(daily(0, 5), 3, id="a day at 00:05"),
        pytest.param(daily(1, 30), 3, id="a day at 01:30"),
        pytest.param(daily(3, 59), 3, id="a day at 03:59"),
        pytest.param(daily(4, 0), 2, id="a day at 04:00"),
        pytest.param(daily(4, 30), 2, id="a day at 04:30"),
        pytest.param(daily(23, 0), 2, id="a day at 23:00"),
        pytest.param(
            [at(day, hour) for day in range(3, 9) for hour in (0, 6, 12, 18)],
            None,
            id="every six hours",
        ),
        pytest.param(
            [at(day, hour) for day in range(3, 6) for hour in range(24)], None, id="every hour"
        ),
        pytest.param(daily(1, 30, [3, 4, 8, 9, 13, 14]), None, id="with pauses of days at 01:30"),
        pytest.param(
            [at(3, 23), at(4, 1), at(9, 2), at(11, 0, 1)], None, id="whenever somebody thinks of it"
        ),
    ],
)
def test_nothing_is_lost_at_whatever_hour(
    moments: list[datetime],
    requests: int | None,
    settling: Literal["empty", "partial", "whole"],
) -> None:
    """Each record of a day that was complete at the last run is there, as it last was."""
    clock = Calendar()
    warehouse = Warehouse()
    with sandbox_on(
        clock, settling=settling, records_per_day=lambda _: 12, renaming=False
    ) as account:
        for clock.moment in moments:
            warehouse.load(account, clock)
        complete = (clock.moment - timedelta(hours=4)).date()
        days = [FIRST + timedelta(days=n) for n in range((complete - FIRST).days)]
        assert warehouse.holds(account, days, clock.moment)
    if requests:
        assert set(warehouse.requests[3:]) == {requests}


@pytest.mark.parametrize(("hours", "lost"), [(0, True), (3, False), (4, False), (23, False)])
def test_how_many_hours_a_day_is_given(hours: int, lost: bool) -> None:
    """Without any, the days that a run at 01:30 read last are lost."""
    clock = Calendar()
    warehouse = Warehouse()
    with sandbox_on(
        clock, settling="empty", records_per_day=lambda _: 12, renaming=False
    ) as account:
        for clock.moment in daily(1, 30):
            warehouse.load(account, clock, settling_hours=hours, lookback_days=0)
        days = [FIRST + timedelta(days=n) for n in range(8)]
        assert warehouse.holds(account, days, clock.moment) is not lost


def test_a_bookmark_of_an_older_version_counts_as_the_settled_day() -> None:
    """At 01:30 it named today, though yesterday may have been read while it was incomplete."""
    clock = Calendar()
    clock.moment = at(10, 1, 30)
    state = {"bookmarks": {"cdr": {"replication_key_value": "2026-11-10"}}}
    with sandbox_on(clock, records_per_day=3) as account:
        result = run(account, clock, state)
        asked = [request.from_date[:10] for request in account.requests]
    assert asked == ["2026-11-08", "2026-11-09", "2026-11-10"]
    assert set(result.bookmarks) == {"2026-11-09"}


def test_a_start_after_the_settled_day_leaves_no_bookmark() -> None:
    """Days before the start were not read, and the start itself may be incomplete."""
    clock = Calendar()
    clock.moment = at(10, 1, 30)
    with sandbox_on(clock, records_per_day=3) as account:
        result = run(account, clock, start_date="2026-11-10")
    assert result.error is None
    assert [state["bookmarks"]["cdr"] for state in result.states] == [{}]
