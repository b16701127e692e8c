"""When things happened: instants from the API's times of day and durations.

The API gives times of day as ``HH:MM:SS`` without date or zone, in the account's time zone, and
durations as ``HH:MM:SS`` that can exceed 24 hours [field]. These rules find the day of each time:

- ``StartedAt`` is on the record's ``CallDate``, or on the requested day if that is no date. Without
  a readable ``StartTime``, a record has no instants.
- ``EndedAt`` is on the day that brings it closest to ``StartedAt`` plus ``Duration``.
- ``PickedUpAt`` is on the day that brings it into the event, or closest to it. The event lasts from
  ``StartedAt`` for ``Duration``. If nobody talked, there is none: then ``TalkTime`` is zero or
  unreadable, and ``Status`` is not ``Answered``. An unanswered Manual call repeats its ``EndTime``
  as ``PickupTime`` [measured], and a running call is ``Answered`` before its talk is counted.
- ``WrapUpStartedAt`` is on the day that brings it closest to the end of the event. That is
  ``EndedAt``, or else ``StartedAt`` plus ``Duration``.
- ``WrapUpEndedAt`` is on the day that brings it closest to ``WrapUpStartedAt`` plus
  ``WrapupDuration``.
- If such a duration is unreadable, the order of events decides. A time that is more than 60 s
  earlier than what it follows is on the next day; up to 60 s, clocks may differ. A pick-up and an
  end follow the start. A wrap-up's start follows the end. A wrap-up's end follows its start, or
  else the end. What follows an unknown end follows ``StartedAt`` plus ``Duration``, or else
  ``StartedAt``.
- If two days, or two moments, suit equally, the earlier one is taken.

``00:00:00`` also means that something did not happen. It counts as midnight only if the rest of the
record says so, to within 60 s, and is unknown otherwise:

- ``StartTime``: always, because a listed event did start.
- ``EndTime``: at ``StartedAt`` plus ``Duration``, or later by up to ``TimeToAnswer``, which
  ``Duration`` can leave out [doc: the page's own example].
- ``PickupTime``: during the event, when ``TalkTime`` is above zero.
- ``WrapUpStartTime``: at the end of the event, when ``WrapupDuration`` is above zero.
- ``WrapUpEndTime``: at ``WrapUpStartedAt`` plus ``WrapupDuration``, when that is above zero.

If a duration that this needs is unreadable, so is the ``00:00:00``.

Daylight saving time: if a local time exists twice, a start takes the first of the two, and a later
event takes the one that the rules above bring closer. A local time that does not exist keeps the
offset from before the gap, so it becomes an instant shortly after the gap.

Instants are RFC 3339 text in UTC, such as ``2024-12-06T06:50:00+00:00``. Loaders that convert
offsets and loaders that drop them agree on it, and every parser reads it. An instant outside the
years 1 to 9999 is null.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from tap_ozonetel_cdr.records.durations import CLOCK, SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from zoneinfo import ZoneInfo

_DAY = 86_400
_SKEW = 60
_LAST_ORDINAL = date.max.toordinal()
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Records come in the order of their starts, so that the same instants come close together.
_MOST_REMEMBERED = 10_000


@lru_cache(maxsize=1_000)
def ordinal(day: str) -> int | None:
    """Return the proleptic Gregorian ordinal of ``YYYY-MM-DD``, or None when it is no such date."""
    if not _DATE.fullmatch(day):
        return None
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return None


class _Texts(dict[int, str | None]):
    """Instants as text, by seconds since UTC's midnight of ordinal 0; None beyond the calendar."""

    def __missing__(self, at: int) -> str | None:
        hour, second = divmod(at, 3600)
        begins = _hour_text(hour)
        text = begins and f"{begins}{_WITHIN_THE_HOUR[second]}+00:00"
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[at] = text
        return text


_WITHIN_THE_HOUR = tuple(f"{n // 60:02}:{n % 60:02}" for n in range(3600))


@lru_cache(maxsize=1_000)
def _hour_text(hour: int) -> str | None:
    day, hour = divmod(hour, 24)
    return f"{date.fromordinal(day)}T{hour:02}:" if 1 <= day <= _LAST_ORDINAL else None


