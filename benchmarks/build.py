"""Builds one of the bodies from the sandbox's calls."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from bodies import NEW_FIELD, NUMBER, RAW_TEXT, ZONE, path

from ozonetel_sandbox.days import Centre
from ozonetel_sandbox.responses import CLOSING, OPENING


def build(folder: Path, name: str, day: date) -> None:
    """Build one answer; a file of its final name is always whole."""
    calls, _, kind = name.partition("-")
    built = Centre("benchmark", ZONE, records_per_day=lambda _: int(calls)).day(day)
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
