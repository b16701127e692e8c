"""Any record fits the schema, and can be rebuilt from its row but for the closed list."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ADDED, FIELDS, IDS, INTEGERS
from samples import (
    KOLKATA,
    any_records,
    as_sent,
    chunk_of,
    current_records,
    past_records,
    records_at_edges,
    zones,
)

from tap_ozonetel_cdr.records.columns import schema
from tap_ozonetel_cdr.records.rows import RowMaker, as_record

NAMES = ["UserName", *FIELDS, *ADDED]
API_KINDS = {
    **dict.fromkeys(FIELDS, "text"),
    **dict.fromkeys(IDS, "id"),
    **dict.fromkeys(INTEGERS, "integer"),
    "CallDate": "date",
}

# The checker that comes without further packages knows no date-time.
CHECKER = jsonschema.FormatChecker(["date"])


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    # RFC 3339: no space, seconds always there, and UTC.
    shape = value.isascii() and len(value) == len("2024-12-06T12:20:00+00:00")
    return shape and value[10] == "T" and datetime.fromisoformat(value).utcoffset() == timedelta()


CHECKER.checks("date-time", raises=ValueError)(_is_date_time)
VALIDATORS = {
    include: jsonschema.Draft7Validator(
        {**schema(include_account=include), "additionalProperties": False},
        format_checker=CHECKER,
    )
    for include in (False, True)
}
records = st.one_of(any_records, past_records, current_records, records_at_edges)


def row_of(record: dict[str, Any], zone: Any, day: date, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the row of a record that came alone."""
    [row] = RowMaker(zone, **options).rows(chunk_of(record), day)
    return as_record(row)


def rebuild(row: dict[str, Any]) -> dict[str, Any]:
    """Return the record that a row was made from, as far as the closed list lets it."""
    record = {name: row[name] for name in API_KINDS}
    return {**record, **json.loads(row["AdditionalFields"] or "{}", parse_float=Decimal)}


def holdable(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return a value after the replacements of the closed list, written a second time."""
    if isinstance(value, str):
        return "".join(
            "\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in value
        )
    if isinstance(value, list):
        return [holdable(item) for item in value]
    if isinstance(value, dict):
        return named_apart(value)
    if isinstance(value, Decimal) and (
        not math.isfinite(float(value)) or (value and abs(value) < Decimal("1e-16000"))
    ):
        return str(value)
    return value


def named_apart(members: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose names are replaced and still differ."""
    result: dict[str, Any] = {}
    for name, value in members.items():
        new, number = holdable(name), 1
        while new != name and (new in result or new in members):
            number += 1
            new = f"{holdable(name)}{number}"
        result[new] = holdable(value)
    return result


def same(sent: Any, rebuilt: Any, kind: str | None) -> bool:  # noqa: ANN401  # any JSON values
    """Tell whether two values of a field are the same, but for the closed list."""
    blank = sent is None or (isinstance(sent, str) and not sent.strip())
    is_integer = isinstance(sent, int) and not isinstance(sent, bool)
    if kind == "id" and blank:
        return bool(rebuilt == "")
    if kind in {"date", "integer"} and blank:
        return rebuilt is None
    if kind in {"id", "text"} and is_integer and rebuilt == str(sent):
        return True
    if kind == "integer" and isinstance(sent, str) and isinstance(rebuilt, int):
        return sent == str(rebuilt)
    # Text tells 1 from True and from 1.0, and lets NaN equal itself.
    return in_order(rebuilt) == in_order(sent)


def in_order(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return text that is the same for equal JSON values alone."""
    return json.dumps(value, sort_keys=True, default=repr)


@settings(max_examples=150, deadline=None)
@given(records, zones, st.dates(), st.booleans())
def test_any_record_fits_the_schema_and_loses_nothing(
    record: dict[str, Any],
    zone: Any,  # noqa: ANN401
    day: date,
    account: bool,
) -> None:
    """Whatever the API sends, the row fits the schema and nothing of the record is lost."""
    row = row_of(record, zone, day, account="demo" if account else None)
    VALIDATORS[account].validate(row)
    assert [*row] == [*schema(include_account=account)["properties"]]
    rebuilt = rebuild(row)
    [sent] = map(named_apart, as_sent(chunk_of(record)))
    assert rebuilt.keys() == API_KINDS.keys() | sent.keys()
    for name, value in rebuilt.items():
        assert same(sent.get(name), value, API_KINDS.get(name)), name


@settings(max_examples=60, deadline=None)
@given(records, st.sets(st.sampled_from(NAMES)))
def test_selection_only_leaves_out(record: dict[str, Any], columns: set[str]) -> None:
    """A selected column is as it is when all are, and nothing of another one is emitted."""
    day = date(2024, 12, 6)
    row = row_of(record, KOLKATA, day, account="demo")
    selected = row_of(record, KOLKATA, day, account="demo", columns=columns)
    expected = {name: value for name, value in row.items() if name in columns}
    if expected.get("AdditionalFields"):
        fields = json.loads(expected["AdditionalFields"], parse_float=Decimal)
        left = {n: value for n, value in fields.items() if n in columns or n not in API_KINDS}
        assert in_order(json.loads(selected["AdditionalFields"] or "{}", parse_float=Decimal)) == (
            in_order(left)
        )
        expected["AdditionalFields"] = selected["AdditionalFields"]
    assert repr(selected) == repr(expected)
