"""Rows straight from an answer: windows of JSON decoded into what is written, at msgspec's speed.

The rules are those of records.py, and its table makes the rows' type: a window whose records fit
that type is decoded into rows at once, so that the decoding is the check. A window that holds
anything else is shaped record by record, and what was strange in it widens the type: a field that
the vendor adds, or a number where text was, costs one window and not the speed of the day.
"""

from __future__ import annotations

from collections import defaultdict
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict

from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.columns import (
    API_FIELDS,
    COLUMNS,
    CONVERTERS,
    MISFIT,
    SMALLEST_INTEGER,
    Column,
    Counts,
    Shaper,
)
from tap_ozonetel_cdr.records.instants import LARGEST_INTEGER, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import date
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    from tap_ozonetel_cdr.records.columns import Kind

Row: TypeAlias = "Any"
"""A msgspec struct with the columns as attributes; ``UNSET`` is what is not emitted."""

_MOST_LEARNED = 64
"""Names that widen the type at the most, whatever an answer holds: each makes a decoder anew."""


class _Never:
    """The type of what the API never sends: no value of JSON is one."""


_INTEGER: Final = Annotated[int, msgspec.Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)]
_SENT: Final[Mapping[Kind, object]] = {
    "id": int | str | None,
    "text": str | None,
    "date": str | None,
    "integer": _INTEGER | str | None,
}
"""What a window holds that needs no shaping record by record."""
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
    """Makes the rows of an account, window by window, and learns what its answers are like."""

    def __init__(
        self,
        timezone: ZoneInfo,
        *,
        account: str | None = None,
        columns: Collection[str] | None = None,
    ) -> None:
        """Take the arguments of a ``Shaper``, whose rows these are."""
        self._shaper = Shaper(timezone, account=account, columns=columns)
        self._account = account
        self._columns = [c for c in COLUMNS if account is not None or c.kind != "account"]
        self._names = {c.name for c in self._columns}
        self._chosen = self._names if columns is None else self._names.intersection(columns)
        self._dropped = [c.name for c in self._columns if c.name not in self._chosen]
        self._ids = [c.name for c in self._columns if c.kind == "id"]
        self._set_seconds = _seconds_setter(
            [c for c in self._columns if c.kind == "seconds" and c.name in self._chosen]
        )
        self._loose: set[str] = set()
        self._new: dict[str, str] = {}
        self._widen()

    @property
    def counts(self) -> Counts:
        """What was met so far that a user should hear of."""
        return self._shaper.counts

    def rows(self, window: bytes, day: date) -> list[Row]:
        """Return the rows of a window of the answer for ``day``, in the records' order.

        ``window`` is a JSON array of objects, strict or not; nothing in it raises anything.
        """
        # msgspec takes U+0000, which no target can hold. A search from the end looks for the rare
        # backslash first.
        if window.rfind(b"\\u0000") < 0:
            try:
                rows = self._decoder.decode(window)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            else:
                self._complete(rows, day)
                return self._without_dropped(rows)
        records, lenient = decode.records(window)
        if lenient:
            self.counts.lenient.add(day)
        self._learn(records)
        shaped = [self._type(**self._shaper.shape(record, day)) for record in records]
        return self._without_dropped(shaped)

    def _complete(self, rows: list[Row], day: date) -> None:
        """Make rows of what was decoded into them."""
        self._sort_out(rows)
        for name in self._ids:
            for row in rows:
                value = getattr(row, name)
                if type(value) is int:
                    setattr(row, name, str(value))
                elif not value or value.isspace():
                    setattr(row, name, "")
                    self.counts.missing_ids[name] += 1
        self._set_seconds(rows)
        if self._shaper.instants is not None:
            self._shaper.instants.fill(rows, day.toordinal())

    def _sort_out(self, rows: list[Row]) -> None:
        """Convert what the type leaves open; move what has no other place to AdditionalFields."""
        additional = self._convert(rows)
        for attribute, name in self._new.items():
            for number, row in enumerate(rows):
                value = getattr(row, attribute)
                if value is not UNSET:
                    additional[number][name] = value
                    setattr(row, attribute, UNSET)
        for number, fields in additional.items():
            rows[number].AdditionalFields = self._shaper.set_aside(fields)

    def _convert(self, rows: list[Row]) -> defaultdict[int, dict[str, Any]]:
        """Convert what the type leaves open; return what does not fit, by number of its row."""
        misfits: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        for name, plain, convert in self._open:
            for number, row in enumerate(rows):
                value = getattr(row, name)
                if type(value) is plain:
                    continue
                converted = convert(value)
                if converted is MISFIT:
                    converted = None
                    if name in self._chosen:
                        misfits[number][name] = value
                if converted is not value:
                    setattr(row, name, converted)
        return misfits

    def _without_dropped(self, rows: list[Row]) -> list[Row]:
        for name in self._dropped:
            for row in rows:
                setattr(row, name, UNSET)
        return rows

    # What answers are like

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
        return "AdditionalFields" in self._chosen and name not in self._names and not escaped

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
            forbid_unknown_fields="AdditionalFields" in self._chosen,
            gc=False,
        )
        self._decoder = decode.decoder(self._type)
        self._open = [
            (name, self._plain(name, kind), CONVERTERS[kind])
            for name, kind in _KINDS.items()
            if kind in {"date", "integer"} or name in self._loose
        ]

    def _plain(self, name: str, kind: Kind) -> type:
        """Return the type of values that stay as they are in a column that has to be converted."""
        if kind == "text":
            return str
        return int if kind == "integer" and name not in self._loose else NoneType

    def _sent(self, column: Column) -> object:
        if column.name in self._loose:
            return Any
        return _SENT.get(column.kind, _Never)

    def _default(self, column: Column) -> object:
        return self._account if column.kind == "account" else None


def _seconds_setter(columns: Iterable[Column]) -> Callable[[list[Row]], None]:
    """Return a function that sets these columns of rows.

    Its lines are written out of the table and compiled, as the standard library does for named
    tuples: this is done most often of all, and a loop with getattr and setattr takes three times
    as long.
    """
    lines = [f"        row.{column.name} = seconds[row.{column.source}]" for column in columns]
    source = "\n".join(["def set_seconds(rows):", "    for row in rows:", *lines, "        pass"])
    namespace: dict[str, Any] = {"seconds": SECONDS}
    exec(source, namespace)  # noqa: S102  # names of the table alone
    setter: Callable[[list[Row]], None] = namespace["set_seconds"]
    return setter


def as_record(row: Row) -> dict[str, Any]:
    """Return the columns of a row that are emitted, by name and in their order."""
    return {name: value for name, value in asdict(row).items() if value is not UNSET}
