"""Singer RECORD lines of many rows at once: the same lines that the SDK writes one by one."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tap_ozonetel_cdr.records.rows import Row


_encode = json.JSONEncoder().encode
_JSON_ESCAPES = f"{__name__}.escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Give JSON's escapes for characters that are not ASCII."""
    failed = cast("UnicodeEncodeError", error)
    return _encode(failed.object[failed.start : failed.end])[1:-1], failed.end


codecs.register_error(_JSON_ESCAPES, _escape)


class _RecordMessage(msgspec.Struct, tag_field="type", tag="RECORD", gc=False):
    stream: str
    record: Any
    time_extracted: str


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def record_lines(stream: str, rows: Iterable[Row], extracted: datetime) -> bytes:
    """Return a line for each row; ``extracted`` is an aware instant in UTC.

    The lines are ASCII, as the SDK's are: a target may read its input in any encoding.
    """
    time_extracted = extracted.isoformat()
    return _ascii(
        _ENCODER.encode_lines([_RecordMessage(stream, row, time_extracted) for row in rows])
    )


def row_lines(rows: Iterable[Row]) -> bytes:
    """Return a line of JSON for each row, as it stands in a batch file; in ASCII."""
    return _ascii(_ENCODER.encode_lines(rows))


def _ascii(lines: bytes) -> bytes:
    if lines.isascii():
        return lines
    return b"\n".join(
        [
            line if line.isascii() else line.decode().encode("ascii", _JSON_ESCAPES)
            for line in lines.split(b"\n")
        ]
    )
