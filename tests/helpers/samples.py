"""Records to test with: as the API sends them, in both spellings, and as it never should."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from oracle import ADDED, DURATIONS, FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

KOLKATA = ZoneInfo("Asia/Kolkata")


def chunk_of(*records: Any) -> bytes:  # noqa: ANN401  # any JSON values
    """Return a chunk that holds these records, every number with its own digits."""
    return f"[{', '.join(map(as_json, records))}]".encode()


def as_sent(chunk: bytes) -> list[dict[str, Any]]:
    """Return the records of a chunk, read by the standard library."""
    records: list[dict[str, Any]] = json.loads(chunk, parse_float=Decimal, parse_constant=Decimal)
    return records


def as_json(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return ASCII JSON, or what comes closest to it: numbers that are not finite by their name."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{as_json(k)}: {as_json(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_json, value))}]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value)


# Records of a measured account, in the spelling of the current day and of past days [measured].

EVENTS = [
    # kind, event, whether it may be answered
    ("Manual", "Agent Dials", True),
    ("Progressive", "Agent Dials", True),
    ("Progressive", "Customer Dials", False),
    ("Inbound", "Agent Dials", True),
    ("Inbound", "Queue", False),
    ("Inbound", "Skill Transfers", False),
    ("Inbound", "Disconnect", False),
    ("Inbound", "Dial Out", True),
]
CURRENT_WORDS = {"Inbound": "InBound", "Agent Dials": "AgentDial"}


def hms(seconds: int) -> str:
    """Return a duration, or the time of the day that is so many seconds after a midnight."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def event(  # what tells events apart
    kind: str,
    name: str,
    start: int,
    ring: int,
    talk: int | None,
    wrap_up: int | None,
    *,
    past: bool,
    day: date = date(2026, 11, 19),
    zone: ZoneInfo = KOLKATA,
    number: int = 0,
) -> dict[str, Any]:
    """Return a record; ``talk`` is None if it was not answered, ``wrap_up`` if there was none."""
    answered = talk is not None
    end = start + ring + (talk or 0)
    agent = name == "Agent Dials"
    none = "" if past else None
    picked_up = hms((start + ring) % 86_400) if answered else none
    if kind == "Manual" and not answered:
        picked_up = hms(end % 86_400)
    began = int(datetime.combine(day, time(), zone).timestamp()) + start
    if kind == "Inbound":
        ids = [f"{294 + n}{(began - n * 6) % 10**8:08}{number:06}" for n in (0, 1)]
    else:
        ids = [f"31{number % 1000:03}{began}{number % 100:02}"] * 2
    ucid, call_id = ids if past else map(int, ids)
    wraps = answered and wrap_up is not None
    return {
        **dict.fromkeys(set(FIELDS) - {"DialCount"}, ""),
        **dict.fromkeys(DURATIONS, "00:00:00"),
        "AgentDialStatus": "answered" if answered else "NotDialed",
        "AgentID": "agent1001" if agent else "",
        "AgentName": "Asha Rao" if agent else "",
        "CallAudio": f"https://recordings.example.com/{ids[0]}.mp3" if answered else none or "",
        "CallDate": day.isoformat(),
        "CallID": call_id,
        "CallerID": "9900000001" if kind == "Manual" else "00919900000001",
        "CustomerDialStatus": "answered" if answered else "NoResponse",
        "DialedNumber": "500994" if agent else "",
        "Duration": hms(end - start),
        "E164": "+919900000001",
        "EndTime": hms(end % 86_400),
        "Event": name if past else CURRENT_WORDS.get(name, name),
        "CallFlow": name if past else CURRENT_WORDS.get(name, name),
        "HandlingTime": hms((talk or 0) + (wrap_up or 0)) if past or wraps else None,
        "HangupBy": "UserHangup" if agent else "",
        "PickupTime": picked_up,
        "QueueTime": hms(end - start) if name == "Queue" else "00:00:00",
        "Rating": "" if past else 0,
        "Skill": "" if kind == "Manual" else "General",
        "StartTime": hms(start),
        "Status": "Answered" if answered else "Unanswered",
        "TalkTime": hms(talk or 0),
        "TimeToAnswer": hms(ring) if picked_up else "00:00:00",
        "Type": kind if past else CURRENT_WORDS.get(kind, kind),
        "UCID": ucid,
        "WrapUpStartTime": hms(end % 86_400) if wraps else none,
        "WrapUpEndTime": hms((end + (wrap_up or 0)) % 86_400) if wraps else none,
        "WrapupDuration": hms(wrap_up or 0) if wraps else "00:00:00" if past else None,
    }


@st.composite
def _events(draw: Callable[[Any], Any], *, past: bool) -> dict[str, Any]:
    kind, name, answerable = draw(st.sampled_from(EVENTS))
    answered = answerable and draw(st.booleans())
    return event(
        kind,
        name,
        draw(st.integers(0, 86_399)),
        draw(st.integers(0, 120)),
        draw(st.integers(0, 4000)) if answered else None,
        draw(st.none() | st.integers(0, 200)),
        past=past,
        number=draw(st.integers(0, 999_999)),
    )


past_records = _events(past=True)
current_records = _events(past=False)

# Anything that JSON can hold, and some that it cannot.

texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=6),
    st.sampled_from(["", " ", "0", "-0", "007", "+5", "12", "5.0", "2024-12-06", "2024-02-30"]),
    st.sampled_from(["00:00:00", "23:59:59", "12:20:00", "99:00:00", "24:00:00", "\0", "\ud800"]),
    st.integers().map(str),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False).map(repr).map(Decimal),
    st.sampled_from([Decimal("1e400"), Decimal("1e-20000"), Decimal("NaN"), 10**60]),
    st.sampled_from([Decimal("Infinity"), Decimal("-Infinity"), Decimal("1.10")]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
any_records = st.dictionaries(
    st.one_of(st.sampled_from([*FIELDS, "UserName", *ADDED]), texts), values, max_size=12
)
zones = st.sampled_from(
    ["Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Etc/GMT+12", "Australia/Lord_Howe"]
).map(ZoneInfo)

EDGES = ["00:00:00", "00:00:30", "00:01:00", "11:59:59", "12:00:00", "23:59:59"]
LENGTHS = [*EDGES, "00:00:01", "12:00:01", "24:00:00", "49:00:00"]
records_at_edges = st.fixed_dictionaries(
    {"StartTime": st.sampled_from(EDGES)},
    optional={
        name: st.sampled_from(["", None, "12:5:00", "25:00:00", *LENGTHS])
        for name in FIELDS
        if ("Time" in name or "Duration" in name) and name != "StartTime"
    }
    | {"CallDate": st.sampled_from(["2026-11-01", "2026-03-08", "", "9999-12-31"])}
    | {"Status": st.sampled_from(["Answered", "Unanswered", ""])},
)
any_chunks = st.lists(
    st.lists(st.one_of(any_records, past_records, current_records, records_at_edges), max_size=4),
    max_size=5,
)
