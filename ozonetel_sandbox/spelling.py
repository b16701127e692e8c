"""How records are written: the current day and past days spell the same record differently.

Both spellings were measured in one account in February and March 2026: all that ``Spelling`` says,
and which fields are blank for which kind of event. The order of the fields is the vendor's page's.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ozonetel_sandbox.calls import LISTED_AFTER
from ozonetel_sandbox.ids import agent_id, did, e164, inside_line, national
from ozonetel_sandbox.people import (
    LAST_NAMES,
    LOCATIONS,
    PLAIN_FIRST_NAMES,
    RATING_COMMENTS,
    RICH_FIRST_NAMES,
    Direction,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from ozonetel_sandbox.calls import Call, Event, Kind

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
#: What every record has besides. [measured]
FURTHER_FIELDS = ("CallFlow", "QueueTime", "VideoRecordingURL")
#: What came to other accounts later. [field]
LATER_FIELDS = ("DialCount",)

_MINUTES = tuple(f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02}" for second in range(60))
_ZERO = "00:00:00"

#: How often an agent gets another name, in days: one reading in seven days differs for an agent,
#: so that some 14 % of old rows differ from one day to the next. [measured]
_DAYS_OF_A_NAME = 7


def hms(seconds: int) -> str:
    """Return ``HH:MM:SS`` of a second of the day, or of a duration below 24 hours."""
    return _MINUTES[seconds // 60 % 1440] + _SECONDS[seconds % 60]


@dataclasses.dataclass(frozen=True)
class Spelling:
    """What one of the two systems writes where they differ."""

    types: Mapping[Direction, str]
    events: Mapping[Kind, str]
    #: ``CallID`` and ``UCID``.
    id_type: Callable[[int], int | str]
    unrated: int | str
    rated: Callable[[int], int | str]
    #: A ``PickupTime``, ``WrapUpStartTime``, ``WrapUpEndTime`` that is none.
    no_time: str | None
    no_wrap_up: str | None
    #: A ``CallAudio`` that is none; with two, either.
    no_recording: tuple[str | None, str | None]


# The words that a current day was not seen to use are a past day's.
_UNSEEN: Mapping[Kind, str] = {
    "skill_transfer": "Skill Transfers",
    "customer": "Customer Dials",
    "dial_out": "Dial Out",
}
CURRENT = Spelling(
    types={"inbound": "InBound", "manual": "Manual", "progressive": "Progressive"},
    events={"agent": "AgentDial", "queue": "Queue", "disconnect": "Disconnect", **_UNSEEN},
    id_type=int,
    unrated=0,
    rated=int,
    no_time=None,
    no_wrap_up=None,
    no_recording=("", None),
)
PAST = Spelling(
    types={"inbound": "Inbound", "manual": "Manual", "progressive": "Progressive"},
    events={"agent": "Agent Dials", "queue": "Queue", "disconnect": "Disconnect", **_UNSEEN},
    id_type=str,
    unrated="",
    rated=str,
    no_time="",
    no_wrap_up=_ZERO,
    no_recording=("", ""),
)


def is_seen_today(event: Event) -> bool:
    """Return whether a current day was seen to list such an event.

    Among 6,388 rows of current days there was no Progressive call, no change of skill, no dial
    out. [measured]
    """
    return event.kind not in _UNSEEN and event.call.campaign.direction != "progressive"


@dataclasses.dataclass(frozen=True)
class Writer:
    """Writes the records of one account's day, as its API spells them on a day."""

    account: str
    day: date
    spelling: Spelling
    #: The day of the reading: an agent's name is looked up when the response is made. [measured]
    named_on: date | None
    is_rich: bool = True
    has_extras: bool = False
    has_dial_count: bool = False

    def record(self, event: Event, at: float | None = None) -> dict[str, Any]:
        """Return the record of ``event`` as it is at a second of the day, or in the end."""
        if at is None or at >= event.settled:
            return self._record(event)
        if at < event.end + LISTED_AFTER:
            return self._under_way(event)
        record = self._record(event)
        if at < event.noted:
            record.update(Disposition="", Comments="")
        if at < event.end + (event.wrap or 0):
            record.update(
                HandlingTime=None,
                WrapUpEndTime=self.spelling.no_time,
                WrapupDuration=self.spelling.no_wrap_up,
            )
        return record

    def _under_way(self, event: Event) -> dict[str, Any]:
        """Return the record of a call under way.

        One that was answered is listed as answered for a second, and to have ended when it was
        picked up. [measured] That pick-up and end agree, while talk is a second, is taken from the
        same words.
        """
        record = self._record(event)
        nothing = {
            "HangupBy": "",
            "Disposition": "",
            "Comments": "",
            "WrapUpStartTime": self.spelling.no_time,
            "WrapUpEndTime": self.spelling.no_time,
            "WrapupDuration": self.spelling.no_wrap_up,
            "HoldDuration": _ZERO,
            "ConferenceDuration": _ZERO,
            "Rating": self.spelling.unrated,
            "RatingComments": "",
            "CallerConfAudioFile": "",
            "TransferType": "",
            "TransferredTo": "",
        }
        if event.is_answered:
            return (
                record
                | nothing
                | {
                    "EndTime": record["PickupTime"],
                    "Duration": record["TimeToAnswer"],
                    "TalkTime": "00:00:01",
                    "HandlingTime": "00:00:01",
                }
            )
        return (
            record
            | nothing
            | {
                "AgentDialStatus": "Queued",
                "CustomerDialStatus": "NotDialed",
                "DialStatus": "",
                "EndTime": record["StartTime"],
                "Duration": _ZERO,
                "QueueTime": _ZERO,
            }
        )

    def _record(self, event: Event) -> dict[str, Any]:
        spelling = self.spelling
        call, agent, wrap = event.call, event.agent, event.wrap
        direction = call.campaign.direction
        talk = event.talk
        duration = hms(event.duration)
        answering = _ZERO if event.pickup is None else hms(event.pickup - event.start)
        word = spelling.events[event.kind]
        record = {
            "AgentDialStatus": event.agent_dial,
            "AgentID": "" if agent is None else agent_id(agent),
            "AgentName": "" if agent is None else self._name(agent),
            "CallAudio": self._recording(event),
            "CallDate": self.day.isoformat(),
            "CallID": spelling.id_type(call.id),
            "CallerConfAudioFile": "",
            "CallerID": _caller_id(call),
            "CampaignName": call.campaign.name,
            "Comments": event.comment,
            "ConferenceDuration": _ZERO,
            "CustomerDialStatus": event.customer_dial,
            "CustomerRingTime": _ZERO if direction == "inbound" else answering,
            "DID": did(sum(map(ord, call.campaign.name)) % 100),
            "DialOutName": "",
            "DialStatus": event.dial,
            "DialedNumber": "" if agent is None else inside_line(agent),
            "Disposition": event.disposition,
            "Duration": duration,
            "DynamicDID": "",
            "E164": e164(call.customer),
            "EndTime": hms(event.end),
            "Event": word,
            "HandlingTime": hms(talk + (wrap or 0)),
            "HangupBy": event.hangup,
            "HoldDuration": _ZERO,
            "Location": LOCATIONS[call.customer & 15],
            "PickupTime": spelling.no_time if event.pickup is None else hms(event.pickup),
            "Rating": spelling.unrated,
            "RatingComments": "",
            "Skill": event.skill,
            "StartTime": hms(event.start),
            "Status": "Answered" if event.is_answered else "Unanswered",
            "TalkTime": hms(talk),
            "TimeToAnswer": answering,
            "TransferType": "" if event.transferred_to is None else "Agent",
            "TransferredTo": (
                "" if event.transferred_to is None else agent_id(event.transferred_to)
            ),
            "Type": spelling.types[direction],
            "UCID": spelling.id_type(event.ucid),
            "UUI": call.reference,
            "WrapUpEndTime": spelling.no_time if wrap is None else hms(event.end + wrap),
            "WrapUpStartTime": spelling.no_time if wrap is None else hms(event.end),
            "WrapupDuration": spelling.no_wrap_up if wrap is None else hms(wrap),
            "CallFlow": word,
            "QueueTime": duration if event.kind == "queue" else _ZERO,
            "VideoRecordingURL": "",
        }
        if self.has_dial_count:
            record["DialCount"] = 1 if agent is not None or event.kind == "customer" else 0
        if self.has_extras:
            self._add_extras(record, event)
        return record

    def _add_extras(self, record: dict[str, Any], event: Event) -> None:
        if event.rating:
            record["Rating"] = self.spelling.rated(event.rating)
            comments = [comment for comment in RATING_COMMENTS if self.is_rich or comment.isascii()]
            record["RatingComments"] = comments[event.rating % len(comments)]
        record["HoldDuration"] = hms(event.hold)
        if event.conference:
            record["ConferenceDuration"] = hms(event.conference)
            record["CallerConfAudioFile"] = str(record["CallAudio"]).replace(".mp3", "-conf.mp3")
        if event.number % 20 == 0:
            record.update(Location=None, UUI=None, RatingComments=None, VideoRecordingURL=None)

    def _name(self, agent: int) -> str:
        names = RICH_FIRST_NAMES if self.is_rich else PLAIN_FIRST_NAMES
        renamed = 0
        if self.named_on:
            renamed = (self.named_on.toordinal() + agent * 3) // _DAYS_OF_A_NAME
        return f"{names[agent & 15]} {LAST_NAMES[((agent >> 4) + renamed) & 15]}"

    def _recording(self, event: Event) -> str | None:
        if not event.is_answered:
            return self.spelling.no_recording[event.ucid % 2]
        version = f"-{event.changes}" if event.changes else ""
        return f"https://recordings.example.com/{self.account}/{event.ucid}{version}.mp3"


def _caller_id(call: Call) -> str:
    """Return a customer's number in the form that the kind of call has [measured]."""
    number = national(call.customer)
    if call.campaign.direction == "inbound":
        return f"0091{number}"
    if call.campaign.direction == "progressive":
        return f"0{number}"
    # Mostly ten digits, and 8 to 13 elsewhere: as the agent dialled it.
    others = {0: number[2:], 1: f"0{number}", 2: f"91{number}", 3: f"+91{number}"[-13:]}
    return others.get(call.customer % 40, number)
