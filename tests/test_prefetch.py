from __future__ import annotations

import contextlib
import io
import threading
from typing import TYPE_CHECKING

import pytest
from runs import NOW, StillClock, days_from, until

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.api.prefetch import one_ahead
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Callable


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


class Target(io.BytesIO):
    """A target that does not take a day's first lines until something is so."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        """Wait for ``condition`` once."""
        super().__init__()
        self.condition = condition
        self.waited = False

    def write(self, lines: bytes) -> int:  # type: ignore[override]  # what the tap hands over
        """Take lines."""
        if b'"RECORD"' in bytes(lines) and not self.waited:
            until(self.condition)
            self.waited = True
        return super().write(lines)


def test_the_next_day_is_fetched_while_a_slow_target_takes_this_one() -> None:
    """A target that is busy with the first day does not keep the second from being asked for."""
    clock = StillClock()
    with Sandbox(
        now=lambda: NOW, monotonic=clock.monotonic, records_per_day=lambda _: 5
    ) as sandbox:
        days = days_from(NOW.date())

        def asked() -> list[str]:
            return [r.from_date[:10] for r in sandbox.requests if r.method == "GET"]

        target = Target(lambda: len(asked()) == 2)
        config = {
            "api_url": sandbox.url,
            "user_name": sandbox.user_name,
            "api_key": sandbox.api_key,
        }
        tap = type("TimedTap", (TapOzonetelCDR,), {"clock": clock})
        with contextlib.redirect_stdout(io.TextIOWrapper(target)):
            tap(config=config, parse_env_config=False).sync_all()
        assert target.waited
        assert len(asked()) == 16
        assert asked()[-1] == str(days[-1])
