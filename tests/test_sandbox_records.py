"""The facts of real responses, on made-up days: forms exactly, shares within a tolerance."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from statistics import mean, median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from ozonetel_sandbox.calls import BUSY, LISTED_AFTER
from ozonetel_sandbox.days import Centre, Day, Days
from ozonetel_sandbox.ids import DAY
from ozonetel_sandbox.spelling import (
    CURRENT,
    DOCUMENTED_FIELDS,
    FURTHER_FIELDS,
    LATER_FIELDS,
    PAST,
    Spelling,
    hms,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ozonetel_sandbox import MadeCall

    Record = dict[str, Any]

KOLKATA = ZoneInfo("Asia/Kolkata")
FRIDAY = date(2026, 11, 20)
ALWAYS = 10 * DAY
TIME = re.compile(r"\d\d:\d\d:\d\d")


def centre(count: int = 400, **options: Any) -> Centre:  # noqa: ANN401 - whatever Centre takes
    """Return a contact centre with exactly so many records a day."""
    return Centre("acme", KOLKATA, **{"records_per_day": lambda _: count, **options})


def records_of(made: Centre, spelling: Spelling = PAST, **options: Any) -> list[Record]:  # noqa: ANN401
    """Return the records of a day as a client reads them."""
    records: list[Record] = json.loads(made.day(FRIDAY, spelling, **options).body)["details"]
    return records


@pytest.fixture(scope="module")
def past() -> list[Record]:
    """Return a large day as a past day."""
    return records_of(centre(20_000))


@pytest.fixture(scope="module")
def current() -> list[Record]:
    """Return the same day as a current day."""
    return records_of(centre(20_000), CURRENT)


@pytest.fixture(scope="module")
def calls() -> list[MadeCall]:
    """Return the same day's calls."""
    return centre(20_000).truth(FRIDAY)


@pytest.fixture(scope="module")
def inbound(calls: list[MadeCall]) -> list[MadeCall]:
    """Return its inbound calls."""
    return [call for call in calls if call.direction == "inbound"]


@pytest.fixture(params=["past", "current"])
def both(request: pytest.FixtureRequest) -> list[Record]:
    """Return the large day in one spelling, then in the other."""
    records: list[Record] = request.getfixturevalue(request.param)
    return records


def seconds(text: str) -> int:
    """Return the seconds that ``HH:MM:SS`` stands for."""
    hours, minutes, rest = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + rest


def between(first: str, last: str) -> int:
    """Return the seconds from one time to the next, over midnight where it comes first."""
    return (seconds(last) - seconds(first)) % DAY


def group(record: Record) -> tuple[str, str, str]:
    """Return what kind of record it is: its event, answered or not, its call's type."""
    return record["Event"], record["Status"], record["Type"]


# The two spellings


def test_every_record_has_46_fields(both: list[Record]) -> None:
    """The vendor's page has 43; three more came everywhere."""
    assert len(DOCUMENTED_FIELDS) == 43
    assert {frozenset(record) for record in both} == {
        frozenset({*DOCUMENTED_FIELDS, "CallFlow", "QueueTime", "VideoRecordingURL"})
    }
    assert set(FURTHER_FIELDS) == {"CallFlow", "QueueTime", "VideoRecordingURL"}


def test_a_record_is_about_as_long_as_a_real_one(both: list[Record]) -> None:
    """1.2 kB."""
    assert 1.1 < len(json.dumps(both)) / len(both) / 1000 < 1.3


@pytest.mark.parametrize(
    ("spelling", "field", "values"),
    [
        ("current", "Type", {"InBound", "Manual"}),
        ("past", "Type", {"Inbound", "Manual", "Progressive"}),
        ("current", "Event", {"AgentDial", "Queue", "Disconnect"}),
        (
            "past",
            "Event",
            {
                *("Agent Dials", "Queue", "Disconnect"),
                *("Skill Transfers", "Customer Dials", "Dial Out"),
            },
        ),
        ("current", "Rating", {0}),
        ("past", "Rating", {""}),
        ("current", "Status", {"Answered", "Unanswered"}),
        ("past", "Status", {"Answered", "Unanswered"}),
        ("past", "HangupBy", {"UserHangup", "AgentHangup", "SystemHangup", ""}),
        ("past", "TransferType", {"", "Agent"}),
        ("past", "HoldDuration", {"00:00:00"}),
        ("past", "ConferenceDuration", {"00:00:00"}),
    ],
)
def test_each_word_and_no_other_stands_in_records(
    request: pytest.FixtureRequest, spelling: str, field: str, values: set[object]
) -> None:
    """No other stands in a record, and each of these does."""
    assert {record[field] for record in request.getfixturevalue(spelling)} == values


