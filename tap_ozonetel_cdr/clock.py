"""The machine's clock behind one small face, so that tests can hand in another."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

MARGIN = timedelta(seconds=10)
"""How far this machine's clock may be ahead of the API's, which refuses all that is in the future.

A machine that asks for the time keeps within a second of it, one that does not loses or gains up to
that in a day. Ten seconds of calls cost nothing: today is read again by the next run, and a record
may take as long to be listed.
"""


class Clock:
    """Real time: what day it is, how much of it has passed, and waiting for more."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(timezone.utc)

    def safe_now(self) -> datetime:
        """Return the instant, aware, in UTC, up to which records are asked for: now less a margin.

        What today is for a plan follows from it as well, so that no day is asked for before it has
        begun by this clock.
        """
        return self.now() - MARGIN

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that no clock change can move."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)
