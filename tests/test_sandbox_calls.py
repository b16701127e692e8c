from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ozonetel_sandbox.calls import (
    DAY,
    DOCUMENTED_FIELDS,
    FURTHER_FIELDS,
    LISTED_AFTER,
    Calls,
    Centre,
    hms,
)

KOLKATA = ZoneInfo("Asia/Kolkata")
FRIDAY = date(2026, 11, 20)
ALWAYS = 10 * DAY


def centre(account: str = "acme", seed: int = 1, *, calls: int = 600, text: bool = False) -> Centre:
    """Return a contact centre with exactly so many calls a day."""
    return Centre(account, KOLKATA, seed, lambda _: calls, text)


def records_of(made: Centre, day: date = FRIDAY, revision: int = 0) -> list[dict[str, Any]]:
    """Return the records of a day as a client reads them."""
    records: list[dict[str, Any]] = json.loads(made.day(day, revision).body)["details"]
    return records


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """Return a day of 600 records."""
    return records_of(centre())


def seconds(text: str) -> int:
    """Return the seconds that ``HH:MM:SS`` stands for."""
    hours, minutes, rest = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_the_same_seed_account_and_day_give_the_same_bytes() -> None:
    """Another process, or the same one later, sees the same calls."""
    assert centre().day(FRIDAY).body == centre().day(FRIDAY).body


@pytest.mark.parametrize(
    ("other", "day"),
    [
        (centre(seed=2), FRIDAY),
        (centre("other"), FRIDAY),
        (centre(), FRIDAY + timedelta(days=1)),
    ],
)
def test_another_seed_account_or_day_has_other_calls(other: Centre, day: date) -> None:
    """No two of them share a leg."""
    ids = {record["UCID"] for record in records_of(centre())}
    assert not ids & {record["UCID"] for record in records_of(other, day)}


def test_every_record_has_the_documented_fields_and_the_further_ones(
    records: list[dict[str, Any]],
) -> None:
    """The vendor's page has 43 fields; accounts get four more."""
    assert len(DOCUMENTED_FIELDS) == 43
    assert {tuple(record) for record in records} == {DOCUMENTED_FIELDS + FURTHER_FIELDS}


@pytest.mark.parametrize("count", [0, 1, 2, 47, 48, 1000])
def test_a_function_decides_the_exact_number_of_records(count: int) -> None:
    """Tests ask for exactly so many calls."""
    assert len(records_of(centre(calls=count))) == count


def test_a_number_of_calls_varies_by_day_and_falls_at_weekends() -> None:
    """A Sunday has about a tenth of a working day; the same day always has the same number."""
    made = Centre("acme", KOLKATA, 1, 1000)
    counts = [made.count(date(2026, 11, 16) + timedelta(days=number)) for number in range(7)]
    assert all(890 <= count <= 1220 for count in counts[:5])
    assert 440 <= counts[5] <= 560
    assert 80 <= counts[6] <= 120
    assert len(set(counts)) > 4
    assert made.count(FRIDAY) == made.count(FRIDAY)


def test_ids_are_seventeen_digits_and_no_key_stands_twice(records: list[dict[str, Any]]) -> None:
    """They are JSON numbers that a double cannot hold."""
    keys = {(record["CallID"], record["UCID"]) for record in records}
    assert len(keys) == len(records)
    assert {type(part) for key in keys for part in key} == {int}
    assert {len(str(part)) for key in keys for part in key} == {17}


def test_ids_can_be_text(records: list[dict[str, Any]]) -> None:
    """The same ids, as some accounts send them."""
    ids = [(record["CallID"], record["UCID"]) for record in records_of(centre(text=True))]
    assert ids == [(str(record["CallID"]), str(record["UCID"])) for record in records]


def test_times_agree_with_each_other(records: list[dict[str, Any]]) -> None:
    """Start, pickup, end and wrap-up follow from the durations, past midnight too."""
    for record in records:
        start, length = seconds(record["StartTime"]), seconds(record["Duration"])
        assert record["EndTime"] == hms(start + length)
        if record["Status"] == "NotAnswered":
            assert record["TalkTime"] == record["HandlingTime"] == "00:00:00"
            assert record["PickupTime"] in {"", "00:00:00"}
            continue
        wait, talk = seconds(record["TimeToAnswer"]), seconds(record["TalkTime"])
        wrap = seconds(record["WrapupDuration"])
        assert wait + talk == length
        assert record["PickupTime"] == hms(start + wait)
        assert record["WrapUpStartTime"] == record["EndTime"]
        assert record["WrapUpEndTime"] == hms(start + length + wrap)
        assert seconds(record["HandlingTime"]) == talk + wrap
        assert seconds(record["HoldDuration"]) + seconds(record["ConferenceDuration"]) <= talk
        assert seconds(record["QueueTime"]) <= wait


