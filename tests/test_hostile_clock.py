"""A machine whose clock is wrong, and an API that refuses what is in the future."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from api_server import (
    FUTURE,
    KOLKATA,
    TODAY,
    Api,
    PassingClock,
    Reply,
    client_of,
    fetch,
    refusal,
    success,
)
from clocks import NOW

from tap_ozonetel_cdr.api.client import DayResponse, MissingDay
from tap_ozonetel_cdr.clock import MARGIN, Clock
from tap_ozonetel_cdr.errors import RefusedError
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Iterator

YESTERDAY = TODAY - timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=KOLKATA)
NOT_BEGUN = MissingDay(TODAY, "it has not begun by the API's clock", lost=False)


@pytest.fixture
def api() -> Iterator[Api]:
    """A strict API, whose clock is right, at noon."""
    with Api(PassingClock()) as running:
        running.refuses_the_future = True
        yield running


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    """Catch what a user sees."""
    caplog.set_level("INFO", "tap")


def at(api: Api, instant: datetime) -> None:
    """Let the machine's clock show an instant."""
    api.clock.begin = instant.astimezone(timezone.utc)


def ends(api: Api) -> list[str]:
    """Return the ends of the spans that were asked for, as times of their day."""
    return [asked.content["toDate"][5:] for asked in api.records_asked()]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was warned of."""
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_the_margin_is_what_a_machine_may_be_ahead(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Within it nothing is refused, and nothing said."""
    api.behind = MARGIN
    assert fetch(client_of(api), TODAY) == [3]
    assert ends(api) == ["11-20 11:59:50"]
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("behind", "end"), [(11, "11-20 11:59:39"), (40, "11-20 11:59:10"), (3600, "11-20 10:59:50")]
)
def test_a_machine_further_ahead_goes_by_the_apis_clock(
    api: Api, caplog: pytest.LogCaptureFixture, behind: int, end: str
) -> None:
    """It asks once more, by the time that the refusal bears, and warns of how far off it is."""
    api.behind = timedelta(seconds=behind)
    client = client_of(api, rate_limit_requests=1000)
    assert fetch(client, YESTERDAY, TODAY) == [3, 3]
    assert ends(api) == ["11-19 23:59:59", "11-20 11:59:50", end]
    assert warnings(caplog) == [
        (
            f"This machine's clock is {behind} s ahead of the API's, which refuses times in the "
            "future: set it right. From here on, this run goes by the API's clock"
        )
    ]


