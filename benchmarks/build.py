"""Builds one of the bodies from the sandbox's records."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from bodies import CURRENT, NEW_FIELD, NUMBER, RAW_TEXT, ZONE, path

from ozonetel_sandbox import spelling
from ozonetel_sandbox.days import Centre
from ozonetel_sandbox.responses import CLOSING, OPENING


def build(folder: Path, name: str, day: date) -> None:
    """Build one response; a file of its final name is always whole."""
    count, _, kind = name.partition("-")
    centre = Centre(
        "benchmark",
        ZONE,
        records_per_day=lambda _: int(count),
        remarks="plain",
        current_kinds="all",
    )
    built = centre.day(day, spelling.CURRENT if kind == CURRENT else spelling.PAST)
    file = path(folder, name, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as body:
        body.write(OPENING)
        for index in range(len(built.starts)):
            record = json.loads(built.record(index))
            _change(record, index, kind)
            body.write(b", " if index else b"")
            body.write(json.dumps(record, ensure_ascii=False).encode())
        body.write(CLOSING)
    part.replace(file)


def _change(record: dict[str, Any], index: int, kind: str) -> None:
    """Make a record what its kind has it."""
    if kind == NEW_FIELD:
        record["SentimentScore"] = "0.82"
    if kind == NUMBER:
        record["DID"] = int(record["DID"])
    if kind == RAW_TEXT and index % 7 == 0:
        record["Comments"] = "नमस्ते 🙂"


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]))
