"""The doctor: what ``--test`` says of an account, and what it costs."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from runs import NOW, StillClock

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.errors import RefusedError, TapError
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Callable

    from ozonetel_sandbox import Request

YESTERDAY = "2026-11-19"


@dataclass
class Examined:
    """What a test said and wrote."""

    log: list[tuple[str, str]]
    """The level and text of each line."""
    messages: list[dict[str, Any]]
    requests: list[Request]
    error: TapError | None
    waited: float

    @property
    def lines(self) -> list[str]:
        """What was said, but for how long it took."""
        return [line for _, line in self.log if " answered in " not in line]

    @property
    def warnings(self) -> list[str]:
        """What was said as a WARNING."""
        return [line for level, line in self.log if level == "WARNING"]

    @property
    def asked(self) -> list[tuple[str, dict[str, str]]]:
        """The day and the filters of each request for records."""
        own = {"fromDate", "toDate", "userName"}
        return [
            (r.from_date[:10], {name: r.fields[name] for name in r.fields.keys() - own})
            for r in self.requests
            if r.method == "GET"
        ]


@pytest.fixture
def served_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime | None], None]:
    """Let servers say what time it is; None: nothing."""

    def serve(instant: datetime | None) -> None:
        text = format_datetime(instant, usegmt=True) if instant else "no date"
        monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: text)

    serve(NOW)
    return serve


@pytest.fixture
def examine(
    served_at: Callable[[datetime | None], None],  # noqa: ARG001 - the servers' clocks
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., Examined]:
    """Return what runs a test of an account."""

    def run(
        now: datetime = NOW,
        state: dict[str, Any] | None = None,
        api: dict[str, Any] | None = None,
        deselected: str | None = None,
        **config: object,
    ) -> Examined:
        clock = StillClock()
        clock.now = lambda: now  # type: ignore[method-assign]
        timed = type("TimedTap", (TapOzonetelCDR,), {"clock": clock})
        error: TapError | None = None
        caplog.clear()
        with (
            Sandbox(
                **{"now": clock.now, "monotonic": clock.monotonic, "records_per_day": lambda _: 60}
                | (api or {})
            ) as sandbox,
            io.TextIOWrapper(io.BytesIO()) as output,
            caplog.at_level(logging.INFO),
        ):
            given = {
                "api_url": sandbox.url,
                "user_name": sandbox.user_name,
                "api_key": sandbox.api_key,
            }
            with contextlib.redirect_stdout(output):
                settings = {**given, **config}
                catalog = timed(config=settings, parse_env_config=False).catalog_dict
                for entry in catalog["streams"][0]["metadata"]:
                    if entry["breadcrumb"][1:] == [deselected]:
                        entry["metadata"]["selected"] = False
                tap = timed(
                    config=settings, catalog=catalog, state=state or {}, parse_env_config=False
                )
                try:
                    assert tap.run_connection_test()
                except TapError as raised:
                    error = raised
            output.flush()
            lines = output.buffer.getvalue().splitlines()
            requests = sandbox.requests
        log = [
            (one.levelname, one.getMessage()) for one in caplog.records if one.name.endswith(".cdr")
        ]
        return Examined(log, [json.loads(line) for line in lines], requests, error, clock.passed)

    return run


FIRST_RUN = (
    "A first run reads 2026-11-05 to 2026-11-20: 16 requests, at least 420 s for the account's "
    "limit"
)


def test_an_account_in_order(examine: Callable[..., Examined]) -> None:
    """One request for the last settled day, a line for each thing that may be wrong."""
    found = examine()
    assert found.asked == [(YESTERDAY, {})]
    assert found.lines == [
        "user_name and api_key work (auth_method: api_key, set to auto)",
        "This machine's clock and the server's are 0 s apart",
        "timezone: Asia/Kolkata agrees with the ids of the records",
        f"{YESTERDAY} has 60 records",
        FIRST_RUN,
    ]
    assert found.log[0][1].startswith("http://127.0.0.1:")
    assert found.log[0][1].endswith(" answered in 0.0 s")
    assert found.warnings == []
    assert [message["type"] for message in found.messages] == ["SCHEMA", "RECORD", "STATE"]
    assert found.messages[1]["record"]["CallDate"] == YESTERDAY
    assert found.waited == 0


@pytest.mark.parametrize(
    ("hour", "settling", "day"),
    [(1, 4, "2026-11-18"), (1, 0, YESTERDAY), (4, 4, YESTERDAY), (23, 4, YESTERDAY)],
)
def test_the_day_is_settled(
    hour: int, settling: int, day: str, examine: Callable[..., Examined]
) -> None:
    """A day that may still be incomplete would say nothing of filters."""
    # 18:30 in UTC is midnight in Kolkata.
    now = datetime(2026, 11, 19, 18, 30, tzinfo=timezone.utc) + timedelta(hours=hour)
    found = examine(now, settling_hours=settling, start_date="2026-11-20")
    assert [asked for asked, _ in found.asked] == [day]


def test_finding_the_way_in_costs_one_request(examine: Callable[..., Examined]) -> None:
    """And is said."""
    found = examine(api={"auth_method": "token"})
    assert found.asked == [(YESTERDAY, {})] * 2
    assert "user_name and api_key work (auth_method: token, set to auto)" in found.lines
    assert found.waited == 0


def test_filters_cost_one_request_without_them(examine: Callable[..., Examined]) -> None:
    """So that one can see what they leave."""
    found = examine(status="NotAnswered", call_type="Manual")
    assert found.asked == [
        (YESTERDAY, {"status": "NotAnswered", "callType": "Manual"}),
        (YESTERDAY, {}),
    ]
    [line] = [line for line in found.lines if " has " in line]
    record = found.messages[1]["record"]
    assert (record["Type"], record["Status"]) == ("Manual", "Unanswered")
    head = f"{YESTERDAY} has 60 records, and the filters (call_type, status) leave "
    assert line.startswith(head)
    assert 0 < int(line.removeprefix(head).removesuffix(" of them")) < 60
    assert found.warnings == []


@pytest.mark.parametrize(
    ("setting", "value"), [("status", "NotAnswerd"), ("call_type", "Predictive"), ("ucid", "1")]
)
def test_a_filter_that_leaves_nothing_is_a_warning(
    setting: str, value: str, examine: Callable[..., Examined]
) -> None:
    """A misspelt word is seen, and the stream holds no record that a run would not write."""
    found = examine(**{setting: value})
    assert found.warnings == [
        (
            f"{YESTERDAY} has 60 records, and the filters leave none of them. "
            f"Check the spelling of {setting}"
        )
    ]
    assert [message["type"] for message in found.messages] == ["SCHEMA", "STATE"]


def test_an_empty_day_says_nothing_of_filters(examine: Callable[..., Examined]) -> None:
    """Where there is nothing, nothing is left."""
    found = examine(status="NotAnswered", api={"records_per_day": lambda _: 0})
    assert found.warnings == []
    assert f"{YESTERDAY} has 0 records, and the filters (status) leave 0 of them" in found.lines
    assert [message["type"] for message in found.messages] == ["SCHEMA", "STATE"]


def test_three_requests_wait_for_the_limit(examine: Callable[..., Examined]) -> None:
    """Where the way in is found and filters are set, the third goes in the next period."""
    found = examine(status="NotAnswered", api={"auth_method": "token"})
    assert len(found.asked) == 3
    assert 60 <= found.waited < 61
    assert not any("limit is used up" in line for line in found.lines)


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (61, "This machine's clock is 61 s behind the server's: set it right."),
        (-61, "This machine's clock is 61 s ahead of the server's: set it right."),
        (-86_400, "This machine's clock is 86400 s ahead of the server's: set it right."),
        (60, None),
        (-60, None),
    ],
)
def test_a_clock_that_is_wrong_is_a_warning(
    seconds: int,
    line: str | None,
    examine: Callable[..., Examined],
    served_at: Callable[[datetime | None], None],
) -> None:
    """From a minute on; below that it is said."""
    served_at(NOW + timedelta(seconds=seconds))
    found = examine()
    if line:
        [warning] = found.warnings
        assert warning.startswith(line)
    else:
        assert found.warnings == []
        assert "This machine's clock and the server's are 60 s apart" in found.lines


def test_a_server_without_a_clock(
    examine: Callable[..., Examined], served_at: Callable[[datetime | None], None]
) -> None:
    """It is said, and nothing ends."""
    served_at(None)
    found = examine()
    line = "The server does not send its time: check this machine's clock yourself"
    assert line in found.lines
    assert found.error is None


def test_a_wrong_time_zone_is_a_warning(examine: Callable[..., Examined]) -> None:
    """The ids hold their time."""
    found = examine(timezone="Asia/Dubai", api={"timezone": "Asia/Kolkata"})
    assert found.warnings == [
        (
            "timezone is Asia/Dubai (UTC+04:00), but the ids of the records say UTC+05:30: "
            "instants are wrong by the difference, and today may be another day. Set timezone to "
            "the account's"
        )
    ]


def test_too_few_records_say_nothing_of_the_time_zone(examine: Callable[..., Examined]) -> None:
    """Neither that it is right nor that it is wrong."""
    found = examine(timezone="Asia/Dubai", api={"records_per_day": lambda _: 3})
    assert found.warnings == []
    assert (
        "timezone: Asia/Dubai is not confirmed; too few records, or ids that hold no time"
        in found.lines
    )


def test_columns_that_are_not_selected_change_nothing(examine: Callable[..., Examined]) -> None:
    """The doctor looks at ids whatever a run writes, and writes what a run would."""
    found = examine(deselected="StartTime")
    assert "timezone: Asia/Kolkata agrees with the ids of the records" in found.lines
    assert "StartTime" not in found.messages[1]["record"]


@pytest.mark.parametrize(
    ("state", "settings", "line"),
    [
        (
            "2026-11-19",
            {},
            "The next run reads 2026-11-19 to 2026-11-20: 2 requests, no wait",
        ),
        (
            None,
            {"end_date": "2026-11-01"},
            "A first run has nothing to read: today is outside start_date and end_date",
        ),
    ],
)
def test_what_the_next_run_reads(
    state: str | None,
    settings: dict[str, str],
    line: str,
    examine: Callable[..., Examined],
) -> None:
    """By the state, where there is one."""
    bookmark = {"replication_key": "CallDate", "replication_key_value": state}
    given = {"bookmarks": {"cdr": bookmark}} if state else None
    found = examine(state=given, **settings)
    assert found.lines[-1] == line


@pytest.mark.parametrize(
    ("api", "settings", "cause"),
    [
        ({}, {"api_key": "wrong"}, "Check user_name and api_key"),
        ({}, {"campaign_name": "None such"}, "Check the setting campaign_name"),
        ({"auth_method": "token"}, {"auth_method": "api_key"}, "or try auth_method: token"),
        (
            {"faults": ["refusal:Who knows"]},
            {},
            "'Who knows' (HTTP 200). These words are not known",
        ),
    ],
)
def test_what_fails_says_why(
    api: dict[str, Any],
    settings: dict[str, Any],
    cause: str,
    examine: Callable[..., Examined],
) -> None:
    """The error that ends it is the cause; what was written so far is a valid stream."""
    found = examine(api=api, **settings)
    assert isinstance(found.error, RefusedError)
    assert cause in found.error.line
    assert [message["type"] for message in found.messages] == ["SCHEMA"]


def test_a_day_that_is_gone_ends_it(examine: Callable[..., Examined]) -> None:
    """Where the settled day lies at the edge, and the API does not have it."""
    found = examine(retention_days=1, api={"faults": ["refusal:Too old for us"]})
    assert isinstance(found.error, RefusedError)
    assert found.error.line.startswith(f"{YESTERDAY} cannot be read: the API answered 'Too old for")
