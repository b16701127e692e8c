"""The spans of a day that one request can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

LARGEST_SIZE = 24 * 60 * 60
"""A whole day in seconds: how a day is asked for at first."""

SMALLEST_SIZE = 45 * 60
"""Seconds: five halvings of a day, and as small as a span gets."""

_LAST_SECOND = LARGEST_SIZE - 1
_FAILURES_BEFORE_HALVING = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one calendar day in the account's local time, in whole seconds.

    Attributes:
        day: The calendar day.
        first: The first second of it, 0 to 86399.
        last: The last second of it, inclusive, not before ``first``.
    """

    day: date
    first: int
    last: int

    def __str__(self) -> str:
        """As a user reads it: ``2026-11-01``, or ``2026-11-01 00:00:00 to 11:59:59``."""
        if (self.first, self.last) == (0, _LAST_SECOND):
            return str(self.day)
        return f"{self.from_date} to {self.to_date[11:]}"

    @property
    def from_date(self) -> str:
        """``fromDate`` as the API takes it [doc]: ``YYYY-MM-DD HH:MM:SS``."""
        return _instant(self.day, self.first)

    @property
    def to_date(self) -> str:
        """``toDate`` as the API takes it [doc]: ``YYYY-MM-DD HH:MM:SS``."""
        return _instant(self.day, self.last)


def whole_day(day: date, now: datetime) -> Span:
    """Return all of ``day`` that lies not in the future, which the API refuses [doc].

    Args:
        day: The planned day.
        now: The moment of sending, in the account's time zone. A day that ended while the run was
            under way is therefore asked to its last second.

    Raises:
        LocalError: ``day`` has not begun; a plan holds no such day, unless the clock is set back.
    """
    if day > now.date():
        raise LocalError(
            f"{day} has not begun at {now:%Y-%m-%d %H:%M}: this machine's clock was set back "
            f"during the run. {NOTHING_LOST}"
        )
    if day < now.date():
        return Span(day, 0, _LAST_SECOND)
    return Span(day, 0, (now.hour * 60 + now.minute) * 60 + now.second)


def split(span: Span, size: int) -> list[Span]:
    """Split a span on the grid of ``size`` seconds from midnight.

    The spans ascend and meet without overlap or gap. A span that begins between two grid points,
    such as the rest of a day, has a shorter first one.
    """
    next_grid_point = (span.first // size + 1) * size
    begins = [span.first, *range(next_grid_point, span.last + 1, size), span.last + 1]
    return [Span(span.day, begin, end - 1) for begin, end in pairwise(begins)]


class SpanSize:
    """How much of a day one request asks for: what the API can answer, found out by trying.

    After two failures in a row that may mean too much, the size is halved, down to 45 minutes. A
    day without halving doubles it for the next one.
    """

    def __init__(self) -> None:
        """Begin with whole days."""
        self.seconds = LARGEST_SIZE
        self._failures = 0
        self._halved = False

    def of(self, span: Span) -> Span:
        """Return the beginning of a span that one request may ask for."""
        return split(span, self.seconds)[0]

    def answered(self) -> None:
        """Note a complete response, or a failure that says nothing about the size."""
        self._failures = 0

    def too_large(self) -> bool:
        """Note a failure that may mean too much; tell whether the size was halved for it."""
        self._failures += 1
        if self._failures < _FAILURES_BEFORE_HALVING or self.seconds <= SMALLEST_SIZE:
            return False
        self._failures = 0
        self._halved = True
        self.seconds //= 2
        return True

    def day_is_over(self) -> None:
        """Try more at once from the next day on, if this one took no halving."""
        if not self._halved:
            self.seconds = min(2 * self.seconds, LARGEST_SIZE)
        self._halved = False


def _instant(day: date, second: int) -> str:
    return (datetime.combine(day, time()) + timedelta(seconds=second)).isoformat(sep=" ")
