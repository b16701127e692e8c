"""What records look like: forms, shares and words of the API's own, never a value of a record."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from ozonetel_sandbox.probe_facts import Fact, judged, learned, share, unseen, words
from ozonetel_sandbox.spelling import DOCUMENTED_FIELDS, FURTHER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    Record: TypeAlias = Mapping[str, Any]

#: Which of the two systems a response is expected to come from.
Which = Literal["today", "past"]

_CLOCK = re.compile(r"(\d{2,3}):([0-5]\d):([0-5]\d)", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z_]*\d{0,2}", re.ASCII)
_DAY = 86_400
_QUARTER, _SKEW, _LARGEST_OFFSET = 900, 30, 14 * 3600
_EIGHT_DIGITS = 10**8
#: Less than so many of a thousand are told from a rule: 8 of 37,279 records had been held.
_RARE = 0.001


@dataclasses.dataclass(frozen=True)
class Spelling:
    """What one of the two systems was seen to write where they differ [measured]."""

    types: frozenset[str]
    events: frozenset[str]
    forms: Mapping[tuple[str, ...], frozenset[str]]


_CLOCKS = frozenset({"HH:MM:SS", "00:00:00"})
_PICKUPS = ("PickupTime", "WrapUpStartTime", "WrapUpEndTime")
_IDS, _RATING, _WRAP_UP = ("CallID", "UCID"), ("Rating",), ("WrapupDuration",)
_AUDIO, _HANDLING = ("CallAudio",), ("HandlingTime",)
SPELLINGS: Mapping[Which, Spelling] = {
    "today": Spelling(
        frozenset({"InBound", "Manual"}),
        frozenset({"AgentDial", "Queue", "Disconnect"}),
        {
            _IDS: frozenset({"number"}),
            _RATING: frozenset({"0"}),
            _PICKUPS: _CLOCKS | {"null"},
            _WRAP_UP: _CLOCKS | {"null"},
            _AUDIO: frozenset({"blank", "null", "address"}),
            _HANDLING: _CLOCKS | {"null"},
        },
    ),
    "past": Spelling(
        frozenset({"Inbound", "Manual", "Progressive"}),
        frozenset(
            {"Agent Dials", "Queue", "Disconnect", "Skill Transfers", "Customer Dials", "Dial Out"}
        ),
        {
            _IDS: frozenset({"digits"}),
            _RATING: frozenset({"blank"}),
            _PICKUPS: _CLOCKS | {"blank"},
            _WRAP_UP: _CLOCKS,
            _AUDIO: frozenset({"blank", "address"}),
            _HANDLING: _CLOCKS,
        },
    ),
}
#: What both write alike. [measured]
_BOTH: Mapping[tuple[str, ...], frozenset[str]] = {
    ("CallDate",): frozenset({"YYYY-MM-DD"}),
    ("StartTime", "EndTime"): _CLOCKS,
    ("Duration", "TalkTime", "TimeToAnswer", "QueueTime"): _CLOCKS,
}
_MAY_BE_NULL = {*_PICKUPS, "WrapupDuration", "CallAudio", "HandlingTime"}


def form(value: object) -> str:  # noqa: PLR0911 - one form a line
    """Return the form of a value: its type, and what kind of text it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "number" if value else "0"
    if not isinstance(value, str):
        return "fraction" if isinstance(value, float) else "list or object"
    if value in {"", "00:00:00"}:
        return value or "blank"
    for name, pattern in _FORMS:
        if re.fullmatch(pattern, value, re.ASCII):
            return name
    return "text"


_FORMS = (
    ("HH:MM:SS", _CLOCK.pattern),
    ("YYYY-MM-DD", r"\d{4}-\d\d-\d\d"),
    ("digits", r"\d+"),
    ("+digits", r"\+\d+"),
    ("address", r"https?://\S+"),
    ("NA or a dash", r"(?i:n/?a|-+)"),
)


def spelled(records: Sequence[Record]) -> Which | None:
    """Return which spelling most records have, by their ids and words; None where none tells."""
    votes: dict[Which, int] = dict.fromkeys(SPELLINGS, 0)
    for record in records:
        for which, spelling in SPELLINGS.items():
            only = spelling.events - SPELLINGS["past" if which == "today" else "today"].events
            votes[which] += str(record.get("Event")) in only
            votes[which] += form(record.get("UCID")) in spelling.forms[_IDS]
    most = max(SPELLINGS, key=lambda which: votes[which])
    return most if votes[most] else None


