"""The limit is kept, counted from the responses, and never waited for without need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.limiter import Limiter


def test_first_requests_wait_for_nothing() -> None:
    """The first two requests of a run may go at once."""
    limiter = Limiter(2, 60)
    assert limiter.delay(1000) == 0
    assert limiter.responded(1005).delay(1005) == 0


def test_third_request_waits_for_the_first_response_to_leave_the_period() -> None:
    """The third request goes a period after the first response, not after the first request."""
    limiter = Limiter(2, 60).responded(1005).responded(1012)
    assert limiter.delay(1012) == 53
    assert limiter.delay(1065) == 0
    assert limiter.responded(1066).delay(1066) == 6


def test_hold_postpones_the_next_request() -> None:
    """A pause before another try holds the next request, and a shorter one does not undo it."""
    limiter = Limiter(2, 60).hold(1020).hold(1010)
    assert limiter.delay(1000) == 20


def test_a_limiter_never_changes() -> None:
    """What another thread has read stays as it was."""
    limiter = Limiter(2, 60)
    limiter.responded(1000).responded(1000).hold(2000)
    assert limiter == Limiter(2, 60)
    assert limiter.delay(1000) == 0


def test_sixteen_requests_take_seven_periods() -> None:
    """A first run of 16 dates needs at least seven periods of 60 s."""
    assert Limiter(2, 60).delay(0, 16) == 420


@given(
    requests=st.integers(1, 5),
    period=st.integers(1, 100),
    times=st.lists(st.integers(0, 50), min_size=1, max_size=30),
)
def test_no_period_ever_holds_more_than_the_limit(
    requests: int, period: int, times: list[int]
) -> None:
    """However long the responses take, no period holds more requests than are allowed."""
    limiter = Limiter(requests, period)
    now = 0.0
    sent: list[float] = []
    for time in times:
        now += limiter.delay(now)
        sent.append(now)
        now += time
        limiter = limiter.responded(now)
    for earlier, later in zip(sent, sent[requests:], strict=False):
        assert later - earlier >= period
