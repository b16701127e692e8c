"""The responses that are served: whole days of records, built once and kept on disk.

An account of the benchmark's server stands for a body: `200000-past` has 200,000 records a day, in
the spelling of past days.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

_BUILD: Final = Path(__file__).with_name("build.py")

ZONE: Final = ZoneInfo("Asia/Kolkata")
PAST: Final = "past"
CURRENT: Final = "current"
NEW_FIELD: Final = "new-field"
NUMBER: Final = "number"
RAW_TEXT: Final = "raw-text"

KINDS: Final[dict[str, str]] = {
    PAST: "a past day",
    CURRENT: "the current day",
    NEW_FIELD: "a field that the schema does not know, in every record",
    NUMBER: "`DID` as a number, in every record",
    RAW_TEXT: "text beyond ASCII in every seventh record",
}


def today() -> date:
    """Return the present day in the account's time zone."""
    return datetime.now(ZONE).date()


def past_day() -> date:
    """Return the Monday of last week: a working day that the API has, and the same for a week."""
    return today() - timedelta(days=today().weekday() + 7)


def account(records: int, kind: str = PAST) -> str:
    """Return the account whose days have this many records of this kind."""
    return f"{records}-{kind}"


def path(folder: Path, name: str, day: date) -> Path:
    """Return where the response for a day of an account lies."""
    return folder / "bodies" / name / f"{day}.json"


def provide(folder: Path, name: str, days: list[date]) -> None:
    """Build what is missing, remove the account's other days, and read all of it once.

    The reading brings the files into the system's cache, for all alike.
    """
    wanted = [path(folder, name, day) for day in days]
    for old in set(wanted[0].parent.glob("*")) - set(wanted):
        old.unlink()
    for day, file in zip(days, wanted, strict=True):
        if not file.exists():
            print(f"building {file.name} of {name}", file=sys.stderr, flush=True)
            command = [sys.executable, str(_BUILD), str(folder), name, day.isoformat()]
            subprocess.run(command, check=True)
        with file.open("rb", buffering=0) as body:
            while body.read(2**20):
                pass
