from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pytest
from psycopg.rows import dict_row
from servers import NO_POSTGRESQL, database, environment, find_initdb, postgresql

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.records.columns import schema

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent

KOLKATA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 3, 14, 6, 30, tzinfo=timezone.utc)
"""The present of the emulated account: the same calls whenever the tests run."""
THURSDAY = date(2026, 3, 12)
SUNDAY = date(2026, 3, 8)

SECONDS = (
    *("Duration", "TalkTime", "HandlingTime", "TimeToAnswer", "WrapupDuration"),
    *("HoldDuration", "ConferenceDuration", "CustomerRingTime", "QueueTime"),
)
INSTANTS = ("StartedAt", "PickedUpAt", "EndedAt", "WrapUpStartedAt", "WrapUpEndedAt")
TYPES = {
    "CallDate": "date",
    "Rating": "bigint",
    "DialCount": "bigint",
    **dict.fromkeys((f"{name}Seconds" for name in SECONDS), "bigint"),
    **dict.fromkeys(INSTANTS, "timestamp without time zone"),
    "AdditionalFields": "jsonb",
}
"""The columns that are not text, by their types in PostgreSQL."""

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]
Answer = list[tuple[Any, ...]]
Ask = Callable[[str], Any]


# The truth


def in_seconds(text: object) -> int | None:
    """Return the seconds of ``HH:MM:SS``, or None for anything else."""
    parts = text.split(":") if isinstance(text, str) else []
    return sum(int(part) * 60**n for n, part in enumerate(reversed(parts))) if parts[1:] else None


def row(record: Row, **odd: object) -> Row:
    """Return what a target should hold of a record, with instants in UTC, but for what is odd.

    Instants come from durations, not from times of day as the tap's do.
    """
    spans = {f"{name}Seconds": in_seconds(record[name]) for name in SECONDS}
    start = datetime.combine(date.fromisoformat(record["CallDate"]), time(), KOLKATA)
    start += timedelta(seconds=in_seconds(record["StartTime"]) or 0)
    picked_up, ended, wrapped = (
        timedelta(seconds=spans[f"{name}Seconds"] or 0)
        for name in ("TimeToAnswer", "Duration", "WrapupDuration")
    )
    answered = record["Status"] == "Answered"
    moments = {
        "StartedAt": start,
        "PickedUpAt": start + picked_up if answered else None,
        "EndedAt": start + ended,
        "WrapUpStartedAt": start + ended if answered else None,
        "WrapUpEndedAt": start + ended + wrapped if answered else None,
    }
    return {
        **record,
        "CallDate": date.fromisoformat(record["CallDate"]),
        "CallID": str(record["CallID"]),
        "UCID": str(record["UCID"]),
        **spans,
        **{
            name: moment and moment.astimezone(timezone.utc).replace(tzinfo=None)
            for name, moment in moments.items()
        },
        "AdditionalFields": None,
        **odd,
    }


