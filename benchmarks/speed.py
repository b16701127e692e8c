"""How fast a day is read, and in how much memory: all systems in turn, on the same body."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import bodies
from measure import FLOOR, HERE, PLAIN, THIS, Cost, FailedError, run, sync_command
from server import Server

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Speed:
    """What each system took for one body, round by round."""

    calls: int
    kind: str
    megabytes: float
    costs: dict[str, list[Cost]] = field(default_factory=dict)


def measure(
    folder: Path, calls: int, kind: str, rounds: int, systems: tuple[str, ...] = (THIS, PLAIN)
) -> Speed:
    """Run each system once a round; who is first changes from round to round.

    Standard output is a file, so that the writing counts, no reader takes part of the processor,
    and the lines can be counted afterwards.
    """
    day = bodies.past_day()
    name = bodies.account(calls, kind)
    bodies.provide(folder, name, [day])
    speed = Speed(calls, kind, bodies.path(folder, name, day).stat().st_size / 1e6)
    for number in range(rounds):
        turn = number % len(systems)
        for system in (*systems[turn:], *systems[:turn]):
            cost = _run(system, folder, name, calls)
            speed.costs.setdefault(system, []).append(cost)
            print(
                f"{calls:>9,} {kind:<9} {system:<13} {cost.wall:7.2f} s {cost.cpu:7.2f} s CPU "
                f"{cost.peak:6.0f} MB  (round {number + 1} of {rounds})",
                file=sys.stderr,
                flush=True,
            )
    return speed


def _run(system: str, folder: Path, name: str, calls: int) -> Cost:
    day = bodies.past_day().isoformat()
    written = folder / "output.jsonl"
    with Server(folder) as server:
        if system == FLOOR:
            command = [sys.executable, str(HERE / "floor.py"), server.url, name, day]
        else:
            command = sync_command(
                system, folder, api_url=server.url, user_name=name, start_date=day, end_date=day
            )
        with written.open("wb") as output:
            cost = run(command, folder, output)
    with written.open("rb") as lines:
        records = sum(b'"RECORD"' in line[:100] for line in lines)
    written.unlink()
    if records != calls:
        raise FailedError(f"{system} wrote {records} of {calls} records")
    return cost
