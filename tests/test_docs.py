from __future__ import annotations

import ast
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import tap

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.api.responses import REFUSALS, UNKNOWN_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted((ROOT / "tap_ozonetel_cdr").rglob("*.py"))
ERRORS = {
    *("SettingsError", "StateError", "CatalogError", "RefusedError", "UnavailableError"),
    *("LocalError", "BodyError", "MissingDay", "ValueError", "OSError"),
}
LOGS = {"info", "warning", "critical", "log", "append"}
VERDICTS = {"Verdict", "replace", "_stop", "_neither"}
INTERNAL = {"neither a date nor a date-time"}
# Functions that return lines, or pieces of some, say so first; these do not.
SAYING = re.compile(r"Say\b|Return (a|the) line\b")
SAYING_BY_NAME = {"_check_proxy", "_check"}


def text_of(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text("utf-8")


def plain(text: str) -> str:
    """Return text in one line, without code marks."""
    return " ".join(text.replace("`", "").split())


def table(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    lines = iter(text.splitlines())
    next(line for line in lines if line.startswith(f"| {heading} |"))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(re.split(r"\s*\|\s*", line[1:-1].strip()))
    return rows


def strings(node: ast.AST) -> Iterator[str]:
    """Give the fixed texts below a node of code, but for docstrings and format specifications."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.FormattedValue) and child is node.format_spec):
            yield from strings(child)


def texts_by_name(tree: ast.AST) -> dict[str, list[str]]:
    """Return the fixed texts that a module's names stand for."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.For):
            targets, value = [node.target], node.iter
        else:
            continue
        if isinstance(value, (ast.Constant, ast.JoinedStr, ast.Tuple, ast.IfExp)):
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).extend(strings(value))
    return found


SHARED_TEXTS = texts_by_name(ast.parse(text_of("tap_ozonetel_cdr/errors.py")))


def said_by(node: ast.AST) -> list[ast.expr]:
    """Return the expressions that go into a line that a user sees, if a node of code has any."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ERRORS | LOGS | VERDICTS:
            keywords = (one.value for one in node.keywords if one.arg in {"reason", "advice"})
            return [*node.args, *keywords]
    if isinstance(node, ast.Assign) and "look_for" in map(ast.unparse, node.targets):
        return [node.value]
    if isinstance(node, ast.FunctionDef) and (
        node.name in SAYING_BY_NAME or SAYING.match(ast.get_docstring(node) or "")
    ):
        made = (inner for inner in ast.walk(node) if isinstance(inner, (ast.Return, ast.Yield)))
        return [inner.value for inner in made if inner.value]
    return []


def messages(path: Path) -> Iterator[str]:
    """Give the fixed texts of what a module says to its user, in pieces between their values."""
    tree = ast.parse(path.read_text("utf-8"))
    named = SHARED_TEXTS | texts_by_name(tree)
    for node in ast.walk(tree):
        for expression in said_by(node):
            yield from strings(expression)
            for name in ast.walk(expression):
                if isinstance(name, ast.Name):
                    yield from named.get(name.id, [])


def pieces(text: str) -> list[str]:
    """Return what stands between the values of a message, as far as it is words."""
    parts = [plain(part).strip(" .,;:'(){}") for part in re.split(r"%[.\d]*[a-z]", text)]
    return [part for part in parts if " " in part]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_troubleshooting_quotes_every_message(path: Path) -> None:
    """Whatever the tap can say stands in the page on troubleshooting, word for word."""
    page = plain(text_of("docs/troubleshooting.md"))
    said = {piece for message in messages(path) for piece in pieces(message)}
    assert {piece for piece in said - INTERNAL if piece not in page} == set()


def test_messages_are_found() -> None:
    """The messages are really read from the code: of errors, of logs, by name, and in loops."""
    found = {piece for path in MODULES for text in messages(path) for piece in pieces(text)}
    assert "The target has closed the pipe: look at its own log, or its exit code, for why" in {
        piece.partition(". ")[0] for piece in found
    }
    assert "records; it is empty text there" in found
    assert "Nothing was lost: the next run continues from the bookmark" in found
    assert "is the oldest day that the API answers for; it may no longer be complete" in found
    assert "Look for another client that generates tokens" in found
    assert "its 'bookmarks' are not an object" in found
    assert len(found) > 50


@pytest.mark.parametrize("refusal", [*REFUSALS, UNKNOWN_REFUSAL], ids=lambda row: row.words)
def test_troubleshooting_lists_every_refusal(refusal: Any) -> None:  # noqa: ANN401  a row
    """Each of the API's refusals stands in the table, with its advice in the same row."""
    rows = table(text_of("docs/troubleshooting.md"), "the API's words")
    words = refusal.words or "any other"
    row = next(row for row in rows if words in plain(row[0]))
    assert refusal.advice in plain(row[2])


def test_every_generated_part_stands_somewhere() -> None:
    """Each file of `make docs` calls for a part, and each part is called for."""
    listed = re.search(r"^GENERATED = ((?:.*\\\n)*.*)$", text_of("Makefile"), re.MULTILINE)
    assert listed
    calls = {
        name: re.findall(r"\[\[\[cog cog\.outl\(generated\.(\w+)\(", text_of(name))
        for name in listed[1].replace("\\", "").split()
    }
    assert all(calls.values()), calls
    made = ast.parse(text_of("docs/generated.py")).body
    names = {node.name for node in made if isinstance(node, ast.FunctionDef)}
    assert {name for found in calls.values() for name in found} == {
        name for name in names if not name.startswith("_")
    }


def anchors(page: str) -> set[str]:
    """Return the names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each link within this project names a file that exists, and a heading in it."""
    for link, anchor in re.findall(
        r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", path.read_text("utf-8")
    ):
        target = path.parent / link if link else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{link}#{anchor}"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_target_that_a_page_names_exists(path: Path) -> None:
    """A page that says `make something` names a target of the Makefile."""
    makefile = text_of("Makefile")
    slow = re.search(r"^SLOW = (.*)$", makefile, re.MULTILINE)
    assert slow
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    targets |= {"test-NAME", *(f"test-{name}" for name in slow[1].split())}
    named = re.findall(r"(?:`|\$ )make ([a-zA-Z =0-9-]+)", path.read_text("utf-8"))
    # A word such as REAL=1 sets a variable.
    assert {word for words in named for word in words.split() if "=" not in word} <= targets


def test_the_recipe_for_personal_data_works(tmp_path: Path) -> None:
    """The README's recipe hashes numbers, drops names and recordings, and keeps all else."""
    block = re.search(r"## Personal data.*?```json\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert block
    config = tmp_path / "config.json"
    config.write_text(block[1], encoding="utf-8")
    with Sandbox(records_per_day=60, rate_limit=(100, 1)) as sandbox:
        arguments = ["--config", "ENV", "--config", str(config)]
        done = tap(*arguments, **sandbox.environment())
        assert done.returncode == 0
        found = [json.loads(line) for line in done.stdout.splitlines()]
        rows = [message["record"] for message in found if message["type"] == "RECORD"]
        personal = {
            record[name]
            for day in {date.fromisoformat(row["CallDate"]) for row in rows}
            for record in sandbox.records(day)
            for name in ("CallerID", "E164", "DialedNumber", "AgentName", "CallAudio")
            if record[name]
        }
    assert personal
    assert len(rows) > 100
    for row in rows:
        assert not {"AgentName", "CallAudio"} & row.keys()
        assert row["CallID"]
        for name in ("CallerID", "E164", "DialedNumber"):
            assert re.fullmatch(r"([0-9a-f]{64})?", row[name])
    values = {value for row in rows for value in row.values() if isinstance(value, str)}
    assert values & personal == set()