def by_key(rows: Sequence[Row]) -> Rows:
    """Return rows by their key; none may stand twice."""
    keyed = {(row["CallID"], row["UCID"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def differences(found: Rows, true: Rows) -> list[tuple[object, ...]]:
    """Return what a target holds otherwise than it should: key, column, value, true value."""
    cells = [
        {(*key, name): value for key, row in rows.items() for name, value in row.items()}
        for rows in (found, true)
    ]
    return [
        (*cell, *values)
        for cell in sorted({*cells[0], *cells[1]})
        for values in [[held.get(cell, "(missing)") for held in cells]]
        if values[0] != values[1]
    ]


def days(first: date, last: date) -> list[date]:
    """Return the days from ``first`` to ``last``."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# The loads


class Load(NamedTuple):
    """What one run of the tap wrote, and the rows that are true for its days."""

    messages: str
    rows: Rows

    @property
    def state(self) -> Row:
        """The last state."""
        last = json.loads(self.messages.splitlines()[-1])
        assert last["type"] == "STATE"
        return last["value"]  # type: ignore[no-any-return]  # any JSON


def extract(sandbox: Sandbox, first: date, last: date, *more: str) -> str:
    """Return what the tap writes for these days."""
    wanted = {
        "START_DATE": str(first),
        "END_DATE": str(last),
        "RETENTION_DAYS": "3650",  # the emulated account lives in the past
        "LOOKBACK_DAYS": "3650",
    }
    settings = {f"TAP_OZONETEL_CDR_{name}": value for name, value in wanted.items()}
    return subprocess.run(
        [PROGRAMS / "tap-ozonetel-cdr", "--config=ENV", *more],
        env=environment(**sandbox.environment(), **settings),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Load, Load]:
    """Return two runs of the tap that share two days, with late changes between them."""
    state = tmp_path_factory.mktemp("state") / "state.json"

    def load(first: date, last: date, *more: str) -> Load:
        messages = extract(sandbox, first, last, *more)
        true = [row(record) for day in days(first, last) for record in sandbox.records(day)]
        return Load(messages, by_key(true))

    with Sandbox(
        records_per_day=lambda day: 0 if day == SUNDAY else 300,
        rate_limit=(1000, 1),
        now=lambda: NOON,
    ) as sandbox:
        before = load(SUNDAY, THURSDAY - timedelta(days=1))
        sandbox.change_late()
        state.write_text(json.dumps(before.state), "utf-8")
        after = load(THURSDAY - timedelta(days=2), THURSDAY, "--state", str(state))
    return before, after


@pytest.fixture(scope="module")
def truth(loads: tuple[Load, Load]) -> Rows:
    """Return the rows that are true after both runs: what was read again is as it then was."""
    before, after = loads
    changed = [
        key for key in before.rows.keys() & after.rows if before.rows[key] != after.rows[key]
    ]
    assert (len(before.rows), len(after.rows), len(changed)) == (900, 900, 300)
    return before.rows | after.rows


@pytest.fixture(scope="module")
def new_field() -> Load:
    """Return a run over a day on which every record has a field more."""
    with Sandbox(
        records_per_day=lambda _: 20, rate_limit=(1000, 1), now=lambda: NOON, faults=["new_field"]
    ) as sandbox:
        messages = extract(sandbox, THURSDAY, THURSDAY)
        true = [
            row(record, AdditionalFields={"CustomerMood": f"new {n}"})
            for n, record in enumerate(sandbox.records(THURSDAY))
        ]
    return Load(messages, by_key(true))


@pytest.fixture(scope="module")
def odd() -> Load:
    """Return a run over six days of three calls a day, each day with something odd in it."""
    value = r'{"a\u0000": [1e999, -Infinity, 36893488147419103232, "\ud83d", "0000-00-00"]}'
    fitted = {"a\ufffd": ["1E+999", "-Infinity", 36893488147419103232, "\ufffd", "0000-00-00"]}
    first_ones: dict[str, Row] = {
        "nul": {"Comments": "a\ufffdb"},
        "lone_surrogate": {"Comments": "half \ufffd of it"},
        "control_character": {"Comments": "a\n\x01b"},
        "missing_id": {"UCID": ""},
        f"nan:{value}": {"Rating": None, "AdditionalFields": {"Rating": fitted}},
    }
    all_of_them = {
        "CallerID": "5550100",
        "DID": None,
        "Rating": 4,
        "Skill": None,
        "TalkTime": "56",
        "TalkTimeSeconds": None,
        "AdditionalFields": {"Skill": ["General"]},
    }
    six = days(THURSDAY - timedelta(days=5), THURSDAY)
    with Sandbox(
        records_per_day=lambda _: 3,
        rate_limit=(1000, 1),
        now=lambda: NOON,
        faults=(*first_ones, "other_types"),
    ) as sandbox:
        messages = extract(sandbox, six[0], six[-1])
        calls = [sandbox.records(day) for day in six]
    true = []
    for records, first in zip(calls[:-1], first_ones.values(), strict=True):
        true += [row(records[0], **first), *map(row, records[1:])]
    true += [row(record, **all_of_them) for record in calls[-1]]
    return Load(messages, by_key(true))


def into(
    target: str,
    load: Load,
    folder: Path,
    *,
    needed: Sequence[str] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
    **config: object,
) -> None:
    """Load with a target, from an environment of its own, and see that it returns the state.

    ``target`` and what else is ``needed`` in its environment are requirements.
    """
    name = target.partition("==")[0].removeprefix("meltanolabs-")
    settings = folder / f"{name}.json"
    settings.write_text(json.dumps(config), "utf-8")
    uv = [str(PROGRAMS / "uv"), "tool", "run", "--quiet", "--python", sys.executable]
    done = subprocess.run(
        [*uv, "--from", target, *(f"--with={n}" for n in needed), name, "--config", str(settings)],
        env=environment(**variables),
        input=load.messages,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == load.state


# PostgreSQL


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of a PostgreSQL server; say plainly where there is none to start."""
    initdb = find_initdb()
    if not initdb:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_POSTGRESQL)
        pytest.skip(NO_POSTGRESQL)
    with postgresql(initdb) as address:
        yield address


def into_postgresql(address: str, load: Load, folder: Path, **variables: str) -> None:
    """Load with meltanolabs-target-postgres into the schema ``public``."""
    into(
        "meltanolabs-target-postgres==0.8.1",
        load,
        folder,
        variables=variables,
        sqlalchemy_url=address.replace("postgresql:", "postgresql+psycopg2:"),
        default_target_schema="public",
    )


def table(address: str) -> list[Row]:
    """Return the rows of the table cdr, without the columns that the target adds."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM cdr").fetchall()
    return [{k: v for k, v in row.items() if not k.startswith("_sdc_")} for row in rows]


@pytest.fixture(scope="module")
def loaded(server: str, loads: tuple[Load, Load], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database that both runs were loaded into."""
    address = database(server, "loaded")
    for load in loads:
        into_postgresql(address, load, tmp_path_factory.mktemp("target"))
    return address


def test_postgresql_has_the_right_types(loaded: str) -> None:
    """Every column has the type that its content calls for, and the key is the primary key."""
    with psycopg.connect(loaded) as connection:
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'cdr' AND column_name NOT LIKE '\\_sdc\\_%'"
        ).fetchall()
        key = connection.execute(
            "SELECT column_name FROM information_schema.key_column_usage"
            " WHERE table_name = 'cdr' ORDER BY ordinal_position"
        ).fetchall()
    names = [name for name, _ in columns]
    assert {*names} == schema(include_account=False)["properties"].keys()
    assert dict(columns) == {name: TYPES.get(name, "text") for name in names}
    assert key == [("CallID",), ("UCID",)]


def test_postgresql_holds_the_truth(loaded: str, truth: Rows) -> None:
    """After late changes each leg stands there once, as it was last read, instants in UTC."""
    assert differences(by_key(table(loaded)), truth) == []


def test_postgresql_takes_odd_records(server: str, odd: Load, tmp_path: Path) -> None:
    """What no target can hold is replaced, and what fits no column is in AdditionalFields."""
    address = database(server, "odd")
    into_postgresql(address, odd, tmp_path)
    assert differences(by_key(table(address)), odd.rows) == []


def test_postgresql_keeps_instants_in_the_zone_of_the_session(
    server: str, odd: Load, tmp_path: Path
) -> None:
    """Where the server's zone is another, PGTZ=UTC in the loader's environment gives UTC."""

    def stored(name: str, **variables: str) -> set[datetime]:
        address = database(server, name, "SET timezone = 'Asia/Kolkata'")
        into_postgresql(address, odd, tmp_path, **variables)
        return {row["StartedAt"] for row in table(address)}

    true = {row["StartedAt"] for row in odd.rows.values()}
    assert stored("session_in_utc", PGTZ="UTC") == true
    assert stored("session_of_the_server") == {at + timedelta(hours=5, minutes=30) for at in true}


# Files, and DuckDB


@pytest.fixture(scope="module")
def lines(loads: tuple[Load, Load], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that target-jsonl wrote of both runs."""
    folder = tmp_path_factory.mktemp("jsonl")
    for load in loads:
        into(
            "target-jsonl==0.1.4",
            load,
            folder,
            destination_path=str(folder),
            do_timestamp_file=False,
        )
    return folder / "cdr.jsonl"


def last_lines(file: Path) -> list[Row]:
    """Return the last line of each leg as DuckDB reads it, instants in UTC."""
    with file.open("rb") as written:
        names = list(json.loads(written.readline()))
    # Instants as text: DuckDB would read them as a timestamp without their offset.
    read_as = {"jsonb": "json", "timestamp without time zone": "text"}
    types = {name: TYPES.get(name, "text") for name in names}
    columns = {name: read_as.get(its_type, its_type) for name, its_type in types.items()}
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT * EXCLUDE line FROM"
            " (SELECT *, row_number() OVER () AS line FROM read_json($file, columns = $columns))"
            ' QUALIFY line = max(line) OVER (PARTITION BY "CallID", "UCID")',
            {"file": str(file), "columns": columns},
        )
        rows = [dict(zip(names, values, strict=True)) for values in found.fetchall()]
    for found_row in rows:
        for name in INSTANTS:
            if found_row[name]:
                at = datetime.fromisoformat(found_row[name]).astimezone(timezone.utc)
                found_row[name] = at.replace(tzinfo=None)
        found_row["AdditionalFields"] = json.loads(found_row["AdditionalFields"] or "null")
    return rows


def test_jsonl_holds_the_truth(lines: Path, loads: tuple[Load, Load], truth: Rows) -> None:
    """Both runs stand in the file, one after the other; the last line of a leg is the truth."""
    assert len(lines.read_bytes().splitlines()) == sum(len(load.rows) for load in loads)
    assert differences(by_key(last_lines(lines)), truth) == []


def as_text(value: object) -> str:
    """Return a value as meltanolabs-target-csv writes it."""
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=timezone.utc).astimezone(KOLKATA))
    return "" if value is None else str(value)


def test_csv_holds_the_last_run(loads: tuple[Load, Load], odd: Load, tmp_path: Path) -> None:
    """Each run replaces the file; null is blank, and an object is Python's text, not JSON."""
    for load in (*loads, odd):
        into("meltanolabs-target-csv==0.5.0", load, tmp_path, output_path=str(tmp_path / "files"))
        with (tmp_path / "files/cdr.csv").open(encoding="utf-8", newline="") as file:
            written = by_key(list(csv.DictReader(file)))
        true = {
            key: {name: as_text(value) for name, value in row.items()}
            for key, row in load.rows.items()
        }
        assert differences(written, true) == []


def into_duckdb(version: str, load: Load, folder: Path) -> list[tuple[object, ...]]:
    """Load with target-duckdb; return some columns of the table, sorted."""
    file = folder / "calls.duckdb"
    into(
        "target-duckdb==0.8.0",
        load,
        folder,
        needed=[f"duckdb=={version}"],
        path=str(file),
        default_target_schema="main",
    )
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(
            "SELECT callid, ucid, startedat, endedat, rating, disposition FROM cdr ORDER BY ALL"
        ).fetchall()


def in_duckdb(rows: Rows, shift: timedelta = timedelta()) -> list[tuple[object, ...]]:
    """Return the same columns of the truth; to this target, blank text is null."""
    return sorted(
        (
            *key,
            *(row["StartedAt"] + shift, row["EndedAt"] + shift),
            *(row["Rating"], row["Disposition"] or None),
        )
        for key, row in rows.items()
    )


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="duckdb 1.0.0 has no wheel for Python 3.13")
def test_duckdb_1_0_keeps_every_row(
    loads: tuple[Load, Load], new_field: Load, truth: Rows, tmp_path: Path
) -> None:
    """With duckdb 1.0.0 target-duckdb updates legs, and keeps the instants in UTC."""
    for load in loads:
        held = into_duckdb("1.0.0", load, tmp_path)
    assert held == in_duckdb(truth)
    (empty := tmp_path / "new_field").mkdir()
    assert into_duckdb("1.0.0", new_field, empty) == in_duckdb(new_field.rows)


def test_duckdb_1_4_loses_rows(new_field: Load, tmp_path: Path) -> None:
    """With duckdb 1.4.4 it takes a row with AdditionalFields for a header, and drops offsets."""
    left = dict(list(new_field.rows.items())[1:])
    offset = timedelta(hours=5, minutes=30)
    assert into_duckdb("1.4.4", new_field, tmp_path) == in_duckdb(left, offset)
