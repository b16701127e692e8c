"""The columns of a call, and how a record of the API becomes one row of them.

One table; the schema and the shaping both come from it. Every API field keeps its own name and its
own text, but for this closed list:

- a number in a text column becomes its own digits, and canonical integer text in an integer column
  its number: ``"12"``, not ``"012"``, ``"+12"`` or ``"12.0"``;
- blank, null and absent are null in typed columns; null and absent are null in text columns, which
  keep ``""``; an id that is null, absent or blank is ``""``;
- U+0000 and lone surrogates become U+FFFD, since no target can hold them; where that makes two
  names one, the later gets another U+FFFD;
- a number that is not finite becomes its text in ``AdditionalFields``.

What fits none of this stands in ``AdditionalFields`` under its own name, as it was sent.
"""

from __future__ import annotations

import enum
import math
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_ozonetel_cdr.instants import LARGEST_INTEGER, Instants, ordinal, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo


class Kind(enum.Enum):
    """What a column holds."""

    ID = "text that is never null"
    TEXT = "text"
    DATE = "date"
    INTEGER = "integer of 64 bits"
    INSTANT = "date-time with offset"
    OBJECT = "object"


_SCHEMAS: Mapping[Kind, dict[str, Any]] = {
    Kind.ID: {"type": "string"},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.INTEGER: {
        "type": ["integer", "null"],
        "minimum": -LARGEST_INTEGER - 1,
        "maximum": LARGEST_INTEGER,
    },
    Kind.INSTANT: {"type": ["string", "null"], "format": "date-time"},
    Kind.OBJECT: {"type": ["object", "null"], "additionalProperties": True},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the stream.

    Attributes:
        name: Its name; for an API field the API's own.
        kind: What it holds.
        description: What it means, with unit and zone.
        source: For an added column: the API field that it is made from.
    """

    name: str
    kind: Kind
    description: str
    source: str | None = None


ACCOUNT = Column("UserName", Kind.ID, "The CloudAgent account (setting user_name).")
ADDITIONAL_FIELDS = Column(
    "AdditionalFields",
    Kind.OBJECT,
    "Fields that this schema does not know, and values that do not fit their column, as sent.",
)

# The fields of the vendor's page [doc], in its order.
_API_COLUMNS = (
    Column("AgentDialStatus", Kind.TEXT, "How dialling the agent ended."),
    Column("AgentID", Kind.TEXT, "Id of the agent."),
    Column("AgentName", Kind.TEXT, "Name of the agent; personal data."),
    Column("CallAudio", Kind.TEXT, "URL of the recording; may come after the call."),
    Column("CallDate", Kind.DATE, "Day of the call in the account's time zone."),
    Column("CallID", Kind.ID, "Id of the call, which can have several legs."),
    Column("CallerConfAudioFile", Kind.TEXT, "Recording of the caller's conference."),
    Column("CallerID", Kind.TEXT, "Number of the caller; personal data."),
    Column("CampaignName", Kind.TEXT, "Campaign that the call belongs to."),
    Column("Comments", Kind.TEXT, "The agent's comments; may change after the call."),
    Column("ConferenceDuration", Kind.TEXT, "Time in conference, HH:MM:SS."),
    Column("CustomerDialStatus", Kind.TEXT, "How dialling the customer ended."),
    Column("CustomerRingTime", Kind.TEXT, "Time that the customer's phone rang, HH:MM:SS."),
    Column("DID", Kind.TEXT, "Number of the account that was called or dialled from."),
    Column("DialOutName", Kind.TEXT, "Name of the dial-out."),
    Column("DialStatus", Kind.TEXT, "How dialling ended."),
    Column("DialedNumber", Kind.TEXT, "Number that was dialled; personal data."),
    Column("Disposition", Kind.TEXT, "The agent's disposition; may change after the call."),
    Column("Duration", Kind.TEXT, "Length of the call, HH:MM:SS; can exceed 24 hours."),
    Column("DynamicDID", Kind.TEXT, "Dynamic number of the account."),
    Column("E164", Kind.TEXT, "Number of the customer in E.164 form; personal data."),
    Column("EndTime", Kind.TEXT, "Time of day of the end, HH:MM:SS, account's time zone."),
    Column("Event", Kind.TEXT, "Kind of the leg, such as AgentDial."),
    Column("HandlingTime", Kind.TEXT, "Talk time and wrap-up together, HH:MM:SS."),
    Column("HangupBy", Kind.TEXT, "Who ended the call."),
    Column("HoldDuration", Kind.TEXT, "Time on hold, HH:MM:SS."),
    Column("Location", Kind.TEXT, "Location of the caller."),
    Column("PickupTime", Kind.TEXT, "Time of day of the answer, HH:MM:SS, account's time zone."),
    Column("Rating", Kind.INTEGER, "Rating of the call; may change after it."),
    Column("RatingComments", Kind.TEXT, "Comments with the rating."),
    Column("Skill", Kind.TEXT, "Skill that the call was routed by."),
    Column("StartTime", Kind.TEXT, "Time of day of the start, HH:MM:SS, account's time zone."),
    Column("Status", Kind.TEXT, "Answered or NotAnswered."),
    Column("TalkTime", Kind.TEXT, "Time of talking, HH:MM:SS."),
    Column("TimeToAnswer", Kind.TEXT, "Time until the answer, HH:MM:SS."),
    Column("TransferType", Kind.TEXT, "Kind of transfer."),
    Column("TransferredTo", Kind.TEXT, "Whom the call was transferred to."),
    Column("Type", Kind.TEXT, "Kind of call, such as InBound or Progressive."),
    Column("UCID", Kind.ID, "Id of this leg of the call."),
    Column("UUI", Kind.TEXT, "User-to-user information passed with the call."),
    Column("WrapUpEndTime", Kind.TEXT, "Time of day of the wrap-up's end, HH:MM:SS."),
    Column("WrapUpStartTime", Kind.TEXT, "Time of day of the wrap-up's start, HH:MM:SS."),
    Column("WrapupDuration", Kind.TEXT, "Length of the wrap-up, HH:MM:SS."),
    # Accounts get these too [field].
    Column("CallFlow", Kind.TEXT, "Path of the call through the account's flow."),
    Column("QueueTime", Kind.TEXT, "Time in the queue, HH:MM:SS."),
    Column("DialCount", Kind.INTEGER, "How many times the number was dialled."),
    Column("VideoRecordingURL", Kind.TEXT, "URL of the video recording."),
)


def _seconds_of(source: str) -> Column:
    return Column(f"{source}Seconds", Kind.INTEGER, f"{source} in seconds.", source)


def _instant_of(name: str, source: str) -> Column:
    meaning = f"{source} with its date and the offset of the account's time zone."
    return Column(name, Kind.INSTANT, meaning, source)


_ADDED_COLUMNS = (
    _seconds_of("Duration"),
    _seconds_of("TalkTime"),
    _seconds_of("HandlingTime"),
    _seconds_of("TimeToAnswer"),
    _seconds_of("WrapupDuration"),
    _seconds_of("HoldDuration"),
    _seconds_of("ConferenceDuration"),
    _seconds_of("CustomerRingTime"),
    _seconds_of("QueueTime"),
    _instant_of("StartedAt", "StartTime"),
    _instant_of("PickedUpAt", "PickupTime"),
    _instant_of("EndedAt", "EndTime"),
    _instant_of("WrapUpStartedAt", "WrapUpStartTime"),
    _instant_of("WrapUpEndedAt", "WrapUpEndTime"),
    ADDITIONAL_FIELDS,
)

COLUMNS = (*_API_COLUMNS, *_ADDED_COLUMNS)
"""Every column but ``UserName``, which only ``include_account`` brings."""


def schema(*, include_account: bool) -> dict[str, Any]:
    """Return the JSON schema of a record."""
    columns = (ACCOUNT, *COLUMNS) if include_account else COLUMNS
    return {
        "type": "object",
        "properties": {c.name: {**_SCHEMAS[c.kind], "description": c.description} for c in columns},
    }


def key_properties(*, include_account: bool) -> tuple[str, ...]:
    """Return the key: the call and its leg, behind the account where accounts share a table."""
    return ("UserName", "CallID", "UCID") if include_account else ("CallID", "UCID")


class Shaper:
    """Makes rows of records, and counts what a person should hear about; never keeps a value."""

    def __init__(
        self, *, zone: ZoneInfo, account: str | None = None, columns: Collection[str] | None = None
    ) -> None:
        """Shape for one account.

        Args:
            zone: The account's time zone.
            account: What stands in ``UserName``; None for no such column.
            columns: The names of the selected columns, None for all; others are not computed.
        """
        names = {c.name for c in COLUMNS} if columns is None else set(columns)
        self._account = {"UserName": account} if account is not None else {}
        self._fitters = [(c.name, _FITTERS[c.kind], c.name in names) for c in _API_COLUMNS]
        self._seconds = [
            (c.name, str(c.source))
            for c in _ADDED_COLUMNS
            if c.kind is Kind.INTEGER and c.name in names
        ]
        self._instants = Instants(zone, names)
        self._instant_names = [
            c.name for c in _ADDED_COLUMNS if c.kind is Kind.INSTANT and c.name in names
        ]
        self._keeps_additional = ADDITIONAL_FIELDS.name in names
        self.new_fields: Counter[str] = Counter()
        """How often a field came that the schema does not know."""
        self.unfitting: Counter[str] = Counter()
        """How often a value did not fit its column and went to ``AdditionalFields``."""
        self.replaced = 0
        """Texts and names in which a character was replaced."""
        self.without_id = 0
        """Records without a ``CallID`` or ``UCID``."""

    def shape(self, record: Mapping[str, Any], day: date) -> dict[str, Any]:
        """Return the row of a record.

        Args:
            record: As decoded; it is left as it is.
            day: The day asked for, which stands in for a ``CallDate`` that is no date.
        """
        row: dict[str, Any] = dict(self._account)
        additional: dict[str, Any] = {}
        for name, fit, selected in self._fitters:
            if not selected:
                continue
            value = record.get(name)
            fitted = fit(value)
            if fitted is _UNFITTING:
                self.unfitting[name] += 1
                additional[name] = self._holdable(value)
                fitted = "" if fit is _id else None
            elif fitted.__class__ is str and _UNHOLDABLE.search(fitted):
                fitted = self._holdable(fitted)
            if fit is _id and not fitted:
                self.without_id += 1
            row[name] = fitted
        for name, source in self._seconds:
            text = record.get(source)
            row[name] = seconds(text) if text.__class__ is str else None
        if self._instant_names:
            known = self._instants.of(record, day.toordinal())
            for name in self._instant_names:
                row[name] = known.get(name)
        if self._keeps_additional:
            for name in record.keys() - _API_NAMES:
                self.new_fields[name] += 1
                self._add(additional, name, record[name])
            row[ADDITIONAL_FIELDS.name] = additional or None
        return row

    def _add(self, fields: dict[str, Any], name: str, value: object) -> None:
        """Put a value under its name, made fit for a target, without losing another."""
        name = self._holdable(name)
        while name in fields:
            name += _REPLACEMENT
        fields[name] = self._holdable(value)

    def _holdable(self, value: Any) -> Any:  # noqa: ANN401  # any JSON value
        """Return a value with nothing in it that no target can hold."""
        if isinstance(value, str):
            text, count = _UNHOLDABLE.subn(_REPLACEMENT, value)
            self.replaced += count > 0
            return text
        if isinstance(value, list):
            return list(map(self._holdable, value))
        if isinstance(value, dict):
            fields: dict[str, Any] = {}
            # Names that stay as they are come first, so that none of them gives way.
            for name in sorted(value, key=lambda name: bool(_UNHOLDABLE.search(name))):
                self._add(fields, name, value[name])
            return fields
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            self.replaced += 1
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return value


_API_NAMES = frozenset(c.name for c in _API_COLUMNS)
_UNFITTING = object()
_REPLACEMENT = "\ufffd"
_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")
_INTEGER = re.compile("0|-?[1-9][0-9]{0,18}")


def _text(value: object) -> object:
    kind = value.__class__
    if kind is str or value is None:
        return value
    return str(value) if kind is int else _UNFITTING


def _id(value: object) -> object:
    if value is None or (value.__class__ is str and not value.strip()):
        return ""
    return _text(value)


def _date(value: object) -> object:
    if value is None or (value.__class__ is str and not value.strip()):
        return None
    if value.__class__ is str and ordinal(value) is not None:
        return value
    return _UNFITTING


def _integer(value: Any) -> object:  # noqa: ANN401  # any JSON value
    if value.__class__ is str:
        if not value.strip():
            return None
        if not _INTEGER.fullmatch(value):
            return _UNFITTING
        value = int(value)
    if value is None:
        return None
    if value.__class__ is int and -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
        return value
    return _UNFITTING


_FITTERS: Mapping[Kind, Callable[[Any], object]] = {
    Kind.TEXT: _text,
    Kind.ID: _id,
    Kind.DATE: _date,
    Kind.INTEGER: _integer,
}
