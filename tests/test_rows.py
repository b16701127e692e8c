"""A chunk becomes rows as the rules have it, whatever the chunks before have made of the type."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime, timezone
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ADDED, FIELDS, expected_row
from samples import (
    KOLKATA,
    any_chunks,
    any_records,
    as_sent,
    chunk_of,
    current_records,
    event,
    past_records,
    records_at_edges,
    zones,
)

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.counts import Counts
from tap_ozonetel_cdr.records.lines import record_lines, row_lines
from tap_ozonetel_cdr.records.rows import RowMaker, as_record
from tap_ozonetel_cdr.tap import LineWriter

DAY = date(2026, 11, 19)
NOW = datetime(2026, 11, 20, 6, 30, 0, 1, tzinfo=timezone.utc)
PAST = event("Inbound", "Agent Dials", 45_000, 5, 56, 3, past=True)
CURRENT = event("Manual", "Agent Dials", 45_000, 20, None, None, past=False)

NAMES = ["UserName", *FIELDS, *ADDED]
IDS = ("CallID", "UCID")
selections = st.none() | st.sets(st.sampled_from(NAMES)).map(lambda names: {*names, *IDS})


def rows_of(maker: RowMaker, *records: dict[str, Any], day: date = DAY) -> list[dict[str, Any]]:
    """Return the rows that records become, as they are emitted."""
    return [as_record(row) for row in maker.rows(chunk_of(*records), day)]


def told_apart(rows: list[dict[str, Any]]) -> list[str]:
    """Return what differs wherever rows do, also where Python's equality does not."""
    return list(map(repr, rows))


def is_decoded_at_once(maker: RowMaker, *records: dict[str, Any]) -> bool:
    """Tell whether the type fits these records."""
    with mock.patch.object(decode, "records", wraps=decode.records) as loosely:
        maker.rows(chunk_of(*records), DAY)
    return not loosely.called


def widened(maker: RowMaker) -> RowMaker:
    """Return the row maker after a chunk in which nothing was as it should be."""
    maker.rows(chunk_of({name: [] for name in FIELDS} | {"New": 1, "Mood": None}), DAY)
    maker.counts = Counts()
    return maker


@settings(max_examples=150, deadline=None)
@given(any_chunks, zones, st.dates(), st.sampled_from([None, "demo"]), selections)
def test_any_chunks_become_rows_as_the_rules_say(
    chunks: list[list[dict[str, Any]]],
    zone: Any,  # noqa: ANN401
    day: date,
    account: str | None,
    columns: set[str] | None,
) -> None:
    """Whatever chunks hold, and whatever was learned from those before, rows are as the rules say.

    And so are they, and what is counted, where the type is the narrowest or the widest.
    """
    makers = [RowMaker(zone, account=account, columns=columns) for _ in range(2)]
    widened(makers[1])
    for records in chunks:
        chunk = chunk_of(*records)
        fresh = RowMaker(zone, account=account, columns=columns)
        expected = [expected_row(r, day, zone, account, columns) for r in as_sent(chunk)]
        for maker in (fresh, *makers):
            rows = [as_record(row) for row in maker.rows(chunk, day)]
            assert told_apart(rows) == told_apart(expected)
    assert makers[0].counts == makers[1].counts


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(past_records, current_records), min_size=1, max_size=4), zones)
def test_records_in_both_spellings(records: list[dict[str, Any]], zone: Any) -> None:  # noqa: ANN401
    """Records as they were measured fit the type at once, and become what the rules say."""
    maker = RowMaker(zone)
    assert is_decoded_at_once(maker, *records)
    expected = [expected_row(record, DAY, zone) for record in records]
    assert told_apart(rows_of(maker, *records)) == told_apart(expected)
    assert maker.counts == Counts()
    assert told_apart(rows_of(widened(RowMaker(zone)), *records)) == told_apart(expected)


@settings(max_examples=300, deadline=None)
@given(st.lists(records_at_edges, min_size=1, max_size=3), zones)
def test_records_near_midnight_and_clock_changes(
    records: list[dict[str, Any]],
    zone: Any,  # noqa: ANN401
) -> None:
    """At the edges of days and of durations, instants are where the rules have them."""
    expected = [expected_row(record, DAY, zone) for record in records]
    assert rows_of(RowMaker(zone), *records) == expected


def test_records_of_the_sandbox_are_decoded_at_once() -> None:
    """Records as the API lists them need no second look."""
    records = Sandbox(records_per_day=lambda _: 500).records(DAY, at=None)
    assert is_decoded_at_once(RowMaker(KOLKATA), *records)


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
@pytest.mark.parametrize("record", [PAST, CURRENT], ids=["past", "current"])
def test_what_is_new_is_learned(record: dict[str, Any], change: dict[str, Any]) -> None:
    """One chunk is enough to learn what every record has; the next is decoded at once."""
    maker = RowMaker(KOLKATA)
    changed = {**record, **change}
    assert not is_decoded_at_once(maker, *[changed] * 3)
    assert is_decoded_at_once(maker, *[changed] * 3)
    assert is_decoded_at_once(maker, record)
    [sent] = as_sent(chunk_of(changed))
    assert rows_of(maker, changed) == [expected_row(sent, DAY, KOLKATA)]


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
    """It is right all the same, and chunks without it are still decoded at once."""
    maker = RowMaker(KOLKATA)
    changed = {**PAST, **change}
    [sent] = as_sent(chunk_of(changed))
    for _ in range(2):
        assert rows_of(maker, changed) == [expected_row(sent, DAY, KOLKATA)]
    assert is_decoded_at_once(maker, PAST)


