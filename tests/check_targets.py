"""Load with every loader that runs without an account, and compare with the truth.

Each loader runs in an environment of its own, on three runs of the tap: a day read as today, again
five hours later, and as a past day. What it then holds is compared, every column of every row.
`tests/test_targets.py` has those that change most. The services are PostgreSQL, moto for S3, chdb
for ClickHouse and a catalog in a folder for Iceberg, all on loopback.

    make check-targets
    make check-targets TARGETS='duckdb clickhouse'
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import duckdb
import psycopg
from commands import environment
from loads import (
    NUMBERS,
    Load,
    Loader,
    Row,
    by_key,
    differences,
    held,
    last_of_each,
    read_thrice,
    truth,
    without_zone,
)
from psycopg.rows import dict_row
from servers import database, find_initdb, postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STAND_INS = Path(__file__).parent / "stand_ins"
OLD = ("setuptools<81",)
"""For loaders on a Singer SDK from before 0.40."""


# What stands in for a service


@contextlib.contextmanager
def serving(command: Callable[[int], list[str | Path]]) -> Iterator[int]:
    """Run a server on a free port of loopback; yield the port when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    ) as server:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()


@contextlib.contextmanager
def bucket() -> Iterator[str]:
    """Run moto, with a bucket ``calls``; yield its address."""
    moto = Loader("moto[server]")
    with serving(lambda port: moto.run("moto_server", "-H", "127.0.0.1", "-p", str(port))) as port:
        address = f"http://127.0.0.1:{port}"
        fetch(f"{address}/calls", method="PUT")
        yield address


def fetch(address: str, method: str = "GET", data: bytes | None = None) -> bytes:
    """Return what loopback answers."""
    # moto wants an authorization, and looks at none.
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=none/20261118/us-east-1/s3/aws4_request"
    }
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310  # loopback
    with urllib.request.urlopen(request) as response:  # noqa: S310  # loopback
        return response.read()  # type: ignore[no-any-return]  # bytes


def objects(address: str, folder: Path) -> list[Path]:
    """Return the files of the bucket in the order in which they were written."""
    listed = ET.fromstring(fetch(f"{address}/calls?list-type=2"))  # noqa: S314  # moto's
    names = {
        entry.findtext("{*}LastModified", ""): entry.findtext("{*}Key", "")
        for entry in listed.iterfind("{*}Contents")
    }
    files = []
    for number, at in enumerate(sorted(names)):
        name = names[at]
        file = folder / f"{number:03}-{name.rpartition('/')[2]}"
        file.write_bytes(fetch(f"{address}/calls/{urllib.parse.quote(name)}"))
        files.append(file)
    return files


def query(sql: str, *parameters: object) -> list[Row]:
    """Return what DuckDB answers."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(sql, list(parameters))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def without_metadata(rows: Sequence[Row]) -> list[Row]:
    """Return rows without the columns that a loader adds."""
    return [{k: v for k, v in row.items() if not k.startswith("_sdc_")} for row in rows]


def in_utc(text: str) -> datetime:
    """Return an instant with its zone."""
    return datetime.fromisoformat(text).astimezone(timezone.utc)


# The loaders. Each returns what is to be said, and what differs.


ESCAPES = {ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t"}


def pipelinewise_postgres(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Upserts; dates are text, instants have no zone, blank is null, line breaks are escaped."""
    loader = Loader("pipelinewise-target-postgres==2.1.2", "target-postgres")
    initdb = find_initdb()
    assert initdb, "needs PostgreSQL"
    with postgresql(initdb) as server:
        address = database(server, "calls")
        port = int(server.rpartition(":")[2])
        for load in loads:
            loader.load(
                load,
                folder,
                host="127.0.0.1",
                port=port,
                user="tester",
                password="-",  # noqa: S106  # nobody asks for it
                dbname="calls",
                default_target_schema="public",
            )
        with psycopg.connect(address, row_factory=dict_row) as connection:
            rows = without_metadata(connection.execute("SELECT * FROM cdr").fetchall())
    true = held(
        truth(loads),
        name=str.lower,
        instant=without_zone,
        text=lambda text: (text or "").translate(ESCAPES) or None,
    )
    return f"{len(rows)} rows, upserted", differences(by_key(rows), true)


