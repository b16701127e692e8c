"""Times of day become instants and durations seconds, each by a rule that is a row here."""

from __future__ import annotations

import tracemalloc
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import expected_row
from samples import chunk_of

from tap_ozonetel_cdr.records.durations import CLOCK, LARGEST_INTEGER, SECONDS, seconds
from tap_ozonetel_cdr.records.instants import ordinal
from tap_ozonetel_cdr.records.rows import RowMaker, as_record

COLUMNS = ("StartedAt", "PickedUpAt", "EndedAt", "WrapUpStartedAt", "WrapUpEndedAt")
DAY = date(2024, 12, 6)
ALL_ZONES = sorted(available_timezones())


def placed(
    zone: str = "Asia/Kolkata",
    day: date = DAY,
    columns: tuple[str, ...] = COLUMNS,
    **record: Any,  # noqa: ANN401  # any JSON value
) -> dict[str, str]:
    """Return an answered record's instants by the name of their column."""
    maker = RowMaker(ZoneInfo(zone), columns=columns)
    [row] = maker.rows(chunk_of({"Status": "Answered", **record}), day)
    return {name: instant for name, instant in as_record(row).items() if instant is not None}


def in_utc(local: str) -> str:
    """Return an instant with an offset as it is written."""
    return datetime.fromisoformat(local).astimezone(timezone.utc).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:00", 0),
        ("00:00:56", 56),
        ("1:02:03", 3723),
        ("23:59:59", 86_399),
        ("24:00:00", 86_400),
        ("125:00:01", 450_001),
        ("00000000000000000000001:00:00", 3600),
        ("0" * 9999 + "1:00:00", 3600),
        ("2562047788015215:30:07", LARGEST_INTEGER),
        ("2562047788015215:30:08", None),
        ("9" * 9999 + ":00:00", None),
        ("", None),
        (" ", None),
        ("56", None),
        ("00:56", None),
        (":00:56", None),
        ("00:60:00", None),
        ("00:00:60", None),
        ("00:0:00", None),
        ("00:00:5", None),
        ("-1:00:00", None),
        ("+1:00:00", None),
        (" 00:00:01", None),
        ("00:00:01\n", None),
        ("00:00:01.5", None),
        ("\u0660\u0660:\u0660\u0660:\u0660\u0661", None),
        ("00:00:01\0", None),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, expected: int | None) -> None:
    """A duration is HH:MM:SS of any number of hours that 64 bits hold; all else is unknown."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-12-06", DAY.toordinal()),
        ("2024-02-29", date(2024, 2, 29).toordinal()),
        ("0001-01-01", 1),
        ("9999-12-31", date.max.toordinal()),
        ("2023-02-29", None),
        ("0000-00-00", None),
        ("2024-12-6", None),
        ("20241206", None),
        ("2024-W49-5", None),
        ("2024-12-06T00:00:00", None),
        (" 2024-12-06", None),
        ("2024-12-06\n", None),
        ("\u0662\u0660\u0662\u0664-12-06", None),
        ("", None),
    ],
)
def test_a_date_is_read_only_if_it_exists(text: str, expected: int | None) -> None:
    """A date is YYYY-MM-DD and exists."""
    assert ordinal(text) == expected


def test_the_vendors_example_has_all_instants() -> None:
    """The record on the vendor's page gets all of its instants."""
    assert placed(
        CallDate="2024-12-06",
        StartTime="12:20:00",
        PickupTime="12:20:01",
        EndTime="12:20:57",
        Duration="00:00:56",
        TalkTime="00:00:56",
        TimeToAnswer="00:00:01",
        WrapUpStartTime="12:20:57",
        WrapUpEndTime="12:20:59",
        WrapupDuration="00:00:02",
    ) == {
        "StartedAt": "2024-12-06T06:50:00+00:00",
        "PickedUpAt": "2024-12-06T06:50:01+00:00",
        "EndedAt": "2024-12-06T06:50:57+00:00",
        "WrapUpStartedAt": "2024-12-06T06:50:57+00:00",
        "WrapUpEndedAt": "2024-12-06T06:50:59+00:00",
    }


