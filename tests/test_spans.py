from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.spans import (
    LARGEST_SIZE,
    SMALLEST_SIZE,
    Span,
    SpanSize,
    split,
    whole_day,
)
from tap_ozonetel_cdr.errors import LocalError

KOLKATA = ZoneInfo("Asia/Kolkata")
TODAY = date(2026, 11, 23)


def nov(day: int) -> date:
    """Return a day of November 2026."""
    return date(2026, 11, day)


@pytest.mark.parametrize(
    ("day", "now", "from_date", "to_date"),
    [
        pytest.param(
            nov(22),
            datetime(2026, 11, 23, 10, tzinfo=KOLKATA),
            "2026-11-22 00:00:00",
            "2026-11-22 23:59:59",
            id="a finished day",
        ),
        pytest.param(
            nov(23),
            datetime(2026, 11, 23, 10, 20, 30, 999_999, tzinfo=KOLKATA),
            "2026-11-23 00:00:00",
            "2026-11-23 10:20:30",
            id="today to the present second",
        ),
        pytest.param(
            nov(23),
            datetime(2026, 11, 23, tzinfo=KOLKATA),
            "2026-11-23 00:00:00",
            "2026-11-23 00:00:00",
            id="at midnight",
        ),
        pytest.param(
            nov(23),
            datetime(2026, 11, 24, 0, 0, 5, tzinfo=KOLKATA),
            "2026-11-23 00:00:00",
            "2026-11-23 23:59:59",
            id="a day that ended since it was planned",
        ),
        pytest.param(
            date(2026, 10, 25),
            datetime(2026, 10, 25, 0, 59, 59, tzinfo=ZoneInfo("UTC")).astimezone(
                ZoneInfo("Europe/Berlin")
            ),
            "2026-10-25 00:00:00",
            "2026-10-25 02:59:59",
            id="before the clock goes back",
        ),
        pytest.param(
            date(2026, 10, 25),
            datetime(2026, 10, 25, 1, 0, 1, tzinfo=ZoneInfo("UTC")).astimezone(
                ZoneInfo("Europe/Berlin")
            ),
            "2026-10-25 00:00:00",
            "2026-10-25 02:00:01",
            id="after the clock went back",
        ),
        pytest.param(
            date.max,
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=KOLKATA),
            "9999-12-31 00:00:00",
            "9999-12-31 23:59:59",
            id="the last day of the calendar",
        ),
    ],
)
def test_a_whole_day_ends_at_its_last_second_or_now(
    day: date, now: datetime, from_date: str, to_date: str
) -> None:
    """A day is asked to its last second, today to the present one: never into the future."""
    span = whole_day(day, now)
    assert (span.from_date, span.to_date) == (from_date, to_date)


def test_whole_day_of_the_future() -> None:
    """A day that has not begun in the account's zone means that the clock was set back."""
    now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=KOLKATA)
    with pytest.raises(LocalError, match=r"^2026-11-24 has not begun at 2026-11-23 23:59: this"):
        whole_day(nov(24), now)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (0, 86399, "2026-11-23"),
        (0, 43199, "2026-11-23 00:00:00 to 11:59:59"),
        (43200, 86399, "2026-11-23 12:00:00 to 23:59:59"),
    ],
)
def test_a_span_reads_as_what_it_covers(first: int, last: int, text: str) -> None:
    """A whole day reads as its date, a shorter span as what it covers."""
    assert str(Span(TODAY, first, last)) == text


@pytest.mark.parametrize(
    ("span", "size", "expected"),
    [
        pytest.param((0, 86399), LARGEST_SIZE, [(0, 86399)], id="the whole day"),
        pytest.param((0, 86399), LARGEST_SIZE // 2, [(0, 43199), (43200, 86399)], id="halves"),
        pytest.param((0, 43199), LARGEST_SIZE // 2, [(0, 43199)], id="today, up to the grid"),
        pytest.param((0, 43200), LARGEST_SIZE // 2, [(0, 43199), (43200, 43200)], id="one second"),
        pytest.param((50000, 86399), LARGEST_SIZE // 2, [(50000, 86399)], id="the rest of a half"),
        pytest.param(
            (10000, 40000),
            LARGEST_SIZE // 8,
            [(10000, 10799), (10800, 21599), (21600, 32399), (32400, 40000)],
            id="between grid points",
        ),
        pytest.param((0, 0), SMALLEST_SIZE, [(0, 0)], id="midnight"),
    ],
)
def test_a_span_is_cut_on_the_grid_from_midnight(
    span: tuple[int, int], size: int, expected: list[tuple[int, int]]
) -> None:
    """A span is cut where the grid from midnight cuts it, and nowhere else."""
    actual = split(Span(TODAY, *span), size)
    assert actual == [Span(TODAY, first, last) for first, last in expected]


def test_halving_a_day_five_times_gives_the_smallest_span() -> None:
    """Halving a day five times gives the smallest span."""
    assert LARGEST_SIZE == 24 * 3600
    assert SMALLEST_SIZE == 45 * 60
    assert LARGEST_SIZE >> 5 == SMALLEST_SIZE


@settings(deadline=None, max_examples=100)
@given(ends=st.tuples(st.integers(0, 86399), st.integers(0, 86399)), halvings=st.integers(0, 5))
def test_spans_meet(ends: tuple[int, int], halvings: int) -> None:
    """Spans cover each second once, in order, and none crosses the grid."""
    span = Span(TODAY, min(ends), max(ends))
    size = LARGEST_SIZE >> halvings
    actual = split(span, size)
    seconds = [second for one in actual for second in range(one.first, one.last + 1)]
    assert seconds == list(range(span.first, span.last + 1))
    assert all(one.first // size == one.last // size for one in actual)
    assert len(actual) == span.last // size - span.first // size + 1


def test_the_size_is_halved_after_two_failures_in_a_row() -> None:
    """One may have any cause; and what says nothing about the size breaks the row."""
    size = SpanSize()
    assert [size.too_large(), size.too_large()] == [False, True]
    assert size.seconds == LARGEST_SIZE // 2
    size.too_large()
    size.answered()
    assert [size.too_large(), size.too_large()] == [False, True]
    assert size.seconds == LARGEST_SIZE // 4


def test_the_size_is_never_below_the_smallest() -> None:
    """However often a day fails."""
    size = SpanSize()
    assert sum(size.too_large() for _ in range(30)) == 5
    assert size.seconds == SMALLEST_SIZE


def test_the_size_is_doubled_after_a_day_without_halving() -> None:
    """Up to a whole day."""
    size = SpanSize()
    for _ in range(4):
        size.too_large()
    sizes = []
    for _ in range(4):
        size.day_is_over()
        sizes.append(size.seconds)
    assert sizes == [LARGEST_SIZE // 4, LARGEST_SIZE // 2, LARGEST_SIZE, LARGEST_SIZE]


def test_a_span_is_cut_to_the_size() -> None:
    """What one request asks for ends on the grid."""
    size = SpanSize()
    assert size.of(Span(TODAY, 5, 86399)) == Span(TODAY, 5, 86399)
    size.too_large()
    size.too_large()
    assert size.of(Span(TODAY, 5, 86399)) == Span(TODAY, 5, 43199)
    assert size.of(Span(TODAY, 50000, 60000)) == Span(TODAY, 50000, 60000)
