from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "tap_ozonetel_cdr").rglob("*.py"))

#: What each layer may import of this package: the house has few rules.
LAYERS = {
    "api": {"api", "errors", "lenient_json"},
    "records": {"records", "errors", "lenient_json"},
}
#: From the top down: what stands in the house itself imports only what stands behind it.
ORDER = (
    *("tap", "streams", "doctor", "writers", "catalog", "maps", "progress", "api", "records"),
    *("output", "settings", "state", "plan", "clock", "lenient_json", "errors"),
)


def imported(path: Path) -> set[str]:
    """Return the dotted names of all modules that a file imports as it runs, wherever in it.

    What only the type checker reads is a name and no dependency.
    """
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_few_modules_know_the_sdk() -> None:
    """The Singer SDK is imported where a run meets Singer, and nowhere below."""
    knowing = {p.stem for p in MODULES if any(n.startswith("singer_sdk") for n in imported(p))}
    assert knowing == {"tap", "streams", "writers", "catalog", "settings"}


def test_tap_and_sandbox_do_not_know_each_other() -> None:
    """Neither imports the other, or both would share one misunderstanding."""
    for package, other in (
        ("tap_ozonetel_cdr", "ozonetel_sandbox"),
        ("ozonetel_sandbox", "tap_ozonetel_cdr"),
    ):
        files = list((ROOT / package).glob("**/*.py"))
        assert files
        for path in files:
            assert not [name for name in imported(path) if name.split(".")[0] == other], path


def test_each_layer_knows_only_what_lies_below_it() -> None:
    """``api`` and ``records`` do not know each other; small modules know next to nothing."""
    for path in MODULES:
        relative = path.relative_to(ROOT / "tap_ozonetel_cdr")
        own = {n.split(".")[1] for n in imported(path) if n.startswith("tap_ozonetel_cdr.")}
        if len(relative.parts) > 1:
            assert own <= LAYERS[relative.parts[0]], path
        elif not path.stem.startswith("__"):
            assert own <= {*ORDER[ORDER.index(path.stem) + 1 :]}, path
