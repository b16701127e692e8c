"""The table of columns, its schema, and what becomes of each kind of value."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from singer_sdk.helpers._flattening import flatten_record, flatten_schema

from tap_ozonetel_cdr.records.columns import COLUMNS, Counts, Shaper, key, key_properties, schema

DAY = date(2024, 12, 6)
INDIA = ZoneInfo("Asia/Kolkata")
IDS = {"CallID": "1", "UCID": "2"}
DOCUMENTED = [
    "AgentDialStatus",
    "AgentID",
    "AgentName",
    "CallAudio",
    "CallDate",
    "CallID",
    "CallerConfAudioFile",
    "CallerID",
    "CampaignName",
    "Comments",
    "ConferenceDuration",
    "CustomerDialStatus",
    "CustomerRingTime",
    "DID",
    "DialOutName",
    "DialStatus",
    "DialedNumber",
    "Disposition",
    "Duration",
    "DynamicDID",
    "E164",
    "EndTime",
    "Event",
    "HandlingTime",
    "HangupBy",
    "HoldDuration",
    "Location",
    "PickupTime",
    "Rating",
    "RatingComments",
    "Skill",
    "StartTime",
    "Status",
    "TalkTime",
    "TimeToAnswer",
    "TransferType",
    "TransferredTo",
    "Type",
    "UCID",
    "UUI",
    "WrapUpEndTime",
    "WrapUpStartTime",
    "WrapupDuration",
]
FURTHER = ["CallFlow", "QueueTime", "DialCount", "VideoRecordingURL"]
INTEGERS = ["Rating", "DialCount"]
ADDED = [
    "DurationSeconds",
    "TalkTimeSeconds",
    "HandlingTimeSeconds",
    "TimeToAnswerSeconds",
    "WrapupDurationSeconds",
    "HoldDurationSeconds",
    "ConferenceDurationSeconds",
    "CustomerRingTimeSeconds",
    "QueueTimeSeconds",
    "StartedAt",
    "PickedUpAt",
    "EndedAt",
    "WrapUpStartedAt",
    "WrapUpEndedAt",
    "AdditionalFields",
]
INTEGER = {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1}


def shaped(**record: Any) -> tuple[dict[str, Any], Counts]:  # noqa: ANN401  # any JSON value
    """Return a record's row, and what was met in it."""
    shaper = Shaper(INDIA)
    return shaper.shape({**IDS, **record}, DAY), shaper.counts


def test_columns() -> None:
    """Every field of the vendor's page, those met besides, and the added columns are there."""
    assert [column.name for column in COLUMNS] == ["UserName", *DOCUMENTED, *FURTHER, *ADDED]
    assert [c.name for c in COLUMNS if c.source == c.name] == [*DOCUMENTED, *FURTHER]
    for column in COLUMNS:
        assert column.description[0].isupper()
        assert column.description.endswith(".")


def test_schema() -> None:
    """Every column has a type that fits its kind, and only keys are never null."""
    table = schema(include_account=True)
    properties = table.pop("properties")
    assert table == {"type": "object"}
    assert [*properties] == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert properties[column.name].pop("description") == column.description
    for name in ("UserName", "CallID", "UCID"):
        assert properties.pop(name) == {"type": "string"}
    assert properties.pop("CallDate") == {"type": ["string", "null"], "format": "date"}
    assert properties.pop("AdditionalFields") == {
        "type": ["object", "null"],
        "additionalProperties": True,
    }
    for name in INTEGERS:
        assert properties.pop(name) == INTEGER
    for name in [name for name in properties if name.endswith("Seconds")]:
        assert properties.pop(name) == {**INTEGER, "minimum": 0}
    for name in [name for name in properties if name.endswith("At")]:
        assert properties.pop(name) == {"type": ["string", "null"], "format": "date-time"}
    assert properties.keys() == {*DOCUMENTED, *FURTHER} - {"CallDate", "CallID", "UCID", *INTEGERS}
    for name in properties:
        assert properties[name] == {"type": ["string", "null"]}


def test_account() -> None:
    """The account is a column and part of the key only where it is included."""
    assert key_properties(include_account=False) == ("CallID", "UCID")
    assert key_properties(include_account=True) == ("UserName", "CallID", "UCID")
    without = schema(include_account=False)["properties"]
    assert [*without] == [*DOCUMENTED, *FURTHER, *ADDED]
    assert [*Shaper(INDIA).shape(IDS, DAY)] == [*without]
    row = Shaper(INDIA, account="demo").shape({**IDS, "UserName": "theirs"}, DAY)
    assert [*row] == [*schema(include_account=True)["properties"]]
    assert row["UserName"] == "demo"
    assert row["AdditionalFields"] == {"UserName": "theirs"}


