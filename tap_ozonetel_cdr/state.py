"""The state as it was handed in: its one reading, or a line that shows the right shape."""

from __future__ import annotations

import json
import reprlib
from typing import TYPE_CHECKING, Any

from tap_ozonetel_cdr.errors import StateError
from tap_ozonetel_cdr.plan import parse_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_OWN = ("replication_key", "replication_key_value")
_WAY_OUT = "Correct the state, or clear it to read all days that the API still has"


def understood(state: object, stream: str, key: str) -> dict[str, Any]:
    """Return a state in the SDK's shape.

    A STATE message, what ``meltano state get`` prints (``singer_state``), and a bookmark as
    singer-python writes it have one reading each. A state that is empty, or holds bookmarks of
    other streams alone, is a first run.

    Raises:
        StateError: It may hold a bookmark that nobody would find, and the run would begin anew in
            silence.
    """
    try:
        found = _unwrapped(state)
        if not found:
            return {}
        bookmarks = _bookmarks(found, stream)
        if stream not in bookmarks:
            return found
        entry = _entry(bookmarks[stream], key)
    except ValueError as problem:
        value = {"replication_key": key, "replication_key_value": "2026-11-23"}
        shape = json.dumps({"bookmarks": {stream: value}})
        raise StateError(
            f"The state cannot be read: {problem}. Nothing was requested. It has to look like "
            f"{shape}, or {{}} to begin anew"
        ) from None
    return {**found, "bookmarks": {**bookmarks, stream: entry}}


def _unwrapped(state: object) -> dict[str, Any]:
    """Return what a STATE message or Meltano's ``singer_state`` holds, or a plain state itself."""
    while isinstance(state, dict):
        if state.get("type") == "STATE" and "value" in state:
            state = state["value"]
        elif "singer_state" in state:
            state = state["singer_state"]
        else:
            return state
    raise ValueError("there is no object in it")


def _bookmarks(state: Mapping[str, Any], stream: str) -> dict[str, dict[str, Any]]:
    if "bookmarks" not in state:
        raise ValueError("it has no 'bookmarks'")
    bookmarks = state["bookmarks"]
    if not isinstance(bookmarks, dict):
        raise ValueError("its 'bookmarks' are not an object")  # noqa: TRY004  # the file is wrong
    for name, entry in bookmarks.items():
        if not isinstance(entry, dict):
            raise ValueError(f"{reprlib.repr(name)} in 'bookmarks' is not an object")  # noqa: TRY004
        if stream not in bookmarks and name.strip().casefold() == stream:
            raise ValueError(f"it names {reprlib.repr(name)}, but the stream is called {stream!r}")
    return bookmarks


def _entry(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if entry.get("replication_key_value") is not None:
        # Others write what stands beside it, in shapes that the SDK may stumble over.
        return {name: entry[name] for name in _OWN if name in entry}
    if not entry:
        return entry
    if entry.get("partitions"):
        raise ValueError("its bookmark is in 'partitions'")
    if set(entry) == {"partitions"}:
        return {}
    if set(entry) == {key} and entry[key]:
        return {"replication_key": key, "replication_key_value": entry[key]}
    raise ValueError("its bookmark has no 'replication_key_value'")


def bookmark(entry: Mapping[str, Any], key: str, today: date) -> date | None:
    """Return the last day read, from the stream's entry in the state; None without one.

    Raises:
        StateError: It is no date, lies in the future, or belongs to another key.
    """
    value = entry.get("replication_key_value")
    if value is None:
        return None
    if (other := entry.get("replication_key", key)) != key:
        raise StateError(
            f"The bookmark in the state belongs to the key {reprlib.repr(other)}, not to {key}. "
            f"{_WAY_OUT}"
        )
    try:
        day = parse_date(value)
    except ValueError:
        raise StateError(
            f"The bookmark in the state is not a date: {reprlib.repr(value)}. {_WAY_OUT}"
        ) from None
    if day > today:
        raise StateError(
            f"The bookmark in the state, {day}, is in the future: today is {today}. "
            f"Check this machine's clock and the setting timezone. {_WAY_OUT}"
        )
    return day
