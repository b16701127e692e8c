"""Builds one of the bodies."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import spellings
from bodies import NEW_FIELD, NUMBER, RAW_TEXT, ZONE, path


def build(folder: Path, name: str, day: date) -> None:
    """Build one response; a file of its final name is always whole."""
    count, _, kind = name.partition("-")
    spelling = spellings.CURRENT if kind == spellings.CURRENT else spellings.PAST
    file = path(folder, name, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as body:
        body.write(b'{"details": [')
        for number, record in enumerate(spellings.records(int(count), spelling, day, ZONE)):
            body.write(b", " if number else b"")
            _change(record, number, kind)
            body.write(json.dumps(record, ensure_ascii=False).encode())
        body.write(b'], "message": "success", "status": "success"}')
    part.replace(file)


def _change(record: dict[str, Any], number: int, kind: str) -> None:
    """Make a record what its kind has it."""
    if kind == NEW_FIELD:
        record["SentimentScore"] = "0.82"
    if kind == NUMBER:
        record["DID"] = int(record["DID"])
    if kind == RAW_TEXT and number % 7 == 0:
        record["Comments"] = "नमस्ते 🙂"


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]))
