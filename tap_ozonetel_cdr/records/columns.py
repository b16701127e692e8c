"""ONE table of columns: the JSON schema and the shaping of records are both made from it.

A shaped record holds what the API sent, and beside it what an analyst needs. The record of the API
can be rebuilt from it exactly, but for this closed list:

- In a text column, an integer becomes its own digits: ``504995`` reads as ``"504995"``.
- In an integer column, canonical integer text becomes its number: ``"5"`` reads as ``5``.
- In a typed column (date, integer) blank text, null and an absent field all become null; in a text
  column null and an absent field do, and ``""`` stays ``""``. Blank is empty or only white space.
- In an id, a missing id (blank text, null or an absent field) becomes empty text; ids are text
  columns otherwise.
- U+0000 and lone surrogates become U+FFFD, each of them one, also in the names of fields and
  objects. A name that this makes equal to another gets one more U+FFFD, until it differs.
- In ``AdditionalFields`` a number that is not finite becomes its text, such as ``"NaN"``; so does
  one beyond the range of a double, or with more decimal places than PostgreSQL keeps.

Whatever else does not fit its column (``"007"``, ``"+5"``, ``5.0``, true, an object) is null there,
or empty text for an id, and stands under its own name in ``AdditionalFields``, beside the fields
that this table does not know. A field of the API that bears an added column's name stands there
too. Of a column that is not selected neither the value nor what would not fit is emitted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tap_ozonetel_cdr.records.instants import LARGEST_INTEGER, SECONDS, Instants, ordinal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

Kind = Literal["account", "id", "text", "date", "integer", "seconds", "instant", "object"]
"""What a column holds, which sets its JSON type and how it is shaped."""

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
    # Without "properties", or the SDK's flattening would lose the whole column: it puts an object's
    # known properties in the object's place.
    "object": {"type": ["object", "null"], "additionalProperties": True},
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


# The 43 fields of the vendor's page in its order [doc], then those that accounts get besides
# [field], then the added columns.
COLUMNS: Final[tuple[Column, ...]] = (
    Column("UserName", "account", "The CloudAgent account that the call belongs to."),
    _field("AgentDialStatus", 'How dialing the agent ended, such as "answered".'),
    _field("AgentID", "The id of the agent who took the call."),
    _field("AgentName", "The name of the agent who took the call."),
    _field("CallAudio", "The address of the call's recording."),
    _field("CallDate", "The day on which the call started, in the account's time zone.", "date"),
    _field("CallID", "The id of the call, which all of its legs share, as text.", "id"),
    _field("CallerConfAudioFile", "The address of the recording of the conference."),
    _field("CallerID", "The customer's phone number as it was sent."),
    _field("CampaignName", "The campaign that the call belongs to."),
    _field("Comments", "What the agent noted about the call."),
    _field("ConferenceDuration", "The length of the conference as HH:MM:SS."),
    _field("CustomerDialStatus", 'How dialing the customer ended, such as "answered".'),
    _field("CustomerRingTime", "How long the customer's phone rang, as HH:MM:SS."),
    _field("DID", "The account's number that the call came in on or went out from."),
    _field("DialOutName", "The name of the list or target that was dialed out to."),
    _field("DialStatus", 'How dialing ended, such as "answered".'),
    _field("DialedNumber", "The phone number that was dialed."),
    _field("Disposition", "The outcome that the agent chose; it can still change after the call."),
    _field("Duration", "The length of the call as HH:MM:SS, which can exceed 24 hours."),
    _field("DynamicDID", "The number that was shown in place of the account's own."),
    _field("E164", "The customer's phone number in the international format E.164."),
    _field("EndTime", "When the call ended: HH:MM:SS in the account's time zone, no date."),
    _field("Event", 'The kind of event that the leg is, such as "AgentDial".'),
    _field("HandlingTime", "The length of talk and wrap-up together as HH:MM:SS."),
    _field("HangupBy", 'Who ended the call, such as "UserHangup".'),
    _field("HoldDuration", "How long the customer was on hold, as HH:MM:SS."),
    _field("Location", "Where the customer's number belongs."),
    _field(
        "PickupTime", "When the call was answered: HH:MM:SS in the account's time zone, no date."
    ),
    _field("Rating", "The customer's rating of the call; it can still change after it.", "integer"),
    _field("RatingComments", "What the customer said about the rating."),
    _field("Skill", "The skill, that is the group of agents, that the call was for."),
    _field("StartTime", "When the call started: HH:MM:SS in the account's time zone, no date."),
    _field("Status", 'Whether the call was answered: "Answered" or "NotAnswered".'),
    _field("TalkTime", "How long agent and customer talked, as HH:MM:SS."),
    _field("TimeToAnswer", "How long it took until the call was answered, as HH:MM:SS."),
    _field("TransferType", "How the call was transferred; empty if it was not."),
    _field("TransferredTo", "Whom the call was transferred to; empty if it was not."),
    _field("Type", 'The direction or mode of the call, such as "InBound" or "Progressive".'),
    _field("UCID", "The id of this leg of the call, as text.", "id"),
    _field("UUI", "What the account's own systems attached to the call."),
    _field("WrapUpEndTime", "When wrap-up ended: HH:MM:SS in the account's time zone, no date."),
    _field("WrapUpStartTime", "When wrap-up began: HH:MM:SS in the account's time zone, no date."),
    _field("WrapupDuration", "The length of the wrap-up after the call as HH:MM:SS."),
    _field("CallFlow", "The path that the call took through the account's menus."),
    _field("QueueTime", "How long the call waited in a queue, as HH:MM:SS."),
    _field("DialCount", "How many times the call was dialed.", "integer"),
    _field("VideoRecordingURL", "The address of the video recording."),
    _seconds("Duration", "The length of the call in seconds."),
    _seconds("TalkTime", "How long agent and customer talked, in seconds."),
    _seconds("HandlingTime", "The length of talk and wrap-up together in seconds."),
    _seconds("TimeToAnswer", "How long it took until the call was answered, in seconds."),
    _seconds("WrapupDuration", "The length of the wrap-up after the call in seconds."),
    _seconds("HoldDuration", "How long the customer was on hold, in seconds."),
    _seconds("ConferenceDuration", "The length of the conference in seconds."),
    _seconds("CustomerRingTime", "How long the customer's phone rang, in seconds."),
    _seconds("QueueTime", "How long the call waited in a queue, in seconds."),
    Column(
        "StartedAt",
        "instant",
        "The instant at which the call started, with the offset of the account's time zone.",
        "StartTime",
    ),
    Column(
        "PickedUpAt",
        "instant",
        "The instant at which the call was answered, with the offset of the account's time zone; "
        "null if it was not.",
        "PickupTime",
    ),
    Column(
        "EndedAt",
        "instant",
        "The instant at which the call ended, with the offset of the account's time zone.",
        "EndTime",
    ),
    Column(
        "WrapUpStartedAt",
        "instant",
        "The instant at which wrap-up began, with the offset of the account's time zone; null if "
        "there was none.",
        "WrapUpStartTime",
    ),
    Column(
        "WrapUpEndedAt",
        "instant",
        "The instant at which wrap-up ended, with the offset of the account's time zone; null if "
        "there was none.",
        "WrapUpEndTime",
    ),
    Column(
        "AdditionalFields",
        "object",
        "Fields that the schema does not know and values that do not fit their column, under their "
        "own names as the API sent them; null if there are none.",
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

    ``UCID`` is the id of the leg that a record stands for, ``CallID`` the call's [field].
    """
    return ("UserName", "CallID", "UCID") if include_account else ("CallID", "UCID")


