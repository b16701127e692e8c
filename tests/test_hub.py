"""The definitions for Meltano: of a form that it and its hub accept, and true of the tap."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it comes with singer-sdk, without stubs
import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs

from tap_ozonetel_cdr.tap import TapOzonetelCDR

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
EXTRACTOR: dict[str, Any] = PROJECT["plugins"]["extractors"][0]
HUB: dict[str, Any] = yaml.safe_load((ROOT / "hub/tap-ozonetel-cdr.yml").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads(
    resources.files("meltano").joinpath("schemas/meltano.schema.json").read_text("utf-8")
)

# What the hub asks of a definition: repository meltano/hub, folder schemas/plugin_definitions, file
# extractors.schema.json, commit 319e8b4, and what it refers to.
REQUIRED_BY_THE_HUB = {"name", "namespace", "variant", "quality"}
ONLY_OF_THE_HUB = {
    *("definition", "domain_url", "keywords", "maintenance_status", "next_steps", "prereq"),
    *("quality", "settings_preamble", "supported_python_versions", "usage"),
}
MAINTENANCE_STATUS = {"active", "beta", "development", "inactive", "unknown"}
QUALITY = {"gold", "silver", "bronze", "unknown"}
KINDS = {
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden", "integer"),
    *("oauth", "object", "options", "password", "string"),
}
OF_A_SETTING = {
    *("aliases", "description", "docs", "documentation", "env", "hidden", "kind", "label", "name"),
    *("oauth", "options", "placeholder", "sensitive", "tooltip", "value", "value_post_processor"),
    "value_processor",
}


def validate(instance: object, schema: dict[str, Any]) -> None:
    """Validate with the formats checked, too."""
    cls = jsonschema.validators.validator_for(schema)
    cls.check_schema(schema)
    cls(schema, format_checker=cls.FORMAT_CHECKER).validate(instance)


def test_meltano_accepts_the_project() -> None:
    """Meltano's own schema knows every key of meltano.yml."""
    validate(PROJECT, SCHEMA)


def test_meltano_accepts_the_definition() -> None:
    """What `meltano add` copies from it into a project is valid there."""
    entry = {name: value for name, value in HUB.items() if name not in ONLY_OF_THE_HUB}
    validate({"plugins": {"extractors": [entry]}}, SCHEMA)


def test_meltanos_schema_is_strict() -> None:
    """The two tests above can fail: a key that Meltano does not know is refused."""
    for odd in ({"pipurl": "x"}, {"capabilities": ["fly"]}, {"settings": [{"kind": "string"}]}):
        with pytest.raises(jsonschema.ValidationError):
            validate({"plugins": {"extractors": [EXTRACTOR | odd]}}, SCHEMA)


def test_the_hub_accepts_the_definition() -> None:
    """It has the hub's required keys, no key or value that the hub refuses, and loses nothing."""
    assert HUB.keys() >= REQUIRED_BY_THE_HUB
    assert HUB["maintenance_status"] in MAINTENANCE_STATUS
    assert HUB["quality"] in QUALITY
    assert all(re.fullmatch(r"3\.\d+", v) for v in HUB["supported_python_versions"])
    assert all(isinstance(word, str) for word in HUB["keywords"])
    for setting in HUB["settings"]:
        assert setting.keys() <= OF_A_SETTING
        assert {setting["kind"]} <= KINDS
        assert all(isinstance(o["value"], str) for o in setting.get("options", ()))


def test_the_hubs_definition_names_the_package() -> None:
    """The project's entry installs this folder, the hub's what is on an index."""
    assert HUB["pip_url"] == HUB["executable"] == HUB["name"] == TapOzonetelCDR.name
