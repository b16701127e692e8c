"""Makes seconds and instants of the API's durations and times of day.

The API gives times of day as ``HH:MM:SS`` without date or zone, in the account's time zone, and
durations as ``HH:MM:SS`` that can exceed 24 hours [field]. These rules find the day of each time:

- ``StartedAt`` lies on the record's ``CallDate``, or, where that is no date, on the day asked for.
  Without a readable ``StartTime`` a record has no instants.
- ``EndedAt`` lies on the day that brings it closest to ``StartedAt`` plus ``Duration``.
- ``PickedUpAt`` lies on the day that brings it into the call, which lasts from ``StartedAt`` for
  ``Duration``, or closest to it.
- ``WrapUpStartedAt`` lies on the day that brings it closest to the end of the call: ``EndedAt``, or
  else ``StartedAt`` plus ``Duration``.
- ``WrapUpEndedAt`` lies on the day that brings it closest to ``WrapUpStartedAt`` plus
  ``WrapupDuration``.
- Where such a duration is unreadable, the event lies on the first day on which it is no more than
  60 s before the one it follows: clocks differ by a little, and an earlier time than that is the
  next day's. A pick-up and an end follow the start; a wrap-up's start follows the end; a wrap-up's
  end follows its start, or else the end. What follows an unknown end follows ``StartedAt`` plus
  ``Duration``, or else ``StartedAt``.
- Of two days, or of two moments, that suit equally, the earlier is taken.

``00:00:00`` also stands for what did not happen. It is taken for midnight only where the rest of
the record says so, to within 60 s, and is unknown elsewhere:

- ``StartTime``: always, since a call that is listed did start.
- ``EndTime``: at ``StartedAt`` plus ``Duration``, or later by up to ``TimeToAnswer``, which
  ``Duration`` can leave out [doc: the page's own example].
- ``PickupTime``: during the call, when ``TalkTime`` is above zero.
- ``WrapUpStartTime``: at the end of the call, when ``WrapupDuration`` is above zero.
- ``WrapUpEndTime``: at ``WrapUpStartedAt`` plus ``WrapupDuration``, when that is above zero.

Where a duration that this needs is unreadable, so is the ``00:00:00``.

Daylight saving time: a local time that exists twice is the first of the two for a start, and for a
later event the one that the rules above bring closer. A local time that does not exist keeps the
offset from before the gap, so that it is an instant shortly after it.

Instants are RFC 3339 text. That has no room for the seconds in an offset, which zones had before
1972: such an offset is rounded up to a minute and the local time moved with it, so that the instant
itself stays exact. An instant outside of the years 1 to 9999 is unknown.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from zoneinfo import ZoneInfo

LARGEST_INTEGER = 2**63 - 1
"""The largest number of seconds: what an integer column of 64 bits holds."""

_DAY = 86_400
_SKEW = 60
_MIDNIGHT = "00:00:00"
_LAST_ORDINAL = date.max.toordinal()

_HALF_DAY = _DAY // 2

_TIME_OF_DAY = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_DURATION = re.compile("0*([0-9]+):([0-5][0-9]):([0-5][0-9])")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Seconds on one line for all days and zones, which starts at UTC's midnight of ordinal 0, and the
# same instant as RFC 3339 text.
_Moment = tuple[int, str]

_MOST_REMEMBERED = 100_000
_LONGEST_REMEMBERED = 12


def seconds(duration: str | None) -> int | None:
    """Return the seconds of ``HH:MM:SS``, or None when ``duration`` is anything else.

    Hours have one digit or more, minutes and seconds two, from 00 to 59. What a signed 64-bit
    integer cannot hold is None too.
    """
    match = _DURATION.fullmatch(duration or "")
    # Python itself refuses to read numbers of thousands of digits.
    if match is None or len(match[1]) > len(str(LARGEST_INTEGER)):
        return None
    total = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
    return total if total <= LARGEST_INTEGER else None


@lru_cache(maxsize=1_000)
def ordinal(day: str) -> int | None:
    """Return the proleptic Gregorian ordinal of ``YYYY-MM-DD``, or None when it is no such date."""
    if not _DATE.fullmatch(day):
        return None
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return None


def _time_of_day(text: str | None) -> int | None:
    """Return the second of the day of ``HH:MM:SS``, from 00:00:00 to 23:59:59."""
    return seconds(text) if _TIME_OF_DAY.fullmatch(text or "") else None


class _Memo(dict[str | None, int | None]):
    """A function's results by text, each found on first sight; looking one up is a bare lookup."""

    def __init__(self, function: Callable[[str | None], int | None]) -> None:
        self._function = function

    def __missing__(self, text: str | None) -> int | None:
        found = self._function(text)
        # All of a day's times and durations, but not whatever text an answer may hold.
        if text is None or len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = found
        return found