def test_the_schema_is_a_new_one_each_time() -> None:
    """Whoever changes a schema changes no other."""
    schema(include_account=False)["properties"]["Rating"]["maximum"] = 5
    assert schema(include_account=False)["properties"]["Rating"]["maximum"] == 2**63 - 1


MISFIT = object()
VALUES = [
    # column, value, emitted (MISFIT: null or empty text, and kept in AdditionalFields)
    ("AgentName", "Asha", "Asha"),
    ("AgentName", "", ""),
    ("AgentName", "  ", "  "),
    ("AgentName", None, None),
    ("AgentName", 504995, "504995"),
    ("AgentName", 0, "0"),
    ("AgentName", -7, "-7"),
    ("AgentName", 10**30, "1" + "0" * 30),
    ("AgentName", 1.5, MISFIT),
    ("AgentName", 5.0, MISFIT),
    ("AgentName", Decimal("1.10"), MISFIT),
    ("AgentName", Decimal("1E+3"), MISFIT),
    ("AgentName", True, MISFIT),
    ("AgentName", False, MISFIT),
    ("AgentName", [], MISFIT),
    ("AgentName", ["Asha"], MISFIT),
    ("AgentName", {}, MISFIT),
    ("AgentName", {"a": {"b": None}}, MISFIT),
    ("CallID", "31733467784618213", "31733467784618213"),
    ("CallID", 31733467784618213, "31733467784618213"),
    ("CallID", " 1 ", " 1 "),
    ("CallID", "", ""),
    ("CallID", " \t", ""),
    ("CallID", None, ""),
    ("CallID", 0, "0"),
    ("CallID", True, MISFIT),
    ("CallID", 1.5, MISFIT),
    ("CallID", Decimal("31733467784618213.0"), MISFIT),
    ("UCID", {"id": 1}, MISFIT),
    ("UCID", [1], MISFIT),
    ("CallDate", "2024-12-05", "2024-12-05"),
    ("CallDate", "", None),
    ("CallDate", "  ", None),
    ("CallDate", None, None),
    ("CallDate", "2023-02-29", MISFIT),
    ("CallDate", "0000-00-00", MISFIT),
    ("CallDate", "20241206", MISFIT),
    ("CallDate", "06-12-2024", MISFIT),
    ("CallDate", " 2024-12-05", MISFIT),
    ("CallDate", "2024-12-05 00:00:00", MISFIT),
    ("CallDate", 20241205, MISFIT),
    ("CallDate", ["2024-12-05"], MISFIT),
    ("Rating", 0, 0),
    ("Rating", 5, 5),
    ("Rating", "0", 0),
    ("Rating", "-5", -5),
    ("Rating", "12", 12),
    ("Rating", "", None),
    ("Rating", " ", None),
    ("Rating", None, None),
    ("Rating", "007", MISFIT),
    ("Rating", "+5", MISFIT),
    ("Rating", "-0", MISFIT),
    ("Rating", " 5", MISFIT),
    ("Rating", "5 ", MISFIT),
    ("Rating", "5\n", MISFIT),
    ("Rating", "5.0", MISFIT),
    ("Rating", "1_0", MISFIT),
    ("Rating", "\u0665", MISFIT),
    ("Rating", "five", MISFIT),
    ("Rating", 5.0, MISFIT),
    ("Rating", Decimal("5.0"), MISFIT),
    ("Rating", True, MISFIT),
    ("Rating", [5], MISFIT),
    ("Rating", {"a": 5}, MISFIT),
    ("DialCount", 2**63 - 1, 2**63 - 1),
    ("DialCount", 2**63, MISFIT),
    ("DialCount", -(2**63), -(2**63)),
    ("DialCount", -(2**63) - 1, MISFIT),
    ("DialCount", "9223372036854775807", 2**63 - 1),
    ("DialCount", "9223372036854775808", MISFIT),
    ("DialCount", "-9223372036854775808", -(2**63)),
    ("DialCount", "-9223372036854775809", MISFIT),
    ("DialCount", "9" * 5000, MISFIT),
]


def name_of(value: object) -> str:
    """Name a part of a row, the same in every run."""
    return "misfit" if value is MISFIT else repr(value)[:40]


@pytest.mark.parametrize(("column", "value", "expected"), VALUES, ids=name_of)
def test_values(column: str, value: object, expected: object) -> None:
    """What fits a column stands there, what does not in AdditionalFields as it was sent."""
    row, counts = shaped(**{column: value})
    if expected is MISFIT:
        assert row[column] == ("" if column in IDS else None)
        assert row["AdditionalFields"] == {column: value}
        assert type(row["AdditionalFields"][column]) is type(value)
        assert counts.misfits == {column: 1}
    else:
        assert (type(row[column]), row[column]) == (type(expected), expected)
        assert row["AdditionalFields"] is None
        assert counts.misfits == {}
    assert counts.missing_ids == ({column: 1} if column in IDS and not row[column] else {})


