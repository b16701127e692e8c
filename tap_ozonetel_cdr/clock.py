"""The machine's clock behind one small face, so that tests can hand in another."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """Real time: what day it is, how much of it has passed, and waiting for more."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that no clock change can move."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)
