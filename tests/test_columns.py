"""The table of columns, its schema, and what becomes of each kind of value."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from oracle import ADDED, FIELDS, INTEGERS
from samples import KOLKATA, chunk_of

from tap_ozonetel_cdr.records.columns import COLUMNS, key_properties, schema
from tap_ozonetel_cdr.records.counts import Counts, Tally
from tap_ozonetel_cdr.records.rows import RowMaker, as_record
from tap_ozonetel_cdr.records.values import as_json, key

DAY = date(2024, 12, 6)
IDS = {"CallID": "1", "UCID": "2"}
INTEGER = {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1}


def made(*records: dict[str, Any], **options: Any) -> tuple[list[dict[str, Any]], Counts]:  # noqa: ANN401
    """Return the rows of records that came in one chunk, and what was met in them."""
    maker = RowMaker(KOLKATA, **options)
    return [as_record(row) for row in maker.rows(chunk_of(*records), DAY)], maker.counts


def row_of(**fields: Any) -> tuple[dict[str, Any], Counts]:  # noqa: ANN401  # any JSON value
    """Return the row of a record with ids and these fields, and what was met in it."""
    [row], counts = made({**IDS, **fields})
    return row, counts


def aside(row: dict[str, Any]) -> Any:  # noqa: ANN401  # any JSON value
    """Return what stands in AdditionalFields, its numbers with their digits."""
    return json.loads(row["AdditionalFields"], parse_float=Decimal)


def test_every_column_is_there() -> None:
    """Every field of the vendor's page, those met besides, and the added columns are there."""
    assert [column.name for column in COLUMNS] == ["UserName", *FIELDS, *ADDED]
    assert [c.name for c in COLUMNS if c.source == c.name] == [*FIELDS]
    for column in COLUMNS:
        assert column.description[0].isupper()
        assert column.description.endswith(".")


def test_every_column_has_a_type_that_fits() -> None:
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
    for name in INTEGERS:
        assert properties.pop(name) == INTEGER
    for name in [name for name in properties if name.endswith("Seconds")]:
        assert properties.pop(name) == {**INTEGER, "minimum": 0}
    for name in [name for name in properties if name.endswith("At")]:
        assert properties.pop(name) == {"type": ["string", "null"], "format": "date-time"}
    texts = {*FIELDS, "AdditionalFields"}
    assert properties.keys() == texts - {"CallDate", "CallID", "UCID", *INTEGERS}
    for name in properties:
        assert properties[name] == {"type": ["string", "null"]}


def test_the_account_is_a_column_where_it_is_included() -> None:
    """The account is a column and part of the key only where it is included."""
    assert key_properties(include_account=False) == ("CallID", "UCID")
    assert key_properties(include_account=True) == ("UserName", "CallID", "UCID")
    without = schema(include_account=False)["properties"]
    assert [*without] == [*FIELDS, *ADDED]
    assert [*row_of()[0]] == [*without]
    [row], _ = made({**IDS, "UserName": "theirs"}, account="demo")
    assert [*row] == [*schema(include_account=True)["properties"]]
    assert row["UserName"] == "demo"
    assert aside(row) == {"UserName": "theirs"}


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


@pytest.mark.parametrize("beside", [{}, {"Comments": "\0"}, {"CallerID": [1]}], ids=str)
@pytest.mark.parametrize(("column", "value", "expected"), VALUES, ids=name_of)
def test_what_fits_a_column_stands_there(
    column: str, value: object, expected: object, beside: dict[str, Any]
) -> None:
    """What fits a column stands there, what does not in AdditionalFields as it was sent.

    And so it is whatever else its chunk holds.
    """
    rows, counts = made({**IDS, column: value}, {**IDS, **beside})
    row = rows[0]
    strange = {name: 1 for name in beside if name == "CallerID"}
    if expected is MISFIT:
        assert row[column] == ("" if column in IDS else None)
        assert aside(row) == {column: value}
        assert type(aside(row)[column]) is (Decimal if type(value) is float else type(value))
        assert counts.misfits == {column: 1, **strange}
    else:
        assert (type(row[column]), row[column]) == (type(expected), expected)
        assert row["AdditionalFields"] is None
        assert counts.misfits == strange
    assert counts.missing_ids == ({column: 1} if column in IDS and not row[column] else {})


def test_a_record_without_fields_is_a_row_of_nulls() -> None:
    """A record without any field is a row of nulls, and its ids are counted as missing."""
    [row], counts = made({})
    assert row == {**dict.fromkeys([*FIELDS, *ADDED]), "CallID": "", "UCID": ""}
    assert counts == Counts(missing_ids=Tally(CallID=1, UCID=1))


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
def test_the_key_of_a_record_is_the_one_that_is_emitted(
    record: dict[str, Any], expected: tuple[str, str]
) -> None:
    """The key of a record is the one that is emitted."""
    [row], _ = made(record)
    assert key(record) == (row["CallID"], row["UCID"]) == expected


