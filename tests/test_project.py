from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs

from tap_ozonetel_cdr.settings import CONFIG_JSONSCHEMA

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "tap_ozonetel_cdr").rglob("*.py"))
PROPERTIES: dict[str, dict[str, Any]] = CONFIG_JSONSCHEMA["properties"]
EXTRACTOR: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"][
    "extractors"
][0]
IN_MELTANO: dict[str, dict[str, Any]] = {s["name"]: s for s in EXTRACTOR["settings"]}

#: What each layer may import of this package: the house has few rules.
LAYERS = {
    "api": {"api", "errors", "lenient_json"},
    "records": {"records", "errors", "lenient_json"},
}
#: From the top down: what stands in the house itself imports only what stands behind it.
ORDER = (
    *("tap", "streams", "writers", "catalog", "maps", "progress", "api", "records", "output"),
    *("settings", "state", "plan", "clock", "lenient_json", "errors"),
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


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_setting_is_the_same_for_meltano(name: str) -> None:
    """Its description, default, choices, label and secrecy are those of the settings' schema."""
    schema, setting = PROPERTIES[name], IN_MELTANO[name]
    assert setting["label"] == schema["title"]
    assert " ".join(setting["description"].split()) == schema["description"]
    assert setting.get("value") == schema.get("default")
    assert [o["value"] for o in setting.get("options", [])] == schema.get("enum", [])
    assert setting.get("sensitive", False) == schema.get("secret", False)


def test_meltano_has_the_settings_in_their_order_and_no_others() -> None:
    """What `meltano config` lists is what the tap takes."""
    assert list(IN_MELTANO) == list(PROPERTIES)
    assert EXTRACTOR["settings_group_validation"] == [CONFIG_JSONSCHEMA["required"]]


def test_the_readme_has_every_setting_once_with_its_default() -> None:
    """Its table names each setting; what has a default shows it, what is required says so."""
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", readme, re.MULTILINE))
    names = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    assert [name for name in names if name in PROPERTIES] == list(PROPERTIES)
    for name, schema in PROPERTIES.items():
        default = schema.get("default")
        if default is not None:
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert shown in rows[name], name
        assert ("required" in rows[name]) == (name in CONFIG_JSONSCHEMA["required"]), name


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
