from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.plan import (
    DayRange,
    Plan,
    parse_date,
    plan,
    settled_day,
)

TODAY = date(2026, 11, 23)
OLDEST = date(2026, 11, 8)  # 15 days before


def nov(day: int) -> date:
    """Return a day of November 2026."""
    return date(2026, 11, day)


def days(first: int, last: int) -> tuple[date, ...]:
    """Return consecutive days of November 2026, both ends inclusive."""
    return tuple(nov(day) for day in range(first, last + 1))


def planned(**case: Any) -> Plan:  # noqa: ANN401  what a row of a table holds
    """Plan on 23 November with the defaults of the settings."""
    return plan(
        **{
            "today": TODAY,
            "settled": TODAY,
            "retention_days": 15,
            "lookback_days": 1,
            **case,
        }
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param({}, days(8, 23), id="a first run reads today and the 15 days before it"),
        pytest.param({"bookmark": nov(23)}, days(22, 23), id="the next run reads two days"),
        pytest.param({"bookmark": nov(22)}, days(22, 23), id="also the day after"),
        pytest.param({"bookmark": nov(20)}, days(20, 23), id="an older bookmark is read again"),
        pytest.param({"bookmark": nov(23), "lookback_days": 0}, days(23, 23), id="no lookback"),
        pytest.param(
            {"bookmark": nov(20), "lookback_days": 0}, days(20, 23), id="no lookback, old bookmark"
        ),
        pytest.param({"bookmark": nov(23), "lookback_days": 3}, days(20, 23), id="lookback"),
        pytest.param(
            {"bookmark": nov(23), "lookback_days": 99}, days(8, 23), id="lookback past retention"
        ),
        pytest.param(
            {"bookmark": nov(23), "start_date": nov(23)}, days(23, 23), id="start ends lookback"
        ),
        pytest.param({"start_date": nov(20)}, days(20, 23), id="start"),
        pytest.param({"start_date": nov(20), "bookmark": nov(12)}, days(20, 23), id="start later"),
        pytest.param({"start_date": nov(9), "bookmark": nov(20)}, days(20, 23), id="start earlier"),
        pytest.param({"end_date": nov(10)}, days(8, 10), id="end"),
        pytest.param({"end_date": date(2027, 1, 1)}, days(8, 23), id="an end in the future"),
        pytest.param({"start_date": nov(9), "end_date": nov(9)}, days(9, 9), id="one day"),
        pytest.param({"end_date": nov(7)}, (), id="an end before retention"),
        pytest.param({"end_date": nov(10), "bookmark": nov(10)}, days(10, 10), id="at the end"),
        pytest.param({"end_date": nov(10), "bookmark": nov(20)}, (), id="past the end"),
        pytest.param({"start_date": nov(24)}, (), id="a start after today"),
        pytest.param({"retention_days": 1}, days(22, 23), id="short retention"),
    ],
)
def test_days_run_from_the_latest_reason_to_begin(
    case: dict[str, Any], expected: tuple[date, ...]
) -> None:
    """The days run from the latest reason to begin to the earliest reason to end."""
    assert planned(**case).days == expected


