"""The limit is kept, counted from the answers, and never waited for without need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.limiter import Limiter


def test_first_requests_wait_for_nothing() -> None:
    """The first two requests of a run may go at once."""
    limiter = Limiter(2, 60)
    assert limiter.delay(1000) == 0
    limiter.answered(1005)
    assert limiter.delay(1005) == 0


def test_third_request_waits_for_the_first_answer_to_leave_the_window() -> None:
    """The third request goes a period after the first answer, not after the first question."""
    limiter = Limiter(2, 60)
    limiter.answered(1005)
    limiter.answered(1012)
    assert limiter.delay(1012) == 53
    assert limiter.delay(1065) == 0
    limiter.answered(1066)
    assert limiter.delay(1066) == 6


def test_hold_postpones_the_next_request() -> None:
    """A pause before another try holds the next request, and a shorter one does not undo it."""
    limiter = Limiter(2, 60)
    limiter.hold(1020)
    limiter.hold(1010)
    assert limiter.delay(1000) == 20


def test_hold_window_waits_for_a_whole_period() -> None:
    """When another client has used the limit up, the next request goes a period later."""
    limiter = Limiter(2, 60)
    limiter.answered(1000)
    limiter.hold_window(1000)
    assert limiter.delay(1001) == 59


def test_sixteen_requests_take_seven_windows() -> None:
    """A first run of 16 dates needs at least seven periods of 60 s."""
    assert Limiter(2, 60).delay(0, 16) == 420


@given(
    requests=st.integers(1, 5),
    period=st.integers(1, 100),
    answers=st.lists(st.integers(0, 50), min_size=1, max_size=30),
)
def test_no_window_ever_holds_more_than_the_limit(
    requests: int, period: int, answers: list[int]
) -> None:
    """However long the answers take, no period holds more requests than are allowed."""
    limiter = Limiter(requests, period)
    now = 0.0
    asked: list[float] = []
    for answer_time in answers:
        now += limiter.delay(now)
        asked.append(now)
        now += answer_time
        limiter.answered(now)
    for earlier, later in zip(asked, asked[requests:], strict=False):
        assert later - earlier >= period
