"""What a response's headers say, whatever stands in them."""

from __future__ import annotations

import email.utils
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

GZIP = "gzip"
"""The one encoding of bodies that is asked for."""


def instant_of(header: str | None) -> datetime | None:
    """Return a date of HTTP as an instant, in UTC; None for what is none, or beyond all calendars.

    A date without a zone is UTC, as all dates of HTTP are.
    """
    try:
        found = email.utils.parsedate_to_datetime(header or "")
        if found.tzinfo is None:
            found = found.replace(tzinfo=timezone.utc)
        return found.astimezone(timezone.utc)
    # What it raises for odd text differs between versions of Python.
    except (ValueError, TypeError, IndexError, AttributeError, ArithmeticError):
        return None


def seconds_of(header: str | None, now: datetime) -> float | None:
    """Return a ``Retry-After`` header as seconds from ``now``; None for what is neither form."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:20])
    then = instant_of(text)
    return None if then is None else max(0.0, (then - now).total_seconds())


def host_of(location: str | None) -> str | None:
    """Return the host that a ``Location`` header names, None if it names none."""
    try:
        return urlsplit(location or "").hostname
    except ValueError:
        return None


def encodings_of(headers: Mapping[str, str]) -> list[str]:
    """Return the encodings of a body in the order in which they were applied."""
    named = headers.get("Content-Encoding", "").lower().split(",")
    return [one for one in map(str.strip, named) if one not in {"", "identity"}]


def length_of(headers: Mapping[str, str]) -> int:
    """Return how many bytes a body has when it is decoded, 0 where that is not known."""
    text = headers.get("Content-Length", "")
    known = text.isascii() and text.isdecimal() and not encodings_of(headers)
    return int(text[:20]) if known else 0
