"""What a record has to become: straight from the rules of `docs/columns.md`, slowly and plainly.

It shares no code with the tap, so that a rule which the tap has wrong is seen. A record is a
dictionary whose numbers are whole ``int`` or exact ``Decimal``.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

# fmt: off
DOCUMENTED = [
    "AgentDialStatus", "AgentID", "AgentName", "CallAudio", "CallDate", "CallID",
    "CallerConfAudioFile", "CallerID", "CampaignName", "Comments", "ConferenceDuration",
    "CustomerDialStatus", "CustomerRingTime", "DID", "DialOutName", "DialStatus", "DialedNumber",
    "Disposition", "Duration", "DynamicDID", "E164", "EndTime", "Event", "HandlingTime", "HangupBy",
    "HoldDuration", "Location", "PickupTime", "Rating", "RatingComments", "Skill", "StartTime",
    "Status", "TalkTime", "TimeToAnswer", "TransferType", "TransferredTo", "Type", "UCID", "UUI",
    "WrapUpEndTime", "WrapUpStartTime", "WrapupDuration",
]
FURTHER = ["CallFlow", "QueueTime", "DialCount", "VideoRecordingURL"]
DURATIONS = [
    "Duration", "TalkTime", "HandlingTime", "TimeToAnswer", "WrapupDuration", "HoldDuration",
    "ConferenceDuration", "CustomerRingTime", "QueueTime",
]
# fmt: on
FIELDS = [*DOCUMENTED, *FURTHER]
IDS = ["CallID", "UCID"]
INTEGERS = ["Rating", "DialCount"]
INSTANTS = ["StartedAt", "PickedUpAt", "EndedAt", "WrapUpStartedAt", "WrapUpEndedAt"]
ADDED = [*(f"{name}Seconds" for name in DURATIONS), *INSTANTS, "AdditionalFields"]

MISFIT = object()
MARK = "\N{REPLACEMENT CHARACTER}"
Moment = int
"""Seconds since the UTC midnight of ordinal 0, the day before the calendar begins."""


def expected_row(
    record: dict[str, Any],
    day: date,
    zone: ZoneInfo,
    account: str | None = None,
    columns: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the row of a record that the API gave for ``day``, its columns in their order.

    ``columns`` are those that are selected, all of them if None.
    """
    row: dict[str, Any] = {} if account is None else {"UserName": account}
    aside = {name: value for name, value in record.items() if name not in FIELDS}
    for name in FIELDS:
        value = fitted(name, record.get(name))
        if value is MISFIT:
            if columns is None or name in columns:
                aside[name] = record[name]
            value = None
        if name in IDS and value is None:
            value = ""
        row[name] = whole(value) if isinstance(value, str) else value
    row.update({f"{name}Seconds": in_seconds(row[name]) for name in DURATIONS})
    moments = instants(row, day, zone)
    row.update({name: written(moments.get(name)) for name in INSTANTS})
    row["AdditionalFields"] = as_text(named_apart(aside)) if aside else None
    return {name: row[name] for name in row if columns is None or name in columns}


# Values


def fitted(name: str, value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return the value of a column, or MISFIT."""
    blank = value is None or (isinstance(value, str) and value.strip() == "")
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if name == "CallDate":
        is_date = isinstance(value, str) and as_date(value)
        return value if is_date else None if blank else MISFIT
    if name in INTEGERS:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
            number = int(value)
            value, is_integer = (number, True) if str(number) == value else (value, False)
        if is_integer and -(2**63) <= value < 2**63:
            return value
        return None if blank else MISFIT
    if name in IDS and blank:
        return None
    if is_integer:
        return str(value)
    return value if value is None or isinstance(value, str) else MISFIT


def as_date(text: str) -> date | None:
    """Return the date that ``YYYY-MM-DD`` is, if it is one."""
    parts = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    try:
        return date(*map(int, parts.groups())) if parts else None
    except ValueError:
        return None


def in_seconds(text: str | None) -> int | None:
    """Return the seconds of ``HH:MM:SS`` with any number of hours, if 64 bits hold them."""
    parts = re.fullmatch(r"([0-9]+):([0-5][0-9]):([0-5][0-9])", text or "")
    if parts is None or len(parts[1].lstrip("0")) > 20:
        return None
    total = int(parts[1].lstrip("0") or "0") * 3600 + int(parts[2]) * 60 + int(parts[3])
    return total if total < 2**63 else None


def whole(text: str) -> str:
    """Return text in which U+FFFD stands for U+0000 and for lone surrogates."""
    return "".join(MARK if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def named_apart(members: dict[str, Any]) -> dict[str, Any]:
    """Return an object as a target can hold it, its names still different."""
    result: dict[str, Any] = {}
    for name, value in members.items():
        new = whole(name)
        number = 2
        while new != name and (new in result or new in members):
            new = f"{whole(name)}{number}"
            number += 1
        result[new] = held(value)
    return result


def held(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return a value as a target can hold it."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [held(item) for item in value]
    if isinstance(value, dict):
        return named_apart(value)
    if isinstance(value, Decimal) and not is_kept(value):
        return str(value)
    return value


def is_kept(number: Decimal) -> bool:
    """Tell whether a number is finite as a double and has no more places than a target keeps."""
    if not number.is_finite() or math.isinf(float(number)):
        return False
    places = -int(number.as_tuple().exponent)
    return places <= 16_383


def as_text(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return strict JSON: names in order, no white space, all characters and digits as they are."""
    if isinstance(value, dict):
        members = (f"{as_text(name)}:{as_text(value[name])}" for name in sorted(value))
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(as_text, value))}]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


