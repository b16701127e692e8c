"""Records that share a key within a day: the same call in two answers, and twins.

The API promises nowhere that ``CallID`` and ``UCID`` tell a day's records apart [open]. A target
that upserts keeps one record of a key, so it has to be said when two of them differ.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING

from tap_ozonetel_cdr import decode
from tap_ozonetel_cdr.records import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from tap_ozonetel_cdr.decode import Envelope, Record

Key: TypeAlias = "tuple[str, str]"
"""``CallID`` and ``UCID`` as they are emitted."""

_BUCKETS = 256


class Keys:
    """The keys of a day's records, of each its hash: less than 10 MB for a million."""

    def __init__(self) -> None:
        """Start without a key."""
        self._buckets = [array("Q") for _ in range(_BUCKETS)]

    def add(self, one: Key) -> None:
        """Remember a key."""
        hashed = _hash(one)
        self._buckets[hashed % _BUCKETS].append(hashed)

    def repeated(self) -> set[int]:
        """Return the hashes that came more than once: by the same key, or by chance."""
        found: set[int] = set()
        for bucket in self._buckets:
            if len(set(bucket)) != len(bucket):
                found.update(hashed for hashed, times in Counter(bucket).items() if times > 1)
        return found


@dataclass(frozen=True, slots=True)
class Twins:
    """Keys that stand for records which differ: how many, and the first of them."""

    count: int
    example: Key


def find(parts: Sequence[Envelope], suspects: set[int]) -> Twins | None:
    """Read a day again and compare the records whose keys have the hashes ``suspects``."""
    first: dict[Key, bytes] = {}
    found: dict[Key, None] = {}
    for record in chain.from_iterable(map(_records, parts)):
        one = key(record)
        if _hash(one) in suspects:
            content = _digest(record)
            if first.setdefault(one, content) != content:
                found[one] = None
    return Twins(len(found), next(iter(found))) if found else None


def once(
    parts: Sequence[Envelope], *, on_lenient: Callable[[], object] = lambda: None
) -> Iterator[Record]:
    """Give a day's records, leaving out those identical to one of an earlier part.

    ``on_lenient`` is called for each window of records that is not strict JSON.

    Parts meet without overlap, so a record in two of them is one call that the API has listed
    twice. Identical records within one part are given as often as they were sent there: in all, as
    often as the part has them that has the most.
    """
    if len(parts) == 1:
        yield from _records(parts[0], on_lenient)
        return
    keys = Keys()
    for record in chain.from_iterable(map(_records, parts)):
        keys.add(key(record))
    suspects = keys.repeated()
    given: Counter[bytes] = Counter()
    for part in parts:
        sent: Counter[bytes] = Counter()
        for record in _records(part, on_lenient):
            if _hash(key(record)) in suspects:
                content = _digest(record)
                sent[content] += 1
                if sent[content] <= given[content]:
                    continue
                given[content] = sent[content]
            yield record


def _records(part: Envelope, on_lenient: Callable[[], object] = lambda: None) -> Iterator[Record]:
    """Give the records of one answer."""
    for window in part.windows():
        records, lenient = decode.records(window)
        if lenient:
            on_lenient()
        yield from records


def _hash(one: Key) -> int:
    """Return 64 bits of a key, without a sign."""
    return hash(one) & 0xFFFF_FFFF_FFFF_FFFF


def _digest(record: Record) -> bytes:
    """Return what tells a record from every other, whatever the order of its fields."""
    # A Decimal's repr keeps it apart from text of the same digits.
    return blake2b(
        json.dumps(record, sort_keys=True, default=repr).encode(), digest_size=16
    ).digest()
