"""Duplicates within a day: the same record in two responses, and different ones under one key.

The API promises nowhere that ``CallID`` and ``UCID`` tell a day's records apart [open]; in 37,279
records they did [measured]. A target that upserts keeps one record of a key, so it has to be said
when two of them differ. Memory stays small however many they are: hashes in arrays, no records.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.values import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_ozonetel_cdr.records.decode import Record
    from tap_ozonetel_cdr.records.values import Key


class Part(Protocol):
    """One of a day's responses: its records, a chunk at a time, as often as they are asked for."""

    def chunks(self) -> Iterator[bytes]:
        """Give the records in their order, each chunk a JSON array of objects."""


class Repeated:
    """Hashes that came more than once, each with a place of its own: 8 bytes for each."""

    def __init__(self, ascending: array[int]) -> None:
        """Take 64-bit hashes, each once."""
        self._hashes = ascending

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._hashes)

    def place(self, one: int) -> int | None:
        """Return the place of a hash among them, from 0 on, if it is one of them."""
        place = bisect_left(self._hashes, one)
        return place if place < len(self) and self._hashes[place] == one else None


class Hashes:
    """Hashes of a day's keys, or of its records: 8 bytes for each."""

    def __init__(self) -> None:
        """Start with none."""
        self._hashes = array("q")

    def add(self, things: Iterable[object]) -> None:
        """Remember the hashes of things."""
        self._hashes.extend(map(hash, things))

    def repeated(self) -> Repeated:
        """Return the hashes that came more than once: of the same thing, or by chance."""
        buckets = [array("q") for _ in range(256)]
        for one in self._hashes:
            buckets[(one >> 56) + 128].append(one)
        found = array("q")
        for bucket in buckets:
            if len(set(bucket)) != len(bucket):
                found.extend(sorted(one for one, times in Counter(bucket).items() if times > 1))
        return Repeated(found)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Keys that stand for records which differ: how many, and the first of them."""

    count: int
    example: Key


def find(parts: Sequence[Part], suspects: Repeated) -> Duplicates | None:
    """Read a day again and compare the records whose keys have the hashes ``suspects``."""
    contents = _Places(suspects)
    owners = _Places(suspects)
    differing = bytearray(len(suspects))
    example = None
    for chunk in _chunks(parts):
        for record in decode.records(chunk)[0]:
            one = key(record)
            place = suspects.place(hash(one))
            if place is None or not owners.holds(place, _digest(one)):
                continue
            if not contents.holds(place, _digest(record)):
                differing[place] = 1
                example = example or one
    return Duplicates(sum(differing), example) if example else None


def once(parts: Sequence[Part]) -> Iterator[tuple[bytes, list[bool] | None]]:
    """Give a day's chunks, each with which of its records are wanted: None for all of them.

    Not wanted is a record that is identical to one of an earlier part. Parts meet without overlap,
    so a record in two of them is one that the API has listed twice. Identical records within one
    part are given as often as they were sent there: in all, as often as the part has them that has
    the most.
    """
    hashes = Hashes()
    if len(parts) > 1:
        for chunk in _chunks(parts):
            hashes.add(map(_digest, decode.records(chunk)[0]))
    repeated = hashes.repeated()
    given = _Given(repeated)
    for part in parts:
        for chunk in part.chunks():
            yield chunk, given.wanted(chunk) if repeated else None
        given.next_part()


class _Places:
    """What stands in each place of ``Repeated``: the digest that came first."""

    def __init__(self, repeated: Repeated) -> None:
        self._first = array("Q", [0]) * len(repeated)

    def holds(self, place: int, digest: bytes) -> bool:
        """Tell whether a place has this digest; an empty one has it from now on."""
        found = int.from_bytes(digest[:8], "big") or 1
        self._first[place] = self._first[place] or found
        return self._first[place] == found


class _Given:
    """Which records were given, as far as they are repeated."""

    def __init__(self, repeated: Repeated) -> None:
        self._repeated = repeated
        self._owners = _Places(repeated)
        self._given = array("L", [0]) * len(repeated)
        self.next_part()

    def next_part(self) -> None:
        """Begin with a part of which nothing was sent yet."""
        self._sent = array("L", [0]) * len(self._repeated)

    def wanted(self, chunk: bytes) -> list[bool]:
        """Tell which of a chunk's records are wanted, and take those for given."""
        return [self._is_wanted(_digest(record)) for record in decode.records(chunk)[0]]

    def _is_wanted(self, digest: bytes) -> bool:
        place = self._repeated.place(hash(digest))
        # The hash is one half of what makes records identical, the digest's other end the other.
        if place is None or not self._owners.holds(place, digest):
            return True
        self._sent[place] += 1
        is_wanted = self._sent[place] > self._given[place]
        self._given[place] = max(self._sent[place], self._given[place])
        return is_wanted


def _chunks(parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        yield from part.chunks()


def _digest(thing: Record | Key) -> bytes:
    """Return what tells a record or a key from every other, whatever the order of its fields."""
    # A Decimal's repr keeps it apart from text of the same digits.
    text = json.dumps(thing, sort_keys=True, default=repr)
    return blake2b(text.encode(), digest_size=16).digest()
