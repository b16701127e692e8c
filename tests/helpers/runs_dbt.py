"""Runs of dbt and of loaders, and what dbt built in DuckDB and in PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb
import psycopg
import pytest
from made_calls import Row, keyed
from psycopg import sql
from servers import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dbt"
DBT = ROOT / ".dbt/venv/bin/dbt"


def need_dbt() -> None:
    """Say plainly where dbt is missing."""
    if not DBT.exists():
        pytest.skip("needs dbt in .dbt/venv: make test-dbt sees to it")


def dbt(folder: Path, *arguments: str, fails: bool = False, env: dict[str, str]) -> str:
    """Run dbt with this package's profiles, its own files in ``folder``; return what it said."""
    done = subprocess.run(
        [DBT, "--no-use-colors", *arguments],
        cwd=PACKAGE,
        env=environment(
            DBT_PROFILES_DIR=str(PACKAGE),
            DBT_TARGET_PATH=str(folder / "target"),
            DBT_LOG_PATH=str(folder / "logs"),
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        )
        | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


Rows = dict[tuple[object, ...], Row]


def in_utc(value: object) -> object:
    """Return an instant in UTC, and anything else as it is."""
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


def read(cursor: duckdb.DuckDBPyConnection | psycopg.Cursor) -> list[Row]:
    """Return what was selected, instants in UTC."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, map(in_utc, values), strict=True)) for values in cursor.fetchall()]


class InDuckDB:
    """A DuckDB file that dbt writes from a file of JSON lines beside it."""

    def __init__(self, folder: Path) -> None:
        """Use the files in ``folder``."""
        self.lines = folder / "cdr.jsonl"
        self.file = folder / "cdr.duckdb"
        self.variables = {
            "OZONETEL_CDR_JSONL": str(self.lines),
            "OZONETEL_CDR_DUCKDB": str(self.file),
        }

    def load(self, rows: Iterable[Row]) -> None:
        """Append rows, as target-jsonl does."""
        with self.lines.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)

    def rows(self, model: str) -> Rows:
        """Return the rows of a model by their key."""
        with duckdb.connect(self.file, read_only=True) as connection:
            return keyed(read(connection.execute(f"FROM {model}")), model)


class InPostgreSQL:
    """A PostgreSQL database in which dbt writes the schema ``built``."""

    def __init__(self, address: str) -> None:
        """Use the database at ``address``."""
        self.address = address
        parts = urlsplit(address)
        self.variables = {
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port),
            "PGUSER": parts.username or "",
            "PGDATABASE": parts.path[1:],
            "OZONETEL_CDR_SCHEMA": "built",
        }

    def rows(self, model: str) -> Rows:
        """Return the rows of a model by their key."""
        with psycopg.connect(self.address) as connection:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("built", model))
            return keyed(read(connection.execute(query)), model)


def load(target: str, messages: str, folder: Path, **config: object) -> None:
    """Load a tap's messages with a target, a requirement, from an environment of its own."""
    name = target.partition("==")[0].removeprefix("meltanolabs-")
    settings = folder / f"{name}.json"
    settings.write_text(json.dumps(config), "utf-8")
    uv = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--quiet"]
    subprocess.run(
        [*uv, "--python", sys.executable, "--from", target, name, "--config", str(settings)],
        env=environment(),
        input=messages,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def load_jsonl(built: InDuckDB, messages: str) -> None:
    """Load with target-jsonl, which appends."""
    folder = built.lines.parent
    config = {"destination_path": str(folder), "do_timestamp_file": False}
    load("target-jsonl==0.1.4", messages, folder, **config)


def load_postgresql(built: InPostgreSQL, messages: str, folder: Path) -> None:
    """Load with meltanolabs-target-postgres, which upserts."""
    load(
        "meltanolabs-target-postgres==0.8.1",
        messages,
        folder,
        sqlalchemy_url=built.address.replace("postgresql:", "postgresql+psycopg2:"),
        default_target_schema="tap_ozonetel_cdr",
    )


def make_table(address: str, schema: str, table: str, kinds: Mapping[str, str]) -> None:
    """Make a table with columns of these names and types, in a schema of its own."""
    columns = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in kinds.items()]
    with psycopg.connect(address) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        name = sql.Identifier(schema, table)
        connection.execute(
            sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(columns))
        )


def insert(address: str, schema: str, table: str, rows: Iterable[Iterable[object]]) -> None:
    """Insert rows in this order."""
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        name = sql.Identifier(schema, table)
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
            for row in rows:
                copy.write_row(list(row))