@pytest.mark.parametrize(
    ("spelling", "field", "none", "some"),
    [
        ("current", "PickupTime", {None}, TIME),
        ("past", "PickupTime", {""}, TIME),
        ("current", "WrapUpStartTime", {None}, TIME),
        ("past", "WrapUpStartTime", {""}, TIME),
        ("current", "WrapUpEndTime", {None}, TIME),
        ("past", "WrapUpEndTime", {""}, TIME),
        ("current", "WrapupDuration", {None}, TIME),
        ("past", "WrapupDuration", {"00:00:00"}, TIME),
        ("current", "CallAudio", {"", None}, re.compile("https://.*")),
        ("past", "CallAudio", {""}, re.compile("https://.*")),
    ],
)
def test_what_there_is_none_of(
    request: pytest.FixtureRequest,
    spelling: str,
    field: str,
    none: set[object],
    some: re.Pattern[str],
) -> None:
    """Each spelling has its own blanks; both have values besides."""
    values = {record[field] for record in request.getfixturevalue(spelling)}
    assert none <= values
    assert values - none
    assert all(some.fullmatch(str(value)) for value in values - none)


def test_ids_are_numbers_today_and_text_later(past: list[Record], current: list[Record]) -> None:
    """They are the same ids, of 15 to 17 digits."""
    assert {type(record[name]) for record in current for name in ("CallID", "UCID")} == {int}
    assert {type(record[name]) for record in past for name in ("CallID", "UCID")} == {str}
    assert {len(record[name]) for record in past for name in ("CallID", "UCID")} == {15, 16, 17}
    keys = {(record["CallID"], record["UCID"]) for record in past}
    assert len(keys) == len(past)
    assert {(str(record["CallID"]), str(record["UCID"])) for record in current} < keys


def test_it_is_the_same_record_in_both_spellings(past: list[Record], current: list[Record]) -> None:
    """All else is equal, and the kinds that no current day listed come with the past."""
    later = {record["UCID"]: record for record in past}
    spelled = {
        *("CallID", "UCID", "Type", "Event", "CallFlow", "Rating", "PickupTime", "CallAudio"),
        *("WrapUpStartTime", "WrapUpEndTime", "WrapupDuration"),
    }
    for record in current:
        other = later.pop(str(record["UCID"]))
        assert {name for name in record if record[name] != other[name]} <= spelled
    assert {record["Type"] for record in later.values()} == {"Inbound", "Progressive"}
    assert {record["Event"] for record in later.values() if record["Type"] == "Inbound"} == {
        "Skill Transfers",
        "Dial Out",
    }


def test_a_current_day_can_list_every_kind() -> None:
    """How it would spell those that were never seen is not known."""
    every = records_of(centre(BUSY, current_kinds="all"), CURRENT)
    assert len(every) == BUSY
    assert {record["Type"] for record in every} == {"InBound", "Manual", "Progressive"}


def test_the_call_flow_is_the_event(both: list[Record]) -> None:
    """Always."""
    assert all(record["CallFlow"] == record["Event"] for record in both)


def test_the_newest_comes_first(both: list[Record]) -> None:
    """By the start."""
    starts = [record["StartTime"] for record in both]
    assert starts == sorted(starts, reverse=True)


# What agrees without exception


def test_durations_agree_with_times(both: list[Record]) -> None:
    """Over midnight, too."""
    for record in both:
        wrap_up = seconds(record["WrapupDuration"] or "00:00:00")
        assert between(record["StartTime"], record["EndTime"]) == seconds(record["Duration"])
        assert seconds(record["HandlingTime"]) == seconds(record["TalkTime"]) + wrap_up
        if record["PickupTime"]:
            ringing = between(record["StartTime"], record["PickupTime"])
            assert ringing == seconds(record["TimeToAnswer"])
            talk = between(record["PickupTime"], record["EndTime"])
            assert talk == seconds(record["TalkTime"])
        else:
            assert record["TimeToAnswer"] == record["TalkTime"] == "00:00:00"
        if record["WrapUpStartTime"]:
            assert record["WrapUpStartTime"] == record["EndTime"]
            assert between(record["EndTime"], record["WrapUpEndTime"]) == wrap_up
        else:
            assert wrap_up == 0


# A record is an event of a call


AGENT = {"AgentID", "AgentName", "DialedNumber"}


