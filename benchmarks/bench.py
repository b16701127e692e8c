"""This tap beside a plain Singer SDK tap: speed, memory, the limit's schedule, and start-up.

Prints Markdown to standard output, and progress to standard error.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

import bodies
import picture
import report
import schedule
import speed
import startup
from measure import FLOOR, PLAIN, THIS, compile_all

ROOT: Final = Path(__file__).parent.parent
CASES: Final = ("speed", "kinds", "schedule", "startup")
ONCE_FROM: Final = 500_000
"""Records from which on a size is measured once: the plain tap takes minutes and gigabytes."""

_SECTION = re.compile(r"(?<=<!-- from make bench -->\n).*(?=<!-- to here -->)", re.DOTALL)


def main() -> None:
    """Measure what was asked for, print it, and draw it."""
    options = _options()
    for folder in (options.folder, options.picture.parent):
        folder.mkdir(parents=True, exist_ok=True)
    parts: list[str] = []

    def tell(part: str) -> None:
        print(part, flush=True)
        parts.append(part)

    tell(report.machine())
    compile_all(options.folder)
    if "speed" in options.cases:
        sizes = [
            speed.measure(
                options.folder,
                calls,
                bodies.PAST,
                _rounds(calls, options),
                (THIS, PLAIN, FLOOR),
            )
            for calls in sorted(options.sizes)
        ]
        tell(report.speeds(sizes))
        options.picture.write_text(picture.draw(sizes), "utf-8")
    if "kinds" in options.cases:
        calls = max((c for c in options.sizes if c < ONCE_FROM), default=min(options.sizes))
        tell(
            report.kinds(
                [
                    speed.measure(options.folder, calls, kind, _rounds(calls, options))
                    for kind in options.kinds
                ]
            )
        )
    if "schedule" in options.cases:
        tell(report.schedules(schedule.measure(options.folder, options.period)))
    if "startup" in options.cases:
        tell(report.starts(startup.measure(options.folder, options.starts)))
    if options.publish:
        page = options.publish.read_text("utf-8")
        text = "\n" + "\n".join(parts) + "\n"
        options.publish.write_text(_SECTION.sub(lambda _: text, page), "utf-8")


def _rounds(calls: int, options: argparse.Namespace) -> int:
    return 1 if calls >= ONCE_FROM else int(options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--cases", nargs="+", choices=CASES, default=CASES, help="what to measure")
    add(
        "--sizes",
        nargs="+",
        type=int,
        default=[10_000, 200_000, 1_000_000],
        metavar="RECORDS",
        help=f"records in the day; {ONCE_FROM} or more are measured once",
    )
    add("--rounds", type=int, default=5, help="runs of each system")
    add(
        "--kinds",
        nargs="+",
        choices=[kind for kind in bodies.KINDS if kind != bodies.PAST],
        default=[bodies.CURRENT, bodies.NEW_FIELD, bodies.NUMBER],
        help="other days than past ones, of the largest size that is measured more than once",
    )
    add("--period", type=float, default=3, help="seconds for two requests in the schedule's case")
    add("--starts", type=int, default=11, help="runs of each start")
    add(
        "--folder",
        type=Path,
        default=ROOT / ".bench",
        help="where the bodies are kept: about 2 GB with the default sizes",
    )
    add(
        "--picture",
        type=Path,
        default=ROOT / ".bench" / "benchmark.svg",
        help="where the picture of the sizes goes",
    )
    add("--publish", type=Path, metavar="PAGE", help="a page whose tables to replace")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    return options


if __name__ == "__main__":
    main()
