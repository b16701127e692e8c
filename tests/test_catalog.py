from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.singerlib import Catalog

from tap_ozonetel_cdr.catalog import put_right, without_effect
from tap_ozonetel_cdr.errors import CatalogError

OWN: dict[str, Any] = {
    "Account": {"type": "string"},
    "Day": {"type": ["string", "null"], "format": "date"},
    "ID": {"type": "string"},
    "Name": {"type": ["string", "null"]},
    "Note": {"type": ["string", "null"]},
}
SELECTED = {"breadcrumb": [], "metadata": {"selected": True}}


def of(name: str, **metadata: object) -> dict[str, Any]:
    """Return the metadata of a property."""
    return {"breadcrumb": ["properties", name], "metadata": metadata}


def catalog(**entry: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """Return a catalog with the one stream, everything listed, without metadata."""
    schema = {"type": "object", "properties": OWN}
    return {
        "streams": [{"tap_stream_id": "cdr", "key_properties": ["ID"], "schema": schema, **entry}]
    }


def fixed(given: dict[str, Any], keys: tuple[str, ...] = ("ID",)) -> tuple[Catalog, list[str]]:
    """Put a catalog right."""
    return put_right(Catalog.from_dict(given), "cdr", OWN, keys=keys, replication_key="Day")


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        pytest.param({}, "Account Day ID Name Note", id="no metadata: everything"),
        pytest.param({"metadata": [SELECTED]}, "Account Day ID Name Note", id="the stream alone"),
        pytest.param(
            {"metadata": [SELECTED], "schema": {}}, "Account Day ID Name Note", id="no schema"
        ),
        pytest.param(
            {"metadata": [SELECTED, of("Name", selected=False)]},
            "Account Day ID Note",
            id="one not",
        ),
        pytest.param(
            {"metadata": [SELECTED, of("Name", inclusion="available")]},
            "Account Day ID Name Note",
            id="one inherits",
        ),
        pytest.param(
            {"metadata": [SELECTED, of("Name", **{"selected-by-default": False})]},
            "Account Day ID Note",
            id="one not by default",
        ),
        pytest.param(
            {"metadata": [SELECTED, of("Name", selected=True, inclusion="unsupported")]},
            "Account Day ID Note",
            id="one unsupported",
        ),
        pytest.param(
            {"metadata": [SELECTED, of("ID", selected=False), of("Day", selected=False)]},
            "Account Day ID Name Note",
            id="keys are always there",
        ),
        pytest.param(
            {"schema": {"properties": {"Name": OWN["Name"]}}}, "Day ID Name", id="others deleted"
        ),
    ],
)
def test_columns_are_those_that_the_catalog_selects(entry: dict[str, Any], columns: str) -> None:
    """Those that the catalog lists and selects, and the keys, in the stream's own order."""
    found, lines = fixed(catalog(**entry))
    assert list(found["cdr"].schema.to_dict()["properties"]) == columns.split()
    mask = found["cdr"].metadata.resolve_selection()
    assert all(mask["properties", name] for name in columns.split())
    assert mask[()]
    assert lines == []


@pytest.mark.parametrize("selected", [False, None])
def test_a_stream_that_is_not_selected_stays_so(selected: bool | None) -> None:
    """Only --test would select it, and then its columns are there."""
    root = {"breadcrumb": [], "metadata": {"selected": selected}}
    found, _ = fixed(catalog(metadata=[root]))
    assert found["cdr"].metadata.resolve_selection()[()] is False
    assert len(found["cdr"].schema.to_dict()["properties"]) == len(OWN)


def test_a_definition_of_the_catalogs_is_kept() -> None:
    """Who says in the catalog what a column is has a reason."""
    properties = {**OWN, "Name": {"type": "string", "maxLength": 5}}
    found, _ = fixed(catalog(schema={"properties": properties}))
    assert found["cdr"].schema.to_dict()["properties"]["Name"]["maxLength"] == 5


def test_an_account_that_is_new_in_the_key_is_put_right() -> None:
    """The column is there, first in the key, and that is said."""
    properties = {name: schema for name, schema in OWN.items() if name != "Account"}
    given = catalog(schema={"properties": properties}, key_properties=["ID"])
    found, [line] = fixed(given, keys=("Account", "ID"))
    assert list(found["cdr"].key_properties or ()) == ["Account", "ID"]
    assert list(found["cdr"].schema.to_dict()["properties"]) == list(OWN)
    assert "its key is ID, and Account, ID is used. Make the catalog again" in line


def test_an_account_that_is_no_longer_in_the_key_is_refused() -> None:
    """In a table of several accounts they would share keys."""
    own = {name: schema for name, schema in OWN.items() if name != "Account"}
    given = Catalog.from_dict(catalog(key_properties=["Account", "ID"]))
    with pytest.raises(CatalogError, match=r"^The catalog has Account in its key, and include_acc"):
        put_right(given, "cdr", own, keys=("ID",), replication_key="Day")


def test_unknown_columns_are_left_out_and_named() -> None:
    """No record can have them."""
    found, [line] = fixed(catalog(schema={"properties": {**OWN, "Other": {"type": "string"}}}))
    assert "Other" not in found["cdr"].schema.to_dict()["properties"]
    assert "columns that this tap does not have: Other. " in line


def test_a_catalog_without_replication_key_is_incremental() -> None:
    """Only FULL_TABLE, said aloud, leaves the bookmark alone."""
    found, _ = fixed(catalog())
    assert found["cdr"].replication_key == "Day"
    found, _ = fixed(catalog(replication_method="FULL_TABLE"))
    assert found["cdr"].replication_method == "FULL_TABLE"


def test_a_catalog_of_other_streams_stays_as_it_is() -> None:
    """That is the stream's to say."""
    given = Catalog.from_dict({"streams": [{"tap_stream_id": "calls"}]})
    assert put_right(given, "cdr", OWN, keys=("ID",), replication_key="Day") == (given, [])


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({}, None),
        ({"selected": True, "properties": {"Name": {"selected": True}}}, None),
        ({"properties": {"Name": {"selected": False}, "Note": {"selected": False}}}, "Name, Note"),
        ({"selected": False, "properties": {"Name": {"selected": False}}}, "cdr, Name"),
    ],
)
def test_selection_in_the_schema_has_no_effect_and_is_named(
    schema: dict[str, Any], named: str | None
) -> None:
    """The SDK reads metadata alone; who deselects a column in the old way means it."""
    lines = without_effect(catalog(schema=schema), "cdr")
    said = f'The catalog says "selected": false in the schema of {named}, where it has no effect: '
    assert lines == ([f"{said}say it in the metadata"] if named else [])
