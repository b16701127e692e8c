"""Which days and spans are answered, and how: today, yesterday, the edge, the day beyond it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from ozonetel_sandbox import probe_records
from ozonetel_sandbox.probe_facts import Fact, judged, learned, unseen, words
from ozonetel_sandbox.probe_visit import Reading, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ozonetel_sandbox.probe_account import Reply
    from ozonetel_sandbox.probe_visit import Visit

#: The days before today that the API answers. [doc]
RETENTION_DAYS = 15
#: When a finished day is whole, and when it was seen in the spelling of past days, in hours.
_SETTLED, _SWITCHED = 3, 9.5


def days(visit: Visit) -> Iterator[Fact]:
    """Give how days are answered, and keep what was read of them."""
    past = visit.read("the day before yesterday", visit.past)
    yield judged(
        "a whole day in one request",
        "doc",
        "answered",
        str(past.reply) if past.is_of_a_whole_day else f"no: {past.hours} h are answered",
        expected=past.is_of_a_whole_day,
    )
    yield _success_form(past.reply)
    yield _part_of_a_day(visit, past)
    yield from _yesterday(visit, past)
    visit.read("today", visit.today)
    yield _later_today(visit)
    yield from _edge(visit)


def _success_form(reply: Reply) -> Fact:
    envelope = reply.envelope
    seen = ", ".join(
        f"{words(str(name)) or '…'}: {'a list' if isinstance(value, list) else words(str(value))}"
        for name, value in sorted(envelope.items())
    )
    return judged(
        "the envelope of a success",
        "measured",
        "details: a list, message: success, status: success",
        seen + (", in a JSON string" if reply.in_string else ""),
        expected=seen == "details: a list, message: success, status: success"
        and not reply.in_string,
    )


def _part_of_a_day(visit: Visit, whole: Reading) -> Fact:
    name, granted = "part of a day", "answered with what starts within it, both ends included"
    middle = sorted(
        str(record.get("StartTime")) for record in whole.records if record.get("StartTime")
    )
    if not middle:
        return unseen(name, "field", granted, "the day has no records")
    first, last = middle[len(middle) // 4], middle[len(middle) // 2]
    if not (re.fullmatch(r"\d\d:\d\d:\d\d", first) and re.fullmatch(r"\d\d:\d\d:\d\d", last)):
        return unseen(name, "field", granted, "StartTime is no time of day")
    reply = visit.account.ask(
        "part of a day",
        {"fromDate": at(whole.day, first), "toDate": at(whole.day, last)},
    )
    wanted = probe_records.starts_within(whole.records, _second(first), _second(last))
    exact = reply.is_success and len(reply.details) == len(wanted)
    return judged(name, "field", granted, "so" if exact else f"otherwise: {reply}", expected=exact)


def _yesterday(visit: Visit, past: Reading) -> Iterator[Fact]:
    yesterday = visit.read("yesterday", visit.today - timedelta(days=1))
    now = visit.account.local_now()
    hour = now.hour + now.minute / 60
    at = f"at {now:%H:%M}"
    name, granted = "yesterday is whole", "from 03:00 on; before that nobody knows"
    seen = f"{at}: {yesterday}; the day before it: {past}"
    ends = [probe_records.hours(one.records) for one in (yesterday, past)]
    if hour < _SETTLED:
        yield learned(name, "open", granted, seen)
    else:
        looks_whole = bool(ends[0] or not ends[1])
        yield judged(name, "open", granted, seen, expected=looks_whole)
    name, granted = "yesterday's spelling", "of past days, from some time until 09:30 on"
    spelling = probe_records.spelled(yesterday.records)
    if spelling is None:
        yield unseen(name, "measured", granted, f"{at}: no records")
    else:
        seen = f"{at}: of {'past days' if spelling == 'past' else 'the current day'}"
        if hour < _SWITCHED:
            yield learned(name, "measured", granted, seen)
        else:
            yield judged(name, "measured", granted, seen, expected=spelling == "past")


def _later_today(visit: Visit) -> Fact:
    reply = visit.account.ask(
        "toDate later today",
        {"fromDate": at(visit.today), "toDate": at(visit.today, "23:59:59")},
    )
    return learned(
        "a toDate later than now, today",
        "field",
        "accepted by some, refused by others",
        str(reply),
    )


def _edge(visit: Visit) -> Iterator[Fact]:
    inside, edge, outside = (
        visit.read(f"{days} days back", visit.today - timedelta(days=days))
        for days in (RETENTION_DAYS - 1, RETENTION_DAYS, RETENTION_DAYS + 1)
    )
    yield learned(
        f"{RETENTION_DAYS} days back",
        "open",
        "whole, in part, empty or refused",
        f"{edge}; the day after it: {inside}",
    )
    yield judged(
        f"{RETENTION_DAYS + 1} days back",
        "field",
        "an empty list under success",
        str(outside),
        expected=outside.reply.is_success and not outside.records,
    )
    empty = next(
        (
            one.reply
            for day, one in visit.readings.items()
            if day > edge.day and one.reply.is_success and not one.records
        ),
        None,
    )
    name, granted = "a day without records", "details: [] under success"
    if empty is None:
        yield unseen(name, "measured", granted, "every day had records")
    else:
        is_list = empty.envelope.get("details") == [] and not empty.is_no_data
        seen = granted if is_list else f"{empty}, details: {_details_form(empty)}"
        yield judged(name, "measured", granted, seen, expected=is_list)


def _details_form(reply: Reply) -> str:
    value = reply.envelope.get("details", "absent")
    return "null" if value is None else str(value) if value in ([], "absent") else "something else"


def _second(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return hours * 3600 + minutes * 60 + seconds