@pytest.mark.parametrize(
    "start", [None, "", " ", "24:00:00", "12:60:00", "12:00:60", "1:00:00", "12:20", 5, True, []]
)
def test_no_readable_start_leaves_no_instants(start: object) -> None:
    """Without a readable start there are no instants at all."""
    assert placed(StartTime=start, EndTime="12:00:00", PickupTime="12:00:00") == {}


def test_absent_fields_have_no_instants() -> None:
    """Fields that are absent have no instants."""
    assert placed() == {}
    assert placed(StartTime="12:20:00") == {"StartedAt": "2024-12-06T06:50:00+00:00"}


@pytest.mark.parametrize(
    ("call_date", "expected"),
    [
        ("2024-12-05", "2024-12-05"),
        ("0001-01-01", "0001-01-01"),
        ("", "2024-12-06"),
        (None, "2024-12-06"),
        ("06-12-2024", "2024-12-06"),
        (20241205, "2024-12-06"),
        (["2024-12-05"], "2024-12-06"),
    ],
)
def test_the_day_of_the_start(call_date: object, expected: str) -> None:
    """A record starts on its CallDate, or on the day asked for where that is no date."""
    found = placed("Etc/GMT-9", CallDate=call_date, StartTime="12:20:00")
    assert found == {"StartedAt": f"{expected}T03:20:00+00:00"}


