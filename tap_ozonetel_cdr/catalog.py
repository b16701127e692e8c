"""The catalog as it was handed in: what of it is selected, with keys that tell records apart."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog, CatalogEntry, Metadata, MetadataMapping, Schema

from tap_ozonetel_cdr.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def put_right(
    catalog: Catalog,
    stream: str,
    properties: Mapping[str, Any],
    *,
    keys: Sequence[str],
    replication_key: str,
) -> tuple[Catalog, list[str]]:
    """Return the catalog with one entry for ``stream`` that SCHEMA and records can both follow.

    Its schema holds the properties of the catalog's that are selected, as the SDK resolves it:
    one without metadata of its own inherits, and one that was deleted is gone. A catalog without
    any properties means all of them. The keys and the replication key are always there.

    Args:
        catalog: The catalog that was handed in.
        stream: The stream's name.
        properties: The stream's own properties, by name.
        keys: What tells its records apart.
        replication_key: What its bookmark is about.

    Returns:
        The catalog, and a line for each thing in it that had to be changed.

    Raises:
        CatalogError: Its key has a column that the stream does not have.
    """
    entry = catalog.get_stream(stream)
    if entry is None:
        return catalog, []
    listed: dict[str, Any] = entry.schema.to_dict().get("properties") or dict(properties)
    always = {*keys, replication_key}

    metadata = copy.deepcopy(entry.metadata)
    is_selected = metadata.resolve_selection().get((), True)
    # What is selected below it counts also where a test of the connection selects the stream.
    metadata.root.selected = True
    mask = metadata.resolve_selection()
    root = copy.copy(metadata.root)
    root.selected = is_selected
    chosen = [
        name
        for name in properties
        if name in always or (name in listed and mask["properties", name])
    ]

    lines = []
    if unknown := sorted(name for name in listed.keys() - properties.keys() if name not in keys):
        lines.append(
            f"The catalog lists columns that this tap does not have: {', '.join(unknown)}. "
            "They are left out; make the catalog again with --discover"
        )
    made_with = list(entry.key_properties or root.table_key_properties or keys)
    if lost := sorted(set(made_with) - properties.keys()):
        raise CatalogError(
            f"The catalog has {', '.join(lost)} in its key, and include_account is off: accounts "
            "that share a table would share keys. Switch include_account on, or make the catalog "
            "again with --discover"
        )
    if made_with != list(keys):
        lines.append(
            f"The catalog was made with other settings: its key is {', '.join(made_with)}, and "
            f"{', '.join(keys)} is used. Make the catalog again with --discover"
        )

    new = MetadataMapping({(): root})
    kinds = Metadata.InclusionType
    for name in chosen:
        inclusion = kinds.AUTOMATIC if name in always else kinds.AVAILABLE
        new["properties", name] = Metadata(inclusion=inclusion, selected=True)
    root.table_key_properties = tuple(keys)
    return Catalog(
        {
            **catalog,
            stream: CatalogEntry(
                tap_stream_id=stream,
                stream=stream,
                metadata=new,
                schema=Schema.from_dict(
                    {
                        "type": "object",
                        "properties": {n: listed.get(n, properties[n]) for n in chosen},
                    }
                ),
                key_properties=tuple(keys),
                replication_key=replication_key,
                replication_method=entry.replication_method,
            ),
        }
    ), lines


def without_effect(catalog: Mapping[str, Any], stream: str) -> list[str]:
    """Return a line about selection in a catalog's schema, which the SDK does not read.

    Catalogs had it there before there was metadata. Who deselects a column that way means it.

    Args:
        catalog: The catalog as the file has it.
        stream: The stream's name.
    """
    for entry in catalog.get("streams", []):
        if entry["tap_stream_id"] != stream:
            continue
        schema = entry.get("schema") or {}
        names = [
            name
            for name, definition in (schema.get("properties") or {}).items()
            if isinstance(definition, dict) and definition.get("selected") is False
        ]
        if schema.get("selected") is False:
            names.insert(0, stream)
        if names:
            where = ", ".join(names)
            line = f'The catalog says "selected": false in the schema of {where}, where it has no '
            return [f"{line}effect: say it in the metadata"]
    return []
