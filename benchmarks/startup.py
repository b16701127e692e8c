"""How long the two taps take to start."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import bodies
from measure import PLAIN, TAPS, THIS, run, sync_command
from server import Server

if TYPE_CHECKING:
    from pathlib import Path

FIRST_REQUEST = "first request"

Starts = dict[str, dict[str, list[float]]]
"""What was started, tap, and the seconds of each run."""


def measure(folder: Path, runs: int) -> Starts:
    """Start both taps in turn: for their version, their catalog, and for a small day."""
    found: Starts = {}
    for number in range(runs):
        print(f"start {number + 1} of {runs}", file=sys.stderr)
        for what in ("--version", "--discover", FIRST_REQUEST):
            for tap in (THIS, PLAIN) if number % 2 else (PLAIN, THIS):
                if what == FIRST_REQUEST:
                    seconds = _first_request(tap, folder)
                else:
                    seconds = run([*TAPS[tap], what], folder).wall
                found.setdefault(what, {}).setdefault(tap, []).append(seconds)
    return found


def _first_request(tap: str, folder: Path) -> float:
    """Return the seconds from the start of a tap to the arrival of its first request."""
    day, name = bodies.past_day(), bodies.account(10)
    bodies.provide(folder, name, [day])
    with Server(folder) as server:
        start = end = day.isoformat()
        command = sync_command(
            tap, folder, api_url=server.url, user_name=name, start_date=start, end_date=end
        )
        cost = run(command, folder)
    return server.requests[0].arrived - cost.started