def test_an_empty_record() -> None:
    """A record without any field is a row of nulls, and its ids are counted as missing."""
    shaper = Shaper(INDIA)
    row = shaper.shape({}, DAY)
    assert row == {**dict.fromkeys([*DOCUMENTED, *FURTHER, *ADDED]), "CallID": "", "UCID": ""}
    assert shaper.counts == Counts(missing_ids=Counter(CallID=1, UCID=1))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"CallID": 1, "UCID": "2"}, ("1", "2")),
        ({"CallID": " ", "UCID": None}, ("", "")),
        ({}, ("", "")),
        ({"CallID": True, "UCID": Decimal("1.5")}, ("", "")),
        ({"CallID": "1\0", "UCID": "\ud800"}, ("1\ufffd", "\ufffd")),
    ],
)
def test_key(record: dict[str, Any], expected: tuple[str, str]) -> None:
    """The key of a record is the one that is emitted."""
    row = Shaper(INDIA).shape(record, DAY)
    assert key(record) == (row["CallID"], row["UCID"]) == expected


def test_new_fields() -> None:
    """A field that the table does not know is kept as it was sent, in its place, and counted."""
    shaper = Shaper(INDIA)
    new = {"Sentiment": "good", "Score": 0.5, "Rating": "007", "Tags": [1, {"a": None}], "X": None}
    assert shaper.shape({**IDS, **new}, DAY)["AdditionalFields"] == new
    assert [*shaper.shape({**IDS, **new}, DAY)["AdditionalFields"]] == [*new]
    assert shaper.counts.new_fields == {"Sentiment": 2, "Score": 2, "Tags": 2, "X": 2}
    assert shaper.counts.misfits == {"Rating": 2}


@pytest.mark.parametrize("name", ["UserName", *ADDED])
def test_fields_named_like_an_added_column(name: str) -> None:
    """A field of the API that bears an added column's name stands in AdditionalFields."""
    row, counts = shaped(**{name: "theirs", "Duration": "00:00:01"})
    assert row["AdditionalFields"] == {name: "theirs"}
    assert row["DurationSeconds"] == 1
    assert counts.new_fields == {name: 1}


@pytest.mark.parametrize(
    ("record", "emitted", "replaced"),
    [
        ({"Comments": "a\0b\0"}, {"Comments": "a\ufffdb\ufffd"}, {"Comments": 2}),
        ({"Comments": "\ud800\udfff"}, {"Comments": "\ufffd\ufffd"}, {"Comments": 2}),
        ({"Comments": "नमस्ते 🙂 \ufffd\x01"}, {"Comments": "नमस्ते 🙂 \ufffd\x01"}, {}),
        (
            {"Rating": "\0", "New": "\ud800"},
            {"Rating": None, "AdditionalFields": {"Rating": "\ufffd", "New": "\ufffd"}},
            {"Rating": 1, "New": 1},
        ),
        (
            {"New": [{"k\0": "v\0", "deep": ["\udfff"]}]},
            {"AdditionalFields": {"New": [{"k\ufffd": "v\ufffd", "deep": ["\ufffd"]}]}},
            {"New": 3},
        ),
    ],
)
def test_characters_that_no_target_can_hold(
    record: dict[str, Any], emitted: dict[str, Any], replaced: dict[str, int]
) -> None:
    """U+0000 and lone surrogates become U+FFFD wherever they stand, and no name is lost by it."""
    row, counts = shaped(**record)
    assert {name: row[name] for name in emitted} == emitted
    assert counts.replaced == replaced


def test_names_that_become_equal() -> None:
    """Names that only differed in replaced characters stay apart, and whole names stay whole."""
    names = ["N\0", "N\ud800", "N\ufffd", "N\udfff"]
    new = ["N\ufffd\ufffd", "N\ufffd\ufffd\ufffd", "N\ufffd", "N\ufffd\ufffd\ufffd\ufffd"]
    fields = dict(zip(names, range(4), strict=True))
    row, counts = shaped(**fields, In=fields)
    kept = dict(zip(new, range(4), strict=True))
    assert row["AdditionalFields"] == {**kept, "In": kept}
    assert counts.replaced == {new[0]: 1, new[1]: 1, new[3]: 1, "In": 3}
    assert counts.new_fields == dict.fromkeys(row["AdditionalFields"], 1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (Decimal("1e400"), "1E+400"),
        (Decimal("1" * 5000), "1" * 5000),
        (Decimal("1e-16384"), "1E-16384"),
        (Decimal("1e-16383"), Decimal("1e-16383")),
        (Decimal("1.7e308"), Decimal("1.7e308")),
        (1.7e308, 1.7e308),
        (5e-324, 5e-324),
        (10**4000, 10**4000),
        (-(2**64), -(2**64)),
    ],
)
@pytest.mark.parametrize("name", ["New", "Rating"])
def test_numbers_that_no_target_can_hold(name: str, number: Any, expected: Any) -> None:  # noqa: ANN401  # any number
    """A number that is not finite, or that PostgreSQL cannot hold, becomes its text."""
    row, counts = shaped(**{name: number, "In": [{"a": number}]})
    assert row["AdditionalFields"] == {name: expected, "In": [{"a": expected}]}
    assert counts.numbers_as_text == ({name: 1, "In": 1} if isinstance(expected, str) else {})