@pytest.mark.parametrize(
    ("event", "status", "types", "filled", "blank"),
    [
        (
            *("Agent Dials", "Answered", {"Inbound", "Progressive"}),
            AGENT | {"Skill", "PickupTime", "HangupBy", "CallAudio"},
            set(),
        ),
        (
            *("Agent Dials", "Answered", {"Manual"}),
            AGENT | {"PickupTime", "HangupBy", "CallAudio"},
            {"Skill"},
        ),
        (
            *("Agent Dials", "Unanswered", {"Inbound", "Progressive"}),
            AGENT | {"Skill", "HangupBy"},
            {"PickupTime", "CallAudio"},
        ),
        (
            *("Agent Dials", "Unanswered", {"Manual"}),
            AGENT | {"HangupBy"},
            {"Skill", "CallAudio"},
        ),
        ("Queue", "Unanswered", {"Inbound"}, set(), AGENT | {"PickupTime", "CallAudio"}),
        (
            *("Skill Transfers", "Unanswered", {"Inbound"}),
            {"Skill"},
            AGENT | {"PickupTime", "CallAudio"},
        ),
        (
            *("Disconnect", "Unanswered", {"Inbound"}),
            {"Skill", "HangupBy"},
            AGENT | {"PickupTime", "CallAudio"},
        ),
        (
            *("Dial Out", "Answered", {"Inbound"}),
            {"Skill", "PickupTime", "HangupBy", "CallAudio"},
            AGENT,
        ),
        (
            *("Dial Out", "Unanswered", {"Inbound"}),
            {"Skill", "HangupBy"},
            AGENT | {"PickupTime", "CallAudio"},
        ),
        (
            *("Customer Dials", "Unanswered", {"Progressive"}),
            {"HangupBy"},
            AGENT | {"PickupTime", "CallAudio", "Skill"},
        ),
    ],
)
def test_what_stands_in_which_record(
    past: list[Record],
    event: str,
    status: str,
    types: set[str],
    filled: set[str],
    blank: set[str],
) -> None:
    """As the table of measured rows has it."""
    found = [record for record in past if group(record) in {(event, status, t) for t in types}]
    assert {record["Type"] for record in found} == types
    for record in found:
        assert {name for name in filled if not record[name]} == set()
        assert {name for name in blank if record[name]} == set()
        waited = record["Duration"] if event == "Queue" else "00:00:00"
        assert record["QueueTime"] == waited


def test_there_is_no_other_kind_of_record(past: list[Record]) -> None:
    """The table above is whole."""
    assert {group(record) for record in past} == {
        *(("Agent Dials", status, t) for status in ("Answered", "Unanswered") for t in TYPES),
        *(("Dial Out", status, "Inbound") for status in ("Answered", "Unanswered")),
        *((event, "Unanswered", "Inbound") for event in ("Queue", "Skill Transfers")),
        ("Disconnect", "Unanswered", "Inbound"),
        ("Customer Dials", "Unanswered", "Progressive"),
    }


TYPES = ("Inbound", "Manual", "Progressive")


def share(past: list[Record], chosen: Callable[[Record], bool], field: str) -> float:
    """Return how many of the chosen records have something in a field."""
    return mean(bool(record[field]) for record in past if chosen(record))


def test_what_stands_in_most_records_only(past: list[Record]) -> None:
    """The words "mostly" and "rarely" of the table."""

    def is_event(event: str) -> Callable[[Record], bool]:
        return lambda record: record["Event"] == event

    assert 0.9 < share(past, is_event("Queue"), "Skill") < 1
    assert 0 < share(past, is_event("Queue"), "HangupBy") < 0.25
    assert 0 < share(past, is_event("Skill Transfers"), "HangupBy") < 0.15


def test_a_pick_up_of_an_unanswered_manual_call_is_none(past: list[Record]) -> None:
    """It is there in 97 %, equal to the end; such are 46 % of all pick-ups."""
    manual = [record for record in past if group(record) == ("Agent Dials", "Unanswered", "Manual")]
    picked = [record for record in manual if record["PickupTime"]]
    assert len(picked) / len(manual) == pytest.approx(0.97, abs=0.01)
    assert all(record["PickupTime"] == record["EndTime"] for record in picked)
    assert {record["TalkTime"] for record in picked} == {"00:00:00"}
    every = sum(bool(record["PickupTime"]) for record in past)
    assert len(picked) / every == pytest.approx(0.46, abs=0.03)