@pytest.mark.parametrize(
    ("case", "gap", "before_retention"),
    [
        pytest.param({}, None, None, id="a first run"),
        pytest.param({"bookmark": nov(8)}, None, None, id="the bookmark is the oldest day"),
        pytest.param({"bookmark": nov(7)}, (7, 7), None, id="the bookmark's own day is gone"),
        pytest.param({"bookmark": nov(1)}, (1, 7), None, id="bookmark to retention"),
        pytest.param(
            {"bookmark": nov(1), "start_date": date(2026, 1, 1)}, (1, 7), None, id="start before"
        ),
        pytest.param({"bookmark": nov(1), "start_date": nov(5)}, (5, 7), None, id="start within"),
        pytest.param({"bookmark": nov(1), "start_date": nov(8)}, None, None, id="acknowledged"),
        pytest.param({"bookmark": nov(1), "end_date": nov(4)}, (1, 4), None, id="end within"),
        pytest.param({"bookmark": nov(5), "end_date": nov(4)}, None, None, id="end before"),
        pytest.param(
            {"bookmark": nov(20), "start_date": nov(1)}, None, None, id="start served already"
        ),
        pytest.param(
            {"bookmark": nov(20), "lookback_days": 99}, None, None, id="lookback is no gap"
        ),
        pytest.param({"start_date": nov(1)}, None, (1, 7), id="start before retention"),
        pytest.param({"start_date": nov(8)}, None, None, id="start at retention"),
        pytest.param(
            {"start_date": nov(1), "end_date": nov(4)}, None, (1, 4), id="start and end before"
        ),
    ],
)
def test_lost_days_are_a_gap_only_behind_a_bookmark(
    case: dict[str, Any], gap: tuple[int, int] | None, before_retention: tuple[int, int] | None
) -> None:
    """What was to be read and is gone stands under gap with a bookmark, else apart."""
    actual = planned(**case)
    assert actual.gap == (DayRange(nov(gap[0]), nov(gap[1])) if gap else None)
    assert actual.before_retention == (
        DayRange(nov(before_retention[0]), nov(before_retention[1])) if before_retention else None
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param({}, False, id="nobody asked for it"),
        pytest.param({"start_date": nov(8)}, True, id="start at it"),
        pytest.param({"start_date": nov(1)}, True, id="start before it"),
        pytest.param({"start_date": nov(9)}, False, id="start after it"),
        pytest.param({"bookmark": nov(8)}, True, id="bookmark at it"),
        pytest.param({"bookmark": nov(1)}, True, id="bookmark before it"),
        pytest.param({"bookmark": nov(9)}, False, id="bookmark after it"),
        pytest.param({"bookmark": nov(9), "lookback_days": 15}, False, id="lookback to it"),
        pytest.param(
            {"bookmark": nov(9), "lookback_days": 15, "start_date": nov(1)},
            False,
            id="lookback to it, start served long ago",
        ),
        pytest.param({"bookmark": nov(1), "start_date": nov(9)}, False, id="not planned"),
        pytest.param({"bookmark": nov(1), "end_date": nov(7)}, False, id="ended before it"),
    ],
)
def test_oldest_may_be_partial(case: dict[str, Any], expected: bool) -> None:
    """The oldest day is doubtful only for a run that had to continue or start from it."""
    assert planned(**case).oldest_may_be_partial is expected


@pytest.mark.parametrize("today", [date.min, date.min + timedelta(days=3), date.max])
def test_ends_of_the_calendar(today: date) -> None:
    """Days before the first that a date can hold, and after the last, are never computed."""
    actual = plan(
        today=today,
        settled=today,
        retention_days=3650,
        lookback_days=3650,
        start_date=date.min,
        bookmark=today,
    )
    assert actual.days[0] == max(date.min, date.fromordinal(max(1, today.toordinal() - 3650)))
    assert actual.days[-1] == today
    assert actual.gap is None


@pytest.mark.parametrize(
    ("now", "hours", "settled"),
    [
        ("2026-11-23 00:00", 4, 22),
        ("2026-11-23 01:30", 4, 22),
        ("2026-11-23 03:59", 4, 22),
        ("2026-11-23 04:00", 4, 23),
        ("2026-11-23 04:30", 4, 23),
        ("2026-11-23 23:59", 4, 23),
        ("2026-11-23 00:00", 0, 23),
        ("2026-11-23 00:59", 1, 22),
        ("2026-11-23 22:59", 23, 22),
        ("2026-11-23 23:00", 23, 23),
    ],
)
def test_a_day_settles_some_hours_after_it_ends(now: str, hours: int, settled: int) -> None:
    """The settled day is the date of now less the settling hours."""
    local = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    assert settled_day(local, hours) == nov(settled)


