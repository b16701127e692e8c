"""Records that share a key are found in little memory, and a call in two answers is given once."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from io import BytesIO
from itertools import compress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.body import Envelope, read_envelope
from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.duplicates import Duplicates, Keys, find, once

A = {"CallID": "1", "UCID": "1", "Status": "Answered"}
A_IN_ANOTHER_ORDER = {"Status": "Answered", "UCID": "1", "CallID": "1"}
A_CHANGED = {"CallID": "1", "UCID": "1", "Status": "NotAnswered"}
B = {"CallID": "1", "UCID": "2", "Status": "Answered"}
B_AS_NUMBERS = {"CallID": 1, "UCID": 2, "Status": "Answered"}
NO_ID = {"Status": "Answered"}
NO_ID_EITHER = {"CallID": " ", "UCID": None, "Status": "Answered"}


def answer(*records: dict[str, Any]) -> Envelope:
    """Return an answer with these records."""
    body = {"details": records, "message": "success", "status": "success"}
    return read_envelope(BytesIO(json.dumps(body).encode()))


def twins_of(*parts: Envelope) -> Duplicates | None:
    """Return the twins of a day, as a run finds them."""
    keys = Keys()
    keys.add(
        (str(record.get("CallID") or "").strip(), str(record.get("UCID") or "").strip())
        for record in given_once(*parts)
    )
    return find(parts, keys.repeated())


def given_once(*parts: Envelope) -> list[dict[str, Any]]:
    """Return the wanted records of a day's chunks."""
    given: list[dict[str, Any]] = []
    for chunk, wanted in once(parts):
        records, _ = decode.records(chunk)
        given += records if wanted is None else compress(records, wanted)
    return given


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], None),
        ([A, B], None),
        ([A, A, B, B], None),
        ([A, A_IN_ANOTHER_ORDER], None),
        ([B, A, A_CHANGED], Duplicates(1, ("1", "1"))),
        ([A, A, A_CHANGED, A_CHANGED], Duplicates(1, ("1", "1"))),
        ([B, B_AS_NUMBERS], Duplicates(1, ("1", "2"))),
        ([B, A, A_CHANGED, B_AS_NUMBERS], Duplicates(2, ("1", "1"))),
        ([NO_ID, NO_ID], None),
        ([NO_ID, NO_ID_EITHER], Duplicates(1, ("", ""))),
    ],
)
def test_twins(records: list[dict[str, Any]], expected: Duplicates | None) -> None:
    """Records that differ under one key are counted by key; identical ones are no twins."""
    assert twins_of(answer(*records)) == expected


def test_twins_across_parts() -> None:
    """Duplicates are found wherever in the day they lie."""
    assert twins_of(answer(A), answer(B), answer(A_CHANGED)) == Duplicates(1, ("1", "1"))
    assert twins_of(answer(A), answer(A)) is None


def test_numbers_and_text_of_the_same_digits_differ() -> None:
    """A number is told apart from its digits as text, a fraction too."""
    assert twins_of(answer({**A, "X": 1.5}, {**A, "X": "1.5"})) == Duplicates(1, ("1", "1"))
    assert twins_of(answer({**A, "X": 1}, {**A, "X": True})) == Duplicates(1, ("1", "1"))


def test_equal_hashes_of_different_keys() -> None:
    """A hash that two keys share by chance makes no twins of them."""
    day = answer(A, B)
    suspects = {hash(("1", "1")) % 2**64, hash(("1", "2")) % 2**64}
    assert find([day], suspects) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([[A, A, B]], [A, A, B]),
        ([[A], [B]], [A, B]),
        ([[A], [A, B]], [A, B]),
        ([[A], [A_IN_ANOTHER_ORDER]], [A]),
        ([[A, A], [A]], [A, A]),
        ([[A], [A, A]], [A, A]),
        ([[A, A], [B], [A, A, A]], [A, A, B, A]),
        ([[A], [A_CHANGED], [A]], [A, A_CHANGED]),
        ([[NO_ID], [NO_ID], [NO_ID_EITHER]], [NO_ID, NO_ID_EITHER]),
        ([[], [A], []], [A]),
    ],
)
def test_once(parts: list[list[dict[str, Any]]], expected: list[dict[str, Any]]) -> None:
    """A record in several parts is given once, but as often as one part has it."""
    assert given_once(*[answer(*part) for part in parts]) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([A, A_CHANGED, B, NO_ID]), max_size=5), max_size=4))
def test_each_record_as_often_as_one_part_has_it(parts: list[list[dict[str, Any]]]) -> None:
    """However records repeat, none is lost and none is given more often than a part has it."""
    counts = [Counter(map(json.dumps, part)) for part in parts]
    most: Counter[str] = Counter()
    for count in counts:
        most |= count
    assert Counter(map(json.dumps, given_once(*[answer(*part) for part in parts]))) == most


def test_chunks_stay_whole_where_nothing_repeats() -> None:
    """Without a repeated key no record has to be looked at on its own."""
    assert {wanted for _, wanted in once([answer(A, A_CHANGED)])} == {None}
    assert [wanted for _, wanted in once([answer(A), answer(B)])] == [None, None]
    assert [wanted for _, wanted in once([answer(A), answer(A)])] == [[True], [False]]


def test_keys_are_small() -> None:
    """Keys take less than 16 bytes each, the search for repeats included."""
    keys = Keys()
    tracemalloc.start()
    try:
        keys.add((str(number), "1") for number in range(30_000))
        assert keys.repeated() == set()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000 * 16