FIELDS = {
    "PickedUpAt": "PickupTime",
    "EndedAt": "EndTime",
    "WrapUpStartedAt": "WrapUpStartTime",
    "WrapUpEndedAt": "WrapUpEndTime",
}
UNANSWERED = {"Status": "Unanswered"}
RULES = [
    # The end agrees with Duration.
    ("12:20:00", {"Duration": "00:00:57"}, "EndedAt", "12:20:57", "06 12:20:57"),
    ("23:59:50", {"Duration": "00:00:20"}, "EndedAt", "00:00:10", "07 00:00:10"),
    ("12:20:00", {"Duration": "23:59:59"}, "EndedAt", "12:19:59", "07 12:19:59"),
    ("12:20:00", {"Duration": "24:00:00"}, "EndedAt", "12:20:00", "07 12:20:00"),
    ("12:20:00", {"Duration": "00:00:00"}, "EndedAt", "12:20:00", "06 12:20:00"),
    ("12:20:00", {"Duration": "49:00:00"}, "EndedAt", "13:20:00", "08 13:20:00"),
    ("12:20:00", {"Duration": "00:00:01"}, "EndedAt", "12:18:00", "06 12:18:00"),
    ("12:20:00", {"Duration": "00:00:01"}, "EndedAt", "12:21:30", "06 12:21:30"),
    ("00:00:10", {"Duration": "00:00:00"}, "EndedAt", "23:59:50", "05 23:59:50"),
    ("12:00:00", {"Duration": "00:00:00"}, "EndedAt", "00:00:01", "06 00:00:01"),
    ("12:00:01", {"Duration": "00:00:00"}, "EndedAt", "00:00:01", "06 00:00:01"),
    ("12:00:02", {"Duration": "00:00:00"}, "EndedAt", "00:00:01", "07 00:00:01"),
    # Without it, earlier than the start is the next day, except for a minute of skew.
    ("12:20:00", {}, "EndedAt", "12:20:57", "06 12:20:57"),
    ("12:20:00", {}, "EndedAt", "12:20:00", "06 12:20:00"),
    ("12:20:00", {}, "EndedAt", "12:19:00", "06 12:19:00"),
    ("12:20:00", {}, "EndedAt", "12:18:59", "07 12:18:59"),
    ("23:59:50", {"Duration": ""}, "EndedAt", "00:00:10", "07 00:00:10"),
    ("12:20:00", {"Duration": 57}, "EndedAt", "02:00:00", "07 02:00:00"),
    ("00:00:10", {"Duration": None}, "EndedAt", "23:59:10", "05 23:59:10"),
    ("00:00:10", {"Duration": None}, "EndedAt", "23:59:09", "06 23:59:09"),
    # An end at midnight agrees with the start and Duration, or did not happen.
    ("23:59:50", {"Duration": "00:00:10"}, "EndedAt", "00:00:00", "07 00:00:00"),
    ("23:59:50", {"Duration": "00:01:10"}, "EndedAt", "00:00:00", "07 00:00:00"),
    ("23:59:50", {"Duration": "00:01:11"}, "EndedAt", "00:00:00", None),
    ("23:58:50", {"Duration": "00:00:10"}, "EndedAt", "00:00:00", "07 00:00:00"),
    ("23:58:49", {"Duration": "00:00:10"}, "EndedAt", "00:00:00", None),
    (
        *("23:50:00", {"Duration": "00:00:10", "TimeToAnswer": "00:09:50"}),
        *("EndedAt", "00:00:00", "07 00:00:00"),
    ),
    (
        *("23:50:00", {"Duration": "00:00:10", "TimeToAnswer": "00:08:49"}),
        *("EndedAt", "00:00:00", None),
    ),
    ("00:00:00", {"Duration": "00:00:00"}, "EndedAt", "00:00:00", "06 00:00:00"),
    ("12:20:00", {"Duration": "35:40:00"}, "EndedAt", "00:00:00", "08 00:00:00"),
    ("12:20:00", {"Duration": "00:00:00"}, "EndedAt", "00:00:00", None),
    ("23:59:50", {}, "EndedAt", "00:00:00", None),
    # A pick-up lies within the event, the first time if there are several.
    ("12:20:00", {"Duration": "00:00:56"}, "PickedUpAt", "12:20:01", "06 12:20:01"),
    ("23:59:50", {"Duration": "00:00:20"}, "PickedUpAt", "00:00:05", "07 00:00:05"),
    ("10:00:00", {"Duration": "14:00:00"}, "PickedUpAt", "23:00:00", "06 23:00:00"),
    ("10:00:00", {"Duration": "72:00:00"}, "PickedUpAt", "10:00:05", "06 10:00:05"),
    ("10:00:00", {"Duration": "72:00:00"}, "PickedUpAt", "09:59:55", "07 09:59:55"),
    ("12:20:00", {"Duration": "00:00:56"}, "PickedUpAt", "12:18:00", "06 12:18:00"),
    ("12:20:00", {"Duration": "00:00:56"}, "PickedUpAt", "12:25:00", "06 12:25:00"),
    ("12:20:00", {}, "PickedUpAt", "12:19:00", "06 12:19:00"),
    ("12:20:00", {}, "PickedUpAt", "12:18:59", "07 12:18:59"),
    # Where nobody talked there is none: as an unanswered Manual call repeats its end.
    ("12:20:00", {**UNANSWERED, "Duration": "00:00:20"}, "PickedUpAt", "12:20:20", None),
    ("12:20:00", {**UNANSWERED, "TalkTime": "00:00:00"}, "PickedUpAt", "12:20:20", None),
    ("12:20:00", {**UNANSWERED, "TalkTime": "soon"}, "PickedUpAt", "12:20:20", None),
    ("12:20:00", {"Status": "", "TalkTime": None}, "PickedUpAt", "12:20:20", None),
    ("12:20:00", {**UNANSWERED, "TalkTime": "00:00:01"}, "PickedUpAt", "12:20:20", "06 12:20:20"),
    ("12:20:00", {"TalkTime": "00:00:00"}, "PickedUpAt", "12:20:20", "06 12:20:20"),
    # A pick-up at midnight is one only during an event in which there was talk.
    (
        *("23:59:50", {"Duration": "00:01:00", "TalkTime": "00:00:50"}),
        *("PickedUpAt", "00:00:00", "07 00:00:00"),
    ),
    (
        *("23:59:50", {"Duration": "00:01:00", "TalkTime": "00:00:00"}),
        *("PickedUpAt", "00:00:00", None),
    ),
    ("23:59:50", {"Duration": "00:01:00"}, "PickedUpAt", "00:00:00", None),
    (
        *("12:20:00", {"Duration": "00:01:00", "TalkTime": "00:00:50"}),
        *("PickedUpAt", "00:00:00", None),
    ),
    ("23:59:50", {"TalkTime": "00:00:50"}, "PickedUpAt", "00:00:00", None),
    # Wrap-up begins at the end of the event.
    ("12:20:00", {"Duration": "00:00:56"}, "WrapUpStartedAt", "12:20:57", "06 12:20:57"),
    ("23:59:50", {"Duration": "00:00:20"}, "WrapUpStartedAt", "00:00:11", "07 00:00:11"),
    ("12:20:00", {"Duration": "01:00:00"}, "WrapUpStartedAt", "12:30:00", "06 12:30:00"),
    (
        *("12:20:00", {"Duration": "24:00:00", "EndTime": "12:20:30"}),
        *("WrapUpStartedAt", "12:20:31", "07 12:20:31"),
    ),
    ("12:20:00", {"EndTime": "12:30:00"}, "WrapUpStartedAt", "12:29:00", "06 12:29:00"),
    ("12:20:00", {"EndTime": "12:30:00"}, "WrapUpStartedAt", "12:28:59", "07 12:28:59"),
    ("12:20:00", {}, "WrapUpStartedAt", "12:19:00", "06 12:19:00"),
    ("12:20:00", {}, "WrapUpStartedAt", "12:18:59", "07 12:18:59"),
    # At midnight only if the event ended there and there was a wrap-up.
    (
        *("23:59:50", {"Duration": "00:00:10", "WrapupDuration": "00:00:05"}),
        *("WrapUpStartedAt", "00:00:00", "07 00:00:00"),
    ),
    (
        *("23:59:50", {"Duration": "00:00:10", "WrapupDuration": "00:00:00"}),
        *("WrapUpStartedAt", "00:00:00", None),
    ),
    ("23:59:50", {"Duration": "00:00:10"}, "WrapUpStartedAt", "00:00:00", None),
    (
        *("12:20:00", {"Duration": "00:00:10", "WrapupDuration": "00:00:05"}),
        *("WrapUpStartedAt", "00:00:00", None),
    ),
    ("23:59:50", {"WrapupDuration": "00:00:05"}, "WrapUpStartedAt", "00:00:00", None),
    # Wrap-up ends after its own duration.
    (
        *("12:20:00", {"WrapUpStartTime": "12:20:57", "WrapupDuration": "00:00:02"}),
        *("WrapUpEndedAt", "12:20:59", "06 12:20:59"),
    ),
    (
        *("12:20:00", {"WrapUpStartTime": "12:20:57", "WrapupDuration": "48:00:02"}),
        *("WrapUpEndedAt", "12:20:59", "08 12:20:59"),
    ),
    (
        *("12:20:00", {"WrapUpStartTime": "12:20:57", "WrapupDuration": "00:00:02"}),
        *("WrapUpEndedAt", "12:18:00", "06 12:18:00"),
    ),
    ("12:20:00", {"WrapUpStartTime": "12:21:00"}, "WrapUpEndedAt", "12:20:00", "06 12:20:00"),
    ("12:20:00", {"WrapUpStartTime": "12:21:00"}, "WrapUpEndedAt", "12:19:59", "07 12:19:59"),
    ("12:20:00", {"Duration": "12:00:00"}, "WrapUpEndedAt", "00:19:00", "07 00:19:00"),
    ("12:20:00", {"Duration": "12:00:00"}, "WrapUpEndedAt", "00:18:59", "08 00:18:59"),
    ("12:20:00", {"EndTime": "12:30:00"}, "WrapUpEndedAt", "12:29:00", "06 12:29:00"),
    ("12:20:00", {"EndTime": "12:30:00"}, "WrapUpEndedAt", "12:28:00", "07 12:28:00"),
    ("12:20:00", {}, "WrapUpEndedAt", "12:19:00", "06 12:19:00"),
    # At midnight only if wrap-up began and its duration says so.
    (
        *("12:20:00", {"WrapUpStartTime": "23:59:58", "WrapupDuration": "00:00:02"}),
        *("WrapUpEndedAt", "00:00:00", "07 00:00:00"),
    ),
    (
        *("12:20:00", {"WrapUpStartTime": "12:20:58", "WrapupDuration": "00:00:02"}),
        *("WrapUpEndedAt", "00:00:00", None),
    ),
    (
        *("12:20:00", {"WrapUpStartTime": "23:59:58", "WrapupDuration": "00:00:00"}),
        *("WrapUpEndedAt", "00:00:00", None),
    ),
    ("12:20:00", {"WrapUpStartTime": "23:59:58"}, "WrapUpEndedAt", "00:00:00", None),
    (
        *("23:59:50", {"Duration": "00:00:08", "WrapupDuration": "00:00:02"}),
        *("WrapUpEndedAt", "00:00:00", None),
    ),
    # Times that are none.
    ("12:20:00", {"Duration": "00:00:56"}, "EndedAt", "24:00:00", None),
    ("12:20:00", {"Duration": "00:00:56"}, "EndedAt", "12:60:00", None),
    ("12:20:00", {"Duration": "00:00:56"}, "PickedUpAt", "", None),
    ("12:20:00", {"Duration": "00:00:56"}, "PickedUpAt", None, None),
    ("12:20:00", {"Duration": "00:00:56"}, "WrapUpStartedAt", 122057, None),
    ("12:20:00", {"Duration": "00:00:56"}, "WrapUpEndedAt", ["12:20:57"], None),
    # Durations of many days, and beyond the calendar.
    ("12:20:00", {"Duration": "360:00:57"}, "EndedAt", "12:20:57", "21 12:20:57"),
    (
        *("12:20:00", {"WrapUpStartTime": "12:20:57", "WrapupDuration": "360:00:02"}),
        *("WrapUpEndedAt", "12:20:59", "21 12:20:59"),
    ),
    ("12:20:00", {"Duration": "999999999999:00:00"}, "EndedAt", "12:20:57", None),
]