def test_settling_hours_are_those_of_the_accounts_clock() -> None:
    """On a day on which its clock skips an hour, 04:00 is still 04:00."""
    zone = ZoneInfo("Europe/London")
    assert settled_day(datetime(2026, 3, 29, 3, 59, tzinfo=zone), 4) == date(2026, 3, 28)
    assert settled_day(datetime(2026, 3, 29, 4, 0, tzinfo=zone), 4) == date(2026, 3, 29)


@pytest.mark.parametrize(
    ("case", "expected", "bookmarks"),
    [
        pytest.param({}, days(8, 23), [*range(8, 23), 22], id="a first run before the hour"),
        pytest.param({"bookmark": nov(22)}, days(21, 23), [22, 22, 22], id="a daily run"),
        pytest.param({"bookmark": nov(23)}, days(21, 23), [22, 22, 22], id="a bookmark past it"),
        pytest.param(
            {"bookmark": nov(23), "lookback_days": 0}, days(22, 23), [22, 22], id="no lookback"
        ),
        pytest.param({"bookmark": nov(21)}, days(21, 23), [21, 22, 22], id="one run was missed"),
        pytest.param({"start_date": nov(23)}, days(23, 23), [None], id="start after it"),
        pytest.param(
            {"start_date": nov(23), "bookmark": nov(10)}, days(23, 23), [10], id="and a bookmark"
        ),
        pytest.param(
            {"start_date": nov(23), "bookmark": nov(23)}, days(23, 23), [22], id="and one past it"
        ),
        pytest.param({"end_date": nov(10)}, days(8, 10), [8, 9, 10], id="ended long before"),
    ],
)
def test_the_bookmark_never_passes_the_settled_day(
    case: dict[str, Any], expected: tuple[date, ...], bookmarks: list[int | None]
) -> None:
    """Before the hour is over, the day before is read again by the next run, and today too."""
    actual = planned(settled=nov(22), **case)
    assert actual.days == expected
    assert [actual.bookmark_after(day) for day in expected] == [
        nov(day) if day else None for day in bookmarks
    ]


@pytest.mark.parametrize(
    ("case", "misses"),
    [
        ({}, False),
        ({"bookmark": nov(8)}, True),
        ({"bookmark": nov(1)}, True),
        ({"bookmark": nov(9), "lookback_days": 15}, False),
        ({"start_date": nov(8)}, True),
        ({"start_date": nov(1), "bookmark": nov(9), "lookback_days": 15}, False),
    ],
)
def test_a_day_that_was_asked_for_is_missed(case: dict[str, Any], misses: bool) -> None:
    """The oldest day is a gap where bookmark or start date lead to it, and not by looking back."""
    actual = planned(**case)
    assert actual.days[0] == OLDEST
    assert actual.misses(OLDEST) is misses


@settings(deadline=None, max_examples=200)
@given(
    runs=st.lists(st.integers(1, 40), min_size=2, max_size=12),
    settling=st.integers(4, 8),
    lookback=st.integers(0, 2),
)
def test_whatever_was_read_too_early_is_read_again(
    runs: list[int], settling: int, lookback: int
) -> None:
    """At whatever hours the runs come, each day is last read after 03:00 of the next one."""
    now = datetime(2026, 11, 1, 12)  # noqa: DTZ001  # by the account's clock
    last_read: dict[date, datetime] = {}
    bookmark: date | None = None
    for hours in runs:
        now += timedelta(hours=hours)
        today = now.date()
        actual = plan(
            today=today,
            settled=settled_day(now, settling),
            retention_days=90,
            lookback_days=lookback,
            start_date=date(2026, 11, 1),
            bookmark=bookmark,
        )
        for day in actual.days:
            last_read[day] = now
            bookmark = actual.bookmark_after(day)
    over = [day for day in last_read if settled_day(now, 3) > day]
    assert all(settled_day(last_read[day], 3) > day for day in over)


