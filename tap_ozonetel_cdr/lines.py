"""Singer RECORD lines of many rows at once: the same lines that the SDK writes one by one."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tap_ozonetel_cdr.rows import Row


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Encode characters as JSON does where they are not ASCII."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  # for the type: only encode() asks
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


_JSON_ESCAPES = f"{__name__}.escape"
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
    lines = _ENCODER.encode_lines([_RecordMessage(stream, row, time_extracted) for row in rows])
    if lines.isascii():
        return lines
    return b"".join(
        line if line.isascii() else line.decode().encode("ascii", _JSON_ESCAPES)
        for line in lines.splitlines(keepends=True)
    )
