"""What most tests start from: a clock, an account in the sandbox, and runs of the tap on both."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from clocks import StillClock
from runs import Run, Sync, run, sandbox_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ozonetel_sandbox import Sandbox


@pytest.fixture
def clock() -> StillClock:
    """Noon in Kolkata on 2026-11-20; waiting takes no time."""
    return StillClock()


@pytest.fixture
def sandbox(clock: StillClock) -> Iterator[Sandbox]:
    """An account with a few records a day, but none on the 7th, on the clock of the test."""
    with sandbox_on(
        clock, records_per_day=lambda day: 0 if day == date(2026, 11, 7) else 3
    ) as serving:
        yield serving


@pytest.fixture
def sync(sandbox: Sandbox, clock: StillClock) -> Sync:
    """Run the tap, in process. As a command: ``commands.tap`` and ``commands.Process``."""

    def sync(
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        /,
        **settings: object,
    ) -> Run:
        return run(sandbox, clock, state, catalog, **settings)

    return sync