class Instants:
    """Gives rows their instants in one account's time zone."""

    SOURCES: Final = (
        *("StartTime", "CallDate", "Duration", "PickupTime", "TalkTime", "Status", "EndTime"),
        *("TimeToAnswer", "WrapUpStartTime", "WrapUpEndTime", "WrapupDuration"),
    )
    """The fields of the API that instants are made from."""

    def __init__(self, zone: ZoneInfo, columns: Collection[str]) -> None:
        """Work in ``zone``, for those of the five columns of instants that are in ``columns``."""
        self._zone = _Zone(zone)
        self._texts = _Texts()
        self._starts = "StartedAt" in columns
        self._pick_ups = "PickedUpAt" in columns
        self._ends = "EndedAt" in columns
        self._wrap_up_starts = "WrapUpStartedAt" in columns
        self._wrap_up_ends = "WrapUpEndedAt" in columns
        self._wrap_ups = self._wrap_up_starts or self._wrap_up_ends

    def fill(self, rows: Iterable[Any], day: int) -> None:  # noqa: C901  # rule by rule
        """Set the known instants of rows, which have the API's fields as attributes.

        ``day`` is the ordinal of the day asked for.
        """
        texts = self._texts
        calendar: dict[str | None, _Days] = {}
        for row in rows:
            clock = CLOCK[row.StartTime]
            if clock is None:
                continue
            duration, wrap_up = SECONDS[row.Duration], SECONDS[row.WrapupDuration]
            days = calendar.get(row.CallDate)
            if days is None:
                first = (row.CallDate and ordinal(row.CallDate)) or day
                days = calendar[row.CallDate] = self._zone.days(first)
            # The prepared days do for events that are less than a day long.
            if (duration or 0) + (wrap_up or 0) >= _DAY:
                days = days.of_any_length()

            start = days.first(clock)
            if self._starts:
                row.StartedAt = texts[start]

            # Where the end is due, or the earliest that it can be where no duration says so.
            known = duration is not None
            due = start + (duration or 0)
            low, high = (due, due) if known else (start - _SKEW, math.inf)

            clock = CLOCK[row.PickupTime] if self._pick_ups else None
            if clock is not None and (SECONDS[row.TalkTime] or row.Status == "Answered"):
                at = days.closest(clock, min(start, low), high)
                if clock or (
                    known and SECONDS[row.TalkTime] and start - _SKEW <= at <= due + _SKEW
                ):
                    row.PickedUpAt = texts[at]

            end = due
            clock = CLOCK[row.EndTime]
            if clock is not None:
                at = days.closest(clock, low, high)
                if clock or (
                    known and -_SKEW <= at - due <= (SECONDS[row.TimeToAnswer] or 0) + _SKEW
                ):
                    end = at
                    if self._ends:
                        row.EndedAt = texts[at]

            if self._wrap_ups and (row.WrapUpStartTime or row.WrapUpEndTime):
                self._fill_wrap_up(row, days, end, known=known)

    def _fill_wrap_up(
        self,
        row: Any,  # noqa: ANN401
        days: _Days,
        end: int,
        *,
        known: bool,
    ) -> None:
        """Set the instants of the wrap-up after an event that ended at ``end``.

        ``known`` says whether the length of the event is.
        """
        wrap_up = SECONDS[row.WrapupDuration]
        began = None
        clock = CLOCK[row.WrapUpStartTime]
        if clock is not None:
            at = days.closest(clock, *((end, end) if known else (end - _SKEW, math.inf)))
            if clock or (known and wrap_up and abs(at - end) <= _SKEW):
                began = at
                if self._wrap_up_starts:
                    row.WrapUpStartedAt = self._texts[at]

        clock = CLOCK[row.WrapUpEndTime]
        if clock is None or not self._wrap_up_ends:
            return
        if began is None or wrap_up is None:
            after = end if began is None else began
            if clock:
                row.WrapUpEndedAt = self._texts[days.closest(clock, after - _SKEW, math.inf)]
            return
        over = began + wrap_up
        at = days.closest(clock, over, over)
        if clock or (wrap_up and abs(at - over) <= _SKEW):
            row.WrapUpEndedAt = self._texts[at]


