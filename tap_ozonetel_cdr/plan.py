"""Which days are requested, and where the bookmark goes: pure functions of what is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DATE_OR_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Consecutive days, both ends inclusive."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        """As a user reads it: ``2026-11-01 to 2026-11-08 (8 days)``."""
        if self.first == self.last:
            return f"{self.first} (1 day)"
        return f"{self.first} to {self.last} ({self.count} days)"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run asks for, what it can no longer ask for, and how far its bookmark goes.

    Attributes:
        days: Ascending; one request a day. Empty when there is nothing to read.
        settled: The last day the bookmark may name. What was read of a later day may be
            incomplete, so the next run reads it again.
        bookmark: The bookmark to continue from, not past ``settled``; None without one.
        needed: The first day that the bookmark or ``start_date`` asks for; None if neither is set.
        gap: The days between bookmark and retention, which are gone for good: from the bookmark's
            own (it may have been read before it was over) to the last one gone.
        before_retention: Without a bookmark: the days that ``start_date`` asks for and the API no
            longer has.
        oldest_may_be_partial: The day exactly ``retention_days`` back is planned because of the
            bookmark or ``start_date``. Whether the API still has all of it is not known [open].
    """

    days: tuple[date, ...]
    settled: date
    bookmark: date | None
    needed: date | None
    gap: DayRange | None
    before_retention: DayRange | None
    oldest_may_be_partial: bool

    def misses(self, day: date) -> bool:
        """Return whether a planned day that cannot be read leaves a gap in what was asked for."""
        return self.needed is not None and self.needed <= day

    def bookmark_after(self, day: date) -> date | None:
        """Return the bookmark once ``day`` is read to its end; None for none.

        It never passes the settled day and never moves back. Where that would leave it before the
        first planned day, it stays as it was: the days between were not read.
        """
        reached = min(day, self.settled)
        if reached < self.days[0]:
            return self.bookmark
        return max(reached, self.bookmark or reached)


def settled_day(now: datetime, settling_hours: int) -> date:
    """Return the last day before which all days are complete at the API.

    A day that is over may be answered as empty or in part until 03:00 IST of the next one [open].

    Args:
        now: The present, by the account's clock.
        settling_hours: Hours after midnight for which the day before may still be incomplete.
    """
    return (now.replace(tzinfo=None) - timedelta(hours=settling_hours)).date()


def plan(  # noqa: PLR0913  the facts that a plan depends on, each named by its caller
    *,
    today: date,
    settled: date,
    retention_days: int,
    lookback_days: int,
    start_date: date | None = None,
    end_date: date | None = None,
    bookmark: date | None = None,
) -> Plan:
    """Plan the days of one run.

    The last day is the earlier of ``end_date`` and today. The first is the latest of the oldest day
    that the API has, ``start_date``, and, with a bookmark, the earlier of bookmark and
    ``settled - lookback_days``. A ``start_date`` after a gap acknowledges it.

    Args:
        today: The date it is in the account's time zone.
        settled: What ``settled_day`` returns, today or earlier. A bookmark past it counts as it.
        retention_days: How many days before today the API still answers for.
        lookback_days: How many finished days to read again.
        start_date: The first day wanted.
        end_date: The last day wanted, inclusive.
        bookmark: The last day read, not later than today.
    """
    oldest = _before(today, retention_days)
    last = min(end_date or today, today)
    first = max(oldest, start_date or oldest)
    if bookmark:
        bookmark = min(bookmark, settled)
        first = max(first, min(bookmark, _before(settled, lookback_days)))
    days = tuple(date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))

    # An old `start_date` has been served once there is a bookmark, and a run without either takes
    # what it finds.
    needed = max(bookmark, start_date or bookmark) if bookmark else start_date
    lost = None
    if needed and needed < oldest:
        lost = _range(needed, min(oldest - timedelta(days=1), last))
    return Plan(
        days=days,
        settled=settled,
        bookmark=bookmark,
        needed=needed,
        gap=lost if bookmark else None,
        before_retention=None if bookmark else lost,
        oldest_may_be_partial=oldest in days and needed is not None and needed <= oldest,
    )


def parse_date(value: object) -> date:
    """Return the date that a date or date-time, or its ISO 8601 text, is written with.

    A date-time is not converted to another time zone: ``2026-11-01T23:00:00-05:00`` is 2026-11-01.

    Raises:
        ValueError: It is neither, or no such date exists.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and (match := _DATE_OR_DATE_TIME.fullmatch(value)):
        return date.fromisoformat(match[1])
    raise ValueError("neither a date nor a date-time")


def _before(day: date, count: int) -> date:
    """Return the day ``count`` days earlier, or the first that a date can hold."""
    return date.fromordinal(max(day.toordinal() - count, 1))


def _range(first: date, last: date) -> DayRange | None:
    return DayRange(first, last) if first <= last else None