def test_outbound_calls_have_one_record_and_inbound_ones_several(past: list[Record]) -> None:
    """Manual and Progressive: both ids are the same. Inbound: no record has the call's own."""
    of_call: dict[str, list[Record]] = defaultdict(list)
    for record in past:
        of_call[record["CallID"]].append(record)
    for call_id, records in of_call.items():
        ids = {record["UCID"] for record in records}
        assert len({record["Type"] for record in records}) == 1
        if records[0]["Type"] == "Inbound":
            assert call_id not in ids
            assert len(ids) == len(records) <= 75
        else:
            assert (len(records), ids) == (1, {call_id})
        assert len({record["CampaignName"] for record in records}) == 1
        assert len({record["E164"] for record in records}) == 1
        assert len({record["Skill"] for record in records} - {""}) <= 6


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("queue", 0.21),
        ("ANSWERED", 0.20),
        ("queue skill_transfer", 0.13),
        ("queue disconnect", 0.12),
        ("queue skill_transfer ANSWERED", 0.05),
        ("agent", 0.03),
        ("disconnect queue", 0.02),
        ("queue ANSWERED", 0.02),
        ("agent ANSWERED", 0.02),
    ],
)
def test_inbound_calls_by_their_events(
    inbound: list[MadeCall], events: str, expected: float
) -> None:
    """In order; their shares are those of 4,059 measured calls."""
    found = Counter(
        " ".join(
            "ANSWERED" if event.kind == "agent" and event.is_answered else event.kind
            for event in call.events
        )
        for call in inbound
    )
    assert found[events] / len(inbound) == pytest.approx(expected, abs=0.02)


def test_how_many_records_an_inbound_call_has(inbound: list[MadeCall]) -> None:
    """More than one in 55 %, three on average, many agents in a row in 1 to 2 %."""
    lengths = [len(call.events) for call in inbound]
    assert mean(length > 1 for length in lengths) == pytest.approx(0.55, abs=0.03)
    assert mean(lengths) == pytest.approx(3, abs=0.3)
    assert min(lengths) == 1
    assert 40 < max(lengths) <= 75
    rows = [call for call in inbound if {e.kind for e in call.events} == {"agent"}]
    assert 0.01 <= mean(len(call.events) > 2 for call in rows) * len(rows) / len(inbound) <= 0.03


def test_how_many_calls_are_answered(calls: list[MadeCall], inbound: list[MadeCall]) -> None:
    """39 % of the calls, 13 % of the records of inbound calls, a few of them twice."""
    assert mean(call.is_answered for call in inbound) == pytest.approx(0.39, abs=0.03)
    assert mean(call.is_answered for call in calls) == pytest.approx(0.39, abs=0.03)
    events = [event for call in inbound for event in call.events]
    assert mean(event.is_answered for event in events) == pytest.approx(0.13, abs=0.015)
    twice = [call for call in inbound if sum(event.is_answered for event in call.events) > 1]
    assert 0.001 < len(twice) / len(inbound) < 0.007


def test_a_call_with_two_answers_was_transferred(
    past: list[Record], inbound: list[MadeCall]
) -> None:
    """The first record names the agent who took over."""
    of_ucid = {record["UCID"]: record for record in past}
    for call in inbound:
        first, *others = [of_ucid[event.ucid] for event in call.events]
        if first["TransferType"]:
            assert first["TransferType"] == "Agent"
            assert [record["AgentID"] for record in others] == [first["TransferredTo"]]
            assert [record["Status"] for record in others] == ["Answered"]


def test_how_long_callers_wait(inbound: list[MadeCall]) -> None:
    """17 s on average to the answer, 79 % within 20 s; the last ringing is 7.6 s, 95 %."""
    waits = [call.wait for call in inbound if call.is_answered]
    assert mean(waits) == pytest.approx(17, abs=1.5)
    assert mean(wait <= 20 for wait in waits) == pytest.approx(0.79, abs=0.03)
    ringing = [
        (event.picked_up - event.started).total_seconds()
        for call in inbound
        for event in call.events
        if event.picked_up
    ]
    assert mean(ringing) == pytest.approx(7.6, abs=0.5)
    assert mean(wait <= 20 for wait in ringing) == pytest.approx(0.95, abs=0.02)
    assert median((call.started - call.arrived).total_seconds() for call in inbound) == 6


# Ids hold their time


def unix(record: Record) -> int:
    """Return the Unix time of a record's start."""
    at = datetime.fromisoformat(f"{record['CallDate']} {record['StartTime']}")
    return int(at.replace(tzinfo=KOLKATA).timestamp())


def test_ids_of_outbound_calls_hold_their_start(past: list[Record]) -> None:
    """Ten digits, within two seconds: from the 6th of 17 on, or from the 1st of 16."""
    lengths: Counter[int] = Counter()
    for record in past:
        if record["Type"] != "Inbound":
            begin = {17: 5, 16: 0}[len(record["UCID"])]
            assert abs(int(record["UCID"][begin : begin + 10]) - unix(record)) <= 2
            lengths[len(record["UCID"])] += 1
    assert lengths[17] > lengths[16] > 0