# AdditionalFields


def test_new_fields_are_kept_and_counted() -> None:
    """A field that the table does not know is kept as it was sent, and counted."""
    new = {"Sentiment": "good", "Score": 5, "Rating": "007", "Tags": [1, {"a": None}], "X": None}
    rows, counts = made({**IDS, **new}, {**IDS, **new})
    assert [aside(row) for row in rows] == [new, new]
    assert counts.new_fields == {"Sentiment": 2, "Score": 2, "Tags": 2, "X": 2}
    assert counts.misfits == {"Rating": 2}


def test_the_text_of_additional_fields() -> None:
    """It is the same for the same fields: names in order, no blanks, characters and digits kept."""
    row, _ = row_of(b=[Decimal("1.10"), {"z": 'न"\n', "a": True}], A=Decimal("1E+3"), ä=10**30)
    assert row["AdditionalFields"] == (
        '{"A":1E+3,"b":[1.10,{"a":true,"z":"न\\"\\n"}],"ä":1000000000000000000000000000000}'
    )


@pytest.mark.parametrize("name", ["UserName", *ADDED])
def test_fields_named_like_an_added_column(name: str) -> None:
    """A field of the API that bears an added column's name stands in AdditionalFields."""
    row, counts = row_of(**{name: "theirs", "Duration": "00:00:01"})
    assert aside(row) == {name: "theirs"}
    assert row["DurationSeconds"] == 1
    assert counts.new_fields == {name: 1}


@pytest.mark.parametrize(
    ("record", "emitted", "replaced"),
    [
        ({"Comments": "a\0b\0"}, {"Comments": "a\ufffdb\ufffd"}, {"Comments": 2}),
        ({"Comments": "\udfff\ud800"}, {"Comments": "\ufffd\ufffd"}, {"Comments": 2}),
        ({"Comments": "नमस्ते 🙂 \ufffd\x01"}, {"Comments": "नमस्ते 🙂 \ufffd\x01"}, {}),
        (
            {"Rating": "\0", "New": "\ud800"},
            {"Rating": None, "AdditionalFields": '{"New":"\ufffd","Rating":"\ufffd"}'},
            {"Rating": 1, "New": 1},
        ),
        (
            {"New": [{"k\0": "v\0", "deep": ["\udfff"]}]},
            {"AdditionalFields": '{"New":[{"deep":["\ufffd"],"k\ufffd":"v\ufffd"}]}'},
            {"New": 3},
        ),
    ],
)
def test_characters_that_no_target_can_hold(
    record: dict[str, Any], emitted: dict[str, Any], replaced: dict[str, int]
) -> None:
    """U+0000 and lone surrogates become U+FFFD wherever they stand, and no name is lost by it."""
    row, counts = row_of(**record)
    assert {name: row[name] for name in emitted} == emitted
    assert counts.replaced == replaced


def test_names_that_become_equal() -> None:
    """Names that only differed in replaced characters stay apart, and whole names stay whole."""
    names = ["N\0", "N\ud800", "N\ufffd", "N\udfff", "N\ufffd3"]
    new = ["N\ufffd2", "N\ufffd4", "N\ufffd", "N\ufffd5", "N\ufffd3"]
    fields = dict(zip(names, range(5), strict=True))
    row, counts = row_of(**fields, In=fields)
    kept = dict(zip(new, range(5), strict=True))
    assert aside(row) == {**kept, "In": kept}
    assert counts.replaced == {new[0]: 1, new[1]: 1, new[3]: 1, "In": 3}
    assert counts.new_fields == dict.fromkeys([*new, "In"], 1)


