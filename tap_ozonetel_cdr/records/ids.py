"""What ids say of the time zone: they hold the Unix time at which their record started [measured].

The vendor documents none of it, so that ids of any other form mean nothing:

- Manual and Progressive: ten digits, from the 6th digit of ``UCID`` on where it has 17 digits, and
  from the 1st where it has 16.
- Inbound: the last eight digits of the time, from the 4th digit of ``UCID`` on. So has the vendor's
  own example, which shows all ten of them from its 2nd on [doc].
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_ozonetel_cdr.records.durations import CLOCK
from tap_ozonetel_cdr.records.instants import ordinal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

_ENOUGH = 30
"""Rows with a start that are looked at, at the most."""
_FEWEST = 10
"""Rows with a start that are enough at the end of a day."""
_LENGTHS = range(15, 18)
# From where, and to where, the digits of a Unix time stand.
_WHOLE_TIMES = (slice(5, 15), slice(0, 10))
_LAST_DIGITS = slice(3, 11)
_EIGHT_DIGITS = 10**8
# Offsets are whole quarters of an hour, from UTC-12:00 to UTC+14:00.
_QUARTER = 900
_OFFSETS = range(-12 * 3600, 14 * 3600 + 1)
_SKEW = 30
"""Seconds between an id's time and its record's start: 2 were measured, 16 are in the example."""
_EPOCH = date(1970, 1, 1).toordinal()


class OtherOffset(NamedTuple):
    """Offsets that do not agree, as people write them: ``UTC+05:30``."""

    of_ids: str
    of_setting: str


class ZoneCheck:
    """Compares the times in ids with those in ``StartTime``, in the first rows of a run."""

    SOURCES: Final = ("UCID", "CallDate", "StartTime")
    """The fields of the API that it looks at."""

    decided = False
    """Whether enough rows were looked at."""
    agreeing = 0
    """How many ids hold a time that agrees with the setting."""
    found: OtherOffset | None = None
    """The offset that most of the ids agree on, where it is not the setting's."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Compare with the offset of ``zone``, which is the setting's."""
        self._zone = zone
        self._rows = 0
        self._votes: Counter[OtherOffset] = Counter()

    def look_at(self, rows: Iterable[Any]) -> None:
        """Look at rows that have the sources as attributes, until enough were seen."""
        for row in rows:
            day, clock = ordinal(row.CallDate or ""), CLOCK[row.StartTime]
            if day is None or clock is None:
                continue
            self._rows += 1
            offset = _offset(row.UCID, (day - _EPOCH) * 86_400 + clock)
            own = self._own_offsets(day, clock)
            if offset in own:
                self.agreeing += 1
            elif offset is not None:
                self._votes[OtherOffset(_text(offset), _text(own[0]))] += 1
            if self._rows == _ENOUGH:
                self._decide()
                return

    def end_day(self) -> OtherOffset | None:
        """Return what was found, once: None where there is too little to tell, and afterwards."""
        if not self.decided and self._rows >= _FEWEST:
            self._decide()
        found, self.found = self.found, None
        return found

    def _decide(self) -> None:
        self.decided = True
        for other, times in self._votes.most_common(1):
            if times * 2 > self._rows:
                self.found = other

    def _own_offsets(self, day: int, clock: int) -> list[int]:
        """Return the setting's offsets at a local time: one twice, or two where it exists twice."""
        local = datetime.combine(date.fromordinal(day), time()) + timedelta(seconds=clock)
        offsets = [local.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1)]
        return [(offset or timedelta()) // timedelta(seconds=1) for offset in offsets]


def _offset(ucid: str, start: int) -> int | None:
    """Return the seconds by which a record's clock is ahead of its id's time, if it holds one.

    ``start`` is the Unix time of the record's start as if its clock showed UTC.
    """
    if len(ucid) not in _LENGTHS or not (ucid.isascii() and ucid.isdigit()):
        return None
    for place in _WHOLE_TIMES:
        offset = _whole_quarters(start - int(ucid[place]))
        if offset is not None:
            return offset
    ahead = (start - int(ucid[_LAST_DIGITS])) % _EIGHT_DIGITS
    return _whole_quarters(ahead if ahead <= _OFFSETS[-1] + _SKEW else ahead - _EIGHT_DIGITS)


def _whole_quarters(ahead: int) -> int | None:
    """Return the offset that a difference is, but for a little skew."""
    offset = round(ahead / _QUARTER) * _QUARTER
    return offset if offset in _OFFSETS and abs(ahead - offset) <= _SKEW else None


def _text(offset: int) -> str:
    minutes = abs(offset) // 60
    return f"UTC{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