def test_seconds() -> None:
    """Each duration has its seconds beside it, which are null where it is unreadable."""
    names = [name for name in ADDED if name.endswith("Seconds")]
    row, _ = shaped(**{name.removesuffix("Seconds"): "25:00:01" for name in names})
    assert {name: row[name] for name in names} == dict.fromkeys(names, 90_001)
    for odd in ("", "long", None, 56, 5.5, True, ["00:00:01"], {"a": 1}):
        row, _ = shaped(TalkTime=odd)
        assert row["TalkTimeSeconds"] is None
    assert shaped(TalkTime="long")[0]["TalkTime"] == "long"
    assert shaped(TalkTime="long")[0]["AdditionalFields"] is None


def test_instants() -> None:
    """The instants of a call stand in its row, with the offset of the account's zone."""
    row, _ = shaped(
        CallDate="2024-12-31",
        StartTime="23:59:50",
        PickupTime="23:59:55",
        EndTime="00:00:10",
        Duration="00:00:20",
        WrapUpStartTime="00:00:10",
        WrapUpEndTime="00:00:15",
    )
    assert [row[name] for name in ADDED if name.endswith("At")] == [
        "2024-12-31T23:59:50+05:30",
        "2024-12-31T23:59:55+05:30",
        "2025-01-01T00:00:10+05:30",
        "2025-01-01T00:00:10+05:30",
        "2025-01-01T00:00:15+05:30",
    ]


def test_the_day_asked_for_stands_in_for_a_call_date() -> None:
    """A call date that is no date leaves its place to the day that was asked for."""
    row, _ = shaped(CallDate="yesterday", StartTime="12:20:00")
    assert row["StartedAt"] == "2024-12-06T12:20:00+05:30"
    assert (row["CallDate"], row["AdditionalFields"]) == (None, {"CallDate": "yesterday"})


def test_selected_columns() -> None:
    """Columns that are not selected are not made, nor does anything of them go elsewhere."""
    record = {"CallID": 1, "UCID": None, "AgentName": ["x\0"], "Rating": "007", "New": "\0"}
    shaper = Shaper(INDIA, columns={"CallID", "Rating", "AdditionalFields"})
    assert shaper.shape(record, DAY) == {
        "CallID": "1",
        "Rating": None,
        "AdditionalFields": {"Rating": "007", "New": "\ufffd"},
    }
    assert shaper.counts == Counts(
        new_fields=Counter(New=1), misfits=Counter(Rating=1), replaced=Counter(New=1)
    )
    shaper = Shaper(INDIA, columns={"UCID", "Rating", "EndedAt", "UserName"})
    assert shaper.shape(record, DAY) == {"UCID": "", "Rating": None, "EndedAt": None}
    assert shaper.counts == Counts(misfits=Counter(Rating=1), missing_ids=Counter(UCID=1))


def test_a_record_is_left_as_it_is() -> None:
    """Shaping changes neither the record nor the rows made before."""
    record = {**IDS, "Comments": "\0", "Rating": "007", "New": {"a\0": [math.nan]}}
    before = repr(record)
    shaper = Shaper(INDIA)
    first = shaper.shape(record, DAY)
    kept = repr(first)
    shaper.shape({"UCID": "other", "More": 1}, DAY)
    assert (repr(record), repr(first)) == (before, kept)


def test_flattening_keeps_additional_fields() -> None:
    """The SDK's flattening makes JSON text of the column, in schema and record alike."""
    flat = flatten_schema(schema(include_account=False), max_level=2)
    assert flat["properties"]["AdditionalFields"] == {"type": ["string", "null"]}
    row = Shaper(INDIA).shape({**IDS, "New": {"a": 1}}, DAY)
    flattened = flatten_record(row, flat, max_level=2)
    assert flattened["AdditionalFields"] == '{"New":{"a":1}}'
    assert flattened.keys() == flat["properties"].keys()
