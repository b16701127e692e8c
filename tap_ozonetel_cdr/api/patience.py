"""How long to go on without a complete response, and when to try again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import backoff

from tap_ozonetel_cdr.api.responses import Action

if TYPE_CHECKING:
    from tap_ozonetel_cdr.api.responses import Verdict


class Patience:
    """The time since the last complete response, and the waits between the tries in it.

    All times are seconds of one monotonic clock, handed in by the caller.
    """

    def __init__(self, retry_timeout: float, period: float) -> None:
        """Go on for ``retry_timeout`` seconds; no wait grows beyond the limit's ``period``."""
        self._retry_timeout = retry_timeout
        self._period = period
        self.start(0)

    def start(self, now: float) -> None:
        """Begin anew: a complete response has come, or a day begins."""
        self.ends = now + self._retry_timeout
        """The moment after which nothing is tried again."""
        waits = backoff.expo(factor=self._period / 60, max_value=self._period)
        next(waits)  # what backoff's own decorators begin with
        self._waits = map(backoff.full_jitter, waits)

    def next_try(self, verdict: Verdict, now: float) -> float:
        """Return the moment before which nothing is sent after a response that is not accepted.

        The limit is waited for a whole period. After a failure the waits grow, at random, from a
        sixtieth of the period up to the period. The server's own wait is kept as well.
        """
        if verdict.action is Action.AGAIN:
            due = verdict.not_before
        elif verdict.action is Action.WAIT:
            due = now + self._period
        else:
            due = now + next(self._waits)
        return max(due, now + (verdict.retry_after or 0))