def test_ids_of_inbound_calls_hold_the_last_digits_of_their_start(
    past: list[Record], inbound: list[MadeCall]
) -> None:
    """Eight from the 4th on: the record's start in 99.6 %, the caller's arrival in the call's."""
    records = [record for record in past if record["Type"] == "Inbound"]
    right = mean(int(record["UCID"][3:11]) == unix(record) % 10**8 for record in records)
    assert right == pytest.approx(0.996, abs=0.002)
    assert right < 1
    for call in inbound:
        arrived = int(call.arrived.replace(tzinfo=KOLKATA).timestamp())
        assert int(call.call_id[3:11]) == arrived % 10**8
        assert call.arrived < call.started


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        (date(2026, 3, 29), "Europe/Berlin"),
        (date(2026, 10, 25), "Europe/Berlin"),
        (date(2026, 7, 1), "America/New_York"),
    ],
)
def test_ids_hold_the_time_of_the_accounts_zone(day: date, zone: str) -> None:
    """Also on the days on which clocks change."""
    made = Centre("acme", ZoneInfo(zone), records_per_day=lambda _: 500)
    for call in made.truth(day):
        if call.direction == "manual":
            begin = 5 if len(call.call_id) == 17 else 0
            there = call.started.replace(tzinfo=ZoneInfo(zone)).timestamp()
            assert abs(int(call.call_id[begin : begin + 10]) - there) <= 2


# Numbers and words


def test_numbers_have_their_forms(past: list[Record]) -> None:
    """``E164`` is the same for every kind of call, ``CallerID`` is not."""
    assert all(re.fullmatch(r"\+91\d{10}", record["E164"]) for record in past)
    assert all(re.fullmatch(r"\d{12}", record["DID"]) for record in past)
    assert all(re.fullmatch(r"(\d{6})?", record["DialedNumber"]) for record in past)
    forms = {"Inbound": r"0\d{13}", "Progressive": r"0\d{10}", "Manual": r"\+?\d{8,13}"}
    for record in past:
        assert re.fullmatch(forms[record["Type"]], record["CallerID"])
    manual = Counter(len(record["CallerID"]) for record in past if record["Type"] == "Manual")
    assert manual[10] / manual.total() > 0.85
    assert {8, 13} <= set(manual)


def test_numbers_belong_to_nobody(past: list[Record]) -> None:
    """No Indian number begins with 0."""
    assert {record["E164"][:7] for record in past} == {"+910555"}
    assert {record["DID"][:6] for record in past} == {"910556"}


def test_an_agents_line_is_the_agents(past: list[Record]) -> None:
    """Never the customer's; an agent has one."""
    lines: dict[str, set[str]] = defaultdict(set)
    for record in past:
        if record["AgentID"]:
            lines[record["AgentID"]].add(record["DialedNumber"])
    assert {len(of_agent) for of_agent in lines.values()} == {1}
    assert len(set.union(*lines.values())) == len(lines)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (
            "DialStatus",
            {
                *("answered", "NormalUnspecified", "InvalidNumber", "agent_disconnect"),
                *("InvalidAgent", "error", "not_answered", "user_disconnected", "NoResponse"),
                *("InvalidNumberFormat", "Expired", "NoAnswer", "NetworkOutOfOrder"),
                *("InterWorkingUnspecified", "MaxDialTimeExceeded", "ProtocolError"),
                *("QTimeExceeded{45}", "QSizeExceeded{1}", "Rejected", ""),
                *("TemporaryFailureAtServiceProvider", "DestinationOutOfOrder"),
            },
        ),
        (
            "AgentDialStatus",
            {
                *("answered", "", "InvalidNumber", "user_disconnected", "NotDialed"),
                *("NoAnswer", "NormalUnspecified", "MaxDialTimeExceeded"),
            },
        ),
        (
            "CustomerDialStatus",
            {
                *("answered", "", "NormalUnspecified", "not_answered", "user_disconnected"),
                *("NoResponse", "InvalidNumberFormat", "Expired"),
            },
        ),
    ],
)
def test_words_of_telephony_are_the_measured_ones(
    past: list[Record], field: str, words: set[str]
) -> None:
    """Those that were measured; ``Queued`` and ``NotDialed`` come with calls under way."""
    assert {record[field] for record in past} == words


def test_customers_call_again(calls: list[MadeCall]) -> None:
    """Some of them on the same day."""
    again = Counter(call.customer for call in calls)
    assert sum(count > 1 for count in again.values()) > 50


def test_calls_crowd_into_working_hours(calls: list[MadeCall]) -> None:
    """More calls in the hour before noon than in the whole night."""
    hours = Counter(call.started.hour for call in calls)
    assert hours[11] > sum(hours[hour] for hour in range(6))


# Remarks, and what other accounts may have


def test_remarks_hold_what_people_type() -> None:
    """By default: quotes, braces, line ends, other scripts, raw and escaped."""
    body = centre(BUSY * 4).day(FRIDAY).body
    comments = {record["Comments"] for record in json.loads(body)["details"]}
    assert {'{"ticket": 4711, "tags": ["a", "b"]}', '"}, {"AgentDialStatus": "answered'} < comments
    assert "Line 1\nLine 2\r\n\tLine 3" in comments
    assert len(comments) == 17
    assert "ग्राहक".encode() in body or "குரல்".encode() in body
    assert rb"\u" in body


