"""Loads: readings of one emulated account, loaders in environments of their own, and the truth."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from commands import environment
from oracle import ADDED, DURATIONS, INSTANTS, INTEGERS, expected_row
from runs import StillClock

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PROGRAMS = Path(sys.executable).parent
KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 11, 18)
"""The day that is read as today, twice, and as a past day."""
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
NUMBERS = [*INTEGERS, *(name for name in ADDED if name.endswith("Seconds"))]
assert len(NUMBERS) == len(INTEGERS) + len(DURATIONS)

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]


# Readings


class Load(NamedTuple):
    """What one run of the tap wrote, and the rows that are true for the days it read."""

    messages: str
    rows: Rows

    @property
    def state(self) -> Row:
        """The last state."""
        last = json.loads(self.messages.splitlines()[-1])
        assert last["type"] == "STATE"
        return last["value"]  # type: ignore[no-any-return]  # any JSON


class Calendar(StillClock):
    """Time that stands still until somebody moves it."""

    at = datetime(2026, 11, 18, 9, 30, tzinfo=timezone.utc)

    def now(self) -> datetime:
        """Return the same instant until it is moved."""
        return self.at

    def move(self, day: date, hour: int) -> None:
        """Move it to an hour of a day in Kolkata."""
        self.at = datetime(day.year, day.month, day.day, hour, tzinfo=KOLKATA)


def extract(
    sandbox: Sandbox, clock: Calendar, state: Row | None = None, /, **settings: object
) -> str:
    """Return what the tap writes."""
    config = {
        "api_url": sandbox.url,
        "user_name": sandbox.user_name,
        "api_key": sandbox.api_key,
        "start_date": str(BEFORE),
        **settings,
    }
    timed = type("TimedTap", (TapOzonetelCDR,), {"clock": clock})
    with io.TextIOWrapper(io.BytesIO()) as output:
        with contextlib.redirect_stdout(output):
            timed(config=config, state=state or {}, parse_env_config=False).sync_all()
        assert isinstance(output.buffer, io.BytesIO)
        return output.buffer.getvalue().decode()


def true_rows(sandbox: Sandbox, days: Iterable[date], **odd: Callable[[int], object]) -> Rows:
    """Return the rows of days as the API lists them now; ``odd`` are fields that it adds."""
    return by_key(
        [
            expected_row(record | {k: value(n) for k, value in odd.items()}, day, KOLKATA)
            for day in days
            for n, record in enumerate(sandbox.records(day))
        ]
    )


def read_thrice(records: int, **settings: object) -> list[Load]:
    """Return three runs: the day at three and at eight in the afternoon, and the next day.

    On the last one the API sends a field that the schema does not know.
    """
    clock, loads = Calendar(), list[Load]()
    with Sandbox(
        records_per_day=lambda _: records,
        rate_limit=(1000, 1),
        now=clock.now,
        monotonic=clock.monotonic,
    ) as sandbox:
        for day, hour in ((DAY, 15), (DAY, 20), (AFTER, 15)):
            clock.move(day, hour)
            read = [day - timedelta(days=1), day]
            odd: dict[str, Callable[[int], object]] = {}
            if day == AFTER:
                sandbox.add_faults("new_field", "new_field")
                odd["CustomerMood"] = "new {}".format
            state = loads[-1].state if loads else None
            messages = extract(sandbox, clock, state, **settings)
            loads.append(Load(messages, true_rows(sandbox, read, **odd)))
    return loads


def truth(loads: Sequence[Load]) -> Rows:
    """Return the rows that are true after some runs: each as it was last read."""
    rows: Rows = {}
    for load in loads:
        rows |= load.rows
    return rows


def by_key(rows: Sequence[Row]) -> Rows:
    """Return rows by their key; none may stand twice."""
    keyed = last_of_each(rows)
    assert len(keyed) == len(rows)
    return keyed


def last_of_each(rows: Sequence[Row]) -> Rows:
    """Return the last row of each key, whatever has become of the names' capitals."""
    if not rows:
        return {}
    call_id, ucid = (next(n for n in rows[0] if n.lower() == key) for key in ("callid", "ucid"))
    return {(row[call_id], row[ucid]): row for row in rows}


def differences(found: Rows, true: Rows) -> list[tuple[object, ...]]:
    """Return what a target holds otherwise than it should: key, column, value, true value."""
    cells = [
        {(*key, name): value for key, row in rows.items() for name, value in row.items()}
        for rows in (found, true)
    ]
    return [
        (*cell, *values)
        for cell in sorted({*cells[0], *cells[1]})
        for values in [[held.get(cell, "(missing)") for held in cells]]
        if values[0] != values[1]
    ]


# What becomes of a row


def _same(value: Any) -> Any:  # noqa: ANN401  # any value
    return value


def held(  # a kind of column each
    rows: Rows,
    *,
    name: Callable[[str], str] = _same,
    day: Callable[[str], object] = _same,
    instant: Callable[[str], object] = _same,
    number: Callable[[int | None], object] = _same,
    text: Callable[[str | None], object] = _same,
) -> Rows:
    """Return rows as a target holds them, by kinds of column; days and instants may be null."""

    def cell(column: str, value: Any) -> object:  # noqa: ANN401  # any value
        if column == "CallDate":
            return value and day(value)
        if column in INSTANTS:
            return value and instant(value)
        return number(value) if column in NUMBERS else text(value)

    return {
        key: {name(column): cell(column, value) for column, value in row.items()}
        for key, row in rows.items()
    }


def without_zone(text: str) -> datetime:
    """Return an instant as UTC's clocks show it."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


# Loaders


class Loader(NamedTuple):
    """A loader in an environment of its own."""

    requirement: str
    command: str = ""
    """Its command, where that is not its distribution's name."""
    needed: tuple[str, ...] = ()
    """What else its environment needs."""

    @property
    def program(self) -> str:
        """The command's name."""
        name = self.requirement.partition("==")[0]
        return self.command or name.removeprefix("meltanolabs-")

    def run(self, *command: str | Path) -> list[str | Path]:
        """Return the command line that runs a command in the environment."""
        uv = [str(PROGRAMS / "uv"), "run", "--quiet", "--no-project", "--isolated"]
        wanted = [f"--with={name}" for name in (self.requirement, *self.needed)]
        return [*uv, "--python", sys.executable, *wanted, *command]

    def load(
        self,
        load: Load,
        folder: Path,
        variables: Mapping[str, str] = MappingProxyType({}),
        program: Sequence[str | Path] = (),
        **config: object,
    ) -> None:
        """Load, and see that the state is returned; with another ``program`` than its own."""
        settings = folder / f"{self.program}.json"
        settings.write_text(json.dumps(config), "utf-8")
        done = subprocess.run(
            self.run(*(program or (self.program,)), "--config", settings),
            env=environment(**variables),
            input=load.messages,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout.splitlines()[-1]) == load.state
