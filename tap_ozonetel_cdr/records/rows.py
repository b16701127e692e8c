"""Chunks of a response become rows, in one way, column by column.

The table of columns makes the rows' type. Where a chunk fits it, msgspec decodes the records into
rows at once, so that the decoding is the check. Where a chunk does not fit, its records go into the
same rows as they are. Then every column that the type leaves open is converted. What was strange
widens the type: a field that the vendor adds, or a number where text was, costs one chunk and not
the speed of the day.
"""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict

from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.columns import API_FIELDS, COLUMNS, SMALLEST_INTEGER
from tap_ozonetel_cdr.records.counts import Counts
from tap_ozonetel_cdr.records.durations import LARGEST_INTEGER, fill_seconds
from tap_ozonetel_cdr.records.ids import ZoneCheck
from tap_ozonetel_cdr.records.instants import Instants
from tap_ozonetel_cdr.records.values import CONVERTERS, MISFIT, as_json, holdable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    from tap_ozonetel_cdr.records.columns import Column, Kind

Row: TypeAlias = "Any"
"""A msgspec struct with the columns as attributes; ``UNSET`` is what is not emitted."""

_MOST_LEARNED = 64
"""Names that widen the type at the most, whatever a response holds: each makes a decoder anew."""


class _Never:
    """The type of what the API never sends: no value of JSON is one."""


_INTEGER: Final = Annotated[int, msgspec.Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)]
_SENT: Final[Mapping[Kind, object]] = {
    "id": int | str | None,
    "text": str | None,
    "date": str | None,
    "integer": _INTEGER | str | None,
}
"""What fits the type, by kind of column: all that the API was seen to send."""
_TYPES: Final[Mapping[Kind, set[type]]] = {
    "id": {int, str, NoneType},
    "text": {str, NoneType},
    "date": {str, NoneType},
    "integer": {int, str, NoneType},
}
_KINDS: Final[Mapping[str, Kind]] = {
    column.name: column.kind for column in COLUMNS if column.name in API_FIELDS
}


