from __future__ import annotations

import threading

import pytest
from api_server import DAYS, Api, PassingClock, client_of, until

from tap_ozonetel_cdr.api.client import DayResponse
from tap_ozonetel_cdr.api.prefetch import one_ahead


def test_results_come_in_order() -> None:
    """Each item's result is given once, in the items' order."""
    assert list(one_ahead(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(one_ahead(lambda n: n, [])) == []


def test_one_step_ahead_and_no_more() -> None:
    """While the caller has one result, the next is made unasked, and none after it."""
    begun: list[int] = []
    results = one_ahead(begun.append, range(4))
    for n in range(4):
        next(results)
        until(lambda: len(begun) > min(n + 1, 3))  # noqa: B023  # called at once
        assert begun == [0, 1, 2, 3][: n + 2]
    assert next(results, "no more") == "no more"


def test_a_failure_waits_for_its_turn() -> None:
    """What is raised a step ahead comes when the caller is done with the result before."""
    failed = threading.Event()

    def fail_at_two(n: int) -> int:
        if n == 2:
            failed.set()
            raise SystemExit("the second day")
        return n

    results = one_ahead(fail_at_two, range(1, 4))
    assert next(results) == 1
    assert failed.wait(10)
    with pytest.raises(SystemExit, match="the second day"):
        next(results)


def test_the_next_day_is_fetched_while_a_slow_consumer_has_this_one() -> None:
    """Whoever is busy with the first day does not keep the second from being asked for."""
    with Api(PassingClock()) as api:
        found = one_ahead(client_of(api).fetch_day, DAYS)
        for n in range(16):
            day = next(found)
            until(lambda: len(api.asked) > min(n + 1, 15))  # noqa: B023  # called at once
            assert isinstance(day, DayResponse)
            assert (day.day, day.count) == (DAYS[n], 3)
            assert len(api.asked) == min(n + 2, 16)
            day.close()


def test_the_standing_may_be_read_while_another_thread_fetches() -> None:
    """It is always of one moment: a request a day, one more for the way in, one token."""
    with Api(PassingClock()) as api:
        api.takes = "token"
        client = client_of(api)
        seen = [client.standing]
        for day in one_ahead(client.fetch_day, DAYS):
            seen += [client.standing for _ in range(100)]
            assert isinstance(day, DayResponse)
            day.close()
        assert {(s.requests - s.days, s.tokens) for s in seen} <= {(0, 0), (1, 0), (1, 1), (2, 1)}
        assert [s.requests for s in seen] == sorted(s.requests for s in seen)