SECONDS: Mapping[str | None, int | None] = _Memo(seconds)
"""What ``seconds`` returns, by duration."""
_CLOCK: Mapping[str | None, int | None] = _Memo(_time_of_day)


class _Record(Protocol):
    """A record's fields, such as a mapping of JSON has them."""

    def get(self, field: str, /) -> object: ...


class Instants:
    """Gives records their instants in one account's time zone."""

    def __init__(self, zone: ZoneInfo, columns: Collection[str]) -> None:
        """Work in ``zone``, for those of the five columns of instants that are in ``columns``."""
        self._zone = _Zone(zone)
        self._calendar = lru_cache(maxsize=1_000)(self._zone.calendar)
        self._picked_up = "PickedUpAt" in columns
        self._started = "StartedAt" in columns
        self._ended = "EndedAt" in columns
        self._wrap_up_started = "WrapUpStartedAt" in columns
        self._wrap_up_ended = "WrapUpEndedAt" in columns
        self._wrap_up = self._wrap_up_started or self._wrap_up_ended

    def of(self, record: _Record, day: int) -> dict[str, str]:
        """Return the known instants of ``record``, by column.

        ``day`` is the ordinal of the day asked for.
        """
        call = self._call(record, day)
        if call is None:
            return {}
        known = {}
        if self._started:
            known["StartedAt"] = call.started[1]
        if self._picked_up and (moment := call.picked_up()):
            known["PickedUpAt"] = moment[1]
        if self._ended or self._wrap_up:
            ended = call.ended()
            if ended and self._ended:
                known["EndedAt"] = ended[1]
            if self._wrap_up:
                self._add_wrap_up(known, call, ended)
        return known

    def fill(self, rows: Iterable[Any], day: int) -> None:
        """Set the columns of instants of rows that have the API's fields as attributes.

        They are as ``of`` has them. Nearly every call lies within one day and is as its durations
        say: then the day of each event is the call's own.
        """
        frames: dict[str | None, tuple[str, str] | None] = {}
        for row in rows:
            call_date = row.CallDate
            if call_date not in frames:
                calendar = self._calendar((call_date and ordinal(call_date)) or day)
                frames[call_date] = calendar.frame if isinstance(calendar, _SteadyDays) else None
            frame = frames[call_date]
            if frame is None or not _fill_within_day(row, *frame):
                for name, text in self.of(_Fields(row), day).items():
                    setattr(row, name, text)

    def _add_wrap_up(self, known: dict[str, str], call: _Call, ended: _Moment | None) -> None:
        end = call.end(ended)
        started = call.wrap_up_started(end)
        if started and self._wrap_up_started:
            known["WrapUpStartedAt"] = started[1]
        if self._wrap_up_ended and (moment := call.wrap_up_ended(started, end)):
            known["WrapUpEndedAt"] = moment[1]

    def _call(self, record: _Record, day: int) -> _Call | None:
        text = record.get("StartTime")
        clock = _clock_in(record, "StartTime")
        if clock is None:
            return None
        call_date = record.get("CallDate")
        if type(call_date) is str:
            day = ordinal(call_date) or day
        duration = _seconds_in(record, "Duration")
        wrap_up = _seconds_in(record, "WrapupDuration")
        # The prepared days around this one do for events that are less than a day long.
        if (duration or 0) < _DAY and (wrap_up or 0) < _DAY:
            calendar = self._calendar(day)
        else:
            calendar = _ChangingDays(self._zone, day)
        return _Call(record, calendar, calendar.first(clock, str(text)), duration, wrap_up)