class RowMaker:
    """Makes the rows of an account, chunk by chunk, and learns what its responses are like."""

    counts: Counts
    """What was met so far that a user should hear of."""
    zone_check: ZoneCheck
    """What the ids say of the time zone: once enough rows were made."""

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
        self.counts = Counts()
        self.zone_check = ZoneCheck(timezone)
        self._account = account
        self._chosen = {column.name for column in chosen}
        self._keeps_additional = "AdditionalFields" in self._chosen
        self._seconds = {column.name for column in chosen if column.kind == "seconds"}
        instants = [column.name for column in chosen if column.kind == "instant"]
        self._instants = Instants(timezone, instants) if instants else None
        needed = {*self._chosen, *(c.source for c in chosen if c.kind == "seconds")}
        if instants:
            needed.update(Instants.SOURCES)
        if self._keeps_additional:
            # A field has to be known to be told from a new one.
            needed.update(API_FIELDS)
        self._columns = [column for column in COLUMNS if column.name in needed]
        self._names = {column.name for column in self._columns}
        self._kinds = {name: kind for name, kind in _KINDS.items() if name in needed}
        self._tells_zones = self._kinds.keys() >= {*ZoneCheck.SOURCES}
        self._dropped = [name for name in self._kinds if name not in self._chosen]
        self._loose: set[str] = set()
        self._new: dict[str, str] = {}
        self._widen()

    def rows(self, chunk: bytes, day: date) -> list[Row]:
        """Return the rows of a chunk of the response for ``day``, in the records' order.

        ``chunk`` is a JSON array of objects, strict or not; nothing in it raises anything.
        """
        additional: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        rows = self._decoded(chunk)
        if rows is None:
            rows = self._taken_as_they_are(chunk, day, additional)
            for name in self._kinds:
                self._convert(rows, name, additional, strict=False)
        else:
            for name, kind in self._open.items():
                if not self._fits(rows, name, kind):
                    self._convert(rows, name, additional, strict=True)
            self._set_new_aside(rows, additional)
        for number, fields in additional.items():
            rows[number].AdditionalFields = as_json(fields, self.counts)
        fill_seconds(rows, self._seconds)
        if self._instants is not None:
            self._instants.fill(rows, day.toordinal())
        if self._tells_zones and not self.zone_check.decided:
            self.zone_check.look_at(rows)
        for name in self._dropped:
            for row in rows:
                setattr(row, name, UNSET)
        return rows

    def _decoded(self, chunk: bytes) -> list[Row] | None:
        """Return a chunk's rows where its records fit the type."""
        # msgspec takes U+0000, which no target can hold. A search from the end looks for the rare
        # backslash first.
        if chunk.rfind(b"\\u0000") >= 0:
            return None
        try:
            return self._decoder.decode(chunk)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _taken_as_they_are(
        self, chunk: bytes, day: date, additional: Mapping[int, dict[str, Any]]
    ) -> list[Row]:
        """Return a chunk's rows with the records' values as they are; learn from what is strange.

        Fields that are none of the API's go to ``additional``, by number of their row.
        """
        records, lenient = decode.records(chunk)
        if lenient:
            self.counts.lenient.add(day)
        self._learn(records)
        rows = []
        for number, record in enumerate(records):
            row = self._type()
            for name, value in record.items():
                if name not in API_FIELDS:
                    if self._keeps_additional:
                        additional[number][name] = value
                elif name in self._kinds:
                    setattr(row, name, value)
            rows.append(row)
        return rows

    def _fits(self, rows: list[Row], name: str, kind: Kind) -> bool:
        """Tell whether a decoded column is as it has to be, where that is quickly told."""
        if kind == "id" or name in self._loose:
            return False
        convert = CONVERTERS[kind]
        return all(convert(value) is value for value in set(map(attrgetter(name), rows)))

    def _convert(
        self,
        rows: list[Row],
        name: str,
        additional: Mapping[int, dict[str, Any]],
        *,
        strict: bool,
    ) -> None:
        """Make a column's values of a field's; what does not fit goes to ``additional``.

        Text of ``strict`` JSON holds nothing that a target could not hold.
        """
        kind, chosen = self._kinds[name], name in self._chosen
        convert = CONVERTERS[kind]
        for number, row in enumerate(rows):
            value = getattr(row, name)
            converted = convert(value)
            if converted is value and strict and (value or kind != "id"):
                continue
            if converted is MISFIT:
                converted = "" if kind == "id" else None
                if chosen:
                    self.counts.misfits.add(name)
                    if self._keeps_additional:
                        additional[number][name] = value
            elif type(converted) is str and not strict:
                converted = holdable(converted, name, self.counts)
            if kind == "id" and chosen and not converted:
                self.counts.missing_ids.add(name)
            setattr(row, name, converted)

    def _set_new_aside(self, rows: list[Row], additional: Mapping[int, dict[str, Any]]) -> None:
        for attribute, name in self._new.items():
            for number, row in enumerate(rows):
                value = getattr(row, attribute)
                if value is not UNSET:
                    additional[number][name] = value
                    setattr(row, attribute, UNSET)

    # What responses are like

    def _learn(self, records: Iterable[decode.Record]) -> None:
        """Widen the type by what these records hold that it does not take."""
        before = len(self._loose) + len(self._new)
        new = dict.fromkeys(self._new.values())
        for record in records:
            for name, value in record.items():
                kind = _KINDS.get(name)
                if kind is None:
                    if self._can_be_learned(name):
                        new[name] = None
                elif type(value) not in _TYPES[kind]:
                    self._loose.add(name)
        self._new = {f"new_{number}": name for number, name in enumerate(list(new)[:_MOST_LEARNED])}
        if len(self._loose) + len(self._new) > before:
            self._widen()

    def _can_be_learned(self, name: str) -> bool:
        """Tell whether a field that the table does not know can be one of the type's.

        One with the name of an added column cannot, and msgspec takes no name with an escape.
        """
        escaped = not name.isprintable() or '"' in name or "\\" in name
        return self._keeps_additional and name not in self._names and not escaped

    def _widen(self) -> None:
        """Make the rows' type and its decoder, as the table and what was learned say."""
        fields: list[tuple[str, object, object]] = [
            (column.name, self._sent(column), self._default(column)) for column in self._columns
        ]
        fields += [(attribute, Any, UNSET) for attribute in self._new]
        self._type = msgspec.defstruct(
            "Row",
            fields,
            rename=self._new,
            # Without the column for them, new fields are not looked for.
            forbid_unknown_fields=self._keeps_additional,
            gc=False,
        )
        self._decoder = decode.decoder(self._type)
        self._open = {
            name: kind
            for name, kind in self._kinds.items()
            if kind != "text" or name in self._loose
        }

    def _sent(self, column: Column) -> object:
        if column.name in self._loose:
            return Any
        return _SENT.get(column.kind, _Never)

    def _default(self, column: Column) -> object:
        return self._account if column.kind == "account" else None


def as_record(row: Row) -> dict[str, Any]:
    """Return the columns of a row that are emitted, by name and in their order."""
    return {name: value for name, value in asdict(row).items() if value is not UNSET}
