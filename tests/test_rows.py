"""One truth, two speeds: rows decoded from chunks are those that the shaper makes of records."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_columns_properties import API_KINDS, NAMES, ordinary, records, zones

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.columns import Counts, Shaper
from tap_ozonetel_cdr.records.instants import SECONDS, seconds
from tap_ozonetel_cdr.records.lines import record_lines
from tap_ozonetel_cdr.records.rows import RowMaker, as_record
from tap_ozonetel_cdr.tap import LineWriter

KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 11, 19)
NOW = datetime(2026, 11, 20, 6, 30, 0, 1, tzinfo=timezone.utc)
CALL = {
    "CallID": 31733467784618213,
    "UCID": 31733467784618214,
    "CallDate": "2026-11-19",
    "CallerID": "504995",
    "StartTime": "12:20:00",
    "Duration": "00:00:56",
    "Rating": 0,
}


def chunk_of(*contents: Any) -> bytes:  # noqa: ANN401  # any JSON values
    """Return a chunk that holds these records, as another client would write them."""
    return json.dumps(contents, default=number).encode()


def number(value: object) -> object:
    """Return the closest that Python's encoder can write of a ``Decimal``."""
    assert isinstance(value, Decimal)
    return float(value)


def told_apart(record: dict[str, Any]) -> str:
    """Return text that is the same for the same record alone, its columns in the same order."""
    additional = record.get("AdditionalFields")
    if additional is not None:
        record = {**record, "AdditionalFields": sorted(additional.items())}
    return repr(record)


def is_decoded_at_once(maker: RowMaker, chunk: bytes) -> bool:
    """Tell whether a chunk is decoded into rows without shaping its records one by one."""
    shaper = maker._shaper  # noqa: SLF001  # the way not taken
    with mock.patch.object(shaper, "shape", wraps=shaper.shape) as shape:
        maker.rows(chunk, DAY)
    return not shape.called


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.one_of(records, ordinary), max_size=4), max_size=5),
    zones,
    st.dates(),
    st.booleans(),
    st.none() | st.sets(st.sampled_from(NAMES)).map(lambda names: names | {"CallID", "UCID"}),
)
def test_any_chunks(
    chunks: list[list[dict[str, Any]]],
    zone: str,
    day: date,
    account: bool,
    columns: set[str] | None,
) -> None:
    """Whatever chunks hold, and whatever was learned from those before, rows and counts agree."""
    options: dict[str, Any] = {"account": "demo" if account else None, "columns": columns}
    maker = RowMaker(ZoneInfo(zone), **options)
    shaper = Shaper(ZoneInfo(zone), **options)
    for contents in chunks:
        chunk = chunk_of(*contents)
        decoded, lenient = decode.records(chunk)
        if lenient:
            shaper.counts.lenient.add(day)
        found = [told_apart(as_record(row)) for row in maker.rows(chunk, day)]
        assert found == [told_apart(shaper.shape(record, day)) for record in decoded]
    assert maker.counts == shaper.counts


clocks = st.sampled_from(["00:00:00", "00:00:30", "00:01:00", "11:59:59", "12:00:00", "23:59:59"])
durations = st.sampled_from(
    ["00:00:00", "00:00:01", "00:01:00", "11:59:59", "12:00:00", "12:00:01", "23:59:59", "24:00:00"]
)
calls_at_edges = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(["", "12:5:00", "25:00:00"]) | clocks | durations
        for name in API_KINDS
        if "Time" in name or "Duration" in name
    }
    | {"CallDate": st.sampled_from(["2026-11-01", "2026-03-08", "", "9999-12-31"])},
)