def _fill_within_day(row: Any, date_text: str, offset_text: str) -> bool:  # noqa: ANN401
    """Set the instants of a call that lies well within one day, if it is known to be one.

    Well within: no midnight is near enough to be meant by a ``00:00:00``, and no event is so far
    from where its duration has it that another day could bring it closer.
    """
    start, end = _CLOCK[row.StartTime], _CLOCK[row.EndTime]
    duration, wrap_up = SECONDS[row.Duration], SECONDS[row.WrapupDuration]
    if not start or not end or duration is None or wrap_up is None:
        return False
    due = start + duration
    latest = _DAY - _SKEW - wrap_up
    if not (
        start > _SKEW
        and due < latest
        and _SKEW < end < latest
        and -_HALF_DAY < end - due < _HALF_DAY
    ):
        return False
    picked_up = _CLOCK[row.PickupTime]
    if picked_up and not start <= picked_up <= due:
        return False
    began, ended = _CLOCK[row.WrapUpStartTime], _CLOCK[row.WrapUpEndTime]
    if began and not (-_HALF_DAY < began - end < _HALF_DAY and began < latest):
        return False
    if ended and not (
        -_HALF_DAY < ended - began - wrap_up < _HALF_DAY if began else ended >= end - _SKEW
    ):
        return False
    row.StartedAt = f"{date_text}{row.StartTime}{offset_text}"
    row.EndedAt = f"{date_text}{row.EndTime}{offset_text}"
    if picked_up:
        row.PickedUpAt = f"{date_text}{row.PickupTime}{offset_text}"
    if began:
        row.WrapUpStartedAt = f"{date_text}{row.WrapUpStartTime}{offset_text}"
    if ended:
        row.WrapUpEndedAt = f"{date_text}{row.WrapUpEndTime}{offset_text}"
    return True


class _Fields:
    """A row's attributes, read as a record's fields."""

    __slots__ = ("_row",)

    def __init__(self, row: object) -> None:
        self._row = row

    def get(self, field: str) -> Any:  # noqa: ANN401
        return getattr(self._row, field)


class _Call:
    """The events of one record; each method is one rule of the module's list."""

    __slots__ = ("_calendar", "_duration", "_record", "_wrap_up", "started")

    def __init__(
        self,
        record: _Record,
        calendar: _Days,
        started: _Moment,
        duration: int | None,
        wrap_up: int | None,
    ) -> None:
        self.started = started
        self._record = record
        self._calendar = calendar
        self._duration = duration
        self._wrap_up = wrap_up

    def picked_up(self) -> _Moment | None:
        start, duration = self.started[0], self._duration
        if duration is None:
            return self._following("PickupTime", start)
        during = (start, start + duration)
        talked = self._says_midnight("PickupTime") and _seconds_in(self._record, "TalkTime")
        return self._closest("PickupTime", during, during if talked else None)

    def ended(self) -> _Moment | None:
        start, duration = self.started[0], self._duration
        if duration is None:
            return self._following("EndTime", start)
        end = start + duration
        rang = self._says_midnight("EndTime") and _seconds_in(self._record, "TimeToAnswer")
        return self._closest("EndTime", (end, end), (end, end + (rang or 0)))

    def end(self, ended: _Moment | None) -> int:
        """Return what is known best of the call's end."""
        return ended[0] if ended else self.started[0] + (self._duration or 0)

    def wrap_up_started(self, end: int) -> _Moment | None:
        if self._duration is None:
            return self._following("WrapUpStartTime", end)
        return self._closest("WrapUpStartTime", (end, end), (end, end) if self._wrap_up else None)

    def wrap_up_ended(self, started: _Moment | None, end: int) -> _Moment | None:
        if started is None or self._wrap_up is None:
            return self._following("WrapUpEndTime", started[0] if started else end)
        end = started[0] + self._wrap_up
        return self._closest("WrapUpEndTime", (end, end), (end, end) if self._wrap_up else None)

    def _says_midnight(self, field: str) -> bool:
        return self._record.get(field) == _MIDNIGHT

    def _following(self, field: str, floor: int) -> _Moment | None:
        return self._closest(field, (floor - _SKEW, math.inf), None)

    def _closest(
        self,
        field: str,
        expected: tuple[int, float],
        midnight: tuple[int, int] | None,
    ) -> _Moment | None:
        """Return the moment closest to ``expected``; ``00:00:00`` only near ``midnight``."""
        text = self._record.get(field)
        clock = _clock_in(self._record, field)
        if clock is None:
            return None
        moment = self._calendar.closest(clock, str(text), *expected)
        if text != _MIDNIGHT or moment is None:
            return moment
        believed = midnight and midnight[0] - _SKEW <= moment[0] <= midnight[1] + _SKEW
        return moment if believed else None


