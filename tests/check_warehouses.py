"""See what the dbt package makes in Snowflake and BigQuery, without an account of either.

Snowflake: dbt builds in fakesnow, which runs Snowflake's SQL in DuckDB. BigQuery: dbt compiles for
it, and sqlglot translates what it compiled for DuckDB to run. Both are compared with the truth.
This finds what a dialect does not have, and not all in which the real ones differ. dbt's unit tests
do not run here: they need temporary tables, which fakesnow does not have.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import fakesnow
import snowflake.connector
import sqlglot
from dbt.adapters.bigquery import BigQueryAdapter, BigQueryColumn
from dbt.cli.main import dbtRunner
from made_calls import MODELS, Row, differences, keyed, make_calls, rows_of, truth

PACKAGE = Path(__file__).parent.parent / "dbt"
EVENTS = [*make_calls("alpha"), *make_calls("beta")]
ROWS = rows_of(EVENTS)
PROFILES = {
    "ozonetel_cdr": {
        "outputs": {
            "snowflake": {
                "type": "snowflake",
                "account": "fakesnow",
                "user": "fake",
                "password": "snow",
                "database": "CDR",
                "schema": "BUILT",
                "threads": 1,
            },
            "bigquery": {
                "type": "bigquery",
                "method": "oauth-secrets",
                "token": "none",
                "project": "cdr",
                "dataset": "built",
                "threads": 1,
            },
        }
    }
}


def run_dbt(*arguments: str) -> None:
    """Run dbt in this process, which what stands in for an account needs."""
    result = dbtRunner().invoke([*arguments, f"--project-dir={PACKAGE}"])
    if not result.success:
        sys.exit(str(result.exception or "dbt failed"))


def kind(name: str, instant: str, integer: str, text: str) -> str:
    """Return the type of a column."""
    if name.endswith("At"):
        return instant
    if name.endswith("Seconds") or name in {"Rating", "DialCount"}:
        return integer
    return "DATE" if name == "CallDate" else text


def compare(model: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Compare a model's rows with the truth, and say how it went."""
    found: list[Row] = [
        {
            name.lower(): value.replace(tzinfo=value.tzinfo or timezone.utc)
            if isinstance(value, datetime)
            else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in rows
    ]
    wrong = differences(keyed(found, model), truth(model, EVENTS))
    print(f"  {model}: {len(found)} rows, {len(wrong)} differences")
    if wrong:
        sys.exit("\n".join(map(str, wrong[:10])))


def in_snowflake() -> None:
    """Build in Snowflake's dialect, from a table whose instants have no zone and are in UTC."""
    with fakesnow.patch():
        cursor = snowflake.connector.connect(database="CDR", schema="TAP_OZONETEL_CDR").cursor()
        types = [
            f"{name.upper()} {kind(name, 'TIMESTAMP_NTZ', 'BIGINT', 'VARCHAR')}" for name in ROWS[0]
        ]
        cursor.execute(f"CREATE TABLE cdr ({', '.join(types)})")
        for begin in range(0, len(ROWS), 500):
            values = [
                "(" + ", ".join(literal(value) for value in row.values()) + ")"
                for row in ROWS[begin : begin + 500]
            ]
            cursor.execute(f"INSERT INTO cdr VALUES {', '.join(values)}")
        run_dbt("--quiet", "build", "--target=snowflake", "--exclude-resource-type=unit_test")
        for model in MODELS:
            cursor.execute(f"SELECT * FROM cdr.built.{model}")
            compare(model, [column[0] for column in cursor.description], cursor.fetchall())


def literal(value: object) -> str:
    """Return a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).removesuffix("+00:00").replace("'", "''") + "'"


def in_bigquery(target: Path) -> None:
    """Compile in BigQuery's dialect, and run that in DuckDB."""
    columns = {name: kind(name, "TIMESTAMP", "INT64", "STRING") for name in ROWS[0]}

    def get_columns(*_: object) -> list[BigQueryColumn]:
        return [BigQueryColumn.create(name, type_) for name, type_ in columns.items()]

    BigQueryAdapter.get_columns_in_relation = get_columns
    run_dbt("--quiet", "compile", "--target=bigquery", "--no-populate-cache")
    compiled = target / "compiled/ozonetel_cdr"
    for file in compiled.rglob("*.sql"):
        sqlglot.parse_one(file.read_text("utf-8"), read="bigquery")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("ATTACH ':memory:' AS cdr; CREATE SCHEMA cdr.tap_ozonetel_cdr")
        connection.execute("CREATE SCHEMA cdr.built")
        types = [f'"{name}" {kind(name, "TIMESTAMPTZ", "BIGINT", "VARCHAR")}' for name in columns]
        connection.execute(f"CREATE TABLE cdr.tap_ozonetel_cdr.cdr ({', '.join(types)})")
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO cdr.tap_ozonetel_cdr.cdr VALUES ({marks})"
        connection.executemany(insert, [list(row.values()) for row in ROWS])
        for model in ["base_ozonetel_cdr__rows", *MODELS]:
            (file,) = compiled.rglob(f"{model}.sql")
            query = sqlglot.transpile(file.read_text("utf-8"), read="bigquery", write="duckdb")[0]
            connection.execute(f"CREATE TABLE cdr.built.{model} AS {query}")
            if model in MODELS:
                found = connection.execute(f"FROM cdr.built.{model}")
                compare(model, [column[0] for column in found.description], found.fetchall())


def main() -> None:
    """Check both."""
    warnings.simplefilter("ignore")
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "profiles.yml").write_text(json.dumps(PROFILES), "utf-8")
        os.environ |= {
            "DBT_PROFILES_DIR": folder,
            "DBT_TARGET_PATH": f"{folder}/target",
            "DBT_LOG_PATH": f"{folder}/logs",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        print("Snowflake's SQL, run by fakesnow:")
        in_snowflake()
        print("BigQuery's SQL, translated by sqlglot and run by DuckDB:")
        in_bigquery(Path(folder) / "target")


if __name__ == "__main__":
    main()