def test_many_names_that_become_equal() -> None:
    """Their number takes work in proportion: no look-ups that grow with it, no names that do."""

    class Watched(dict[str, int]):
        lookups = 0

        def __contains__(self, name: object) -> bool:
            self.lookups += 1
            return super().__contains__(name)

    names = [chr(0xD800 + n) for n in range(2000)]
    taken = [f"\ufffd{n}" for n in range(1000)]
    fields = Watched(dict.fromkeys([*names, *taken], 0))
    text = as_json(fields, Counts())
    assert len(json.loads(text)) == 3000
    assert len(text) < 3000 * 12
    assert fields.lookups < 3000 * 3


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("NaN", '"NaN"'),
        ("Infinity", '"Infinity"'),
        ("-Infinity", '"-Infinity"'),
        ("1e400", '"1E+400"'),
        ("1" * 5000, f'"{"1" * 5000}"'),
        ("1e-16384", '"1E-16384"'),
        ("1e-16383", "1E-16383"),
        ("1.7e308", "1.7E+308"),
        ("5e-324", "5E-324"),
        ("-0.0", "-0.0"),
        ("1" + "0" * 4000, "1" + "0" * 4000),
        (str(-(2**64)), str(-(2**64))),
    ],
)
@pytest.mark.parametrize("name", ["New", "Rating"])
def test_numbers_that_no_target_can_hold(name: str, number: str, expected: str) -> None:
    """A number that is not finite, or that PostgreSQL cannot hold, becomes its text."""
    maker = RowMaker(KOLKATA)
    [row] = maker.rows(f'[{{"{name}": {number}, "In": [{{"a": {number}}}]}}]'.encode(), DAY)
    members = sorted([f'"In":[{{"a":{expected}}}]', f'"{name}":{expected}'])
    assert row.AdditionalFields == f"{{{','.join(members)}}}"
    as_text = expected.startswith('"')
    assert maker.counts.numbers_as_text == ({name: 1, "In": 1} if as_text else {})


def test_a_million_new_names_are_counted_in_little_memory() -> None:
    """The first twenty are named, at most 200 characters of each; the others are one number."""
    names = [f"New{n}{'x' * 300}" for n in range(100)]
    _, counts = made(*({name: n} for n, name in enumerate([*names, names[0]])))
    assert len(counts.new_fields) == 20
    assert counts.new_fields.others == 80
    assert {len(name) for name in counts.new_fields} == {200}
    assert counts.new_fields[names[0][:200]] == 2
    assert counts.missing_ids == {"CallID": 101, "UCID": 101}


# Added columns


def test_each_duration_has_its_seconds() -> None:
    """Each duration has its seconds beside it, which are null where it is unreadable."""
    names = [name for name in ADDED if name.endswith("Seconds")]
    row, _ = row_of(**{name.removesuffix("Seconds"): "25:00:01" for name in names})
    assert {name: row[name] for name in names} == dict.fromkeys(names, 90_001)
    for odd in ("", "long", None, 56, Decimal("5.5"), True, ["00:00:01"], {"a": 1}):
        row, _ = row_of(TalkTime=odd)
        assert row["TalkTimeSeconds"] is None
    row, _ = row_of(TalkTime="long")
    assert (row["TalkTime"], row["AdditionalFields"]) == ("long", None)


def test_instants_stand_in_the_row() -> None:
    """The instants of an event stand in its row, in UTC."""
    row, _ = row_of(
        CallDate="2024-12-31",
        StartTime="23:59:50",
        PickupTime="23:59:55",
        EndTime="00:00:10",
        Duration="00:00:20",
        Status="Answered",
        WrapUpStartTime="00:00:10",
        WrapUpEndTime="00:00:15",
    )
    assert [row[name] for name in ADDED if name.endswith("At")] == [
        "2024-12-31T18:29:50+00:00",
        "2024-12-31T18:29:55+00:00",
        "2024-12-31T18:30:10+00:00",
        "2024-12-31T18:30:10+00:00",
        "2024-12-31T18:30:15+00:00",
    ]


def test_the_day_asked_for_stands_in_for_a_call_date() -> None:
    """A call date that is no date leaves its place to the day that was asked for."""
    row, _ = row_of(CallDate="yesterday", StartTime="12:20:00")
    assert row["StartedAt"] == "2024-12-06T06:50:00+00:00"
    assert (row["CallDate"], aside(row)) == (None, {"CallDate": "yesterday"})


def test_columns_that_are_not_selected_are_not_made() -> None:
    """Columns that are not selected are not made, nor does anything of them go elsewhere."""
    record = {"CallID": 1, "UCID": None, "AgentName": ["x\0"], "Rating": "007", "New": "\0"}
    [row], counts = made(record, columns={"CallID", "Rating", "AdditionalFields"})
    assert row == {
        "CallID": "1",
        "Rating": None,
        "AdditionalFields": '{"New":"\ufffd","Rating":"007"}',
    }
    assert counts == Counts(new_fields=Tally(New=1), misfits=Tally(Rating=1), replaced=Tally(New=1))
    [row], counts = made(record, columns={"UCID", "Rating", "EndedAt", "UserName"})
    assert row == {"UCID": "", "Rating": None, "EndedAt": None}
    assert counts == Counts(misfits=Tally(Rating=1), missing_ids=Tally(UCID=1))
