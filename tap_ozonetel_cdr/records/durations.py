"""What durations and times of day say: ``HH:MM:SS`` as seconds, and the columns of seconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

LARGEST_INTEGER: Final = 2**63 - 1
"""The largest number of seconds: what an integer column of 64 bits holds."""

_DURATION = re.compile("0*([0-9]+):([0-5][0-9]):([0-5][0-9])")

_HOURS = {f"{hour:02}:": hour * 3600 for hour in range(24)}
_WITHIN_THE_HOUR = {f"{n // 60:02}:{n % 60:02}": n for n in range(3600)}

# Records come in the order of their starts, so that the same times come close together.
_MOST_REMEMBERED = 10_000
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


def _time_of_day(text: str | None) -> int | None:
    """Return the second of the day of ``HH:MM:SS``, from 00:00:00 to 23:59:59."""
    if text is None:
        return None
    hour, rest = _HOURS.get(text[:3]), _WITHIN_THE_HOUR.get(text[3:])
    return None if hour is None or rest is None else hour + rest


class _Memo(dict[str | None, int | None]):
    """A function's results by text, each found on first sight; looking one up is a bare lookup."""

    def __init__(self, function: Callable[[str | None], int | None]) -> None:
        self._function = function

    def __missing__(self, text: str | None) -> int | None:
        found = self._function(text)
        if text is None or len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = found
        return found


SECONDS: Mapping[str | None, int | None] = _Memo(seconds)
"""What ``seconds`` returns, by duration."""
CLOCK: Mapping[str | None, int | None] = _Memo(_time_of_day)
"""The second of the day of ``HH:MM:SS`` from 00:00:00 to 23:59:59, by text; None for all else."""


def fill_seconds(rows: list[Any], columns: Collection[str]) -> None:  # noqa: C901, PLR0912
    """Set those columns of seconds that are in ``columns``: null where a duration is unreadable.

    This is done most often of all: a loop a column, its names written out, takes half the time of
    one with getattr and setattr.
    """
    if "DurationSeconds" in columns:
        for row in rows:
            row.DurationSeconds = SECONDS[row.Duration]
    if "TalkTimeSeconds" in columns:
        for row in rows:
            row.TalkTimeSeconds = SECONDS[row.TalkTime]
    if "HandlingTimeSeconds" in columns:
        for row in rows:
            row.HandlingTimeSeconds = SECONDS[row.HandlingTime]
    if "TimeToAnswerSeconds" in columns:
        for row in rows:
            row.TimeToAnswerSeconds = SECONDS[row.TimeToAnswer]
    if "WrapupDurationSeconds" in columns:
        for row in rows:
            row.WrapupDurationSeconds = SECONDS[row.WrapupDuration]
    if "HoldDurationSeconds" in columns:
        for row in rows:
            row.HoldDurationSeconds = SECONDS[row.HoldDuration]
    if "ConferenceDurationSeconds" in columns:
        for row in rows:
            row.ConferenceDurationSeconds = SECONDS[row.ConferenceDuration]
    if "CustomerRingTimeSeconds" in columns:
        for row in rows:
            row.CustomerRingTimeSeconds = SECONDS[row.CustomerRingTime]
    if "QueueTimeSeconds" in columns:
        for row in rows:
            row.QueueTimeSeconds = SECONDS[row.QueueTime]