# Instants


def instants(row: dict[str, Any], day: date, zone: ZoneInfo) -> dict[str, Moment | None]:
    """Return the instants of a row that has its other columns; None is none, or unknown."""
    shown = clock(row["StartTime"])
    if shown is None:
        return {}
    return Event(row, shown, (row["CallDate"] and as_date(row["CallDate"])) or day, zone).instants()


class Event:
    """The event that a row stands for; each method is one rule of the page."""

    def __init__(self, row: dict[str, Any], shown: int, day: date, zone: ZoneInfo) -> None:
        """Start it on ``day``, when clocks show ``shown``."""
        self.row = row
        self.at = Clocks(zone)
        self.start = min(self.at.moments(day.toordinal(), shown))
        self.length = in_seconds(row["Duration"])
        self.due = self.start + (self.length or 0)
        self.wrap_up = in_seconds(row["WrapupDuration"])

    def instants(self) -> dict[str, Moment | None]:
        """Return all five."""
        ended = self.ended()
        end = self.due if ended is None else ended
        began = self.wrap_up_began(end)
        return {
            "StartedAt": self.start,
            "PickedUpAt": self.picked_up(),
            "EndedAt": ended,
            "WrapUpStartedAt": began,
            "WrapUpEndedAt": self.wrap_up_ended(end, began),
        }

    def picked_up(self) -> Moment | None:
        """Where nobody talked there is no pick-up; a midnight needs talk."""
        talk = in_seconds(self.row["TalkTime"])
        if not talk and self.row["Status"] != "Answered":
            return None
        if self.length is None:
            return self.follows("PickupTime", self.start)
        believed = (self.start, self.due) if talk else None
        return self.near("PickupTime", self.start, self.due, believed)

    def ended(self) -> Moment | None:
        """A midnight may come later by the time to answer."""
        if self.length is None:
            return self.follows("EndTime", self.start)
        latest = self.due + (in_seconds(self.row["TimeToAnswer"]) or 0)
        return self.near("EndTime", self.due, self.due, (self.due, latest))

    def wrap_up_began(self, end: Moment) -> Moment | None:
        """A midnight needs a wrap-up."""
        if self.length is None:
            return self.follows("WrapUpStartTime", end)
        return self.near("WrapUpStartTime", end, end, (end, end) if self.wrap_up else None)

    def wrap_up_ended(self, end: Moment, began: Moment | None) -> Moment | None:
        """A midnight needs a wrap-up that began."""
        if began is None or self.wrap_up is None:
            return self.follows("WrapUpEndTime", end if began is None else began)
        over = began + self.wrap_up
        return self.near("WrapUpEndTime", over, over, (over, over) if self.wrap_up else None)

    def follows(self, name: str, after: Moment) -> Moment | None:
        """Return when clocks first show a time, from a minute before ``after`` on."""
        shown = clock(self.row[name])
        return self.at.first_from(shown, after - 60) if shown else None

    def near(
        self, name: str, low: Moment, high: Moment, believed: tuple[Moment, Moment] | None
    ) -> Moment | None:
        """Return when clocks show a time closest to a span; midnight only if it is believed."""
        shown = clock(self.row[name])
        if shown is None:
            return None
        moment = self.at.closest(shown, low, high)
        if shown == 0 and (believed is None or not believed[0] - 60 <= moment <= believed[1] + 60):
            return None
        return moment


def clock(text: str | None) -> int | None:
    """Return the second of the day that ``HH:MM:SS`` is, if it is one."""
    total = in_seconds(text)
    return total if total is not None and total < 86_400 and len(text or "") == 8 else None


class Clocks:
    """The clocks of a zone: when do they show a time of day?"""

    def __init__(self, zone: ZoneInfo) -> None:
        """Look at the clocks of ``zone``."""
        self.zone = zone

    def moments(self, ordinal: int, shown: int) -> list[Moment]:
        """Return when clocks show a time on a day: once, or twice when they are set back.

        A time that they skip is one by the offset from before. Days beyond the calendar have the
        offset of its last ones.
        """
        within = min(max(ordinal, 1), date.max.toordinal())
        local = datetime.combine(date.fromordinal(within), datetime.min.time())
        local += timedelta(seconds=shown)
        offsets = []
        for fold in (0, 1):
            offset = local.replace(tzinfo=self.zone, fold=fold).utcoffset()
            assert offset is not None
            offsets.append(round(offset.total_seconds()))
        if offsets[1] > offsets[0]:
            # A skipped time: fold 0 has the offset from before it.
            offsets = offsets[:1]
        return [ordinal * 86_400 + shown - offset for offset in offsets]

    def closest(self, shown: int, low: int, high: int) -> Moment:
        """Return the moment closest to a span, the earlier of two."""
        days = [*range(low // 86_400 - 3, low // 86_400 + 4)]
        candidates = [moment for day in days for moment in self.moments(day, shown)]
        return min(candidates, key=lambda at: (max(low - at, at - high, 0), at))

    def first_from(self, shown: int, earliest: int) -> Moment:
        """Return the first moment from ``earliest`` on."""
        days = range(earliest // 86_400 - 3, earliest // 86_400 + 5)
        return min(at for day in days for at in self.moments(day, shown) if at >= earliest)


def written(moment: Moment | None) -> str | None:
    """Return an instant as text in UTC, if it lies within the years 1 to 9999."""
    if moment is None:
        return None
    try:
        at = datetime(1, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=moment - 86_400)
    except OverflowError:
        return None
    return at.isoformat()
