"""The table that z3-target-bigquery makes of a SCHEMA: its columns, without BigQuery."""

from __future__ import annotations

import json
import sys

from target_bigquery.core import BigQueryTable, IngestionStrategy

schema = next(json.loads(line) for line in sys.stdin if '"SCHEMA"' in line)["schema"]
table = BigQueryTable(
    name="cdr",
    dataset="calls",
    project="calls",
    jsonschema=schema,
    ingestion_strategy=IngestionStrategy.DENORMALIZED,
)
print(json.dumps({field.name: field.field_type for field in table.get_resolved_schema()}))
