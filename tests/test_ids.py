"""Ids hold their time, so that a wrong time zone is seen; ids of other forms say nothing."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from samples import chunk_of, event

from tap_ozonetel_cdr.records.ids import OtherOffset, ZoneCheck
from tap_ozonetel_cdr.records.rows import RowMaker

DAY = date(2026, 11, 19)
MANUAL = ("Manual", "Agent Dials")
INBOUND = ("Inbound", "Queue")
EXAMPLE = {"CallDate": "2024-12-06", "StartTime": "12:20:00", "UCID": 31733467784618213}


def records(  # what tells days apart
    kind: tuple[str, str] = MANUAL,
    zone: str = "Asia/Kolkata",
    *,
    past: bool = True,
    count: int = 40,
    day: date = DAY,
    first: int = 36_000,
) -> list[dict[str, Any]]:
    """Return records of an account in ``zone``, as it lists them."""
    return [
        event(
            *(*kind, first + n * 61, 5, None, None),
            past=past,
            day=day,
            zone=ZoneInfo(zone),
            number=n,
        )
        for n in range(count)
    ]


def checked(zone: str, *chunks: list[dict[str, Any]], columns: set[str] | None = None) -> ZoneCheck:
    """Return what was found with this time zone as the setting."""
    maker = RowMaker(ZoneInfo(zone), columns=columns)
    for chunk in chunks:
        maker.rows(chunk_of(*chunk), DAY)
    return maker.zone_check


@pytest.mark.parametrize("past", [True, False], ids=["past", "current"])
@pytest.mark.parametrize("kind", [MANUAL, INBOUND], ids=["manual", "inbound"])
def test_nothing_is_found_where_ids_and_setting_agree(kind: tuple[str, str], past: bool) -> None:
    """Where ids and setting agree nothing is found."""
    for zone in ("Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"):
        found = checked(zone, records(kind, zone, past=past))
        assert (found.decided, found.found) == (True, None)


@pytest.mark.parametrize("past", [True, False], ids=["past", "current"])
@pytest.mark.parametrize("kind", [MANUAL, INBOUND], ids=["manual", "inbound"])
@pytest.mark.parametrize(
    ("zone", "of_ids"),
    [
        ("Asia/Dubai", "UTC+04:00"),
        ("UTC", "UTC+00:00"),
        ("Asia/Kathmandu", "UTC+05:45"),
        ("America/New_York", "UTC-05:00"),
        ("America/St_Johns", "UTC-03:30"),
        ("Pacific/Kiritimati", "UTC+14:00"),
        ("Etc/GMT+12", "UTC-12:00"),
    ],
)
def test_another_zone_is_told_where_most_ids_agree_on_it(
    kind: tuple[str, str], past: bool, zone: str, of_ids: str
) -> None:
    """Where most ids agree on another offset, both are told."""
    found = checked("Asia/Kolkata", records(kind, zone, past=past))
    assert found.found == OtherOffset(of_ids, "UTC+05:30")


@pytest.mark.parametrize(
    ("ucid", "digits"),
    [
        ("{}618213", "16, from the 1st on"),
        ("31456{}18", "17, from the 6th on"),
        ("294{eight}6182", "15, the last eight from the 4th on"),
        ("294{eight}618213", "17, the last eight from the 4th on"),
    ],
)
def test_the_forms_of_ids(ucid: str, digits: str) -> None:
    """All forms that were seen are read."""
    sent = []
    for n in range(40):
        began = datetime(2026, 11, 19, 8, n, 30, tzinfo=timezone.utc)
        number = int(began.timestamp())
        sent.append(
            {
                "UCID": ucid.format(number, eight=f"{number % 10**8:08}"),
                "CallDate": f"{began:%Y-%m-%d}",
                "StartTime": f"{began:%H:%M:%S}",
            }
        )
    assert checked("UTC", sent).found is None, digits
    assert checked("Asia/Kolkata", sent).found == OtherOffset("UTC+00:00", "UTC+05:30"), digits


def test_the_vendors_example_is_of_india() -> None:
    """Its id is 16 s before its start in India."""
    assert checked("Asia/Kolkata", [EXAMPLE] * 40).found is None
    assert checked("UTC", [EXAMPLE] * 40).found == OtherOffset("UTC+05:30", "UTC+00:00")


@pytest.mark.parametrize(
    "ucid",
    [
        *(
            "",
            "x",
            "1",
            "0" * 15,
            "9" * 17,
            "1" * 18,
            "17334677\u0664\u066418213000",
            "3173346778461821\u00b2",
        ),
        *("CA0123456789abcdef", "20241206122000123", "550e8400-e29b-41d", 10**40, None, True),
    ],
)
def test_ids_of_other_forms(ucid: object) -> None:
    """Nothing is said of ids that hold no time, and nothing fails."""
    found = checked("UTC", [{**EXAMPLE, "UCID": ucid}] * 40)
    assert (found.decided, found.found) == (True, None)


@pytest.mark.parametrize(
    "change",
    [{"StartTime": ""}, {"StartTime": "25:00:00"}, {"CallDate": "0000-00-00"}, {"CallDate": None}],
    ids=str,
)
def test_records_without_a_start(change: dict[str, Any]) -> None:
    """They are not looked at."""
    found = checked("UTC", [{**EXAMPLE, **change}] * 40)
    assert (found.decided, found.found) == (False, None)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_edges_of_the_calendar(day: date) -> None:
    """The first and the last day are no error."""
    sent = [{**EXAMPLE, "CallDate": day.isoformat()}] * 40
    assert [checked(zone, sent).found for zone in ("Asia/Kolkata", "Etc/GMT+12")] == [None, None]


def test_most_rows_have_to_agree() -> None:
    """Half of the rows are not most of them."""
    elsewhere, here = records(zone="Asia/Dubai", count=16), records(count=14)
    assert checked("Asia/Kolkata", elsewhere + here).found is not None
    assert checked("Asia/Kolkata", elsewhere[1:] + here + here[:1]).found is None


def test_rows_are_gathered_until_there_are_enough() -> None:
    """Small days are looked at together; once decided, no row is looked at any more."""
    days = [records(zone="Asia/Dubai", count=10) for _ in range(3)]
    assert not checked("Asia/Kolkata", *days[:2]).decided
    found = checked("Asia/Kolkata", *days, records(count=100))
    assert found.found == OtherOffset("UTC+04:00", "UTC+05:30")


@pytest.mark.parametrize(("count", "says"), [(9, False), (10, True), (29, True), (40, True)])
def test_the_end_of_a_day_is_the_time_to_say_it(count: int, says: bool) -> None:
    """Ten rows are enough then; it is said once."""
    check = checked("Asia/Kolkata", records(zone="Asia/Dubai", count=count))
    expected = OtherOffset("UTC+04:00", "UTC+05:30") if says else None
    assert [check.end_day(), check.end_day()] == [expected, None]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 11, 1)),
        ("America/New_York", date(2026, 3, 8)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
    ],
)
def test_a_day_on_which_clocks_change(zone: str, day: date) -> None:
    """Both offsets of the setting's zone agree with it, also within the hour that repeats."""
    # Clocks read a moment later than the sum of midnight and seconds: the truth is in the id.
    for first in (0, 3_000, 5_000, 9_000):
        sent = []
        for n in range(40):
            at = datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).timestamp() + first
            local = datetime.fromtimestamp(at + n * 97, ZoneInfo(zone))
            sent.append(
                {
                    "UCID": f"31456{int(at + n * 97)}18",
                    "CallDate": f"{local:%Y-%m-%d}",
                    "StartTime": f"{local:%H:%M:%S}",
                }
            )
        assert checked(zone, sent).found is None


def test_what_is_not_selected() -> None:
    """Without the start or the id nothing is looked at; where instants need it, it is there."""
    sent = records(zone="Asia/Dubai")
    assert not checked("Asia/Kolkata", sent, columns={"CallID", "UCID"}).decided
    assert checked("Asia/Kolkata", sent, columns={"UCID", "EndedAt"}).found is not None
