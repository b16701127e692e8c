"""The parts of pages and definitions that say what code says: `make docs` puts them in place.

Each function makes one part as text. Where it goes, a comment between ``[[[cog`` and ``]]]`` calls
it; what stands from there to ``[[[end]]]`` is replaced.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs

import tap_ozonetel_cdr
from ozonetel_sandbox.cli import NOT_IMITATED, add_options
from ozonetel_sandbox.faults import GROUPS, Fault
from tap_ozonetel_cdr.records.columns import COLUMNS
from tap_ozonetel_cdr.settings import CONFIG_JSONSCHEMA
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TAP = Path(tap_ozonetel_cdr.__file__).parent

#: The kinds of settings that Meltano has for the types of JSON. It fails on a decimal that comes
#: from the environment, so a number is an integer to it. An object stays one setting: were its
#: members settings too, Meltano would hand over an object of nulls where nothing is set. Nor is an
#: object ever ``sensitive``: `meltano config print` fails on a member of one. (All: Meltano 4.4.1.)
KINDS = {
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "number": "integer",
    "object": "object",
    "array": "array",
}


def settings() -> str:
    """Return the table of the tap's own settings."""
    required = CONFIG_JSONSCHEMA["required"]
    return _table(
        ("setting", "default", "meaning"),
        (
            (f"`{name}`", "required" if name in required else _default(each), each["description"])
            for name, each in CONFIG_JSONSCHEMA["properties"].items()
        ),
    )


def definition() -> str:
    """Return what every definition of the extractor says: all but its name and its origin."""
    schema = copy.deepcopy(CONFIG_JSONSCHEMA)
    TapOzonetelCDR.append_builtin_config(schema)
    entry = {
        "namespace": "tap_ozonetel_cdr",
        "label": "Ozonetel CDR",
        "executable": TapOzonetelCDR.name,
        "description": "Call detail records of an Ozonetel CloudAgent account",
        "capabilities": sorted(c.value for c in TapOzonetelCDR.capabilities),
        "settings_group_validation": [schema["required"]],
        "settings": [_setting(name, each) for name, each in schema["properties"].items()],
        "log_parser": "singer-sdk",
    }
    text: str = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=90)
    return text.rstrip()


def columns() -> str:
    """Return the table of columns."""
    return _table(
        ("column", "type", "description"),
        ((f"`{c.name}`", _column_type(c.schema), c.description) for c in COLUMNS),
    )


def rules(module: str) -> str:
    """Return a module's docstring from its first list on."""
    _, mark, text = _docstring(TAP / module).partition("\n- ")
    return f"{mark}{text}".strip()


def modules() -> str:
    """Return the table of the tap's modules, each with the first line of its docstring."""
    paths = [path for path in TAP.rglob("*.py") if path.stem != "__init__"]
    names = {path: path.relative_to(TAP).as_posix() for path in paths}
    return _table(
        ("module", "purpose"),
        (
            (f"`{names[path]}`", _docstring(path).partition("\n")[0])
            for path in sorted(paths, key=lambda path: ("/" in names[path], names[path]))
        ),
    )


def faults() -> str:
    """Return the sandbox's faults, a table for each group."""
    heads = ("fault", "what the client meets", "argument (and its default)")
    return "\n\n".join(
        f"### {heading}\n\n{_table(heads, map(_fault, group))}" for heading, group in GROUPS.items()
    )


def options() -> str:
    """Return the table of the sandbox's options."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    return _table(
        ("option", "meaning"),
        (
            (f"`{' '.join([*action.option_strings, *_value(action)])}`", action.help or "")
            for action in parser._actions  # noqa: SLF001  argparse lists them nowhere else
        ),
    )


def not_imitated() -> str:
    """Return the list of what the sandbox does not imitate."""
    return "\n".join(f"- {line}" for line in NOT_IMITATED)


def _fault(fault: Fault) -> tuple[str, ...]:
    default = f" (`{fault.default}`)" if fault.default else ""
    return f"`{fault.name}`", fault.meaning, f"{fault.argument}{default}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *cells])


def _default(schema: Mapping[str, Any]) -> str:
    if "default" not in schema:
        return ""
    default = schema["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in schema.get("enum", ()) if choice is not None]
    kind = KINDS[_types(schema)[0]]
    if choices:
        kind = "options"
    elif schema.get("format") in {"date", "date-time"}:
        kind = "date_iso8601"
    setting: dict[str, Any] = {"name": name, "kind": kind}
    if "default" in schema:
        setting["value"] = schema["default"]
    setting |= {"label": schema["title"], "description": schema["description"]}
    if schema.get("secret"):
        setting["sensitive"] = True
    if choices:
        setting["options"] = [{"label": choice, "value": choice} for choice in choices]
    return setting


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return [name for name in types if name != "null"]


def _column_type(schema: Mapping[str, Any]) -> str:
    (name,) = _types(schema)
    shown = schema.get("format", "text" if name == "string" else name)
    return shown if "null" in schema["type"] else f"{shown}, never null"


def _docstring(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").replace("``", "`")


def _value(action: argparse.Action) -> list[str]:
    """Return what an option takes, as its help shows it."""
    if action.nargs == 0:
        return []
    if action.choices is not None:
        return [f"{{{','.join(map(str, action.choices))}}}"]
    return [str(action.metavar or action.dest.upper())]
