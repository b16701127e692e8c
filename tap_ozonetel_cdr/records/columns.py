"""ONE table of columns: names, types and descriptions. The JSON schema and the rows follow it.

A row holds what the API sent, and beside it what an analyst needs. The record that the API sent can
be rebuilt from its row, but for this closed list:

- In a text column, an integer becomes its own digits: ``504995`` reads as ``"504995"``.
- In an integer column, canonical integer text becomes its number: ``"5"`` reads as ``5``.
- In a typed column (date, integer), blank text, null and an absent field become null. Blank is
  empty, or only white space.
- In a text column, null and an absent field become null, and ``""`` stays ``""``.
- In an id, blank text, null and an absent field become empty text. Otherwise ids are text columns.
- U+0000 and lone surrogates become U+FFFD, one each, also in the names of fields and objects. If
  that makes two names equal, the second gets a number at its end, from 2 on.
- In ``AdditionalFields``, a number becomes text if it is not finite (``"NaN"``), is beyond the
  range of a double, or has more decimal places than PostgreSQL keeps. The members of an object are
  in the order of their names.

A value that does not fit its column (``"007"``, ``"+5"``, ``5.0``, true, an object) is null there,
or empty text for an id. It is kept under its own name in ``AdditionalFields``, beside the fields
that this table does not know. A field of the API with the name of an added column is there too.
If a column is not selected, its values are not written, not even those that do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tap_ozonetel_cdr.records.durations import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["account", "id", "text", "date", "integer", "seconds", "instant", "json"]
"""What a column holds, which sets its JSON type and how its values are made."""

SMALLEST_INTEGER: Final = -LARGEST_INTEGER - 1
_INTEGER: Mapping[str, object] = {
    "type": ["integer", "null"],
    "minimum": SMALLEST_INTEGER,
    "maximum": LARGEST_INTEGER,
}
_SCHEMAS: Mapping[Kind, Mapping[str, object]] = {
    "account": {"type": "string"},
    "id": {"type": "string"},
    "text": {"type": ["string", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "integer": _INTEGER,
    "seconds": {**_INTEGER, "minimum": 0},
    "instant": {"type": ["string", "null"], "format": "date-time"},
    # As an object without known properties, common loaders refuse it, lose it, or write JSON's null
    # where SQL's belongs.
    "json": {"type": ["string", "null"]},
}


class Column(NamedTuple):
    """One column of the stream."""

    name: str
    kind: Kind
    description: str
    source: str | None = None
    """The API's field that it is made from; the field of the same name unless it is added."""

    @property
    def schema(self) -> dict[str, object]:
        """The column's JSON schema."""
        return {**_SCHEMAS[self.kind], "description": self.description}


def _field(name: str, description: str, kind: Kind = "text") -> Column:
    return Column(name, kind, description, name)


def _seconds(source: str, description: str) -> Column:
    return Column(f"{source}Seconds", "seconds", description, source)


def _instant(name: str, source: str, description: str) -> Column:
    return Column(name, "instant", description, source)