@pytest.mark.parametrize(("start", "fields", "column", "time", "expected"), RULES)
def test_the_day_of_a_later_instant(
    start: str,
    fields: dict[str, Any],
    column: str,
    time: Any,  # noqa: ANN401  # any JSON value
    expected: str | None,
) -> None:
    """Each rule for the day of an instant, in a month whose days are 05, 06, 07 and 08."""
    found = placed(StartTime=start, **fields, **{FIELDS[column]: time}).get(column)
    assert found == (expected and in_utc(f"2024-12-{expected.replace(' ', 'T')}+05:30"))


@pytest.mark.parametrize(
    ("zone", "day", "start", "fields", "expected"),
    [
        # New York sets its clocks back from 02:00 to 01:00: that hour exists twice.
        ("America/New_York", "2024-11-03", "01:30:00", {}, "01:30:00-04:00"),
        ("America/New_York", "2024-11-03", "02:00:00", {}, "02:00:00-05:00"),
        ("America/New_York", "2024-11-03", "00:59:59", {}, "00:59:59-04:00"),
        (
            *("America/New_York", "2024-11-03", "01:50:00"),
            *({"EndTime": "01:10:00", "Duration": "00:20:00"}, "01:10:00-05:00"),
        ),
        (
            *("America/New_York", "2024-11-03", "01:50:00"),
            *({"EndTime": "01:55:00", "Duration": "00:05:00"}, "01:55:00-04:00"),
        ),
        (
            *("America/New_York", "2024-11-03", "01:50:00"),
            *({"EndTime": "01:55:00", "Duration": "01:05:00"}, "01:55:00-05:00"),
        ),
        ("America/New_York", "2024-11-03", "01:50:00", {"EndTime": "01:10:00"}, "01:10:00-05:00"),
        ("America/New_York", "2024-11-03", "01:50:00", {"EndTime": "01:49:00"}, "01:49:00-04:00"),
        # And forward from 02:00 to 03:00: that hour does not exist.
        ("America/New_York", "2024-03-10", "02:30:00", {}, "02:30:00-05:00"),
        ("America/New_York", "2024-03-10", "03:00:00", {}, "03:00:00-04:00"),
        (
            *("America/New_York", "2024-03-10", "01:59:50"),
            *({"EndTime": "03:00:10", "Duration": "00:00:20"}, "03:00:10-04:00"),
        ),
        # Lord Howe Island moves by half an hour; Cairo at midnight.
        ("Australia/Lord_Howe", "2024-04-07", "01:45:00", {}, "01:45:00+11:00"),
        (
            *("Australia/Lord_Howe", "2024-04-07", "01:45:00"),
            *({"EndTime": "01:35:00", "Duration": "00:20:00"}, "01:35:00+10:30"),
        ),
        ("Africa/Cairo", "2024-10-31", "23:30:00", {}, "23:30:00+03:00"),
        (
            *("Africa/Cairo", "2024-10-31", "23:50:00"),
            *({"EndTime": "23:10:00", "Duration": "00:20:00"}, "23:10:00+02:00"),
        ),
        ("Africa/Cairo", "2024-04-26", "00:30:00", {}, "00:30:00+02:00"),
        # Offsets with seconds, as zones had them before 1972.
        ("Asia/Kolkata", "0001-01-02", "00:00:00", {}, "00:00:00+05:53:28"),
        ("Africa/Monrovia", "1971-06-01", "12:00:00", {}, "12:00:00-00:44:30"),
        # The last hours of the calendar.
        ("Pacific/Kiritimati", "9999-12-31", "23:59:59", {}, "23:59:59+14:00"),
    ],
)
def test_repeated_and_skipped_hours_have_their_rule(
    zone: str, day: str, start: str, fields: dict[str, Any], expected: str
) -> None:
    """Repeated and skipped hours, and offsets with seconds, have their rule."""
    found = placed(zone, CallDate=day, StartTime=start, **fields)
    assert found["EndedAt" if fields else "StartedAt"] == in_utc(f"{day}T{expected}")


