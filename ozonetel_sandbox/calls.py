"""Synthetic calls: the same seed, account and day always give the same calls."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import random
from array import array
from collections import OrderedDict
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from ozonetel_sandbox.answers import CLOSING, OPENING
from ozonetel_sandbox.people import (
    CALL_FLOWS,
    CAMPAIGNS,
    COMMENTS,
    FIRST_NAMES,
    HANGUPS,
    LAST_NAMES,
    LOCATIONS,
    NO_ANSWERS,
    RATING_COMMENTS,
    Campaign,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

#: The 43 fields of the vendor's page, in its order. [doc]
DOCUMENTED_FIELDS = (
    *("AgentDialStatus", "AgentID", "AgentName", "CallAudio", "CallDate", "CallID"),
    *("CallerConfAudioFile", "CallerID", "CampaignName", "Comments", "ConferenceDuration"),
    *("CustomerDialStatus", "CustomerRingTime", "DID", "DialOutName", "DialStatus"),
    *("DialedNumber", "Disposition", "Duration", "DynamicDID", "E164", "EndTime", "Event"),
    *("HandlingTime", "HangupBy", "HoldDuration", "Location", "PickupTime", "Rating"),
    *("RatingComments", "Skill", "StartTime", "Status", "TalkTime", "TimeToAnswer"),
    *("TransferType", "TransferredTo", "Type", "UCID", "UUI", "WrapUpEndTime"),
    *("WrapUpStartTime", "WrapupDuration"),
)
#: What accounts get besides. [field]
FURTHER_FIELDS = ("CallFlow", "QueueTime", "DialCount", "VideoRecordingURL")

#: Seconds from the end of a call to its appearance: "some minutes after it ends". [field]
LISTED_AFTER = 180

DAY = 86_400
_TIMES = (
    *("ConferenceDuration", "CustomerRingTime", "Duration", "EndTime", "HandlingTime"),
    *("HoldDuration", "PickupTime", "StartTime", "TalkTime", "TimeToAnswer"),
    *("WrapUpEndTime", "WrapUpStartTime", "WrapupDuration", "QueueTime"),
)
_MINUTES = tuple(f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02}" for second in range(60))

#: Calls by hour of the day: quiet nights, peaks at 11 and 17.
_CURVE = (1, 1, 1, 1, 1, 2, 4, 10, 24, 44, 58, 62, 52, 42, 48, 54, 58, 60, 46, 30, 18, 10, 5, 2)
#: Calls by weekday from Monday, relative to an ordinary working day.
_WEEK = (1.1, 1.0, 1.0, 1.0, 1.05, 0.5, 0.1)
#: The calls of one agent in a day, which sets how many agents there are.
_CALLS_PER_AGENT = 60

# Calls go through a cycle of rare events, so that a day of 48 calls or more shows each of them.
_CYCLE = 48
_TRANSFERRED = frozenset({5, 17, 18, 30})  # 17 and 18 in a row: a call of three legs
_LONG = frozenset({11, 35})
_CONFERENCE = frozenset({23, 41})
_RATED = frozenset({3, 9, 15, 21, 27, 33, 39})
_REMARKED = frozenset({0, 7, 14, 22, 29, 36, 43})
_NULLS = frozenset({26})

#: Callers below this number phone from Britain, the others from North America.
_BRITISH = 1000


def _exponential(mean: float) -> tuple[int, ...]:
    """Return 256 whole seconds that are spread like waiting times with this mean."""
    return tuple(round(-mean * math.log(1 - (step + 0.5) / 256)) for step in range(256))


_TALK = tuple(20 + seconds for seconds in _exponential(190))
_WAIT = tuple(1 + seconds for seconds in _exponential(11))
_WRAP = _exponential(18)


def hms(seconds: int) -> str:
    """Return ``HH:MM:SS`` of a second of the day, or of a duration below 24 hours."""
    return _MINUTES[seconds // 60 % 1440] + _SECONDS[seconds % 60]


def _dice(*about: object) -> random.Random:
    """Return random numbers that depend on nothing but ``about``."""
    return random.Random("/".join(map(str, about)))  # noqa: S311 - made-up calls, no secrets


@dataclasses.dataclass(frozen=True)
class Day:
    """The calls of one day, as the bytes of the answer that lists them all."""

    #: The whole answer, envelope included.
    body: bytes
    #: Where each record ends; record ``i`` begins at ``begins[i]``.
    begins: array[int]
    ends: array[int]
    #: The second of the day at which each record's call starts, and at which it is listed.
    starts: array[int]
    listed: array[int]

    def select(self, first: int, last: int, now: int) -> list[int]:
        """Return the records that start within ``first`` to ``last`` and are listed by ``now``.

        All three are seconds since the day's midnight, ``first`` and ``last`` inclusive.
        """
        return [
            index
            for index, (start, listed) in enumerate(zip(self.starts, self.listed, strict=True))
            if first <= start <= last and listed <= now
        ]

    def record(self, index: int) -> bytes:
        """Return the JSON text of one record."""
        return self.body[self.begins[index] : self.ends[index]]

    def answer(self, selected: Sequence[int]) -> bytes:
        """Return the success envelope around the ``selected`` records."""
        if len(selected) == len(self.starts):
            return self.body
        return OPENING + b", ".join(map(self.record, selected)) + CLOSING


@dataclasses.dataclass(frozen=True)
class Centre:
    """The contact centre of one account.

    ``calls_per_day`` is about the number of records on a working day (weekends have fewer), or a
    function that says exactly how many a date has. ``ids_as_text`` sends ``CallID`` and ``UCID``
    as JSON strings, as some accounts have it [field].
    """

    account: str
    zone: ZoneInfo
    seed: int = 1
    calls_per_day: int | Callable[[date], int] = 200
    ids_as_text: bool = False

    def count(self, day: date) -> int:
        """Return how many records ``day`` has once it is over."""
        if callable(self.calls_per_day):
            return self.calls_per_day(day)
        chance = 0.9 + 0.2 * _dice(self.seed, self.account, day, "count").random()
        return round(self.calls_per_day * _WEEK[day.weekday()] * chance)

    def day(self, day: date, revision: int = 0) -> Day:
        """Return all calls that start on ``day``.

        ``revision`` counts the late changes so far: each changes what agents and customers may
        still change after a call on every other record, beginning with the first.
        """
        dice = _dice(self.seed, self.account, day)
        count = self.count(day)
        body, begins, ends = io.BytesIO(), array("q"), array("q")
        starts, listed = array("l"), array("l")
        body.write(OPENING)
        legs = _Legs(self, day, dice, count)
        for index, start in enumerate(_start_seconds(dice, count)):
            record, began, ended = legs.next(index, start)
            if revision:
                _change_late(record, index, revision)
            body.write(b", " if index else b"")
            begins.append(body.tell())
            body.write(_ENCODERS[index % 2](record).encode())
            ends.append(body.tell())
            starts.append(began)
            listed.append(ended + LISTED_AFTER)
        body.write(CLOSING)
        return Day(body.getvalue(), begins, ends, starts, listed)


#: Both ways of writing what is not ASCII, record by record in turn.
_ENCODERS = (json.JSONEncoder(ensure_ascii=False).encode, json.JSONEncoder().encode)


def _start_seconds(dice: random.Random, count: int) -> list[int]:
    """Return ``count`` ascending seconds of the day; the last call of a busy day starts late."""
    hours = dice.choices(range(24), cum_weights=list(itertools.accumulate(_CURVE)), k=count)
    seconds = sorted(hour * 3600 + int(dice.random() * 3600) for hour in hours)
    if count >= _CYCLE:
        seconds[-1] = DAY - 30
    return seconds


class _Legs:
    """Makes the records of one day, one after the other."""

    def __init__(self, centre: Centre, day: date, dice: random.Random, count: int) -> None:
        self._bits = dice.getrandbits
        self._account = centre.account
        self._id = str if centre.ids_as_text else int
        self._count = count
        self._date = day.isoformat()
        midnight = int(datetime.combine(day, time(), centre.zone).timestamp())
        # Like 31733467784618213 on the vendor's page: a digit, the epoch second, six digits.
        salt = _dice(centre.seed, centre.account)
        self._ids = (salt.randrange(1, 10) * 10**10 + midnight) * 10**6
        self._salt = salt.randrange(10**6)
        self._turn = salt.randrange(_CYCLE)
        self._agents = max(6, count // _CALLS_PER_AGENT)
        self._blank = {
            campaign.name: _blank_record(campaign, f"44207946{number:04}")
            for number, campaign in enumerate(dict.fromkeys(CAMPAIGNS), salt.randrange(900))
        }
        #: The leg that hands its call on to the next record: call id, campaign, caller, end.
        self._handed_on: tuple[int, Campaign, int, int] | None = None

    def next(self, index: int, start: int) -> tuple[dict[str, Any], int, int]:
        """Return the record at ``index``, the second it starts at and the one it ends at."""
        bits = self._bits(64)
        if self._handed_on:
            call, campaign, caller, start = self._handed_on
        else:
            campaign = CAMPAIGNS[bits & 15]
            caller = (bits >> 4) % 70_000
            call = self._leg_id(index, start - 1 - (bits >> 4 & 15))
        slot = self._slot(index)
        record = {
            **self._blank[campaign.name],
            "CallDate": self._date,
            "CallID": self._id(call),
            "UCID": self._id(self._leg_id(index, start)),
            "StartTime": hms(start),
            "Location": LOCATIONS[caller & 15],
            **_numbers(caller),
        }
        if slot in _NULLS:
            record.update(Location=None, UUI=None, RatingComments=None, VideoRecordingURL=None)
        is_last = index == self._count - 1
        hands_on = slot in _TRANSFERRED and not is_last
        certain = hands_on or self._handed_on or slot in _LONG or slot in _CONFERENCE or is_last
        self._handed_on = None
        if certain or (bits >> 20) % 100 < campaign.answered:
            end, wrapped = self._answer(record, campaign, bits, index, start)
            if hands_on and end < DAY:
                record.update(
                    TransferType="Agent", TransferredTo=_agent_id(index + 1, self._agents)
                )
                self._handed_on = call, campaign, caller, end
            return record, start, wrapped
        return record, start, _abandon(record, campaign, bits, start)

    def _slot(self, index: int) -> int:
        """Return where in the cycle of rare events the record at ``index`` stands."""
        return (index + self._turn) % _CYCLE

    def _leg_id(self, index: int, start: int) -> int:
        """Return the id of the leg at ``index``; 7919 shares no factor with a million."""
        return self._ids + start * 10**6 + (index * 7919 + self._salt) % 10**6

    def _answer(
        self,
        record: dict[str, Any],
        campaign: Campaign,
        bits: int,
        index: int,
        start: int,
    ) -> tuple[int, int]:
        """Fill in an answered call; return the seconds it ends at, without and with wrap-up."""
        slot = self._slot(index)
        wait = _WAIT[bits >> 28 & 255]
        talk = _TALK[bits >> 36 & 255]
        if slot in _LONG:
            talk += 3600 + (bits & 1023)
        wrap = _WRAP[bits >> 44 & 255]
        pickup = start + wait
        end = pickup + talk
        hold = talk // 4 if bits >> 52 & 7 == 0 else 0
        agent = index % self._agents
        remark = slot in _REMARKED
        inbound = campaign.type == "InBound"
        dispositions = campaign.dispositions
        record.update(
            AgentDialStatus="answered",
            AgentID=_agent_id(index, self._agents),
            AgentName=f"{FIRST_NAMES[agent & 15]} {LAST_NAMES[agent >> 4 & 15]}",
            CallAudio=f"https://recordings.example.com/{self._account}/{record['UCID']}.mp3",
            Comments=COMMENTS[bits >> 56 & 15] if remark else "",
            CustomerDialStatus="answered",
            DialStatus="answered",
            Disposition=dispositions[(bits >> 24) % len(dispositions)],
            Duration=hms(end - start),
            EndTime=hms(end),
            HandlingTime=hms(talk + wrap),
            HangupBy=HANGUPS[bits >> 60 & 3],
            HoldDuration=hms(hold),
            PickupTime=hms(pickup),
            Skill=campaign.skills[(bits >> 16) % len(campaign.skills)],
            Status="Answered",
            TalkTime=hms(talk),
            TimeToAnswer=hms(wait),
            WrapUpEndTime=hms(end + wrap),
            WrapUpStartTime=hms(end),
            WrapupDuration=hms(wrap),
            QueueTime=hms(wait // 2 if inbound else 0),
            DialCount=1 + (bits >> 62),
        )
        if inbound:
            record["DialedNumber"] = f"1202555{100 + agent % 100:04}"
            record["CallFlow"] = CALL_FLOWS[bits >> 14 & 3]
        else:
            record["CustomerRingTime"] = hms(wait)
        if slot in _CONFERENCE:
            record["ConferenceDuration"] = hms(talk // 3)
            record["CallerConfAudioFile"] = record["CallAudio"].replace(".mp3", "-conference.mp3")
        if slot in _RATED:
            record["Rating"] = 1 + bits % 5
            record["RatingComments"] = RATING_COMMENTS[bits & 3]
        return end, end + wrap


def _agent_id(index: int, agents: int) -> str:
    return f"agent{1001 + index % agents}"


def _blank_record(campaign: Campaign, did: str) -> dict[str, Any]:
    """Return a record of ``campaign`` in which nothing has happened yet."""
    record: dict[str, Any] = dict.fromkeys(DOCUMENTED_FIELDS + FURTHER_FIELDS, "")
    record.update(dict.fromkeys(_TIMES, "00:00:00"))
    record.update(CampaignName=campaign.name, DID=did, Type=campaign.type, Rating=0, DialCount=0)
    record.update(Event="AgentDial" if campaign.type == "InBound" else "CustomerDial")
    if campaign.type != "InBound":
        record.update(DialOutName=f"list_{campaign.name.lower()}", UUI="source=list")
    return record


def _numbers(caller: int) -> dict[str, str]:
    """Return a caller's number in its three forms, from ranges that are reserved for fiction.

    North America keeps 555-0100 to 555-0199 of each area code for that, and Ofcom the numbers
    07700 900000 to 900999.
    """
    if caller < _BRITISH:
        return {
            "CallerID": f"07700900{caller:03}",
            "DialedNumber": f"07700900{caller:03}",
            "E164": f"+447700900{caller:03}",
        }
    number = f"{201 + caller // 100}55501{caller % 100:02}"
    return {"CallerID": number, "DialedNumber": number, "E164": f"+1{number}"}


def _abandon(record: dict[str, Any], campaign: Campaign, bits: int, start: int) -> int:
    """Fill in a call that nobody answered; return the second it ends at."""
    waited = _WAIT[bits >> 28 & 255] + (bits >> 36 & 31)
    end = start + waited
    record.update(
        Duration=hms(waited),
        EndTime=hms(end),
        HangupBy="UserHangup" if campaign.type == "InBound" else "System",
        Skill=campaign.skills[(bits >> 16) % len(campaign.skills)],
        Status="NotAnswered",
    )
    no_answer = NO_ANSWERS[bits >> 48 & 3]
    if campaign.type == "InBound":
        record.update(
            AgentDialStatus="not_answered",
            CustomerDialStatus="answered",
            DialStatus="not_answered",
            QueueTime=hms(waited),
            CallFlow=CALL_FLOWS[bits >> 14 & 3],
        )
    else:
        record.update(
            CustomerDialStatus=no_answer, DialStatus=no_answer, CustomerRingTime=hms(waited)
        )
    # What did not happen is "00:00:00" on some records and blank on others.
    if bits >> 50 & 1:
        record.update(PickupTime="", WrapUpStartTime="", WrapUpEndTime="", TimeToAnswer="")
    return end


def _change_late(record: dict[str, Any], index: int, revision: int) -> None:
    """Change what may still change after a call, if this record is among the changed ones."""
    last = revision if (index + revision) % 2 else revision - 1
    if not last:
        return
    record["Disposition"] = f"Changed late :{last}"
    record["Comments"] = f"{record['Comments']} (changed late: {last})".strip()
    record["Rating"] = (record["Rating"] + last) % 6
    if record["CallAudio"]:
        record["CallAudio"] = record["CallAudio"].replace(".mp3", f"-{last}.mp3")


class Calls:
    """The days of several contact centres, kept as bytes up to ``most_bytes`` in all."""

    def __init__(self, centres: Sequence[Centre], most_bytes: int = 400_000_000) -> None:
        """Keep days of ``centres``; at least the last one asked for, whatever its size."""
        self._centres = {centre.account: centre for centre in centres}
        self._most_bytes = most_bytes
        self._revision = 0
        self._days: OrderedDict[tuple[str, date], Day] = OrderedDict()

    def change_late(self) -> None:
        """Change finished calls from now on: disposition, comments, rating, recording."""
        self._revision += 1
        self._days.clear()

    def day(self, account: str, day: date) -> Day:
        """Return the calls of ``account`` that start on ``day``, also those still to come."""
        key = (account, day)
        if key not in self._days:
            self._days[key] = self._centres[account].day(day, self._revision)
        self._days.move_to_end(key)
        while len(self._days) > 1 and sum(len(kept.body) for kept in self._days.values()) > (
            self._most_bytes
        ):
            self._days.popitem(last=False)
        return self._days[key]