@settings(max_examples=300, deadline=None)
@given(st.lists(calls_at_edges, min_size=1, max_size=3), zones)
def test_instants_near_midnight_and_clock_changes(
    contents: list[dict[str, Any]], zone: str
) -> None:
    """The short way to a call's instants is taken only where the rules come to the same."""
    maker, shaper = RowMaker(ZoneInfo(zone)), Shaper(ZoneInfo(zone))
    rows = [as_record(row) for row in maker.rows(chunk_of(*contents), DAY)]
    assert rows == [shaper.shape(record, DAY) for record in contents]


@pytest.mark.parametrize(
    "change",
    [
        {"PickupTime": "12:20:05", "WrapUpStartTime": "12:20:56", "WrapUpEndTime": "12:21:06"},
        {"PickupTime": "12:19:59"},
        {"PickupTime": "12:20:57"},
        {"WrapUpStartTime": "00:20:55"},
        {"WrapUpStartTime": "23:59:55"},
        {"WrapUpEndTime": "11:20:55"},
        {"WrapUpStartTime": "12:20:56", "WrapUpEndTime": "00:21:05"},
        {"EndTime": "00:20:55"},
        {"EndTime": "23:59:55"},
        {"StartTime": "00:00:05"},
    ],
    ids=str,
)
def test_an_event_far_from_its_call_is_placed_by_the_rules(change: dict[str, str]) -> None:
    """Of a call in the middle of the day, each event is where the rules have it."""
    call = {**CALL, "EndTime": "12:20:56", "WrapupDuration": "00:00:10", **change}
    [row] = RowMaker(KOLKATA).rows(chunk_of(call), DAY)
    assert as_record(row) == Shaper(KOLKATA).shape(call, DAY)


def test_calls_of_the_sandbox_are_decoded_at_once() -> None:
    """Calls as the API lists them take no other way than the quick one."""
    calls = Sandbox(records_per_day=lambda _: 500).records(DAY, at=None)
    assert is_decoded_at_once(RowMaker(KOLKATA), chunk_of(*calls))


@pytest.mark.parametrize(
    "change",
    [
        {"Sentiment": "calm"},
        {"Sentiment": None},
        {"Sentiment": {"score": 0.5, "words": ["a", 1]}},
        {"ÄÖ -Ж": 5},
        {"CallerID": 504995},
        {"CallerID": 0.5},
        {"CallerID": ["504995"]},
        {"CallID": True},
        {"CallDate": 20261119},
        {"Rating": 4.5},
        {"CallerID": 504995, "Sentiment": "calm", "Channel": "voice"},
    ],
    ids=str,
)
def test_what_is_new_is_learned(change: dict[str, Any]) -> None:
    """One chunk is enough to learn what every record has; the next is decoded at once."""
    maker = RowMaker(KOLKATA)
    chunk = chunk_of(*[{**CALL, **change}] * 3)
    assert not is_decoded_at_once(maker, chunk)
    assert is_decoded_at_once(maker, chunk)
    assert is_decoded_at_once(maker, chunk_of(CALL))
    assert as_record(maker.rows(chunk, DAY)[0]) == Shaper(KOLKATA).shape({**CALL, **change}, DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"StartedAt": "yesterday"},
        {"DurationSeconds": None},
        {"AdditionalFields": {}},
        {'a "quoted" name': 1},
        {"Rating": 2**63},
        {"Comments": "\0"},
        {"Comments": "\ud800"},
        {"Rating": float("nan")},
    ],
    ids=str,
)
def test_what_cannot_be_learned(change: dict[str, Any]) -> None:
    """It is shaped record by record, and the chunks without it are still decoded at once."""
    maker = RowMaker(KOLKATA)
    chunk = chunk_of({**CALL, **change})
    for _ in range(2):
        [row] = maker.rows(chunk, DAY)
        [record] = decode.records(chunk)[0]
        assert told_apart(as_record(row)) == told_apart(Shaper(KOLKATA).shape(record, DAY))
    assert is_decoded_at_once(maker, chunk_of(CALL))