@pytest.mark.parametrize(
    ("day", "start", "duration", "end", "began", "wrap_up", "over", "expected"),
    [
        # Each event lies half a day behind the one before it, or half a day before it.
        (
            *("2024-10-31", "23:50:00", "23:00:00", "10:40:00", "22:30:00", "00:59:00"),
            *("10:00:00", "2024-11-03T10:00:00-05:00"),
        ),
        (
            *("2024-11-04", "00:00:10", "00:00:00", "13:00:00", "02:00:00", "00:00:00"),
            *("15:00:00", "2024-11-02T15:00:00-04:00"),
        ),
        # A wrap-up of six days.
        (
            *("2024-10-28", "12:00:00", "00:01:00", "12:01:00", "12:01:00", "145:00:00"),
            *("12:01:00", "2024-11-03T12:01:00-05:00"),
        ),
    ],
)
def test_an_event_that_ends_days_away_behind_a_change_of_clocks(
    day: str,
    start: str,
    duration: str,
    end: str,
    began: str,
    wrap_up: str,
    over: str,
    expected: str,
) -> None:
    """The offset is that of the day on which the wrap-up ended, however far away it is."""
    found = placed(
        "America/New_York",
        CallDate=day,
        StartTime=start,
        Duration=duration,
        EndTime=end,
        WrapUpStartTime=began,
        WrapupDuration=wrap_up,
        WrapUpEndTime=over,
    )
    assert found["WrapUpEndedAt"] == in_utc(expected)