def test_remarks_can_be_plain() -> None:
    """As measured: no character beyond ASCII, in any spelling."""
    for spelling in (CURRENT, PAST):
        body = centre(BUSY * 4, remarks="plain", extras=True).day(FRIDAY, spelling).body
        assert body.isascii()
        assert rb"\u" not in body


def test_extras_have_what_other_accounts_may_have() -> None:
    """Ratings, holds, conferences, nulls; durations still agree."""
    past, current = (records_of(centre(extras=True), spelling) for spelling in (PAST, CURRENT))
    assert {record["Rating"] for record in past} == {"", *"12345"}
    assert {record["Rating"] for record in current} == {*range(6)}
    for field in ("HoldDuration", "ConferenceDuration"):
        assert any(record[field] != "00:00:00" for record in past)
    assert {"", None} < {record["RatingComments"] for record in past}
    assert any(record["Location"] is None for record in past)
    for record in past:
        parts = seconds(record["HoldDuration"]) + seconds(record["ConferenceDuration"])
        assert parts <= seconds(record["TalkTime"])


def test_the_later_field_is_an_option() -> None:
    """``DialCount`` is an integer; other accounts had it."""
    records = records_of(centre(dial_count=True))
    assert LATER_FIELDS == ("DialCount",)
    assert {record["DialCount"] for record in records} == {0, 1}


# Days


def test_the_same_seed_account_and_day_give_the_same_bytes() -> None:
    """Another process, or the same one later, sees the same calls."""
    for spelling in (CURRENT, PAST):
        assert centre().day(FRIDAY, spelling).body == centre().day(FRIDAY, spelling).body


@pytest.mark.parametrize(
    ("other", "day"),
    [
        (centre(seed=2), FRIDAY),
        (Centre("other", KOLKATA, records_per_day=lambda _: 400), FRIDAY),
        (centre(), FRIDAY + timedelta(days=1)),
    ],
)
def test_another_seed_account_or_day_has_other_calls(other: Centre, day: date) -> None:
    """No two of them share an id."""
    ids = {event.ucid for call in centre().truth(FRIDAY) for event in call.events}
    assert not ids & {event.ucid for call in other.truth(day) for event in call.events}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, BUSY - 1, BUSY, BUSY + 1, 1000])
def test_a_function_decides_the_exact_number_of_records(count: int) -> None:
    """Tests ask for exactly so many, whatever calls they come from."""
    made = centre(count)
    assert len(records_of(made)) == count
    assert sum(len(call.events) for call in made.truth(FRIDAY)) == count


def test_a_number_of_records_varies_by_day_and_falls_at_weekends() -> None:
    """A Sunday has about a tenth of a working day; the same day always has the same number."""
    made = Centre("acme", KOLKATA, 1, 1000)
    counts = [made.count(date(2026, 11, 16) + timedelta(days=number)) for number in range(7)]
    assert all(890 <= count <= 1220 for count in counts[:5])
    assert 440 <= counts[5] <= 560
    assert 80 <= counts[6] <= 120
    assert len(set(counts)) > 4
    assert made.count(FRIDAY) == made.count(FRIDAY)


@pytest.mark.parametrize("seed", range(3))
def test_a_busy_day_has_every_kind(seed: int) -> None:
    """A hundred records are enough: each event, a transfer, an hour's talk, one past midnight."""
    records = records_of(centre(BUSY, seed=seed))
    found = {group(record) for record in records}
    assert {event for event, _, _ in found} == {
        *("Agent Dials", "Queue", "Disconnect"),
        *("Skill Transfers", "Customer Dials", "Dial Out"),
    }
    assert {("Agent Dials", "Unanswered", t) for t in TYPES} < found
    assert any(record["TransferType"] for record in records)
    assert any(record["EndTime"] < record["StartTime"] for record in records)
    assert any(record["Duration"] > "01:00:00" for record in records)