class _Days(Protocol):
    """The days around one, on which times of day become moments.

    A moment is the seconds since UTC's midnight of ordinal 0.
    """

    def of_any_length(self) -> _Days:
        """Return the same days, for events and wrap-ups however long."""

    def first(self, clock: int) -> int:
        """Return the first moment of the day itself at which clocks show ``clock``."""

    def closest(self, clock: int, low: int, high: float) -> int:
        """Return the moment closest to the span from ``low`` to ``high``, the earlier of two."""


class _SteadyDays:
    """Days that share one offset: plain arithmetic."""

    # As far from the event's day as an instant can lie while its durations are less than a day: two
    # days for the durations, and half a day to either side for each of the three steps to the end
    # of the wrap-up.
    NEARBY = range(-2, 5)

    __slots__ = ("_day", "_midnight", "_zone")

    def __init__(self, zone: _Zone, day: int, offset: int) -> None:
        self._zone = zone
        self._day = day
        self._midnight = day * _DAY - offset

    def of_any_length(self) -> _ChangingDays:
        return _ChangingDays(self._zone, self._day)

    def first(self, clock: int) -> int:
        return self._midnight + clock

    def closest(self, clock: int, low: int, high: float) -> int:
        at = self._midnight + clock
        at -= (at - low) // _DAY * _DAY
        return at - _DAY if at > high and low - (at - _DAY) <= at - high else at


class _ChangingDays:
    """Days whose offset may change, or an event that is days away."""

    __slots__ = ("_day", "_zone")

    def __init__(self, zone: _Zone, day: int) -> None:
        self._zone = zone
        self._day = day

    def of_any_length(self) -> _ChangingDays:
        return self

    def first(self, clock: int) -> int:
        return self._day * _DAY + clock - self._zone.offsets(self._day, clock)[0]

    def closest(self, clock: int, low: int, high: float) -> int:
        around = low // _DAY
        moments = [
            (max(low - at, at - high, 0), at)
            # An offset is less than a day, and so is a change of it, but at the date line.
            for day in range(around - 2, around + 4)
            for offset in self._zone.offsets(day, clock)
            for at in (day * _DAY + clock - offset,)
        ]
        return min(moments)[1]


class _Zone:
    """A time zone's offsets, in seconds, by day."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._steady = lru_cache(maxsize=10_000)(self._one_offset)

    def days(self, day: int) -> _Days:
        """Return the days around ``day``, as simple as they can be."""
        found = {self._steady((day + n) * 24, 24) for n in _SteadyDays.NEARBY}
        offset = found.pop()
        if found or offset is None:
            return _ChangingDays(self, day)
        return _SteadyDays(self, day, offset)

    def offsets(self, day: int, clock: int) -> tuple[int, ...]:
        """Return the offset of a local time, or both if it exists twice.

        Days beyond the years 1 to 9999 have the offset of the last one in them.
        """
        day = min(max(day, 1), _LAST_ORDINAL)
        steady = self._steady(day * 24, 24)
        if steady is None:
            steady = self._steady(day * 24 + clock // 3600, 1)
        if steady is not None:
            return (steady,)
        local = datetime.combine(date.fromordinal(day), time()) + timedelta(seconds=clock)
        before, after = (self._offset(local, fold) for fold in (0, 1))
        return (before, after) if after < before else (before,)

    def _one_offset(self, first: int, hours: int) -> int | None:
        """Return the offset that these hours all have, or None if they have, or may have, several.

        Hours count from the midnight of ordinal 0.
        """
        day, hour = divmod(first, 24)
        if not 1 < day < _LAST_ORDINAL:
            return None
        start = datetime.combine(date.fromordinal(day), time(hour))
        # Both ends belong to them: a change within an hour shows in one of its ends.
        marks = [start + timedelta(hours=n) for n in range(hours + 1)]
        found = {self._offset(mark, fold) for mark in marks for fold in (0, 1)}
        return found.pop() if len(found) == 1 else None

    def _offset(self, local: datetime, fold: int) -> int:
        offset = local.replace(tzinfo=self._zone, fold=fold).utcoffset()
        return (offset or timedelta()) // timedelta(seconds=1)