def target_duckdb(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Upserts with duckdb 1.0.0; blank text is null."""
    loader = Loader("target-duckdb==0.8.0", needed=("duckdb==1.0.0",))
    rows = into_duckdb(loader, loads, folder / "calls.duckdb")
    true = held(truth(loads), name=str.lower, instant=without_zone, text=lambda text: text or None)
    return f"{len(rows)} rows, upserted", differences(by_key(rows), true)


def target_duckdb_newest(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Loses the first row of a run that has AdditionalFields."""
    loader = Loader("target-duckdb==0.8.0", needed=("duckdb>=2",))
    rows = into_duckdb(loader, loads[-1:], folder / "calls.duckdb")
    lost = len(loads[-1].rows) - len(rows)
    return f"the last run alone: {lost} of {len(loads[-1].rows)} rows lost, exit code 0", []


def into_duckdb(loader: Loader, loads: Sequence[Load], file: Path) -> list[Row]:
    """Load, and return the table's rows."""
    for load in loads:
        loader.load(load, file.parent, path=str(file), default_target_schema="main")
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("SELECT * FROM cdr")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return without_metadata(rows)


def s3(loads: list[Load], folder: Path, of_type: str) -> list[Path]:
    """Load with plinxore-target-s3, and return the bucket's files."""
    loader = Loader("plinxore-target-s3==0.1.7", "target-s3")
    with bucket() as address:
        for load in loads:
            loader.load(
                load,
                folder,
                format={"format_type": of_type, "format_parquet": {"get_schema_from_tap": True}},
                compression="gzip" if of_type == "parquet" else "none",
                prefix="records",
                cloud_provider={
                    "cloud_provider_type": "aws",
                    "aws": {
                        "aws_access_key_id": "none",
                        "aws_secret_access_key": "none",
                        "aws_region": "us-east-1",
                        "aws_bucket": "calls",
                        "aws_endpoint_override": address,
                    },
                },
            )
        return objects(address, folder)


def s3_jsonl(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Appends files; instants are written with their offset."""
    files = s3(loads, folder, "jsonl")
    rows = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    true = held(truth(loads), day=lambda day: f"{day}T00:00:00")
    return f"{len(rows)} lines in {len(files)} files", differences(last_of_each(rows), true)


def s3_parquet(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Appends files; the schema is the tap's."""
    files = s3(loads, folder, "parquet")
    rows = [row for file in files for row in query("FROM read_parquet(?)", str(file))]
    true = held(truth(loads), instant=in_utc, day=date.fromisoformat)
    return f"{len(rows)} rows in {len(files)} files", differences(last_of_each(rows), true)


def target_s3_jsonl(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Appends files; records as they are."""
    loader = Loader("target-s3-jsonl==2.0.1")
    with bucket() as address:
        for load in loads:
            loader.load(
                load,
                folder,
                s3_bucket="calls",
                aws_endpoint_url=address,
                aws_access_key_id="none",
                aws_secret_access_key="none",  # noqa: S106  # moto asks for none
                path_template="{stream}-{date_time:%Y%m%dT%H%M%S}.json",
                work_dir=str(folder),
            )
            time.sleep(1)  # the file's name is the second
        files = objects(address, folder)
    rows = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    rows = without_metadata(rows)
    return f"{len(rows)} lines in {len(files)} files", differences(last_of_each(rows), truth(loads))


def target_s3tables(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Appends; names in lower case, types as the schema says."""
    loader = Loader("target-s3tables==0.0.6", needed=("pyiceberg[sql-sqlite]",))
    catalog = folder / "catalog"
    (catalog / "warehouse").mkdir(parents=True)
    script: list[str | Path] = ["python", STAND_INS / "iceberg_folder.py", catalog]
    rows: list[Row] = []
    for load in loads:
        loader.load(
            load,
            folder,
            program=script,
            region="us-east-1",
            namespace="calls",
            account_id="123456789012",
            table_bucket_name="calls",
        )
    subprocess.run(loader.run(*script, "--read", folder / "rows.parquet"), check=True)
    rows = without_metadata(query("FROM read_parquet(?)", str(folder / "rows.parquet")))
    true = {
        (*key, tuple(sorted((n, str(v)) for n, v in row.items())))
        for load in loads
        for key, row in held(
            load.rows, name=str.lower, instant=in_utc, day=date.fromisoformat
        ).items()
    }
    found = {
        (row["callid"], row["ucid"], tuple(sorted((n, str(v)) for n, v in row.items())))
        for row in rows
    }
    return f"{len(rows)} rows, appended", sorted(found ^ true)


def target_clickhouse(loads: list[Load], folder: Path) -> tuple[str, list[Any]]:
    """Upserts; names in lower case, instants without a zone, null integers are 0, text blank."""
    loader = Loader("shaped-target-clickhouse==0.2.5", "target-clickhouse", OLD)
    server = Loader("chdb")
    script = STAND_INS / "clickhouse_server.py"
    with serving(
        lambda port: server.run("python", script, str(port), folder / "clickhouse")
    ) as port:
        for load in loads:
            loader.load(
                load,
                folder,
                driver="http",
                host="127.0.0.1",
                port=port,
                username="default",
                password="",
                database="default",
                engine_type="ReplacingMergeTree",
            )
        sql = b"SELECT * FROM cdr FINAL FORMAT JSONEachRow"
        answer = fetch(f"http://127.0.0.1:{port}/", "POST", sql)
    rows = without_metadata([json.loads(line) for line in answer.splitlines()])
    columns = [(name, name.lower()) for name in NUMBERS]
    last = truth(loads)
    zeros = sum(
        row[lower] == 0 and last[row["callid"], row["ucid"]][name] is None
        for row in rows
        for name, lower in columns
    )
    true = held(
        last,
        name=str.lower,
        day=date.fromisoformat,
        instant=without_zone,
        number=lambda number: number or 0,
        text=lambda text: text or "",
    )
    said = f"{len(rows)} rows, upserted (FINAL); {zeros} null integers are 0"
    as_text = [
        by_key([{n: str(v) for n, v in row.items()} for row in of]) for of in (rows, true.values())
    ]
    return said, differences(*as_text)


def columns_of(loader: Loader, script: str, loads: list[Load]) -> dict[str, str]:
    """Return the columns that a loader would make of the SCHEMA, by their types."""
    schema = next(line for line in loads[0].messages.splitlines() if '"SCHEMA"' in line[:30])
    done = subprocess.run(
        loader.run("python", STAND_INS / script),
        input=schema,
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def snowflake(loads: list[Load], _: Path) -> tuple[str, list[Any]]:
    """The table alone: names in capitals."""
    loader = Loader("meltanolabs-target-snowflake==0.20.4", needed=("fakesnow",))
    found = columns_of(loader, "snowflake_table.py", loads)
    return types(found), sorted(found.keys() ^ {n.upper() for n in names(loads)})


def bigquery(loads: list[Load], _: Path) -> tuple[str, list[Any]]:
    """The table alone: names as they are."""
    loader = Loader("z3-target-bigquery==0.7.2", needed=OLD)
    found = columns_of(loader, "bigquery_table.py", loads)
    return types(found), sorted({n for n in found if not n.startswith("_")} ^ {*names(loads)})


def names(loads: list[Load]) -> list[str]:
    """Return the columns."""
    return list(next(iter(loads[0].rows.values())))


def types(found: dict[str, str]) -> str:
    """Return the types of some columns."""
    told = {name.lower(): kind for name, kind in found.items()}
    shown = ("CallID", "CallDate", "Rating", "TalkTimeSeconds", "StartedAt", "AdditionalFields")
    return ", ".join(f"{name} {told[name.lower()]}" for name in shown)


TARGETS: dict[str, Callable[[list[Load], Path], tuple[str, list[Any]]]] = {
    "pipelinewise": pipelinewise_postgres,
    "duckdb": target_duckdb,
    "duckdb-newest": target_duckdb_newest,
    "s3-lines": s3_jsonl,
    "s3-parquet": s3_parquet,
    "s3-jsonl": target_s3_jsonl,
    "s3tables": target_s3tables,
    "clickhouse": target_clickhouse,
    "snowflake": snowflake,
    "bigquery": bigquery,
}


def main(wanted: Sequence[str]) -> int:
    """Check each; return how many hold something else than the truth."""
    loads = read_thrice(150)
    print(f"{len(loads)} runs of {[len(load.rows) for load in loads]}, {len(truth(loads))} records")
    wrong = 0
    for name in wanted or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                said, differ = TARGETS[name](loads, Path(folder))
            except (AssertionError, subprocess.CalledProcessError, OSError) as error:
                said, differ = f"failed: {error}", [error]
        print(f"{name}: {said}; {len(differ) or 'no'} differences", flush=True)
        for difference in differ[:5]:
            print("   ", str(difference)[:300])
        wrong += bool(differ)
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
