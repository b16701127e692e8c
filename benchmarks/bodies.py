"""The answers that are served: whole days of the sandbox's calls, built once and kept on disk.

An account of the benchmark's server stands for a body: `200000-ordinary` has 200,000 calls a day.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ozonetel_sandbox.answers import CLOSING, OPENING
from ozonetel_sandbox.calls import Centre

ZONE: Final = ZoneInfo("Asia/Kolkata")
ORDINARY: Final = "ordinary"
NEW_FIELD: Final = "new-field"
NUMBER: Final = "number"
RAW_TEXT: Final = "raw-text"

KINDS: Final[dict[str, str]] = {
    ORDINARY: "ordinary",
    NEW_FIELD: "a field that the schema does not know, in every call",
    NUMBER: "`DID` as a number, in every call",
    RAW_TEXT: "text beyond ASCII raw, not escaped",
}


def today() -> date:
    """Return the present day in the account's time zone."""
    return datetime.now(ZONE).date()


def past_day() -> date:
    """Return the Monday of last week: a working day that the API has, and the same for a week."""
    return today() - timedelta(days=today().weekday() + 7)


def account(calls: int, kind: str = ORDINARY) -> str:
    """Return the account whose days have this many calls of this kind."""
    return f"{calls}-{kind}"


def path(folder: Path, name: str, day: date) -> Path:
    """Return where the answer for a day of an account lies."""
    return folder / "bodies" / name / f"{day}.json"


def provide(folder: Path, name: str, days: list[date]) -> None:
    """Build what is missing, remove the account's other days, and read all of it once.

    The building has a process of its own: on Linux the peak memory of a process counts for those
    that it starts as well. The reading brings the files into the system's cache for all alike.
    """
    wanted = [path(folder, name, day) for day in days]
    for old in set(wanted[0].parent.glob("*")) - set(wanted):
        old.unlink()
    for day, file in zip(days, wanted, strict=True):
        if not file.exists():
            subprocess.run([sys.executable, __file__, folder, name, day.isoformat()], check=True)
        with file.open("rb", buffering=0) as body:
            while body.read(2**20):
                pass


def build(folder: Path, name: str, day: date) -> None:
    """Build one answer; a file of its final name is always whole."""
    calls, _, kind = name.partition("-")
    built = Centre("benchmark", ZONE, calls_per_day=lambda _: int(calls)).day(day)
    file = path(folder, name, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as body:
        body.write(OPENING)
        for index in range(len(built.starts)):
            body.write(b", " if index else b"")
            body.write(_changed(built.record(index), kind))
        body.write(CLOSING)
    part.replace(file)


def _changed(text: bytes, kind: str) -> bytes:
    """Return the text of a record as its kind has it.

    But for raw text everything beyond ASCII is escaped, as in half of the sandbox's records. That
    suits a client which decodes the answer as one text best: a single raw emoji makes Python hold
    all of it with four bytes a character.
    """
    record = json.loads(text)
    if kind == NEW_FIELD:
        record["SentimentScore"] = "0.82"
    if kind == NUMBER:
        record["DID"] = int(record["DID"])
    return json.dumps(record, ensure_ascii=kind != RAW_TEXT).encode()


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]))
