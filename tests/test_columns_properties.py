"""Any record fits the schema, and can be rebuilt from its row but for the closed list."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.records.columns import COLUMNS, Shaper, schema

NAMES = [column.name for column in COLUMNS]
API_KINDS = {column.name: column.kind for column in COLUMNS if column.source == column.name}

# The checker that comes without further packages knows no date-time.
CHECKER = jsonschema.FormatChecker(["date"])


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    # RFC 3339: whole minutes in the offset, no space, seconds always there.
    shape = value.isascii() and len(value) == len("2024-12-06T12:20:00+05:30")
    return shape and value[10] == "T" and datetime.fromisoformat(value).tzinfo is not None


CHECKER.checks("date-time", raises=ValueError)(_is_date_time)
VALIDATORS = {
    include: jsonschema.Draft7Validator(
        {**schema(include_account=include), "additionalProperties": False},
        format_checker=CHECKER,
    )
    for include in (False, True)
}

# Lone surrogates, NUL and all else that a JSON string can hold.
texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=6),
    st.sampled_from(["", " ", "0", "-0", "007", "+5", "12", "5.0", "2024-12-06", "2024-02-30"]),
    st.sampled_from(["00:00:00", "23:59:59", "12:20:00", "99:00:00", "24:00:00", "\0", "\ud800"]),
    st.integers().map(str),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.decimals(allow_nan=False),
    st.sampled_from([Decimal("1e400"), Decimal("1e-20000"), Decimal("NaN"), 10**60]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
records = st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), values, max_size=12)
zones = st.sampled_from(["Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Etc/GMT+12"])


def rebuild(row: dict[str, Any]) -> dict[str, Any]:
    """Return the record that a row was made from, as far as the closed list lets it."""
    record = {name: row[name] for name in API_KINDS}
    return {**record, **(row["AdditionalFields"] or {})}


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
    if isinstance(value, (float, Decimal)):
        number = Decimal(value)
        if not math.isfinite(float(number)) or (number and abs(number) < Decimal("1e-16000")):
            return str(number)
    return value


def named_apart(members: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose names are replaced and still differ."""
    taken = {name for name in members if holdable(name) == name}
    result = {}
    for name, value in members.items():
        new = holdable(name)
        while new != name and new in taken:
            new += "\ufffd"
        taken.add(new)
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
    # repr tells 1 from True and from 1.0, and lets NaN equal itself.
    return repr(rebuilt) == repr(sent)


@settings(max_examples=100, deadline=None)
@given(records, zones, st.dates(), st.booleans())
def test_any_record(record: dict[str, Any], zone: str, day: date, account: bool) -> None:
    """Whatever the API sends, the row fits the schema and nothing of the record is lost."""
    shaper = Shaper(ZoneInfo(zone), account="demo" if account else None)
    row = shaper.shape(record, day)
    VALIDATORS[account].validate(row)
    assert [*row] == [*schema(include_account=account)["properties"]]
    rebuilt = rebuild(row)
    sent = named_apart(record)
    assert rebuilt.keys() == API_KINDS.keys() | sent.keys()
    for name, value in rebuilt.items():
        assert same(sent.get(name), value, API_KINDS.get(name)), name


@settings(max_examples=60, deadline=None)
@given(records, st.sets(st.sampled_from(NAMES)))
def test_selection_only_leaves_out(record: dict[str, Any], columns: set[str]) -> None:
    """A selected column is as it is when all are, and nothing of another one is emitted."""
    day = date(2024, 12, 6)
    row = Shaper(ZoneInfo("Asia/Kolkata"), account="demo").shape(record, day)
    selected = Shaper(ZoneInfo("Asia/Kolkata"), account="demo", columns=columns).shape(record, day)
    expected = {name: value for name, value in row.items() if name in columns}
    if expected.get("AdditionalFields"):
        left = {
            name: value
            for name, value in expected["AdditionalFields"].items()
            if name in columns or name not in API_KINDS
        }
        expected["AdditionalFields"] = left or None
    assert repr(selected) == repr(expected)


time_texts = st.integers(0, 100_000).map(lambda n: f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}")
ordinary = st.fixed_dictionaries(
    {"CallID": st.integers(10**16, 10**17), "UCID": st.integers(10**16, 10**17).map(str)},
    optional={
        name: time_texts if "Time" in name or "Duration" in name else texts
        for name in API_KINDS
        if name not in {"CallID", "UCID"}
    },
)


@settings(max_examples=60, deadline=None)
@given(ordinary, zones, st.dates())
def test_ordinary_records(record: dict[str, Any], zone: str, day: date) -> None:
    """Records as the API sends them, with any times and durations, fit the schema too."""
    row = Shaper(ZoneInfo(zone)).shape(record, day)
    VALIDATORS[False].validate(row)
    rebuilt = rebuild(row)
    for name, kind in API_KINDS.items():
        assert same(holdable(record.get(name)), rebuilt[name], kind), name
