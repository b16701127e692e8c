"""Whole days of an account, as the bytes of the responses that list them."""

from __future__ import annotations

import dataclasses
import io
import json
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal

from ozonetel_sandbox.calls import Event, Maker, dice
from ozonetel_sandbox.ids import DAY
from ozonetel_sandbox.responses import CLOSING, OPENING
from ozonetel_sandbox.spelling import CURRENT, PAST, Spelling, Writer, is_seen_today
from ozonetel_sandbox.truth import MadeCall, calls_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

#: Records by weekday from Monday, relative to an ordinary working day.
_WEEK = (1.1, 1.0, 1.0, 1.0, 1.05, 0.5, 0.1)

#: Both ways of writing what is not ASCII, record by record in turn. Which the vendor has is open.
_ENCODERS = (json.JSONEncoder(ensure_ascii=False).encode, json.JSONEncoder().encode)


@dataclasses.dataclass(frozen=True)
class Day:
    """The records of one day in one spelling, newest first by their start [measured]."""

    #: The whole body of the response that lists all of them, each as it is in the end.
    body: bytes
    #: Where each record lies; record ``i`` begins at ``begins[i]``.
    begins: array[int]
    ends: array[int]
    #: The second of the day at which each record's event starts, is listed, and is complete.
    starts: array[int]
    listed: array[int]
    settled: array[int]
    writer: Writer = dataclasses.field(repr=False)
    #: What a record that is not complete is written from: events by the record's place.
    events: Mapping[int, Event] = dataclasses.field(repr=False)

    def select(self, first: int, last: int, now: int) -> list[int]:
        """Return the records that start within ``first`` to ``last`` and are listed by ``now``.

        All three are seconds since the day's midnight, ``first`` and ``last`` inclusive.
        """
        return [
            index
            for index, (start, listed) in enumerate(zip(self.starts, self.listed, strict=True))
            if first <= start <= last and listed <= now
        ]

    def record(self, index: int, now: int | None = None) -> bytes:
        """Return the JSON text of one record, as it is at ``now`` or in the end."""
        if now is None or now >= self.settled[index]:
            return self.body[self.begins[index] : self.ends[index]]
        return _encoded(self.writer.record(self.events[index], now), index)

    def response(self, selected: Sequence[int], now: int) -> bytes:
        """Return the success envelope around the ``selected`` records, as they are at ``now``."""
        if len(selected) == len(self.starts) and now >= max(self.settled, default=0):
            return self.body
        return OPENING + b", ".join(self.record(index, now) for index in selected) + CLOSING


def _encoded(record: dict[str, Any], index: int) -> bytes:
    return _ENCODERS[index % 2](record).encode()


@dataclasses.dataclass(frozen=True)
class Centre:
    """The contact centre of one account.

    ``records_per_day`` is about the number of records on a working day (weekends have fewer), or a
    function that says exactly how many a date has.
    """

    account: str
    zone: ZoneInfo
    seed: int = 1
    records_per_day: int | Callable[[date], int] = 200
    remarks: Literal["rich", "plain"] = "rich"
    extras: bool = False
    dial_count: bool = False
    current_kinds: Literal["measured", "all"] = "measured"

    def count(self, day: date) -> int:
        """Return how many records ``day`` has once it is over."""
        if callable(self.records_per_day):
            return self.records_per_day(day)
        chance = 0.9 + 0.2 * dice(self.seed, self.account, day, "count").random()
        return round(self.records_per_day * _WEEK[day.weekday()] * chance)

    def events(self, day: date, revision: int = 0) -> list[Event]:
        """Return what happened on ``day``, by start; ``revision`` counts the late changes."""
        maker = Maker(
            self.account,
            self.zone,
            self.seed,
            day,
            self.count(day),
            is_rich=self.remarks == "rich",
            has_extras=self.extras,
        )
        return maker.events(revision)

    def truth(self, day: date, revision: int = 0) -> list[MadeCall]:
        """Return the calls that start on ``day``."""
        return calls_of(self.account, day, self.events(day, revision))

    def day(
        self,
        day: date,
        spelling: Spelling = PAST,
        *,
        named_on: date | None = None,
        revision: int = 0,
    ) -> Day:
        """Return the records of all events that start on ``day``.

        ``named_on`` is the day of the reading, which decides the agents' names. ``revision``
        counts the late changes so far: each changes what may still change after a call in every
        other record, beginning with the day's first.
        """
        writer = Writer(
            self.account,
            day,
            spelling,
            named_on,
            is_rich=self.remarks == "rich",
            has_extras=self.extras,
            has_dial_count=self.dial_count,
        )
        events = self.events(day, revision)
        if spelling is CURRENT and self.current_kinds == "measured":
            events = [event for event in events if is_seen_today(event)]
        events.reverse()
        body, begins, ends = io.BytesIO(), array("q"), array("q")
        body.write(OPENING)
        for index, event in enumerate(events):
            body.write(b", " if index else b"")
            begins.append(body.tell())
            body.write(_encoded(writer.record(event), index))
            ends.append(body.tell())
        body.write(CLOSING)
        return Day(
            body.getvalue(),
            begins,
            ends,
            starts=array("l", [event.start for event in events]),
            listed=array("l", [event.listed for event in events]),
            settled=array("l", [event.settled for event in events]),
            writer=writer,
            # A past day is read when nearly all of it is complete.
            events={
                index: event
                for index, event in enumerate(events)
                if spelling is CURRENT or event.settled >= DAY
            },
        )


class Days:
    """The days of several contact centres, kept as bytes up to ``most_bytes`` in all."""

    def __init__(self, centres: Sequence[Centre], most_bytes: int = 400_000_000) -> None:
        """Keep days of ``centres``; at least the last one asked for, whatever its size."""
        self._centres = {centre.account: centre for centre in centres}
        self._most_bytes = most_bytes
        self._revision = 0
        self._days: OrderedDict[tuple[str, date, bool, date | None], Day] = OrderedDict()

    def change_late(self) -> None:
        """Change finished calls from now on."""
        self._revision += 1
        self._days.clear()

    def truth(self, account: str, day: date) -> list[MadeCall]:
        """Return the calls of ``account`` that start on ``day``, with the changes so far."""
        return self._centres[account].truth(day, self._revision)

    def day(self, account: str, day: date, spelling: Spelling, named_on: date | None) -> Day:
        """Return the records of ``account`` for ``day``, also those still to come."""
        key = (account, day, spelling is CURRENT, named_on)
        if key not in self._days:
            self._days[key] = self._centres[account].day(
                day, spelling, named_on=named_on, revision=self._revision
            )
        self._days.move_to_end(key)
        while len(self._days) > 1 and sum(len(kept.body) for kept in self._days.values()) > (
            self._most_bytes
        ):
            self._days.popitem(last=False)
        return self._days[key]
