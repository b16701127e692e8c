"""How long a run goes on without a complete response, and when it tries again."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.headers import seconds_of
from tap_ozonetel_cdr.api.patience import Patience
from tap_ozonetel_cdr.api.responses import Action, Verdict

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=timezone.utc)
RETRY, WAIT = Verdict(Action.RETRY, "HTTP 503"), Verdict(Action.WAIT, "HTTP 429")


def test_it_ends_retry_timeout_after_the_last_complete_response() -> None:
    """Each complete response, and each day, begins it anew."""
    patience = Patience(900, 60)
    patience.start(1000)
    assert patience.ends == 1900
    patience.start(1500)
    assert patience.ends == 2400


def test_the_limit_is_waited_for_a_whole_period() -> None:
    """The period of another client may have begun this moment."""
    patience = Patience(900, 60)
    assert [patience.next_try(WAIT, now) for now in (1000, 1060)] == [1060, 1120]


@given(st.floats(1, 1000))
def test_waits_grow_up_to_the_period(period: float) -> None:
    """At random, from a sixtieth of the period on, doubled each time."""
    patience = Patience(900, period)
    patience.start(0)
    most = period / 60
    for _ in range(12):
        assert 0 <= patience.next_try(RETRY, 1000) - 1000 <= most
        most = min(2 * most, period)


def test_waits_begin_anew_with_a_complete_response() -> None:
    """An outage of an hour ago makes no wait longer."""
    patience = Patience(900, 60)
    for _ in range(10):
        patience.next_try(RETRY, 0)
    patience.start(0)
    assert patience.next_try(RETRY, 0) <= 1


def test_waits_are_not_all_the_same() -> None:
    """Runs that failed together do not try again together."""
    patience = Patience(900, 60)
    tries = [patience.next_try(RETRY, 0) for _ in range(30)]
    assert any(one != other for one, other in pairwise(tries))


@pytest.mark.parametrize("action", [Action.RETRY, Action.WAIT, Action.AGAIN])
def test_the_servers_own_wait_is_kept(action: Action) -> None:
    """Whatever else there is to wait for, it is waited as well."""
    assert Patience(900, 60).next_try(Verdict(action, "", retry_after=70), 1000) == 1070


def test_a_moment_that_is_named_is_kept() -> None:
    """No wait is added to it, and none where it has passed or none is named."""
    patience = Patience(900, 60)
    named = Verdict(Action.AGAIN, "", not_before=1004)
    assert patience.next_try(named, 1000) == 1004
    assert patience.next_try(named, 1010) <= 1010
    assert patience.next_try(Verdict(Action.AGAIN, ""), 1010) <= 1010


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("Fri, 20 Nov 2026 06:30:42 GMT", 42),
        ("Fri, 20 Nov 2026 12:00:42 +0530", 42),
        ("Fri, 20 Nov 2026 06:30:42", 42),
        ("Fri, 20 Nov 2026 06:30:42 -0000", 42),
        ("Fri, 20 Nov 2026 06:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-7", None),
        ("7.5", None),
        ("Fri, 99 Nov 2026 06:30:42 GMT", None),
        ("Fri, 20 Nov 2026 06:30:42 +9999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of HTTP are read; anything else asks for no wait."""
    assert seconds_of(header, NOW) == seconds


@given(st.text())
@example("0\x1f")  # white space to str.strip(), and none to float()
def test_no_retry_after_raises(header: str) -> None:
    """Whatever a server sends."""
    found = seconds_of(header, NOW)
    assert found is None or found >= 0