class _Days(Protocol):
    """The days around one, on which times of day become moments."""

    def first(self, clock: int, text: str) -> _Moment:
        """Return the first moment of the day itself at which clocks show ``clock``."""

    def closest(self, clock: int, text: str, low: int, high: float) -> _Moment | None:
        """Return the moment closest to the span from ``low`` to ``high``, the earlier of two."""


class _SteadyDays:
    """Days that share one offset: plain arithmetic, and text that is only joined."""

    # As far from the call's day as an event can lie while each duration is less than a day: two
    # days for the durations, and half a day to either side for each of the three steps to the end
    # of the wrap-up.
    NEARBY = range(-2, 5)

    __slots__ = ("_dates", "_midnight", "_offset", "frame")

    def __init__(self, day: int, offset: int) -> None:
        self._midnight = day * _DAY - offset
        self._dates = {n: _date_text(day + n) for n in self.NEARBY}
        self._offset = _offset_text(offset)
        self.frame = self._dates[0], self._offset
        """What stands in front of and behind a time of the day itself."""

    def first(self, clock: int, text: str) -> _Moment:
        return self._midnight + clock, f"{self._dates[0]}{text}{self._offset}"

    def closest(self, clock: int, text: str, low: int, high: float) -> _Moment:
        at = self._midnight + clock
        days = -((at - low) // _DAY)
        at += days * _DAY
        if at > high and low - (at - _DAY) <= at - high:
            days -= 1
            at -= _DAY
        return at, f"{self._dates[days]}{text}{self._offset}"


class _ChangingDays:
    """Days whose offset may change, or lies in the far past, or an event that is days away."""

    __slots__ = ("_day", "_zone")

    def __init__(self, zone: _Zone, day: int) -> None:
        self._zone = zone
        self._day = day

    def first(self, clock: int, text: str) -> _Moment:
        offset = self._zone.offsets(self._day, clock)[0]
        return self._day * _DAY + clock - offset, _rfc3339(self._day, clock, text, offset)

    def closest(self, clock: int, text: str, low: int, high: float) -> _Moment | None:
        around = low // _DAY
        moments = [
            (max(low - at, at - high, 0), at, day, offset)
            # An offset is less than a day, and so is a change of it, but at the date line.
            for day in range(around - 2, around + 4)
            for offset in self._zone.offsets(day, clock)
            for at in (day * _DAY + clock - offset,)
        ]
        _, at, day, offset = min(moments)
        return (at, _rfc3339(day, clock, text, offset)) if 1 <= day <= _LAST_ORDINAL else None


class _Zone:
    """A time zone's offsets, in seconds, by day."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._steady = lru_cache(maxsize=10_000)(self._one_offset)

    def calendar(self, day: int) -> _Days:
        """Return the days around ``day``, prepared for as many records as there are."""
        found = {self._steady((day + n) * 24, 24) for n in _SteadyDays.NEARBY}
        offset = found.pop()
        if found or offset is None or offset % 60:
            return _ChangingDays(self, day)
        return _SteadyDays(day, offset)

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
        # An hour more on either side shows a change at the edge, which repeats or skips what lies
        # before it.
        marks = [start + timedelta(hours=n) for n in range(-1, hours + 2)]
        found = {self._offset(mark, fold) for mark in marks for fold in (0, 1)}
        return found.pop() if len(found) == 1 else None

    def _offset(self, local: datetime, fold: int) -> int:
        offset = local.replace(tzinfo=self._zone, fold=fold).utcoffset()
        return (offset or timedelta()) // timedelta(seconds=1)


def _seconds_in(record: _Record, field: str) -> int | None:
    text = record.get(field)
    return SECONDS[text] if type(text) is str else None


def _clock_in(record: _Record, field: str) -> int | None:
    text = record.get(field)
    return _CLOCK[text] if type(text) is str else None


@lru_cache(maxsize=1_000)
def _date_text(day: int) -> str:
    return f"{date.fromordinal(day)}T"


@lru_cache(maxsize=1_000)
def _offset_text(offset: int) -> str:
    minutes = abs(offset) // 60
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _rfc3339(day: int, clock: int, text: str, offset: int) -> str:
    if offset % 60:
        shift = -offset % 60
        offset += shift
        days, clock = divmod(clock + shift, _DAY)
        day += days
        text = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    return f"{_date_text(day)}{text}{_offset_text(offset)}"