def test_the_truth_is_what_the_records_say() -> None:
    """Call by call, event by event."""
    made = centre()
    of_ucid = {record["UCID"]: record for record in records_of(made)}
    for call in made.truth(FRIDAY):
        assert call.started <= min(event.started for event in call.events)
        for event in call.events:
            record = of_ucid.pop(event.ucid)
            assert record["CallID"] == call.call_id
            assert record["CampaignName"] == call.campaign
            assert record["Type"].lower() == call.direction
            assert record["Event"].lower().replace(" ", "_").rstrip("s") in {
                event.kind,
                f"{event.kind}_dial",
            }
            assert record["E164"] == call.customer
            assert (record["UUI"] or None) == call.reference
            assert record["StartTime"] == f"{event.started:%H:%M:%S}"
            assert record["EndTime"] == f"{event.ended:%H:%M:%S}"
            assert (record["Status"] == "Answered") == event.is_answered
            if event.picked_up:
                assert record["PickupTime"] == f"{event.picked_up:%H:%M:%S}"
            assert seconds(record["TalkTime"]) == event.talk
            assert seconds(record["WrapupDuration"]) == (event.wrap_up or 0)
            assert seconds(record["QueueTime"]) == event.queue
            assert (record["AgentID"] or None) == event.agent_id
            assert (record["Skill"] or None) == event.skill
            assert (record["Disposition"] or None) == event.disposition
            assert (record["Comments"] or None) == event.comment
            assert (record["HangupBy"] or None) == event.hangup_by
            assert (record["TransferredTo"] or None) == event.transferred_to
    assert of_ucid == {}


def test_the_truth_of_a_call() -> None:
    """What follows from its events."""
    calls = centre(2000).truth(FRIDAY)
    assert [call.started for call in calls] == sorted(call.started for call in calls)
    for call in calls:
        answered = [event for event in call.events if event.is_answered]
        assert call.is_answered == bool(answered)
        assert call.answered_at == (answered[0].picked_up if answered else None)
        assert call.talk == sum(event.talk for event in answered)
        assert call.ended == max(event.ended for event in call.events)
        waited_until = call.answered_at or call.ended
        assert call.wait == (waited_until - call.started).total_seconds()


# Parts of a day, and days that are kept


def test_spans_meet_without_overlap_or_gap() -> None:
    """The records of a day's parts are those of the day, each once."""
    day = centre().day(FRIDAY)
    whole = day.select(0, DAY - 1, ALWAYS)
    edges = [0, 1, 9 * 3600, day.starts[300], day.starts[300] + 1, DAY]
    parts = [
        index
        for first, end in itertools.pairwise(sorted(edges))
        for index in day.select(first, end - 1, ALWAYS)
    ]
    assert sorted(parts) == whole == list(range(400))
    selected = json.loads(day.response(parts[:7], ALWAYS))["details"]
    assert selected == [json.loads(day.record(index)) for index in parts[:7]]


def test_days_are_kept_up_to_a_size() -> None:
    """The day asked for is always kept; older ones go when there is no room."""
    made = Days([centre(10)], most_bytes=1)

    def day(ago: int) -> Day:
        return made.day("acme", FRIDAY - timedelta(days=ago), PAST, None)

    first = day(0)
    assert day(0) is first
    day(1)
    assert day(0) is not first
    assert day(0).body == first.body


# A day under way


@pytest.fixture(scope="module")
def today() -> Day:
    """Return a day as a current day."""
    return centre(4000).day(FRIDAY, CURRENT)


def at(day: Day, now: int) -> dict[int, Record]:
    """Return the day's records as they are listed at a second of it."""
    listed = json.loads(day.response(day.select(0, DAY, now), now))["details"]
    return {record["UCID"]: record for record in listed}


@pytest.fixture(scope="module")
def noon(today: Day) -> dict[int, Record]:
    """Return the day's records at noon."""
    return at(today, 12 * 3600)


@pytest.fixture(scope="module")
def complete(today: Day) -> dict[int, Record]:
    """Return the day's records in the end."""
    return at(today, ALWAYS)


def is_under_way(record: Record) -> bool:
    """Return whether it looks like a call under way."""
    return bool(record["TalkTime"] == "00:00:01" or record["AgentDialStatus"] == "Queued")


def through_the_day(day: Day, chosen: Callable[[Record], bool]) -> dict[int, Record]:
    """Return the chosen records of readings every ten minutes."""
    return {
        ucid: record
        for now in range(9 * 3600, 18 * 3600, 600)
        for ucid, record in at(day, now).items()
        if chosen(record)
    }


def test_a_running_call_is_listed_as_answered_for_a_second(
    noon: dict[int, Record], complete: dict[int, Record]
) -> None:
    """To have ended when it was picked up; later it is minutes long."""
    running = [record for record in noon.values() if record["TalkTime"] == "00:00:01"]
    assert len(running) > 2
    for record in running:
        assert record["Status"] == "Answered"
        assert record["EndTime"] == record["PickupTime"] <= "12:00:00"
        assert record["Duration"] == record["TimeToAnswer"]
        assert record["HandlingTime"] == "00:00:01"
        assert record["HangupBy"] == record["Disposition"] == record["Comments"] == ""
        assert record["WrapupDuration"] is record["WrapUpStartTime"] is None
        later = complete[record["UCID"]]
        assert later["CallAudio"] == record["CallAudio"] != ""
        assert later["EndTime"] > "11:59:56"
        assert later["TalkTime"] > "00:00:01"
        assert later["HangupBy"]