def test_what_is_learned_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that differ from record to record make no end of decoders, and none is lost."""
    made = mock.Mock(wraps=decode.decoder)
    monkeypatch.setattr(decode, "decoder", made)
    maker = RowMaker(KOLKATA)
    for n in range(200):
        [row] = rows_of(maker, {**PAST, f"Field{n}": n})
        assert row["AdditionalFields"] == f'{{"Field{n}":{n}}}'
    assert made.call_count == 65


def test_a_field_named_like_an_attribute_of_the_rows() -> None:
    """What the type calls a learned field is no name that the API could not use."""
    maker = RowMaker(KOLKATA)
    for _ in range(3):
        [row] = rows_of(maker, {**PAST, "Mood": 1, "new_0": 2})
        assert row["AdditionalFields"] == '{"Mood":1,"new_0":2}'


def test_without_additional_fields_nothing_is_looked_for() -> None:
    """New fields are no reason for a second look when nobody wants them."""
    maker = RowMaker(KOLKATA, columns={*IDS, "CallerID"})
    assert is_decoded_at_once(maker, {**PAST, "New": 1, "Comments": 5})
    assert maker.counts == Counts()


def test_what_does_not_fit_a_column_that_is_not_selected() -> None:
    """It stands nowhere and is not counted, whatever the type."""
    maker = RowMaker(KOLKATA, columns={*IDS, "AdditionalFields", "TalkTimeSeconds"})
    for rating in ("007", 4.5):
        [row] = rows_of(maker, {**PAST, "Rating": rating, "TalkTime": 5})
        assert row == {
            **{name: PAST[name] for name in IDS},
            "TalkTimeSeconds": None,
            "AdditionalFields": None,
        }
    assert maker.counts == Counts()


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(NAMES)), st.one_of(past_records, current_records))
def test_only_what_is_selected_is_computed(columns: set[str], record: dict[str, Any]) -> None:
    """The rows' type holds what is selected and what that is made from; nothing else of ours."""
    maker = RowMaker(KOLKATA, columns=columns)
    [row] = maker.rows(chunk_of(record), DAY)
    fields = set(row.__struct_fields__)
    assert fields - {*FIELDS} == columns - {*FIELDS, "UserName"}
    if not columns & {*ADDED}:
        assert fields == columns - {"UserName"}


@settings(max_examples=60, deadline=None)
@given(st.lists(any_records, max_size=4), zones)
def test_lines_are_those_of_the_sdk(records: list[dict[str, Any]], zone: Any) -> None:  # noqa: ANN401
    """Many lines at once say the same as the SDK's, to the digit, and are ASCII like them."""
    made = RowMaker(zone).rows(chunk_of(*records), DAY)
    lines = record_lines("cdr", made, NOW)
    assert lines.isascii()
    assert [exactly(line) for line in lines.splitlines()] == [
        exactly(line_of_the_sdk(as_record(row)).encode()) for row in made
    ]
    in_files = row_lines(made)
    assert in_files.isascii()
    assert [exactly(line) for line in in_files.splitlines()] == [
        exactly(json.dumps(as_record(row)).encode()) for row in made
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


def test_a_line_has_the_sdks_order() -> None:
    """Type, stream, record and time stand in the SDK's order."""
    row = RowMaker(KOLKATA, columns={*IDS, "Comments"}).rows(
        chunk_of({"CallID": 31733467784618213, "UCID": "2", "Comments": "नमस्ते 😀\n"}), DAY
    )
    text = json.dumps("नमस्ते 😀\n")
    own = f'{{"CallID":"31733467784618213","Comments":{text},"UCID":"2"}}'
    assert row_lines(row).decode() == f"{own}\n"
    assert record_lines("cdr", row, NOW).decode() == (
        f'{{"type":"RECORD","stream":"cdr","record":{own},'
        '"time_extracted":"2026-11-20T06:30:00.000001+00:00"}\n'
    )


def test_a_row_has_the_columns_as_attributes() -> None:
    """What is not emitted is UNSET, which msgspec leaves out, or no attribute at all."""
    [row] = RowMaker(KOLKATA, columns={*IDS, "AdditionalFields"}).rows(chunk_of(PAST), DAY)
    assert row.CallerID is msgspec.UNSET
    assert not hasattr(row, "StartedAt")
    assert msgspec.json.decode(msgspec.json.encode(row)) == as_record(row)
