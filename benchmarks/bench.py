"""This tap beside a plain Singer SDK tap: speed, memory, the limit's schedule, and start-up.

Prints Markdown to standard output, and progress to standard error.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bodies
import report
import speed
from measure import FLOOR, PLAIN, THIS

CASES = ("speed", "variants", "schedule", "startup")
ONCE_FROM = 500_000
"""Calls from which on a size is measured once: the plain tap takes minutes and gigabytes."""


def main() -> None:
    """Measure what was asked for, and print it."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(report.machine(), flush=True)
    if "speed" in options.cases:
        found = [
            speed.measure(
                options.folder,
                calls,
                bodies.ORDINARY,
                1 if calls >= ONCE_FROM else options.rounds,
                (THIS, PLAIN, FLOOR),
            )
            for calls in sorted(options.sizes)
        ]
        print(report.speeds(found), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 200_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent / ".bench")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    return options


if __name__ == "__main__":
    main()
