"""Records that share a key within a day: the same call in two answers, and differing ones.

The API promises nowhere that ``CallID`` and ``UCID`` tell a day's records apart [open]. A target
that upserts keeps one record of a key, so it has to be said when two of them differ.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from tap_ozonetel_cdr.records import decode
from tap_ozonetel_cdr.records.columns import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from tap_ozonetel_cdr.records.decode import Record

Key: TypeAlias = "tuple[str, str]"
"""``CallID`` and ``UCID`` as they are emitted."""

_BUCKETS = 256


class Part(Protocol):
    """One of a day's responses: its records, a chunk at a time, as often as they are asked for."""

    def chunks(self) -> Iterator[bytes]:
        """Give the records in their order, each chunk a JSON array of objects."""


class Keys:
    """The keys of a day's records, of each its hash: less than 10 MB for a million."""

    def __init__(self) -> None:
        """Start without a key."""
        self._buckets = [array("Q") for _ in range(_BUCKETS)]

    def add(self, keys: Iterable[Key]) -> None:
        """Remember keys."""
        buckets = self._buckets
        for one in keys:
            hashed = _hash(one)
            buckets[hashed % _BUCKETS].append(hashed)

    def repeated(self) -> set[int]:
        """Return the hashes that came more than once: by the same key, or by chance."""
        found: set[int] = set()
        for bucket in self._buckets:
            if len(set(bucket)) != len(bucket):
                found.update(hashed for hashed, times in Counter(bucket).items() if times > 1)
        return found


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Keys that stand for records which differ: how many, and the first of them."""

    count: int
    example: Key


def find(parts: Sequence[Part], suspects: set[int]) -> Duplicates | None:
    """Read a day again and compare the records whose keys have the hashes ``suspects``."""
    first: dict[Key, bytes] = {}
    found: dict[Key, None] = {}
    for window in _windows(parts):
        for record in decode.records(window)[0]:
            one = key(record)
            if _hash(one) in suspects:
                content = _digest(record)
                if first.setdefault(one, content) != content:
                    found[one] = None
    return Duplicates(len(found), next(iter(found))) if found else None


def once(parts: Sequence[Part]) -> Iterator[tuple[bytes, list[bool] | None]]:
    """Give a day's windows, each with which of its records are wanted: None for all of them.

    Not wanted is a record that is identical to one of an earlier part. Parts meet without overlap,
    so a record in two of them is one call that the API has listed twice. Identical records within
    one part are given as often as they were sent there: in all, as often as the part has them that
    has the most.
    """
    suspects: set[int] = set()
    if len(parts) > 1:
        keys = Keys()
        for window in _windows(parts):
            keys.add(map(key, decode.records(window)[0]))
        suspects = keys.repeated()
    given: Counter[bytes] = Counter()
    for part in parts:
        sent: Counter[bytes] = Counter()
        for window in part.chunks():
            yield window, _wanted(window, suspects, sent, given) if suspects else None


def _wanted(
    window: bytes, suspects: set[int], sent: Counter[bytes], given: Counter[bytes]
) -> list[bool]:
    """Tell which of a window's records are wanted; count what the part sent and what is given."""
    wanted = []
    for record in decode.records(window)[0]:
        is_wanted = True
        if _hash(key(record)) in suspects:
            content = _digest(record)
            sent[content] += 1
            is_wanted = sent[content] > given[content]
            given[content] = max(sent[content], given[content])
        wanted.append(is_wanted)
    return wanted


def _windows(parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        yield from part.chunks()


def _hash(one: Key) -> int:
    """Return 64 bits of a key, without a sign."""
    return hash(one) & 0xFFFF_FFFF_FFFF_FFFF


def _digest(record: Record) -> bytes:
    """Return what tells a record from every other, whatever the order of its fields."""
    # A Decimal's repr keeps it apart from text of the same digits.
    return blake2b(
        json.dumps(record, sort_keys=True, default=repr).encode(), digest_size=16
    ).digest()