def test_what_is_learned_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that differ from record to record make no end of decoders, and none is lost."""
    made = mock.Mock(wraps=decode.decoder)
    monkeypatch.setattr(decode, "decoder", made)
    maker = RowMaker(KOLKATA)
    for n in range(200):
        [row] = maker.rows(chunk_of({**CALL, f"Field{n}": n}), DAY)
        assert row.AdditionalFields == {f"Field{n}": n}
    assert made.call_count == 65


def test_without_additional_fields_nothing_is_looked_for() -> None:
    """New fields are no reason to shape record by record when nobody wants them."""
    maker = RowMaker(KOLKATA, columns={"CallID", "UCID", "CallerID"})
    assert is_decoded_at_once(maker, chunk_of({**CALL, "New": 1}))


def test_what_does_not_fit_a_column_that_is_not_selected() -> None:
    """It stands nowhere and is not counted, however its chunk is decoded."""
    maker = RowMaker(KOLKATA, columns={"CallID", "UCID", "AdditionalFields"})
    for rating in ("007", 4.5):
        [row] = maker.rows(chunk_of({**CALL, "Rating": rating}), DAY)
        assert (row.AdditionalFields, row.Rating) == (None, msgspec.UNSET)
    assert maker.counts == Counts()


def test_durations_that_were_seen_take_no_end_of_memory() -> None:
    """Whatever text stands for durations, what is remembered of it is bounded."""
    tracemalloc.start()
    try:
        for n in range(110_000):
            assert SECONDS[f"{n}:00:00"] == n * 3600
        assert [SECONDS["x" * n] for n in range(2_000, 22_000)] == [None] * 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
    assert SECONDS["00:00:56"] == seconds("00:00:56") == 56


@settings(max_examples=60, deadline=None)
@given(st.lists(records, max_size=4), zones)
def test_lines_are_those_of_the_sdk(contents: list[dict[str, Any]], zone: str) -> None:
    """Many lines at once say the same as the SDK's, to the digit, and are ASCII like them."""
    made = RowMaker(ZoneInfo(zone)).rows(chunk_of(*contents), DAY)
    lines = record_lines("cdr", made, NOW)
    assert lines.isascii()
    assert [exactly(line) for line in lines.splitlines()] == [
        exactly(line_of_the_sdk(as_record(row)).encode()) for row in made
    ]


def exactly(line: bytes) -> object:
    """Read JSON with its numbers as text."""
    return json.loads(line, parse_int=str, parse_float=str, parse_constant=str)


def line_of_the_sdk(record: dict[str, Any]) -> str:
    """Return the SDK's line for a record."""
    from singer_sdk.singerlib import RecordMessage  # noqa: PLC0415  # beside its one use

    message = RecordMessage("cdr", record, time_extracted=NOW)
    assert {f.name for f in dataclasses.fields(message)} == {
        *("type", "stream", "record", "version", "time_extracted"),
    }
    return LineWriter().format_message(message)


def test_a_line() -> None:
    """Type, stream, record and time stand in the SDK's order."""
    row = RowMaker(KOLKATA, columns={"CallID", "UCID", "Comments"}).rows(
        chunk_of({**CALL, "Comments": "नमस्ते 😀\n"}), DAY
    )
    text = json.dumps("नमस्ते 😀\n")
    assert record_lines("cdr", row, NOW).decode() == (
        f'{{"type":"RECORD","stream":"cdr","record":{{"CallID":"31733467784618213",'
        f'"Comments":{text},"UCID":"31733467784618214"}},'
        '"time_extracted":"2026-11-20T06:30:00.000001+00:00"}\n'
    )


def test_a_row_has_the_columns_as_attributes() -> None:
    """What is not emitted is UNSET, which msgspec leaves out."""
    [row] = RowMaker(KOLKATA, columns={"CallID", "UCID"}).rows(chunk_of(CALL), DAY)
    assert row.CallerID is msgspec.UNSET
    assert msgspec.json.decode(msgspec.json.encode(row)) == as_record(row)