def key(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return ``CallID`` and ``UCID`` of a record of the API, as they are emitted."""
    return _emitted_id(record.get("CallID")), _emitted_id(record.get("UCID"))


@dataclass
class Counts:
    """What a user should hear of the records that were shaped: names of fields, and how often."""

    new_fields: Counter[str] = field(default_factory=Counter)
    """Fields that the table does not know, by name: the records that have them."""
    misfits: Counter[str] = field(default_factory=Counter)
    """Values that do not fit their column, by column."""
    missing_ids: Counter[str] = field(default_factory=Counter)
    """Ids emitted as empty text, by column; those that did not fit are among them."""
    replaced: Counter[str] = field(default_factory=Counter)
    """Characters replaced with U+FFFD, by column, or by field in ``AdditionalFields``."""
    numbers_as_text: Counter[str] = field(default_factory=Counter)
    """Numbers that stand as text in ``AdditionalFields``, by field."""
    lenient: set[date] = field(default_factory=set)
    """Days of whose answers a part was not strict JSON."""


class Shaper:
    """Shapes an account's records as the table of columns says."""

    counts: Counts
    """What was met so far."""
    instants: Instants | None
    """Gives the records their instants, if there is a column for one."""

    def __init__(
        self,
        timezone: ZoneInfo,
        *,
        account: str | None = None,
        columns: Collection[str] | None = None,
    ) -> None:
        """Place times of day in ``timezone``, and make the named ``columns``: all of them if None.

        ``UserName`` is among them only with an ``account``. A column that is not named is not
        computed; without ``AdditionalFields`` new fields are not looked for.
        """
        chosen = [
            column
            for column in COLUMNS
            if (columns is None or column.name in columns)
            and (account is not None or column.kind != "account")
        ]
        names: dict[Kind, list[str]] = {kind: [] for kind in _SCHEMAS}
        for column in chosen:
            names[column.kind].append(column.name)
        self.counts = Counts()
        self._row = {column.name: _DEFAULTS.get(column.kind) for column in chosen}
        self._row.update(dict.fromkeys(names["account"], account))
        self._texts = names["text"]
        self._ids = names["id"]
        self._typed = [
            (c.name, CONVERTERS[c.kind]) for c in chosen if c.kind in {"id", "date", "integer"}
        ]
        self._seconds = [(c.name, c.source) for c in chosen if c.kind == "seconds" and c.source]
        self.instants = Instants(timezone, names["instant"]) if names["instant"] else None
        self._keeps_additional = bool(names["object"])

    def shape(  # noqa: C901, PLR0912  # one pass over the columns, a loop a kind
        self, record: Mapping[str, Any], day: date
    ) -> dict[str, Any]:
        """Return the row of a record that the API gave for ``day``: every column, in their order.

        ``record`` is any JSON object whose numbers are ``int``, ``float`` or ``Decimal``. Nothing
        in it raises anything. The row and the record may share nested values.
        """
        row: dict[str, Any] = self._row.copy()
        misfits = []
        value_of = record.get
        for name in self._texts:
            value = value_of(name)
            if type(value) is str:  # nearly always
                row[name] = value
            elif (text := _text(value)) is MISFIT:
                misfits.append(name)
            else:
                row[name] = text
        for name, convert in self._typed:
            converted = convert(value_of(name))
            if converted is MISFIT:
                misfits.append(name)
            else:
                row[name] = converted
        for name, source in self._seconds:
            value = value_of(source)
            if type(value) is str:
                row[name] = SECONDS[value]
        if self.instants is not None:
            row.update(self.instants.of(record, day.toordinal()))
        for name in self._ids:
            if not row[name]:
                self.counts.missing_ids[name] += 1
        self._replace_unholdable(row)
        if misfits or not record.keys() <= API_FIELDS:
            additional = self.set_aside(
                {
                    name: value
                    for name, value in record.items()
                    if name in misfits or name not in API_FIELDS
                }
            )
            if self._keeps_additional:
                row["AdditionalFields"] = additional
        return row

    def set_aside(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return fields that have no other place as every target can hold them, and count them.

        None without the column ``AdditionalFields``.
        """
        for name in fields:
            if name in API_FIELDS:
                self.counts.misfits[name] += 1
        if not self._keeps_additional:
            return None
        held = self._holdable_object(fields)
        for name in held:
            if name not in API_FIELDS:
                self.counts.new_fields[name] += 1
        return held

    def _replace_unholdable(self, row: dict[str, Any]) -> None:
        texts = "".join([value for value in row.values() if type(value) is str])
        if (texts.isascii() and "\0" not in texts) or not _UNHOLDABLE.search(texts):
            return
        for name, value in row.items():
            if type(value) is str:
                row[name] = self._holdable_text(value, name)

    def _holdable(self, value: Any, field: str) -> Any:  # noqa: ANN401 - it is any JSON value
        """Return ``value`` as every target can hold it, counting what that changes in ``field``."""
        kind = type(value)
        if kind is str:
            return self._holdable_text(value, field)
        if kind is dict:
            return self._holdable_object(value, field)
        if kind is list:
            return [self._holdable(item, field) for item in value]
        if kind in {float, Decimal} and not _is_holdable(value):
            self.counts.numbers_as_text[field] += 1
            return str(Decimal(value))
        return value

    def _holdable_object(
        self, members: Mapping[str, Any], field: str | None = None
    ) -> dict[str, Any]:
        """Return an object within ``field``, or the object whose members are the fields."""
        held: dict[str, Any] = {}
        for name, value in members.items():
            holdable, replaced = _UNHOLDABLE.subn(_REPLACEMENT, name)
            while replaced and (holdable in held or holdable in members):
                holdable += _REPLACEMENT
            place = holdable if field is None else field
            if replaced:
                self.counts.replaced[place] += replaced
            held[holdable] = self._holdable(value, place)
        return held

    def _holdable_text(self, text: str, field: str) -> str:
        holdable, replaced = _UNHOLDABLE.subn(_REPLACEMENT, text)
        if replaced:
            self.counts.replaced[field] += replaced
        return holdable


MISFIT: Final = object()
"""What a converter gives for a value that does not fit its column: None is a value of its own."""
_REPLACEMENT: Final = "\ufffd"
_UNHOLDABLE: Final = re.compile("[\0\ud800-\udfff]")
_CANONICAL_INTEGER: Final = re.compile("0|-?[1-9][0-9]{0,18}")
_MOST_DECIMAL_PLACES: Final = 16_383
"""Of PostgreSQL's ``numeric``, and so of a number in its ``jsonb``."""


def _text(value: object) -> object:
    if value is None or type(value) is str:
        return value
    return str(value) if type(value) is int else MISFIT


def _id(value: object) -> object:
    return "" if _is_blank(value) else _text(value)


def _emitted_id(value: object) -> str:
    text = _id(value)
    return _UNHOLDABLE.sub(_REPLACEMENT, text) if isinstance(text, str) else ""


def _date(value: object) -> object:
    if type(value) is str and ordinal(value) is not None:
        return value
    return None if _is_blank(value) else MISFIT


def _integer(value: object) -> object:
    if type(value) is str and _CANONICAL_INTEGER.fullmatch(value):
        value = int(value)
    if type(value) is int and SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    return None if _is_blank(value) else MISFIT


def _is_blank(value: object) -> bool:
    return value is None or (type(value) is str and not value.strip())


def _is_holdable(number: float | Decimal) -> bool:
    if not math.isfinite(number):
        return False
    return isinstance(number, float) or int(number.as_tuple().exponent) >= -_MOST_DECIMAL_PLACES


CONVERTERS: Final[Mapping[Kind, Callable[[object], object]]] = {
    "text": _text,
    "id": _id,
    "date": _date,
    "integer": _integer,
}
_DEFAULTS: Final[Mapping[Kind, str]] = {"id": ""}
