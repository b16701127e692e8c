"""What the tap uses of the SDK that is private: as listed, and as it was when it was read."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import singer_sdk.io_base
import singer_sdk.mapper
import singer_sdk.plugin_base
import singer_sdk.streams.core
import singer_sdk.tap_base
from singer_sdk import Stream
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.json import serialize_json

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
CODE = ROOT / "tap_ozonetel_cdr"
SOURCES = [
    ast.parse(inspect.getsource(module))
    for module in (
        singer_sdk.io_base,
        singer_sdk.mapper,
        singer_sdk.plugin_base,
        singer_sdk.streams.core,
        singer_sdk.tap_base,
    )
]


def is_private(name: str) -> bool:
    """Tell whether a name begins with one underscore."""
    return re.match(r"_[^\W_]", name) is not None


def names_in(tree: ast.AST) -> Iterator[str]:
    """Give what classes define, and what is reached through a dot."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Attribute):
            yield node.attr


def is_final(function: ast.AST) -> bool:
    """Tell whether a method asks not to be overridden."""
    return isinstance(function, ast.FunctionDef) and "t.final" in map(
        ast.unparse, function.decorator_list
    )


#: The private names of the SDK's classes, and the methods that nobody should override, by class.
PRIVATE = {name for tree in SOURCES for name in names_in(tree) if is_private(name)}
FINAL = {
    (owner.name, method.name)
    for tree in SOURCES
    for owner in tree.body
    if isinstance(owner, ast.ClassDef)
    for method in owner.body
    if isinstance(method, ast.FunctionDef) and is_final(method)
}


def private_uses(tree: ast.Module) -> Iterator[str]:
    """Give what a module uses of the SDK that is private to it, or final.

    That is what it imports; in a class made from one of the SDK's, what the SDK knows by a private
    name; and private names of the SDK that it looks for by their text.
    """
    known: dict[str, type] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("singer_sdk"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                known[alias.name] = getattr(module, alias.name, object)
                parts = [*module.__name__.split("."), alias.name]
                hidden = [number for number, part in enumerate(parts) if is_private(part)]
                if hidden:
                    yield ".".join(parts[: hidden[0] + 1])
        elif isinstance(node, ast.Constant) and node.value in PRIVATE:
            yield str(node.value)
    for node in ast.walk(tree):
        bases = {*map(ast.unparse, node.bases)} if isinstance(node, ast.ClassDef) else set()
        for base in bases & known.keys():
            yield from (f"{base}.{name}" for name in names_in(node) if name in PRIVATE)
            classes = [one.__name__ for one in known[base].__mro__]
            for part in ast.iter_child_nodes(node):
                name = getattr(part, "name", "")
                if any((one, name) in FINAL for one in classes):
                    yield f"{base}.{name}"


def test_every_private_use_is_listed_or_gone() -> None:
    """The page on how it works has them all, each under its module, and no other."""
    used = {
        (path.relative_to(CODE).as_posix(), name)
        for path in CODE.rglob("*.py")
        for name in private_uses(ast.parse(path.read_text("utf-8")))
    }
    page = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    section = page.partition("\n## Upgrading the SDK\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([\w/]+\.py)` \| `([\w.]+)` \| \S", section, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == used


def test_a_private_use_is_found_however_it_is_made() -> None:
    """By import, by override, on self, on the tap, in a text; what is the module's own is not."""
    code = """
from singer_sdk import Stream, Tap
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.plugin_base import _ConfigInput

class Calls(Stream):
    def sync(self, context=None):
        self._own = self._tap._config, self._plan()
    def _write_schema_message(self):
        frame.f_code.co_name == "_eval"

class Other:
    def sync(self):
        self._config = self._tap = None
"""
    assert set(private_uses(ast.parse(code))) == {
        "singer_sdk.helpers._batch",
        "singer_sdk.plugin_base._ConfigInput",
        "Stream.sync",
        "Stream._tap",
        "Stream._config",
        "Stream._write_schema_message",
        "_eval",
    }


def test_the_sdk_is_the_one_that_is_stood_in_for() -> None:
    """These of the SDK's methods are what the quick way replaces.

    When one has changed, read the change, see whether CdrStream has to follow, and take over its
    new digest.
    """
    replaced = (
        Stream.sync,
        Stream._sync_records,  # noqa: SLF001  # its private methods
        Stream._sync_batches,  # noqa: SLF001
        Stream._generate_record_messages,  # noqa: SLF001
        SameRecordTransform.transform,
        RecordMessage.to_dict,
        serialize_json,
    )
    digests = {
        method.__qualname__: hashlib.sha256(inspect.getsource(method).encode()).hexdigest()[:8]
        for method in replaced
    }
    known = {
        "Stream.sync": {"6b4262dc"},
        "Stream._sync_records": {"8928dc7f", "cb3de30f"},
        "Stream._sync_batches": {"a42df0f3"},
        "Stream._generate_record_messages": {"9b5f9fbc", "32cfecc1"},
        "SameRecordTransform.transform": {"db46d82c", "64232114"},
        "RecordMessage.to_dict": {"821fe177", "73d2e0db"},
        "serialize_json": {"ddf4787f"},
    }
    assert {name for name in known if digests[name] not in known[name]} == set()
