"""target-s3tables on a catalog in a folder: `iceberg_folder.py FOLDER OPTIONS...`.

With `--read FILE` it writes the table's rows to a Parquet file instead.
"""

from __future__ import annotations

import sys
from typing import Any

import pyarrow.parquet
from pyiceberg.catalog import load_catalog
from target_s3tables import iceberg
from target_s3tables.target import TargetS3Tables

_, folder, *options = sys.argv


def local(*_: object, **__: object) -> Any:  # noqa: ANN401  # pyiceberg's own
    """Return the catalog."""
    database = f"sqlite:///{folder}/catalog.db"
    return load_catalog("local", type="sql", uri=database, warehouse=f"file://{folder}/warehouse")


if options[0] == "--read":
    table = local().load_table(("calls", "cdr")).scan().to_arrow()
    pyarrow.parquet.write_table(table, options[1])
else:
    iceberg.load_catalog = local
    sys.argv[1:] = options
    TargetS3Tables.cli()
