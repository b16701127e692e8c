"""What was measured, as Markdown."""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measure import PLAIN, THIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from speed import Speed


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
    """Return the tables of time and memory, and of the ratios."""
    rows = []
    for speed in measured:
        for system, costs in speed.costs.items():
            wall = median(cost.wall for cost in costs)
            rows.append(
                (
                    f"{speed.calls:,} ({speed.megabytes:,.0f} MB)",
                    system,
                    _spread(cost.wall for cost in costs),
                    _spread(cost.cpu for cost in costs),
                    _spread((cost.peak for cost in costs), digits=0),
                    f"{speed.calls / wall:,.0f}",
                    str(len(costs)),
                )
            )
    heads = ("calls", "system", "wall s", "CPU s", "peak MB", "records/s", "rounds")
    return table(heads, rows) + "\n" + ratios(measured)


def ratios(measured: Sequence[Speed]) -> str:
    """Return the table of how many times as long the plain tap takes, round by round."""
    rows = []
    for speed in measured:
        pairs = list(zip(speed.costs[PLAIN], speed.costs[THIS], strict=True))
        rows.append(
            (
                f"{speed.calls:,}",
                speed.kind,
                _spread(plain.wall / this.wall for plain, this in pairs),
                _spread(plain.cpu / this.cpu for plain, this in pairs),
                _spread(plain.peak / this.peak for plain, this in pairs),
            )
        )
    return table(("calls", "kind", "plain/this: wall", "CPU", "peak memory"), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
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
