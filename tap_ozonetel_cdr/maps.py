"""The setting ``stream_maps``: what is wrong with it is said before the first request.

The SDK applies the maps. It finds mistakes late, prints values of records with them, or lets
records through unmapped. A line here names the setting and the column instead, and never a value.
"""

from __future__ import annotations

import ast
import fnmatch
from typing import TYPE_CHECKING, Any

from tap_ozonetel_cdr.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_NULLS = (None, "__NULL__")


def check(config: Mapping[str, Any], stream: str, columns: Collection[str]) -> list[str]:
    """Return a line for each thing in the maps that has no effect.

    Args:
        config: The settings by name.
        stream: The name of the one stream.
        columns: The names of all of its columns.

    Raises:
        SettingsError: The maps leave the stream as it is though they name another, an expression
            does not parse, or it reads a key that ``stream_map_config`` does not have.
    """
    maps: Mapping[str, Any] = config.get("stream_maps") or {}
    named = [name for name in maps if not name.startswith("__")]
    if named and maps.get("__else__", "") not in _NULLS and not list(_applying(maps, stream)):
        raise SettingsError(
            f"stream_maps: names {', '.join(named)}, but the one stream is called {stream}. "
            "Nothing was requested, so that no record leaves unmapped"
        )
    known = config.get("stream_map_config") or {}
    lines = []
    for name, definition in _applying(maps, stream):
        for column, expression in definition.items():
            if column.startswith("__") and column != "__filter__":
                continue
            if expression in _NULLS:
                if column not in columns:
                    lines.append(
                        f"stream_maps: there is no column {column} to drop from {name}. Column "
                        "names are case-sensitive"
                    )
            elif missing := list(_config_keys(name, column, expression, known)):
                raise SettingsError(
                    f"stream_map_config: {', '.join(missing)} is missing; the expression for "
                    f"{column} in stream_maps reads it"
                )
    return lines


def problem(error: Exception) -> str:
    """Return the line about what the SDK raised on preparing maps and flattening."""
    if any("flattening_max_depth" in text for text in getattr(error, "errors", [])):
        return "flattening_max_depth: is required where flattening_enabled is true"
    text = str(error)
    if text.startswith(("Invalid key properties", "Removing key property")):
        return f"stream_maps: {text}"
    return (
        f"stream_maps: cannot be used ({type(error).__name__}). Check it, stream_map_config and "
        "faker_config against the SDK's page about stream maps"
    )


def _applying(maps: Mapping[str, Any], stream: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the maps that are about the stream, with their names; one that drops it is empty."""
    for name, definition in maps.items():
        if not name.startswith("__"):
            inner = definition if isinstance(definition, dict) else {}
            if fnmatch.fnmatch(stream, inner.get("__source__", name)):
                yield name, inner


def _config_keys(
    name: str, column: str, expression: object, known: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the keys of ``config[...]`` that an expression reads and nobody has set.

    Raises:
        SettingsError: It is no expression.
    """
    try:
        tree = ast.parse(str(expression), mode="eval")
    except (SyntaxError, ValueError):
        raise SettingsError(
            f"stream_maps: the expression for {column} in {name} does not parse"
        ) from None
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="config"), slice=ast.Constant(value=str(key))):
                if key not in known:
                    yield key
