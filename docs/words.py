"""Name words of pages, messages and help that have a better one; ``make lint`` runs it."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

BETTER = {
    r"(an|the|no|any|whole|complete|each|every|its|API's) answers?": "response",
    r"ask(s|ed|ing)? again": "retry",
    r"(is|are|was|were|day|days|span|spans) asked for": "requested",
    r"(?-i:window|windows)": "period (of the limit), chunk (of a body) or span (of a day)",
    r"call legs?|legs? of (a|the) call": "record, or event of a call",
    r"twins?": "duplicate",
    r"(is|are|being) warned of": "logs a warning",
    r"no setting of": "unknown setting",
    r"at last": "finally, or last",
    r"no whole": "no complete",
    r"nothing (is )?doubled|doubles nothing|exactly once": "at least once",
    r"stands? nowhere|stands? behind|behind (it|them) stands?": "a plainer sentence",
    r"bears?|borne": "holds, or has",
}
"""What is not written, and what is written in its place."""

PAGES = (
    *("*.md", "docs/*.md", "dbt/*.md", "examples/**/*.md", ".github/ISSUE_TEMPLATE/*.yml"),
    *("tap_ozonetel_cdr/**/*.py", "ozonetel_sandbox/*.py"),
)
_PATTERNS = {re.compile(rf"\b({worse})\b", re.IGNORECASE): BETTER[worse] for worse in BETTER}
# What is quoted is as it is: code, and what an API or a command says.
_QUOTED = re.compile(r"^```.*?^```|`[^`\n]*`|<!--.*?-->|--[\w-]+", re.DOTALL | re.MULTILINE)
ALLOWED = {
    ("ozonetel_sandbox/people.py", "No answer"),  # a disposition
    ("ozonetel_sandbox/probe_facts.py", "window"),  # a word that an API may say
}


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the words, and the better ones, for all that is not quoted."""
    prose = _QUOTED.sub(lambda quoted: re.sub(r"[^\n]", "·", quoted[0]), text)
    for pattern, better in _PATTERNS.items():
        for match in pattern.finditer(prose):
            yield prose.count("\n", 0, match.start()) + 1, match[0], better


def said_by(code: str) -> str:
    """Return what a module says, each text on its own line: all but docstrings and comments."""
    lines = [""] * (code.count("\n") + 1)
    nodes = list(ast.walk(ast.parse(code)))
    alone = [node.value for node in nodes if isinstance(node, ast.Expr)]
    for node in nodes:
        if isinstance(node, ast.Constant) and node not in alone:
            text = node.value if isinstance(node.value, str) else ""
            if " " in text:
                lines[node.lineno - 1] += f"{' '.join(text.split())} · "
    return "\n".join(lines)


def main() -> int:
    """Say what was found, and return the exit code."""
    lines = []
    for path in sorted({path for pages in PAGES for path in ROOT.glob(pages)}):
        text = path.read_text("utf-8")
        name = path.relative_to(ROOT).as_posix()
        for number, words, better in found_in(said_by(text) if path.suffix == ".py" else text):
            if (name, words) not in ALLOWED:
                lines.append(f"{name}:{number}: '{words}': rather {better}\n")
    sys.stderr.writelines(lines)
    return int(bool(lines))


if __name__ == "__main__":
    raise SystemExit(main())