def test_some_calls_in_the_queue_are_listed(today: Day, complete: dict[int, Record]) -> None:
    """With neither agent nor duration; later they are what became of them."""
    waiting = through_the_day(today, lambda record: record["AgentDialStatus"] == "Queued")
    assert waiting
    for ucid, record in waiting.items():
        assert (record["Event"], record["CustomerDialStatus"]) == ("Queue", "NotDialed")
        assert record["EndTime"] == record["StartTime"]
        assert record["Duration"] == record["QueueTime"] == "00:00:00"
        assert complete[ucid]["Duration"] > "00:00:00"


def test_a_record_is_there_three_seconds_after_its_end(
    noon: dict[int, Record], complete: dict[int, Record]
) -> None:
    """No sooner, but for calls under way; and none comes later."""
    assert LISTED_AFTER == 3
    for ucid, record in complete.items():
        ended = record["EndTime"] <= "11:59:57" and record["EndTime"] >= record["StartTime"]
        if ended:
            assert ucid in noon
        elif ucid in noon:
            assert is_under_way(noon[ucid])


def test_handling_time_is_null_while_the_agent_wraps_up(
    today: Day, complete: dict[int, Record]
) -> None:
    """Then it is text; the disposition comes with it."""
    wrapping = through_the_day(today, lambda record: record["HandlingTime"] is None)
    assert wrapping
    for ucid, record in wrapping.items():
        assert record["WrapUpStartTime"] == record["EndTime"]
        assert record["WrapUpEndTime"] is record["WrapupDuration"] is None
        assert record["Disposition"] == record["Comments"] == ""
        assert complete[ucid]["WrapupDuration"] > "00:00:00"
    assert all(record["HandlingTime"] for record in complete.values())


def test_what_changes_within_the_day(noon: dict[int, Record], complete: dict[int, Record]) -> None:
    """In a finished record: disposition, comments, wrap-up and handling time, nothing else."""
    late = {"Disposition", "Comments", "HandlingTime", "WrapUpEndTime", "WrapupDuration"}
    changed = set()
    for ucid, record in noon.items():
        if not is_under_way(record):
            later = complete[ucid]
            changed |= {name for name in record if record[name] != later[name]}
    assert {"Disposition"} < changed <= late


def test_nothing_changes_after_the_day() -> None:
    """But for calls that still go on then: what agents note, they note before midnight."""
    day = centre(4000).day(FRIDAY)
    before, after = (json.loads(day.response(range(4000), now))["details"] for now in (DAY, ALWAYS))
    for old, new in zip(before, after, strict=True):
        if old != new:
            assert new["EndTime"] < new["StartTime"] or new["WrapUpEndTime"] < new["StartTime"]
    assert sum(old != new for old, new in zip(before, after, strict=True)) in range(1, 9)


def test_agents_get_other_names_in_old_records_too() -> None:
    """A seventh of the agents a day, as 394 of 2,910 rows did; their ids stay."""
    made = centre(4000)
    today, tomorrow, same = (
        records_of(made, named_on=FRIDAY + timedelta(days=days)) for days in (1, 2, 2)
    )
    changed = 0
    for old, new in zip(today, tomorrow, strict=True):
        assert {name for name in old if old[name] != new[name]} <= {"AgentName"}
        changed += old != new
    assert changed / sum(bool(record["AgentID"]) for record in today) == pytest.approx(
        0.14, abs=0.03
    )
    assert tomorrow == same
    names = {(record["AgentID"], record["AgentName"]) for record in today}
    assert len(names) == len({record["AgentID"] for record in today})


def test_late_changes_reach_only_what_may_change_after_a_call() -> None:
    """Every other record changes, the day's first one first, and changes stay."""
    made = centre(50)
    before, once, twice = (records_of(made, revision=revision)[::-1] for revision in range(3))
    late = {"Disposition", "Comments", "CallAudio"}
    late |= {"WrapUpEndTime", "WrapupDuration", "HandlingTime"}
    for index, (old, new, newest) in enumerate(zip(before, once, twice, strict=True)):
        changed = {field for field in old if old[field] != new[field]}
        assert changed <= late
        assert bool(changed) == (index % 2 == 0)
        assert (newest == new) == (index % 2 == 0)
        wrap_up = seconds(new["WrapupDuration"])
        assert seconds(new["HandlingTime"]) == seconds(new["TalkTime"]) + wrap_up


def test_times_are_written_as_such() -> None:
    """A second of the day, or a duration."""
    assert [hms(0), hms(86_399), hms(86_400)] == ["00:00:00", "23:59:59", "00:00:00"]
