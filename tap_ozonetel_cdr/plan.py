"""Which day is asked for: pure functions of today, the settings and the bookmark."""

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
    """What one run asks for, and what it can no longer ask for.

    Attributes:
        days: Ascending; one request a day. Empty when there is nothing to read.
        gap: The days between bookmark and retention, which are gone for good: from the bookmark's
            own (it may have been read before it was over) to the last one gone.
        before_retention: Without a bookmark: the days that ``start_date`` asks for and the API no
            longer has.
        oldest_may_be_partial: The day exactly ``retention_days`` back is planned because of the
            bookmark or ``start_date``. Whether the API still has all of it is not known [open].
    """

    days: tuple[date, ...]
    gap: DayRange | None
    before_retention: DayRange | None
    oldest_may_be_partial: bool


def plan(  # noqa: PLR0913  the facts that a plan depends on, each named by its caller
    *,
    today: date,
    retention_days: int,
    lookback_days: int,
    start_date: date | None = None,
    end_date: date | None = None,
    bookmark: date | None = None,
) -> Plan:
    """Plan the days of one run.

    The last day is the earlier of ``end_date`` and today. The first is the latest of the oldest day
    that the API has, ``start_date``, and, with a bookmark, the earlier of bookmark and
    ``today - lookback_days``. A ``start_date`` after a gap acknowledges it.

    Args:
        today: The date it is in the account's time zone.
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
        first = max(first, min(bookmark, _before(today, lookback_days)))
    days = tuple(date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))

    # What this run had to continue from. An old `start_date` has been served once there is a
    # bookmark, and a run without either takes what it finds.
    needed = bookmark or start_date
    lost = None
    if needed and needed < oldest:
        lost = _range(max(needed, start_date or needed), min(oldest - timedelta(days=1), last))
    return Plan(
        days=days,
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