near = st.dates(TODAY - timedelta(days=40), TODAY + timedelta(days=5))


@settings(deadline=None, max_examples=100)
@given(
    retention=st.integers(1, 30),
    lookback=st.integers(0, 40),
    start=st.none() | near,
    end=st.none() | near,
    bookmark=st.none() | st.dates(TODAY - timedelta(days=40), TODAY),
    settled=st.sampled_from([TODAY, TODAY - timedelta(days=1)]),
)
@example(
    retention=15,
    lookback=1,
    start=None,
    end=None,
    bookmark=TODAY - timedelta(days=40),
    settled=TODAY,
)
def test_every_day_has_one_fate(  # what a plan depends on
    retention: int,
    lookback: int,
    start: date | None,
    end: date | None,
    bookmark: date | None,
    settled: date,
) -> None:
    """Each wanted day is planned, once, if the API has it, and otherwise reported as lost."""
    actual = plan(
        today=TODAY,
        settled=settled,
        retention_days=retention,
        lookback_days=lookback,
        start_date=start,
        end_date=end,
        bookmark=bookmark,
    )

    def wanted(day: date, *, again: bool) -> bool:
        began = start is None or day >= start
        over = day > TODAY or (end is not None and day > end)
        new = bookmark is None or day >= min(bookmark, settled)
        return began and not over and (new or (again and day >= settled - timedelta(days=lookback)))

    calendar = [TODAY + timedelta(days=n) for n in range(-50, 10)]
    retained = [day for day in calendar if day >= TODAY - timedelta(days=retention)]
    forgotten = [day for day in calendar if day < TODAY - timedelta(days=retention)]
    assert list(actual.days) == [day for day in retained if wanted(day, again=True)]
    reported = actual.gap if bookmark else actual.before_retention
    lost = [day for day in forgotten if (bookmark or start) and wanted(day, again=False)]
    assert reported == (DayRange(lost[0], lost[-1]) if lost else None)
    assert (actual.before_retention if bookmark else actual.gap) is None


@pytest.mark.parametrize(
    ("first", "last", "count", "text"),
    [
        (1, 8, 8, "2026-11-01 to 2026-11-08 (8 days)"),
        (1, 2, 2, "2026-11-01 to 2026-11-02 (2 days)"),
        (1, 1, 1, "2026-11-01 (1 day)"),
    ],
)
def test_a_range_of_days_counts_both_ends(first: int, last: int, count: int, text: str) -> None:
    """It counts both of its ends and reads as a user would say it."""
    assert (DayRange(nov(first), nov(last)).count, str(DayRange(nov(first), nov(last)))) == (
        count,
        text,
    )


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-01",
        "2026-11-01T00:00:00Z",
        "2026-11-01T23:59:59+05:30",
        "2026-11-01 23:59:59-1100",
        "2026-11-01 23:59:59.123456 +05",
        "2026-11-01T23:59",
        nov(1),
        datetime(2026, 11, 1, 23, 59, tzinfo=ZoneInfo("Pacific/Pago_Pago")),
    ],
)
def test_a_date_time_counts_as_its_date(value: object) -> None:
    """A date-time counts as the date it is written with, in whatever zone."""
    assert parse_date(value) == nov(1)
    assert type(parse_date(value)) is date


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "2026-1-1",
        "20261101",
        "01.11.2026",
        "2026-11-01T24:00:00",
        "2026-11-01T12:60",
        "2026-11-01T",
        "2026-11-01x",
        "2026-11-01\n",
        "٢٠٢٦-11-01",
        "today",
        "",
        20_261_102,
        None,
        True,
    ],
)
def test_what_is_no_date_is_not_guessed_at(value: object) -> None:
    """What is no date, or a date that does not exist, is not guessed at."""
    with pytest.raises(ValueError, match=r"^neither a date nor a date-time$|month|year"):
        parse_date(value)
