"""What becomes of a value: as its column has it, or as text in ``AdditionalFields``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tap_ozonetel_cdr.records.columns import API_FIELDS, SMALLEST_INTEGER
from tap_ozonetel_cdr.records.durations import LARGEST_INTEGER
from tap_ozonetel_cdr.records.instants import ordinal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from tap_ozonetel_cdr.records.columns import Kind
    from tap_ozonetel_cdr.records.counts import Counts

Key: TypeAlias = "tuple[str, str]"
"""``CallID`` and ``UCID`` as they are emitted."""

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
    if type(value) is int:
        return str(value)
    return "" if _is_blank(value) else _text(value)


def _date(value: object) -> object:
    if type(value) is str and ordinal(value) is not None:
        return value
    return None if _is_blank(value) else MISFIT


def _integer(value: object) -> object:
    if value is None or value == "":
        return None
    if type(value) is str and _CANONICAL_INTEGER.fullmatch(value):
        value = int(value)
    if type(value) is int and SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    return None if _is_blank(value) else MISFIT


def _is_blank(value: object) -> bool:
    return value is None or (type(value) is str and (not value or value.isspace()))


CONVERTERS: Final[Mapping[Kind, Callable[[object], object]]] = {
    "text": _text,
    "id": _id,
    "date": _date,
    "integer": _integer,
}
"""What makes a column's value of a field's, by kind: the value itself where it fits."""


def key(record: Mapping[str, Any]) -> Key:
    """Return ``CallID`` and ``UCID`` of a record of the API, as they are emitted."""
    return _emitted_id(record.get("CallID")), _emitted_id(record.get("UCID"))


def _emitted_id(value: object) -> str:
    text = _id(value)
    return _UNHOLDABLE.sub(_REPLACEMENT, text) if isinstance(text, str) else ""


def holdable(text: str, field: str, counts: Counts) -> str:
    """Return text as every target can hold it, counting what that changes in ``field``."""
    held, replaced = _UNHOLDABLE.subn(_REPLACEMENT, text)
    if replaced:
        counts.replaced.add(field, replaced)
    return held


def as_json(fields: Mapping[str, Any], counts: Counts) -> str:
    """Return fields that have no other place as the text of one JSON object, and count them.

    It is strict JSON that every target's database can read, and the same for the same fields:
    members in the order of their names, no white space, characters beyond ASCII as they are, and
    numbers with the digits that were sent.
    """
    held = _object(fields, None, counts)
    for name in held:
        if name not in API_FIELDS:
            counts.new_fields.add(name)
    return _ENCODER.encode(held).decode()


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def _held(value: Any, field: str, counts: Counts) -> Any:  # noqa: ANN401  # it is any JSON value
    """Return ``value`` as every target can hold it, counting what that changes in ``field``."""
    kind = type(value)
    if kind is str:
        return holdable(value, field, counts)
    if kind is dict:
        return _object(value, field, counts)
    if kind is list:
        return [_held(item, field, counts) for item in value]
    if kind is Decimal and not _is_holdable(value):
        counts.numbers_as_text.add(field)
        return str(value)
    return value


def _object(members: Mapping[str, Any], field: str | None, counts: Counts) -> dict[str, Any]:
    """Return an object within ``field``, or the object whose members are the fields."""
    held: dict[str, Any] = {}
    # Numbers only grow, or names that all become equal would take cubic time.
    last: dict[str, int] = {}
    for name, value in members.items():
        new, replaced = _UNHOLDABLE.subn(_REPLACEMENT, name)
        if replaced:
            bare = new
            while new in held or new in members:
                last[bare] = last.get(bare, 1) + 1
                new = f"{bare}{last[bare]}"
        place = new if field is None else field
        if replaced:
            counts.replaced.add(place, replaced)
        held[new] = _held(value, place, counts)
    return held


def _is_holdable(number: Decimal) -> bool:
    # The exponent of a number that is not finite is a letter.
    exponent = number.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and exponent >= -_MOST_DECIMAL_PLACES
        and abs(float(number)) != float("inf")
    )