def test_a_date_that_a_zone_skipped() -> None:
    """A record on a date that did not exist is placed by the offset from before it."""
    found = placed("Pacific/Apia", date(2011, 12, 30), StartTime="12:00:00")
    assert found == {"StartedAt": "2011-12-30T22:00:00+00:00"}


def test_beyond_the_last_day() -> None:
    """An instant after the year 9999 or before the year 1 is null, and the others are not."""
    for duration in ("00:00:20", None):
        times: dict[str, Any] = {
            "StartTime": "23:59:50",
            "EndTime": "00:00:10",
            "Duration": duration,
        }
        last = placed("UTC", date.max, **times)
        assert last == {"StartedAt": "9999-12-31T23:59:50+00:00"}
    first = placed("UTC", date.min, StartTime="00:00:10", EndTime="23:59:50", Duration="00:00:00")
    assert first == {"StartedAt": "0001-01-01T00:00:10+00:00"}

    assert placed("Etc/GMT+12", date.max, StartTime="12:00:00") == {}
    assert placed("Asia/Kolkata", date.min, StartTime="05:00:00") == {}


def test_only_the_columns_asked_for() -> None:
    """Each column of instants comes alone, and as it does beside the others."""
    record: dict[str, Any] = {
        "StartTime": "23:59:50",
        "PickupTime": "23:59:55",
        "EndTime": "00:00:10",
        "Duration": "00:00:20",
        "WrapUpStartTime": "00:00:11",
        "WrapUpEndTime": "00:00:20",
    }
    everything = placed(**record)
    assert set(everything) == set(COLUMNS)
    for column in COLUMNS:
        assert placed(columns=(column,), **record) == {column: everything[column]}


