"""Records that share a key are found in little memory, and one in two responses is given once."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from collections import Counter
from io import BytesIO
from itertools import compress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.body import Envelope, read_envelope
from tap_ozonetel_cdr.records import decode, duplicates
from tap_ozonetel_cdr.records.duplicates import Duplicates, Hashes, Part, find, once

if TYPE_CHECKING:
    from collections.abc import Iterator

A = {"CallID": "1", "UCID": "1", "Status": "Answered"}
A_IN_ANOTHER_ORDER = {"Status": "Answered", "UCID": "1", "CallID": "1"}
A_CHANGED = {"CallID": "1", "UCID": "1", "Status": "Unanswered"}
B = {"CallID": "1", "UCID": "2", "Status": "Answered"}
B_AS_NUMBERS = {"CallID": 1, "UCID": 2, "Status": "Answered"}
NO_ID = {"Status": "Answered"}
NO_ID_EITHER = {"CallID": " ", "UCID": None, "Status": "Answered"}


def response(*records: dict[str, Any]) -> Envelope:
    """Return a response with these records."""
    body = {"details": records, "message": "success", "status": "success"}
    return read_envelope(BytesIO(json.dumps(body).encode()))


def duplicates_of(*parts: Part) -> Duplicates | None:
    """Return the duplicates of a day, as a run finds them."""
    keys = Hashes()
    keys.add(
        (str(record.get("CallID") or "").strip(), str(record.get("UCID") or "").strip())
        for record in given_once(*parts)
    )
    return find(parts, keys.repeated())


def given_once(*parts: Part) -> list[dict[str, Any]]:
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
def test_records_that_differ_under_one_key_are_counted(
    records: list[dict[str, Any]], expected: Duplicates | None
) -> None:
    """Records that differ under one key are counted by key; identical ones are none."""
    assert duplicates_of(response(*records)) == expected


def test_duplicates_are_found_across_parts() -> None:
    """Duplicates are found wherever in the day they lie."""
    assert duplicates_of(response(A), response(B), response(A_CHANGED)) == Duplicates(1, ("1", "1"))
    assert duplicates_of(response(A), response(A)) is None


def test_numbers_and_text_of_the_same_digits_differ() -> None:
    """A number is told apart from its digits as text, a fraction too."""
    assert duplicates_of(response({**A, "X": 1.5}, {**A, "X": "1.5"})) == Duplicates(1, ("1", "1"))
    assert duplicates_of(response({**A, "X": 1}, {**A, "X": True})) == Duplicates(1, ("1", "1"))


def test_equal_hashes_make_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that all share by chance neither makes duplicates of them nor loses one."""
    monkeypatch.setattr(duplicates, "hash", lambda _: 7, raising=False)
    assert duplicates_of(response(A, B)) is None
    assert duplicates_of(response(A, B, A_CHANGED)) == Duplicates(1, ("1", "1"))
    assert given_once(response(A, B), response(B, A_CHANGED)) == [A, B, B, A_CHANGED]


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
def test_a_record_in_several_parts_is_given_once(
    parts: list[list[dict[str, Any]]], expected: list[dict[str, Any]]
) -> None:
    """A record in several parts is given once, but as often as one part has it."""
    assert given_once(*[response(*part) for part in parts]) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([A, A_CHANGED, B, NO_ID]), max_size=5), max_size=4))
def test_each_record_as_often_as_one_part_has_it(parts: list[list[dict[str, Any]]]) -> None:
    """However records repeat, none is lost and none is given more often than a part has it."""
    counts = [Counter(map(json.dumps, part)) for part in parts]
    most: Counter[str] = Counter()
    for count in counts:
        most |= count
    assert Counter(map(json.dumps, given_once(*[response(*part) for part in parts]))) == most


def test_chunks_stay_whole_where_nothing_repeats() -> None:
    """Without a repeated key no record has to be looked at on its own."""
    assert {wanted for _, wanted in once([response(A, A_CHANGED)])} == {None}
    assert [wanted for _, wanted in once([response(A), response(B)])] == [None, None]
    assert [wanted for _, wanted in once([response(A), response(A)])] == [[True], [False]]


class Pairs:
    """Pairs of records that differ under one key, made when they are read."""

    def __init__(self, count: int) -> None:
        """Have this many records."""
        self.count = count

    def chunks(self) -> Iterator[bytes]:
        """Give them a hundred at a time."""
        for start in range(0, self.count, 100):
            yield json.dumps(
                [{"CallID": n // 2 + 1, "UCID": "1", "X": n} for n in range(start, start + 100)]
            ).encode()


@contextlib.contextmanager
def at_most(bytes_each: int) -> Iterator[int]:
    """Bound the memory that many records take at its peak, beside that of a chunk of them."""
    count = 10_000
    tracemalloc.start()
    try:
        yield count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < count * bytes_each + 200_000


def test_keys_are_small() -> None:
    """Keys take 16 bytes each, the search for repeats included."""
    with at_most(18) as count:
        keys = Hashes()
        keys.add((str(number), "1") for number in range(count))
        assert not keys.repeated()


def test_pairs_under_one_key_are_small() -> None:
    """Where every key stands for two records that differ, each takes some bytes more."""
    with at_most(40) as count:
        keys = Hashes()
        keys.add((str(n // 2 + 1), "1") for n in range(count))
        assert find([Pairs(count)], keys.repeated()) == Duplicates(count // 2, ("1", "1"))


def test_records_in_two_parts_are_small() -> None:
    """Where an API gives the whole day in each part, records take no room, and come once."""
    with at_most(80) as count:
        given = 0
        for chunk, wanted in once([Pairs(count), Pairs(count)]):
            given += sum(wanted or [True] * len(decode.records(chunk)[0]))
        assert given == count