def facts(records: Sequence[Record], which: Which, day: date, zone: ZoneInfo) -> Iterator[Fact]:
    """Give what is to be seen of a day's records; ``which`` is the spelling they should have."""
    spelling = SPELLINGS[which]
    named = f"{which}'s records: " if which == "today" else "a past day's records: "

    def fact(
        name: str, granted: str, seen: str, *, expected: bool, source: str = "measured"
    ) -> Fact:
        return judged(named + name, source, granted, seen, expected=expected)

    yield _fields(records, fact)
    for fields, forms in {**spelling.forms, **_BOTH}.items():
        met = Counter(form(record[name]) for record in records for name in fields if name in record)
        yield fact(
            f"forms of {', '.join(fields)}",
            " or ".join(sorted(forms)),
            _shares(met),
            expected=met.keys() <= forms,
        )
    for field, known in (
        ("Type", spelling.types),
        ("Event", spelling.events),
        ("Status", frozenset({"Answered", "Unanswered"})),
    ):
        said = Counter(
            value if value in known else words(value) or "blank"
            for value in (str(record.get(field, "")) for record in records)
        )
        yield fact(
            f"words of {field}",
            ", ".join(sorted(known)),
            _shares(said),
            expected=said.keys() <= known,
        )
    yield _nulls(records, fact)
    yield from _order(records, day, fact)
    yield from _keys(records, fact)
    yield from _sums(records, fact)
    yield from _numbers(records, fact)
    yield _rarities(records, fact)
    yield _times_in_ids(records, day, zone, fact)
    if which == "today":
        yield _under_way(records, named)


