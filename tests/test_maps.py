from __future__ import annotations

from typing import Any

import pytest

from tap_ozonetel_cdr import maps
from tap_ozonetel_cdr.errors import SettingsError

COLUMNS = ("ID", "Name")


def check(stream_maps: object, **config: Any) -> list[str]:  # noqa: ANN401  # any JSON
    """Check maps of a stream with two columns."""
    return maps.check({"stream_maps": stream_maps, **config}, "cdr", COLUMNS)


@pytest.mark.parametrize(
    "stream_maps",
    [
        None,
        {},
        {"cdr": None},
        {"cdr": "__NULL__"},
        {"cdr": {"Name": "md5(Name)"}},
        {"cdr": {"Name": "__NULL__", "ID": None}},
        {"cdr": {"New": "md5(Name)", "__alias__": "calls", "__filter__": "bool(Name)"}},
        {"c*": {"Name": None}},
        {"*": {"Name": None}},
        {"calls": {"__source__": "cdr", "Name": None}},
        {"calls": {"Name": None}, "__else__": None},
        {"__else__": "__NULL__"},
        {"cdr": {"Name": "config.get('seed', '') + Name"}},
    ],
    ids=str,
)
def test_maps_that_do_what_they_say(stream_maps: object) -> None:
    """Nothing is said of them."""
    assert check(stream_maps) == []


def test_a_column_to_drop_that_does_not_exist_is_named() -> None:
    """It was meant to keep something back."""
    [line] = check({"cdr": {"name": "__NULL__", "Name": "__NULL__"}})
    assert line == (
        "stream_maps: there is no column name to drop from cdr. Column names are case-sensitive"
    )


@pytest.mark.parametrize(
    ("stream_maps", "config", "line"),
    [
        (
            {"calls": {"Name": "md5(Name)"}, "other": None},
            {},
            (
                "stream_maps: names calls, other, but the one stream is called cdr. Nothing was "
                "requested, so that no record leaves unmapped"
            ),
        ),
        (
            {"CDR": {"Name": "md5(Name)"}},
            {},
            "stream_maps: names CDR, but the one stream is called cdr. Nothing was requested, so",
        ),
        (
            {"cdr": {"Name": "sha256(config['hash_seed'] + Name)"}},
            {"stream_map_config": {"seed": "secret"}},
            "stream_map_config: hash_seed is missing; the expression for Name",
        ),
        (
            {"cdr": {"__filter__": "config['secret'] == Name"}},
            {},
            "stream_map_config: secret is missing; the expression for __filter__",
        ),
        (
            {"cdr": {"Name": "md5('secret' + "}},
            {},
            "stream_maps: the expression for Name in cdr does not parse",
        ),
        (
            {"cdr": {"__filter__": ""}},
            {},
            "stream_maps: the expression for __filter__ in cdr does not parse",
        ),
    ],
    ids=str,
)
def test_maps_that_cannot_work(stream_maps: object, config: dict[str, Any], line: str) -> None:
    """One line names the setting and the column; an expression, which may hold a seed, is not."""
    with pytest.raises(SettingsError) as refused:
        check(stream_maps, **config)
    assert refused.value.line.startswith(line)
    assert "secret'" not in refused.value.line
