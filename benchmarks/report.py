"""What was measured, as Markdown."""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from bodies import KINDS
from measure import PLAIN, THIS
from schedule import DATES, LIMIT, waits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schedule import Schedule
    from speed import Speed
    from startup import Starts


def machine() -> str:
    """Return where and when this is measured."""
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("singer-sdk", "requests", "msgspec")
    )
    return (
        f"Measured on {datetime.now(timezone.utc):%Y-%m-%d} on {_processor()} "
        f"({os.cpu_count()} cores), {platform.system()}, Python {platform.python_version()}, "
        f"{versions}; load average before: {os.getloadavg()[0]:.2f}.\n"
    )


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def speeds(measured: Sequence[Speed]) -> str:
    """Return the tables of time and memory of past days, and of the ratios."""
    rows = [
        (f"{speed.calls:,} ({speed.megabytes:,.0f} MB)", *row)
        for speed in measured
        for row in _costs(speed)
    ]
    ratios = [(f"{speed.calls:,}", *_ratios(speed)) for speed in measured]
    return _table(("records", *_COSTS), rows) + "\n" + _table(("records", *_RATIOS), ratios)


def kinds(measured: Sequence[Speed]) -> str:
    """Return the same tables for days of other kinds."""
    rows = [(KINDS[speed.kind], *row) for speed in measured for row in _costs(speed)]
    ratios = [(KINDS[speed.kind], *_ratios(speed)) for speed in measured]
    head = f"{measured[0].calls:,} records of"
    return _table((head, *_COSTS), rows) + "\n" + _table((head, *_RATIOS), ratios)


def schedules(measured: Sequence[Schedule]) -> str:
    """Return the table of how much of the limit's schedule is used."""
    period, calls = measured[0].period, measured[0].calls
    rows = [
        (
            found.reader,
            f"{found.took:.2f}",
            f"{found.least:.2f}",
            f"{found.least / found.took:.1%}",
            f"{found.lost_a_period * 1000:.0f}",
            f"{1 / (1 + found.lost_a_period / _REAL_PERIOD):.2%}",
        )
        for found in measured
    ]
    heads = ("reader", "took s", "least s", "efficiency", "lost ms a period", "at 60 s a period")
    return (
        f"{DATES} dates of {calls:,} records, {LIMIT} requests in {period:g} s: {waits(DATES)} "
        f"periods and the responses' own time are the least.\n\n{_table(heads, rows)}"
    )


def starts(measured: Starts) -> str:
    """Return the table of the times to start, in milliseconds."""
    rows = [
        (
            f"`{what}`" if what.startswith("-") else what,
            *(_spread((1000 * second for second in seconds[tap]), 0) for tap in (THIS, PLAIN)),
            f"{1000 * (median(seconds[THIS]) - median(seconds[PLAIN])):+.0f}",
        )
        for what, seconds in measured.items()
    ]
    return _table(("start", f"{THIS}, ms", f"{PLAIN}, ms", "difference"), rows)


_COSTS: Final = ("system", "wall s", "CPU s", "peak MB", "records/s", "rounds")
_RATIOS: Final = ("plain SDK tap / this tap: wall", "CPU", "peak memory")
_REAL_PERIOD: Final = 60


def _costs(speed: Speed) -> Iterator[tuple[str, ...]]:
    for system, costs in speed.costs.items():
        yield (
            system,
            _spread(cost.wall for cost in costs),
            _spread(cost.cpu for cost in costs),
            _spread((cost.peak for cost in costs), 0),
            f"{speed.calls / median(cost.wall for cost in costs):,.0f}",
            str(len(costs)),
        )


def _ratios(speed: Speed) -> tuple[str, ...]:
    """Return how many times as much the plain tap takes, round by round."""
    pairs = list(zip(speed.costs[PLAIN], speed.costs[THIS], strict=True))
    return (
        _spread(plain.wall / this.wall for plain, this in pairs),
        _spread(plain.cpu / this.cpu for plain, this in pairs),
        _spread((plain.peak / this.peak for plain, this in pairs), 1),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _spread(values: Iterable[float], digits: int = 2) -> str:
    """Return the median, and the least and the greatest beside it."""
    found = sorted(values)
    middle = f"{median(found):,.{digits}f}"
    if len(found) == 1:
        return middle
    return f"{middle} ({found[0]:,.{digits}f}–{found[-1]:,.{digits}f})"  # noqa: RUF001  a range