def test_a_day_shows_what_contact_centres_have(records: list[dict[str, Any]]) -> None:
    """Each kind of call that a client must cope with is there, every day."""
    legs = Counter(record["CallID"] for record in records)
    assert set(legs.values()) == {1, 2, 3}
    assert any(record["EndTime"] < record["StartTime"] for record in records)
    assert any(record["Duration"] > "01:00:00" for record in records)
    assert {record["Type"] for record in records} == {
        "InBound",
        "Progressive",
        "Predictive",
        "Manual",
    }
    assert {record["Status"] for record in records} == {"Answered", "NotAnswered"}
    for field in ("HoldDuration", "ConferenceDuration", "WrapupDuration", "CustomerRingTime"):
        assert any(record[field] != "00:00:00" for record in records), field
    for field in ("CallAudio", "Comments", "RatingComments", "TransferredTo", "CallFlow"):
        assert len({record[field] for record in records}) > 2, field
    assert {record["Rating"] for record in records} == set(range(6))
    assert any(record["Location"] is None for record in records)


def test_the_legs_of_a_transfer_follow_each_other(records: list[dict[str, Any]]) -> None:
    """The next leg starts when the one before ends, with the agent that it named."""
    for leg, following in itertools.pairwise(records):
        if leg["TransferType"]:
            assert following["CallID"] == leg["CallID"]
            assert following["StartTime"] == leg["EndTime"]
            assert following["AgentID"] == leg["TransferredTo"]
            assert following["CallerID"] == leg["CallerID"]


def test_calls_crowd_into_working_hours(records: list[dict[str, Any]]) -> None:
    """More calls in the hour before noon than in the whole night."""
    hours = Counter(int(record["StartTime"][:2]) for record in records)
    assert hours[11] > sum(hours[hour] for hour in range(6))


def test_phone_numbers_are_reserved_for_fiction(records: list[dict[str, Any]]) -> None:
    """Nobody's telephone rings."""
    fiction = re.compile(r"\+1[2-9]\d\d55501\d\d|\+447700900\d{3}")
    assert all(fiction.fullmatch(record["E164"]) for record in records)
    assert all(re.fullmatch(r"442079460\d{3}", record["DID"]) for record in records)


def test_text_comes_raw_and_escaped() -> None:
    """Both ways of writing what is not ASCII stand in one answer."""
    body = centre().day(FRIDAY).body
    assert "ग्राहक".encode() in body
    assert json.dumps("ग्राहक")[1:-1].encode() in body


def test_windows_meet_without_overlap_or_gap() -> None:
    """The calls of a day's parts are the calls of the day, each once."""
    day = centre().day(FRIDAY)
    whole = day.select(0, DAY - 1, ALWAYS)
    edges = [0, 1, 9 * 3600, day.starts[300], day.starts[300] + 1, DAY]
    parts = [
        index
        for first, end in itertools.pairwise(edges)
        for index in day.select(first, end - 1, ALWAYS)
    ]
    assert sorted(parts) == whole == list(range(600))
    selected = json.loads(day.answer(parts[:7]))["details"]
    assert selected == [json.loads(day.record(index)) for index in parts[:7]]


def test_a_call_is_listed_some_minutes_after_its_wrap_up() -> None:
    """A call that is under way or has just ended is not there."""
    day = centre().day(FRIDAY)
    record = json.loads(day.record(0))
    wrapped = seconds(record["StartTime"]) + seconds(record["Duration"])
    wrapped += seconds(record["WrapupDuration"])
    assert 0 not in day.select(0, DAY, wrapped + LISTED_AFTER - 1)
    assert 0 in day.select(0, DAY, wrapped + LISTED_AFTER)


def test_late_changes_reach_only_what_may_change_after_a_call() -> None:
    """Every other call changes, the first one first, and changes stay."""
    made = centre(calls=50)
    before, once, twice = (records_of(made, FRIDAY, revision) for revision in range(3))
    late = {"Disposition", "Comments", "Rating", "CallAudio"}
    for index, (old, new, newest) in enumerate(zip(before, once, twice, strict=True)):
        changed = {field for field in old if old[field] != new[field]}
        assert changed <= late
        assert bool(changed) == (index % 2 == 0)
        assert (newest == new) == (index % 2 == 0)


def test_days_are_kept_up_to_a_size() -> None:
    """The day asked for is always kept; older ones go when there is no room."""
    made = Calls([centre(calls=10)], most_bytes=1)
    first = made.day("acme", FRIDAY)
    assert made.day("acme", FRIDAY) is first
    made.day("acme", FRIDAY - timedelta(days=1))
    assert made.day("acme", FRIDAY) is not first
    assert made.day("acme", FRIDAY) == first