# The 43 fields of the vendor's page in its order [doc], then those that accounts get besides
# [measured] [field], then the added columns. What descriptions say of values was [measured].
COLUMNS: Final[tuple[Column, ...]] = (
    Column("UserName", "account", "The CloudAgent account that the record belongs to."),
    _field("AgentDialStatus", 'How dialing the agent ended, such as "answered" or "NoAnswer".'),
    _field("AgentID", "The id of the agent whom the event is about; group by it, not by the name."),
    _field(
        "AgentName",
        "The agent's name at the time of the response: it changes in old records too.",
    ),
    _field("CallAudio", "The address of the recording; it is there before a running call is over."),
    _field("CallDate", "The day on which the event started, in the account's time zone.", "date"),
    _field("CallID", "The id of the call, which all of its records share, as text.", "id"),
    _field("CallerConfAudioFile", "The address of the recording of the conference."),
    _field(
        "CallerID",
        "The customer's number as it was dialed or shown, in a form for each kind of call; to "
        "count customers, use E164.",
    ),
    _field("CampaignName", "The campaign that the call belongs to; a call has one."),
    _field("Comments", "What the agent noted; it can still change during the day."),
    _field("ConferenceDuration", "The length of the conference as HH:MM:SS."),
    _field("CustomerDialStatus", 'How dialing the customer ended, such as "answered".'),
    _field("CustomerRingTime", "How long the customer's phone rang, as HH:MM:SS."),
    _field("DID", "The account's number that the call came in on or went out from."),
    _field("DialOutName", "The name of the list or target that was dialed out to."),
    _field("DialStatus", 'How dialing ended, such as "answered" or "QTimeExceeded{45}".'),
    _field("DialedNumber", "The agent's inside line that was dialed; never the customer's number."),
    _field("Disposition", "The outcome that the agent chose; it can still change during the day."),
    _field(
        "Duration",
        "The length of the event, from StartTime to EndTime, as HH:MM:SS; it can exceed 24 hours.",
    ),
    _field("DynamicDID", "The number that was shown in place of the account's own."),
    _field(
        "E164",
        "The customer's number in the international format E.164, whatever the kind of call: count "
        "customers by it.",
    ),
    _field("EndTime", "When the event ended: HH:MM:SS in the account's time zone, no date."),
    _field(
        "Event",
        'What kind of event the record is: "AgentDial" on the current day is "Agent Dials" on past '
        'days, beside "Queue", "Skill Transfers", "Disconnect", "Customer Dials" and "Dial Out".',
    ),
    _field(
        "HandlingTime",
        "TalkTime and WrapupDuration together as HH:MM:SS; null while the agent is in wrap-up.",
    ),
    _field(
        "HangupBy",
        'Who ended the call, such as "UserHangup"; empty on most queue events and while the call '
        "is under way.",
    ),
    _field("HoldDuration", "How long the customer was on hold, as HH:MM:SS."),
    _field("Location", "Where the customer's number belongs."),
    _field(
        "PickupTime",
        "HH:MM:SS in the account's time zone, no date: when the agent or customer picked up. In an "
        "unanswered Manual call it repeats EndTime, and nobody did; PickedUpAt is right there.",
    ),
    _field(
        "Rating", "The customer's rating; unrated is 0 on the current day, null after.", "integer"
    ),
    _field("RatingComments", "What the customer said about the rating."),
    _field("Skill", "The skill, that is the group of agents; empty in Manual calls."),
    _field("StartTime", "When the event started: HH:MM:SS in the account's time zone, no date."),
    _field(
        "Status",
        'Whether this event was answered: "Answered" or "Unanswered". A call is answered if any of '
        "its records is.",
    ),
    _field("TalkTime", "How long agent and customer talked, as HH:MM:SS."),
    _field(
        "TimeToAnswer",
        "PickupTime less StartTime as HH:MM:SS: how long this event's agent let it ring, not how "
        "long the caller waited.",
    ),
    _field("TransferType", "How the call was transferred; empty if it was not."),
    _field("TransferredTo", "Whom the call was transferred to; empty if it was not."),
    _field(
        "Type",
        'The kind of call: "InBound" on the current day is "Inbound" on past days, beside "Manual" '
        'and "Progressive".',
    ),
    _field("UCID", "The id of the record, that is of one event of a call, as text.", "id"),
    _field("UUI", "What the account's own systems attached to the call."),
    _field("WrapUpEndTime", "When wrap-up ended: HH:MM:SS in the account's time zone, no date."),
    _field("WrapUpStartTime", "When wrap-up began: HH:MM:SS in the account's time zone, no date."),
    _field(
        "WrapupDuration",
        "The length of the wrap-up after the call as HH:MM:SS; without one it is null on the "
        "current day and 00:00:00 after.",
    ),
    _field("CallFlow", "The same as Event."),
    _field(
        "QueueTime",
        "How long the call waited in the queue, as HH:MM:SS: the Duration of a queue event, zero "
        "in others.",
    ),
    _field("DialCount", "How many times the number was dialed.", "integer"),
    _field("VideoRecordingURL", "The address of the video recording."),
    _seconds("Duration", "The length of the event in seconds."),
    _seconds("TalkTime", "How long agent and customer talked, in seconds."),
    _seconds("HandlingTime", "Talk and wrap-up together in seconds."),
    _seconds("TimeToAnswer", "How long this event's agent let it ring, in seconds."),
    _seconds("WrapupDuration", "The length of the wrap-up after the call in seconds."),
    _seconds("HoldDuration", "How long the customer was on hold, in seconds."),
    _seconds("ConferenceDuration", "The length of the conference in seconds."),
    _seconds("CustomerRingTime", "How long the customer's phone rang, in seconds."),
    _seconds("QueueTime", "How long the call waited in the queue, in seconds."),
    _instant("StartedAt", "StartTime", "The instant at which the event started, in UTC."),
    _instant(
        "PickedUpAt",
        "PickupTime",
        "The instant at which the agent or customer picked up, in UTC; null where nobody talked.",
    ),
    _instant("EndedAt", "EndTime", "The instant at which the event ended, in UTC."),
    _instant(
        "WrapUpStartedAt",
        "WrapUpStartTime",
        "The instant at which wrap-up began, in UTC; null if there was none.",
    ),
    _instant(
        "WrapUpEndedAt",
        "WrapUpEndTime",
        "The instant at which wrap-up ended, in UTC; null if there was none.",
    ),
    Column(
        "AdditionalFields",
        "json",
        "One JSON object as text: fields that the schema does not know and values that do not fit "
        "their column, under their own names as the API sent them. Null if there are none.",
    ),
)

NAMES: Final = tuple(column.name for column in COLUMNS)
"""The names of all columns, in their order."""

API_FIELDS: Final = frozenset(column.name for column in COLUMNS if column.source == column.name)
"""The fields of the API that the table knows."""


def schema(*, include_account: bool) -> dict[str, Any]:
    """Return the stream's JSON schema, with the column ``UserName`` if ``include_account``."""
    return {
        "type": "object",
        "properties": {
            column.name: column.schema
            for column in COLUMNS
            if include_account or column.kind != "account"
        },
    }


def key_properties(*, include_account: bool) -> tuple[str, ...]:
    """Return the columns that tell records apart, with ``UserName`` first if ``include_account``.

    ``UCID`` is the id of the event that a record stands for, ``CallID`` the call's [measured].
    """
    return ("UserName", "CallID", "UCID") if include_account else ("CallID", "UCID")