CHANGES = [
    ("America/New_York", "2024-03-10"),
    ("America/New_York", "2024-11-03"),
    ("Europe/London", "2024-10-27"),
    ("America/St_Johns", "2010-11-07"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Africa/Cairo", "2024-11-01"),
    ("Australia/Lord_Howe", "2024-04-07"),
    ("Antarctica/Troll", "2024-03-31"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("Asia/Kathmandu", "1986-01-01"),
    ("Africa/Monrovia", "1972-01-07"),
]
clock_times = st.integers(0, 86_399).map(lambda n: f"{timedelta(seconds=n)!s:0>8}")


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.tuples(st.sampled_from(ALL_ZONES), st.dates(date(1960, 1, 1), date(2040, 1, 1))),
        st.tuples(st.sampled_from(CHANGES), st.integers(-6, 4)).map(
            lambda at: (at[0][0], date.fromisoformat(at[0][1]) + timedelta(days=at[1]))
        ),
    ),
    st.fixed_dictionaries(
        {"StartTime": clock_times},
        optional=dict.fromkeys(
            (*FIELDS.values(), "Duration", "WrapupDuration", "TalkTime"), clock_times
        ),
    ),
)
def test_instants_in_every_zone(at: tuple[str, date], record: dict[str, Any]) -> None:
    """Wherever and whenever, also around changes of clocks, instants are as the rules say."""
    zone, day = at
    expected = expected_row({"Status": "Answered", **record}, day, ZoneInfo(zone), None, COLUMNS)
    found = placed(zone, day, **record)
    assert found == {name: instant for name, instant in expected.items() if instant}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(ALL_ZONES),
    st.datetimes(datetime(1973, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  # placed below
    st.integers(0, 11 * 3600),
    st.integers(0, 11 * 3600),
)
def test_instants_are_the_truth(zone: str, at: datetime, duration: int, wrap_up: int) -> None:
    """What a record's clocks showed gives back its instants, in every zone and at any time."""
    started = at.replace(microsecond=0, tzinfo=timezone.utc).astimezone(ZoneInfo(zone))
    if started.fold:
        started = started.replace(fold=0)  # a start in a repeated hour is taken for the first one
    elapsed = {"StartedAt": 0, "EndedAt": duration, "WrapUpEndedAt": duration + wrap_up}
    truth = {
        name: (started.astimezone(timezone.utc) + timedelta(seconds=n)).astimezone(ZoneInfo(zone))
        for name, n in elapsed.items()
    }
    shown = {name: f"{moment:%H:%M:%S}" for name, moment in truth.items()}
    found = placed(
        zone,
        started.date(),
        StartTime=shown["StartedAt"],
        EndTime=shown["EndedAt"],
        Duration=f"{timedelta(seconds=duration)!s:0>8}",
        WrapUpStartTime=shown["EndedAt"],
        WrapUpEndTime=shown["WrapUpEndedAt"],
        WrapupDuration=f"{timedelta(seconds=wrap_up)!s:0>8}",
    )
    for name, moment in truth.items():
        if name in found or shown[name] != "00:00:00":
            assert datetime.fromisoformat(found[name]) == moment


def test_a_day_with_a_record_in_every_second() -> None:
    """All seconds of a day have their instant, though not all texts are remembered."""
    maker = RowMaker(ZoneInfo("Asia/Kolkata"), columns=("StartedAt",))
    shown = [f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(0, 86_400, 5)]
    rows = maker.rows(chunk_of(*({"StartTime": text} for text in shown)), DAY)
    assert [row.StartedAt for row in rows] == [in_utc(f"2024-12-06T{text}+05:30") for text in shown]


def test_times_that_were_seen_take_no_end_of_memory() -> None:
    """Whatever text stands for times and durations, what is remembered of it is bounded."""
    tracemalloc.start()
    try:
        for n in range(30_000):
            assert SECONDS[f"{n}:00:00"] == n * 3600
            assert CLOCK[f"{n}:00:00"] == (n * 3600 if 10 <= n < 24 else None)
        assert [SECONDS["x" * n] for n in range(2_000, 12_000)] == [None] * 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000
    assert SECONDS["00:00:56"] == seconds("00:00:56") == 56