def hours(records: Iterable[Record]) -> tuple[int, int] | None:
    """Return the hours of the first start and of the last."""
    starts = [
        second for record in records if (second := _seconds(record.get("StartTime"))) is not None
    ]
    return (min(starts) // 3600, max(starts) // 3600) if starts else None


def starts_within(records: Iterable[Record], first: int, last: int) -> list[Record]:
    """Return the records that start from second ``first`` to ``last`` of the day."""
    return [
        record
        for record in records
        if (second := _seconds(record.get("StartTime"))) is not None and first <= second <= last
    ]


# One kind of fact each


def _fields(records: Sequence[Record], fact: Callable[..., Fact]) -> Fact:
    known = {*DOCUMENTED_FIELDS, *FURTHER_FIELDS}
    met = Counter(name for record in records for name in record)
    new = sorted(name for name in met if name not in known)
    missing = sorted(name for name in known if met[name] < len(records))
    seen = f"{len(met)}"
    if new:
        seen += f"; new: {', '.join(_field_name(name) for name in new)}"
    if missing:
        seen += f"; not in all records: {', '.join(missing)}"
    return fact("fields", f"{len(known)} in every record", seen, expected=not (new or missing))


def _nulls(records: Sequence[Record], fact: Callable[..., Fact]) -> Fact:
    null = {
        name
        for record in records
        for name, value in record.items()
        if value is None and name not in _MAY_BE_NULL
    }
    names = ", ".join(sorted(map(_field_name, null)))
    return fact("nulls in other fields", "none", names or "none", expected=not null)


def _order(records: Sequence[Record], day: date, fact: Callable[..., Fact]) -> Iterator[Fact]:
    starts = [_seconds(record.get("StartTime")) or 0 for record in records]
    ordered = starts == sorted(starts, reverse=True)
    yield fact(
        "order", "newest first by StartTime", "so" if ordered else "another", expected=ordered
    )
    dated = sum(record.get("CallDate") == day.isoformat() for record in records)
    yield fact(
        "CallDate is the day asked for",
        "in every record",
        share(dated, len(records)),
        expected=dated == len(records),
    )


def _keys(records: Sequence[Record], fact: Callable[..., Fact]) -> Iterator[Fact]:
    keys = Counter((str(record.get("CallID")), str(record.get("UCID"))) for record in records)
    repeated = sum(count - 1 for count in keys.values())
    yield fact(
        "CallID and UCID tell records apart",
        "in every response",
        "so" if not repeated else f"no: {share(repeated, len(records))} repeat another's",
        expected=not repeated,
    )
    inbound = [record for record in records if _kind(record) == "inbound"]
    others = [record for record in records if _kind(record) in {"manual", "progressive"}]
    for name, some, granted in (
        ("UCID equals CallID in Manual and Progressive", others, "all"),
        ("UCID equals CallID in inbound", inbound, "none"),
    ):
        if some:
            same = sum(str(record.get("CallID")) == str(record.get("UCID")) for record in some)
            seen = share(same, len(some))
            yield fact(name, granted, seen, expected=seen == granted)


def _sums(records: Sequence[Record], fact: Callable[..., Fact]) -> Iterator[Fact]:
    # Of a call under way these are not final.
    over = [record for record in records if not _is_under_way(record)]
    for name, left, right in (
        ("Duration = EndTime - StartTime", "Duration", _between("StartTime", "EndTime")),
        ("HandlingTime = TalkTime + WrapupDuration", "HandlingTime", _handling),
        (
            "TimeToAnswer = PickupTime - StartTime",
            "TimeToAnswer",
            _between("StartTime", "PickupTime"),
        ),
        ("TalkTime = EndTime - PickupTime", "TalkTime", _between("PickupTime", "EndTime")),
    ):
        pairs = [
            (found, wanted)
            for record in over
            if (found := _seconds(record.get(left))) is not None
            and (wanted := right(record)) is not None
        ]
        if pairs:
            agree = sum((found - wanted) % _DAY == 0 for found, wanted in pairs)
            yield fact(
                name, "wherever both are", share(agree, len(pairs)), expected=agree == len(pairs)
            )
    unanswered = [
        record
        for record in over
        if record.get("Status") == "Unanswered" and _seconds(record.get("PickupTime")) is not None
    ]
    if unanswered:
        none = sum(
            record["PickupTime"] == record.get("EndTime") and _kind(record) == "manual"
            for record in unanswered
        )
        yield fact(
            "PickupTime of the unanswered",
            "in Manual only, and equal to EndTime",
            "so" if none == len(unanswered) else f"so in {share(none, len(unanswered))}",
            expected=none == len(unanswered),
        )


def _numbers(records: Sequence[Record], fact: Callable[..., Fact]) -> Iterator[Fact]:
    total = len(records)
    e164 = sum(
        bool(re.fullmatch(r"\+91\d+", str(record.get("E164")), re.ASCII)) for record in records
    )
    yield fact("E164", "+91 and digits in every record", share(e164, total), expected=e164 == total)
    lengths = {
        "inbound": r"0\d{13}",
        "progressive": r"0\d{10}",
        "manual": r"\+?\d{8,13}",
    }
    known = [record for record in records if _kind(record) in lengths]
    formed = sum(
        bool(re.fullmatch(lengths[_kind(record)], str(record.get("CallerID")), re.ASCII))
        for record in known
    )
    yield fact(
        "CallerID",
        "inbound 14 digits and Progressive 11 beginning with 0, Manual 8 to 13",
        share(formed, len(known)),
        expected=formed == len(known),
    )
    for name, pattern, granted in (
        ("DialedNumber", r"|\d{6}", "six digits or blank"),
        ("DID", r"\d{12}", "12 digits"),
    ):
        formed = sum(
            bool(re.fullmatch(pattern, str(record.get(name)), re.ASCII)) for record in records
        )
        yield fact(name, granted, share(formed, total), expected=formed == total)


def _rarities(records: Sequence[Record], fact: Callable[..., Fact]) -> Fact:
    met: Counter[str] = Counter()
    for record in records:
        texts = [value for value in record.values() if isinstance(value, str)]
        met["characters beyond ASCII"] += not all(map(str.isascii, texts))
        met["NA or dashes"] += any(form(text) == "NA or a dash" for text in texts)
        met["HTML entities"] += any(re.search(r"&(\w+|#\d+);", text) for text in texts)
        met["chains with ->"] += any("->" in text for text in texts)
        met["several addresses in a field"] += any(text.count("://") > 1 for text in texts)
        met["holds"] += bool(_seconds(record.get("HoldDuration")))
        met["conferences"] += bool(_seconds(record.get("ConferenceDuration")))
        met["ratings"] += form(record.get("Rating")) not in {"blank", "0", "null"}
    found = {name: count for name, count in met.items() if count}
    return fact(
        "what the measured account did not have",
        "none of: " + ", ".join(met),
        ", ".join(f"{name} ({share(count, len(records))})" for name, count in found.items())
        or "none",
        expected=all(
            name == "holds" and count <= _RARE * len(records) for name, count in found.items()
        ),
    )


def _times_in_ids(
    records: Sequence[Record], day: date, zone: ZoneInfo, fact: Callable[..., Fact]
) -> Fact:
    offsets = Counter(_offset(record) for record in records)
    del offsets[None]
    held = sum(offsets.values())
    most, _ = max(offsets.items(), key=lambda item: item[1], default=(None, 0))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    own = (noon.utcoffset() or timedelta()) // timedelta(seconds=1)
    seen = share(held, len(records))
    if most is not None:
        seen += f", at {_utc(most)}"
    return fact(
        "UCID holds the time of its start",
        f"in 99 % or more, at the account's {_utc(own)}",
        seen,
        expected=held >= 0.99 * len(records) and most == own,
    )


def _under_way(records: Sequence[Record], named: str) -> Fact:
    name, granted = named + "calls under way", "listed as Answered, of one second, ended at pick-up"
    running = [record for record in records if _is_under_way(record)]
    if not running:
        return unseen(name, "measured", granted, "none was under way, or they are not listed so")
    return learned(
        name, "measured", granted, f"so ({share(len(running), len(records))} of the records)"
    )


# Values


def _is_under_way(record: Record) -> bool:
    if str(record.get("AgentDialStatus")) == "Queued":
        return True
    return record.get("TalkTime") == "00:00:01" and record.get("EndTime") == record.get(
        "PickupTime"
    )


def _kind(record: Record) -> str:
    return str(record.get("Type", "")).lower()


def _seconds(value: object) -> int | None:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None


def _between(first: str, last: str) -> Callable[[Record], int | None]:
    def difference(record: Record) -> int | None:
        begin, end = _seconds(record.get(first)), _seconds(record.get(last))
        return None if begin is None or end is None else end - begin

    return difference


def _handling(record: Record) -> int | None:
    talk = _seconds(record.get("TalkTime"))
    return None if talk is None else talk + (_seconds(record.get("WrapupDuration")) or 0)


def _offset(record: Record) -> int | None:
    """Return the offset from UTC at which the time in a record's ``UCID`` is its ``StartTime``.

    Manual and Progressive: ten digits of Unix time, from the 6th digit of 17, the 1st of 16, or, as
    in the vendor's example, the 2nd on. Inbound: its last eight digits, from the 4th digit on.
    """
    ucid, clock = str(record.get("UCID")), _seconds(record.get("StartTime"))
    try:
        midnight = date.fromisoformat(str(record.get("CallDate")))
    except ValueError:
        return None
    if clock is None or not (ucid.isascii() and ucid.isdecimal()):
        return None
    start = (midnight - date(1970, 1, 1)).days * _DAY + clock
    if _kind(record) == "inbound":
        ahead = (start - int(ucid[3:11] or 0)) % _EIGHT_DIGITS
        return _quarters(ahead if ahead < _EIGHT_DIGITS // 2 else ahead - _EIGHT_DIGITS)
    offsets = (_quarters(start - int(ucid[place : place + 10] or 0)) for place in (5, 0, 1))
    return next((offset for offset in offsets if offset is not None), None)


def _quarters(ahead: int) -> int | None:
    offset = round(ahead / _QUARTER) * _QUARTER
    is_one = abs(ahead - offset) <= _SKEW and abs(offset) <= _LARGEST_OFFSET
    return offset if is_one else None


def _utc(offset: int) -> str:
    minutes = abs(offset) // 60
    return f"UTC{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _field_name(name: str) -> str:
    """Return a field's name where it is an identifier, which no text of a record is."""
    return name if _NAME.fullmatch(name) and len(name) <= 40 else "(a name that is no identifier)"  # noqa: PLR2004


def _shares(met: Counter[str]) -> str:
    total = met.total() if hasattr(met, "total") else sum(met.values())
    return (
        ", ".join(f"{name} ({share(count, total)})" for name, count in sorted(met.items()))
        or "none"
    )
