from __future__ import annotations

import json
from codecs import BOM_UTF8
from decimal import Decimal
from io import BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.body import Reading, read_envelope
from tap_ozonetel_cdr.records.decode import records

CHUNKS = st.sampled_from([1, 2, 7, 30, 100, 400, 65536])

SPACE = st.sampled_from(["", "", "", " ", "\n    ", "\t\r\n"])
SCALARS = st.sampled_from(
    ("true", "false", "null", "NaN", "-Infinity", "0", "-0", "-1.10", "1e5", "1e999", "9" * 30)
)
# What looks like the ends and beginnings of records, beside any text.
LURES = st.sampled_from(
    ['},{"a":', '{"a"', "}", "]}", '"', "\\", "\\u00e9", "\ud800", "\x01", "\n"]
)
TEXTS = st.builds(
    lambda parts, ascii_only: json.dumps("".join(parts), ensure_ascii=ascii_only),
    st.lists(LURES | st.text(max_size=5), max_size=3),
    st.booleans(),
)
KEYS = st.sampled_from(['"a"', '"a"', '"b"', '"details"', '"status"', '"\\u0061"', '"\u00e9}"'])


def joined(opening: str, items: st.SearchStrategy[str], closing: str) -> st.SearchStrategy[str]:
    """Write JSON items between brackets, with white space anywhere."""
    return st.builds(
        lambda parts, space: opening + space + f"{space},{space}".join(parts) + space + closing,
        st.lists(items, max_size=4),
        SPACE,
    )


def members(keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write keys with their values."""
    return st.builds(lambda key, space, value: f"{key}{space}:{space}{value}", keys, SPACE, values)


VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: joined("[", inner, "]") | joined("{", members(KEYS, inner), "}"),
    max_leaves=6,
)
RECORDS = joined("{", members(KEYS, VALUES), "}")
DETAILS = members(st.just('"details"'), joined("[", RECORDS, "]"))
OTHERS = members(st.sampled_from(['"status"', '"message"', '"data"', '""']), VALUES)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Write a response: its parts in any order, with records and white space of any kind."""
    parts = draw(st.permutations([draw(DETAILS), *draw(st.lists(OTHERS, max_size=3))]))
    space = draw(SPACE)
    text = f"{space}{{{space}{f',{space}'.join(parts)}{space}}}"
    if draw(st.integers(0, 9)) == 0:
        text = json.dumps(text)
    return draw(st.sampled_from([b"", b"", BOM_UTF8])) + text.encode("utf-8", "surrogatepass")


EDITS = st.sampled_from([bytes([char]) for char in b'"{}[],:\\0-\x00\xff']) | st.sampled_from(
    [b"", b"\xe2\x82", b"NaN", b"}]}", b"null", b' "details":[{}],']
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Damage a response in a few places."""
    body = draw(responses())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.integers(0, 3))
        body = body[:start] + draw(EDITS) + body[end:]
    return body


class Repeatable(dict[str, Any]):
    """A JSON object that remembers how often each of its keys was sent."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        """Keep the last value of each key, as JSON decoders do."""
        super().__init__(pairs)
        self.keys_sent = [key for key, _ in pairs]


def expected(body: bytes) -> tuple[Reading, list[Any]]:
    """Read a whole body with Python's own decoder: what it reads as, and its records."""
    text = body.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    try:
        value = json.loads(
            text,
            strict=False,
            parse_float=Decimal,
            parse_constant=Decimal,
            object_pairs_hook=Repeatable,
        )
    except ValueError:
        return Reading.NOT_WHOLE, []
    if isinstance(value, str):
        reading, found = expected(value.encode("utf-8", "surrogatepass"))
        if reading is Reading.RESPONSE:
            return reading, found
    elif isinstance(value, Repeatable) and is_response(value):
        return Reading.RESPONSE, value.get("details") or []
    return Reading.NOT_A_RESPONSE, []


def is_response(value: Repeatable) -> bool:
    """Tell whether an object has the shape of a response."""
    details = value.get("details")
    if details is None:
        said = [value.get("status"), value.get("message")]
        return value.keys_sent.count("details") <= 1 and said != [None, None]
    return (
        value.keys_sent.count("details") == 1
        and isinstance(details, list)
        and all(isinstance(record, dict) for record in details)
    )


def check(body: bytes, chunk: int) -> None:
    """Compare both passes over a body with Python's own decoder."""
    reading, whole = expected(body)
    envelope = read_envelope(BytesIO(body), chunk=chunk)
    assert envelope.reading is reading
    found = [record for piece in envelope.chunks() for record in records(piece)[0]]
    assert repr(found) == repr(whole)
    assert envelope.count == len(whole)


@settings(deadline=None)
@given(body=responses(), chunk=CHUNKS)
def test_responses_are_read_as_a_whole_body_decoder_reads_them(body: bytes, chunk: int) -> None:
    """Records of any content are all found, in order and as they were sent, at any chunk."""
    assert expected(body)[0] is Reading.RESPONSE
    check(body, chunk)


@settings(deadline=None, max_examples=40)
@given(body=responses(), chunk=CHUNKS)
def test_a_response_that_is_cut_is_never_a_response(body: bytes, chunk: int) -> None:
    """At every offset behind its first character a cut response reads as cut."""
    body = body.removeprefix(BOM_UTF8).strip()
    for cut in range(1, len(body)):
        assert read_envelope(BytesIO(body[:cut]), chunk=chunk).reading is Reading.NOT_WHOLE


@settings(deadline=None)
@given(body=mutants(), chunk=CHUNKS)
def test_a_damaged_response_never_makes_up_a_record(body: bytes, chunk: int) -> None:
    """A damaged body is a response only where Python's own decoder reads the same records."""
    check(body, chunk)


@settings(deadline=None)
@given(
    body=st.binary(max_size=60)
    | st.text('{}[]",:\\e1 an\ud800').map(lambda text: text.encode("utf-8", "surrogatepass")),
    chunk=CHUNKS,
)
def test_any_bytes_can_be_read(body: bytes, chunk: int) -> None:
    """No bytes raise an error, and what they read as agrees with Python's own decoder."""
    check(body, chunk)