def test_where_the_day_has_not_begun_it_is_left_to_the_next_run(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """The API is still in yesterday: that is read up to now, and today is no gap."""
    at(api, MIDNIGHT + timedelta(minutes=5))
    api.behind = timedelta(minutes=10)
    assert fetch(client_of(api), YESTERDAY, TODAY) == [3, NOT_BEGUN]
    assert ends(api) == ["11-19 23:59:59", "11-19 23:54:50"]
    assert len(warnings(caplog)) == 1


def test_today_alone_may_not_have_begun(api: Api) -> None:
    """It is asked for once, and not again."""
    at(api, MIDNIGHT + timedelta(minutes=5))
    api.behind = timedelta(minutes=10)
    assert fetch(client_of(api), TODAY) == [NOT_BEGUN]
    assert ends(api) == ["11-20 00:04:50"]


def test_a_refusal_for_another_reason_ends_the_run(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the API's own clock is past the span, this machine's is not why."""
    api.says = [refusal(FUTURE, 200)] * 2
    with pytest.raises(RefusedError, match="check this machine's clock and the setting timezone"):
        fetch(client_of(api), TODAY)
    assert len(api.asked) == 1
    assert warnings(caplog) == []


def test_a_second_refusal_ends_the_run(api: Api) -> None:
    """Once more is once."""
    api.behind = timedelta(minutes=10)
    api.says = [None, refusal(FUTURE, 200)]
    with pytest.raises(RefusedError, match="future dates"):
        fetch(client_of(api), TODAY)
    assert len(api.asked) == 2


@pytest.mark.parametrize("named", ["", "soon", "Fri, 99 Nov 2026 06:30:42 GMT", "0"])
def test_without_a_date_the_run_ends(api: Api, named: str) -> None:
    """Nobody can know then."""
    api.behind = timedelta(minutes=10)
    api.says = [Reply(200, {"status": "error", "message": FUTURE}, {"Date": named})]
    with pytest.raises(RefusedError, match="future dates"):
        fetch(client_of(api), TODAY)


# Parts of a day


TOO_MUCH = Reply(504, b"")


@pytest.mark.parametrize("back", [1, 60, 3600, 5 * 3600])
def test_a_clock_that_goes_back_between_two_parts_ends_the_day(back: int) -> None:
    """No span ends before it begins; the rest of the day is the next run's."""
    clock = PassingClock(MIDNIGHT + timedelta(hours=12, seconds=20))
    with Api(clock) as api:
        api.says = [TOO_MUCH, TOO_MUCH, None, None]
        client = client_of(api, rate_limit_requests=1000, retry_timeout=86400)
        original = api.answer

        def answer(asked: Any) -> Reply:  # noqa: ANN401
            reply = original(asked)
            if asked.times == "00:00:00 11:59:59":
                clock.begin -= timedelta(seconds=back + 20)
            return reply

        api.answer = answer  # type: ignore[method-assign]
        day = client.fetch_day(TODAY)
        assert isinstance(day, DayResponse)
        day.close()
        spans = [asked.times.split() for asked in api.records_asked()]
    assert all(first <= last for first, last in spans)
    assert spans[-1] == ["00:00:00", "11:59:59"]
    assert len(day.responses) == 1


def test_an_hour_that_repeats_ends_the_day_as_well() -> None:
    """In Berlin, at the end of summer: 02:59:59 is followed by 02:00:00."""
    first_pass = datetime(2026, 10, 25, 0, 59, 55, tzinfo=timezone.utc)
    clock = PassingClock(first_pass)
    with Api(clock) as api:
        api.says = [TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH]
        client = client_of(
            api,
            rate_limit_requests=1000,
            timezone="Europe/Berlin",
            retry_timeout=86400,
            rate_limit_period=0.001,
        )
        original = api.answer

        def answer(asked: Any) -> Reply:  # noqa: ANN401
            reply = original(asked)
            if reply.status == 200:
                clock.passed += 10
            return reply

        api.answer = answer  # type: ignore[method-assign]
        assert isinstance(fetch(client, date(2026, 10, 25))[0], int)
        spans = [asked.times.split() for asked in api.records_asked()]
    assert all(first <= last for first, last in spans)


# Planning


class At(Clock):
    """A clock that stands still."""

    def __init__(self, instant: datetime) -> None:
        """Show an instant."""
        self.instant = instant
        self.passed = 0.0

    def now(self) -> datetime:
        """Return it."""
        return self.instant.astimezone(timezone.utc) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Return the time that was waited."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.passed += seconds + 0.001


def run(
    api: Api,
    instant: datetime,
    capfd: pytest.CaptureFixture[str],
    **more: Any,  # noqa: ANN401
) -> tuple[list[str], list[dict[str, Any]]]:
    """Run the tap; return the days that it asked for, and the states that it wrote."""
    at(api, instant)
    timed = type("TimedTap", (TapOzonetelCDR,), {"clock": api.clock})
    state = more.pop("state", {})
    config = {
        "api_url": api.url,
        "user_name": "acme",
        "api_key": "k3y-0f-acme",
        "auth_method": "api_key",
        "rate_limit_requests": 1000,
        **more,
    }
    timed(config=config, state=state, parse_env_config=False).sync_all()
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    asked = [str(one.day) for one in api.records_asked()]
    api.asked.clear()
    return asked, [line["value"] for line in lines if line["type"] == "STATE"]


@pytest.mark.parametrize(
    ("second", "first", "last"),
    [
        (-1, "2026-11-04", "2026-11-19"),
        (0, "2026-11-05", "2026-11-19"),
        (9, "2026-11-05", "2026-11-19"),
        (10, "2026-11-05", "2026-11-20"),
    ],
)
def test_today_begins_later_and_the_edge_does_not(
    api: Api, capfd: pytest.CaptureFixture[str], second: int, first: str, last: str
) -> None:
    """What is asked for lies in the past; what the API forgets, it forgets by its own clock."""
    asked, _ = run(api, MIDNIGHT + timedelta(seconds=second), capfd)
    assert (asked[0], asked[-1]) == (first, last)


def test_settings_and_bookmarks_are_judged_by_the_real_time(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    """A start today, and a bookmark of today, are right from its first second on."""
    now = MIDNIGHT + timedelta(seconds=3)
    asked, _ = run(api, now, capfd, start_date="2026-11-20")
    assert asked == []
    state = {
        "bookmarks": {"cdr": {"replication_key": "CallDate", "replication_key_value": "2026-11-20"}}
    }
    asked, _ = run(api, now, capfd, state=state)
    assert asked[-1] == "2026-11-19"


def test_a_day_that_has_not_begun_is_no_gap(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not with on_gap: fail either; and no bookmark rests on it."""
    caplog.set_level("INFO")
    api.behind = timedelta(hours=14)
    _, states = run(api, NOW, capfd, start_date="2026-11-19", on_gap="fail")
    assert "2026-11-20 is left to the next run: it has not begun by the API's clock" in (
        caplog.messages
    )
    bookmarks = [one["bookmarks"]["cdr"]["replication_key_value"] for one in states]
    assert set(bookmarks) == {"2026-11-19"}


def test_success_needs_no_clock(api: Api) -> None:
    """An API that takes what lies in the future is asked as ever."""
    api.refuses_the_future = False
    api.behind = timedelta(days=3)
    api.says = [success(5)]
    assert fetch(client_of(api), TODAY) == [5]
