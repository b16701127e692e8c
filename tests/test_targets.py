from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest
from loads import (
    DAY,
    KOLKATA,
    NUMBERS,
    Calendar,
    Load,
    Loader,
    Row,
    Rows,
    by_key,
    differences,
    extract,
    held,
    last_of_each,
    read_thrice,
    truth,
    without_zone,
)
from oracle import INSTANTS, expected_row
from psycopg.rows import dict_row
from servers import a_server, database

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.records.columns import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs/targets.md"

POSTGRESQL = Loader("meltanolabs-target-postgres==0.8.1")
JSONL = Loader("target-jsonl==0.1.4")
CSV = Loader("meltanolabs-target-csv==0.5.0")

TYPES = {
    "CallDate": "date",
    **dict.fromkeys(NUMBERS, "bigint"),
    **dict.fromkeys(INSTANTS, "timestamp without time zone"),
}
"""The columns that are not text, by their types in PostgreSQL."""


@pytest.fixture(scope="module")
def loads() -> list[Load]:
    """Return a day read as today, twice, and as a past day, with the days beside it."""
    return read_thrice(150)


# PostgreSQL


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of a PostgreSQL server; say plainly where there is none to start."""
    with a_server() as address:
        yield address


def into_postgresql(address: str, load: Load, folder: Path, **variables: str) -> None:
    """Load into the schema ``public``."""
    POSTGRESQL.load(
        load,
        folder,
        variables,
        sqlalchemy_url=address.replace("postgresql:", "postgresql+psycopg2:"),
        default_target_schema="public",
    )


def table(address: str) -> Rows:
    """Return the rows of the table cdr, without the columns that the target adds."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM cdr").fetchall()
    return by_key([{k: v for k, v in row.items() if not k.startswith("_sdc_")} for row in rows])


def in_postgresql(rows: Rows) -> Rows:
    """Return rows as the table holds them, its session in UTC."""
    return held(rows, day=date.fromisoformat, instant=without_zone)


@pytest.fixture(scope="module")
def readings(
    server: str, loads: list[Load], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[Rows]]:
    """Return a database's address, and what its table held after each of the runs."""
    address = database(server, "loaded")
    tables = []
    for load in loads:
        into_postgresql(address, load, tmp_path_factory.mktemp("target"))
        tables.append(table(address))
    return address, tables


def test_postgresql_has_the_right_types(readings: tuple[str, list[Rows]]) -> None:
    """Every column has the type that its content calls for, and the key is the primary key."""
    with psycopg.connect(readings[0]) as connection:
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


def test_postgresql_holds_the_truth(readings: tuple[str, list[Rows]], loads: list[Load]) -> None:
    """After each run a record stands there once, as it was last read, and no row is left over."""
    for n, found in enumerate(readings[1]):
        assert differences(found, in_postgresql(truth(loads[: n + 1]))) == []


def test_a_day_settles(readings: tuple[str, list[Rows]]) -> None:
    """Read at three, at eight, and the next day: the same rows, and what changed has a reason."""
    at_three, at_eight, settled = (
        {key: row for key, row in rows.items() if row["CallDate"] == DAY} for rows in readings[1]
    )
    assert 0 < len(at_three) < len(at_eight) <= len(settled)
    assert at_three.keys() < at_eight.keys() <= settled.keys()

    changed = changes(at_three, at_eight)
    running = [key for key in changed if "TalkTime" in changed[key]]
    assert running, "no call was under way at three"
    for key in changed:
        assert over(at_eight[key]) > clocks(15) - COMPLETE
    for key in running:
        # A call under way stood there as an answered one of one second.
        assert at_three[key]["TalkTimeSeconds"] == 1
        assert at_eight[key]["TalkTimeSeconds"] > 1
        assert at_eight[key]["EndedAt"] > at_three[key]["EndedAt"]
        assert at_eight[key]["PickedUpAt"] == at_three[key]["PickedUpAt"]

    for key, names in changes(at_eight, settled).items():
        if over(settled[key]) <= clocks(20) - COMPLETE:
            # Overnight the spelling changes, names are joined anew, and on that day a field is new.
            assert names <= SPELLING | {"AgentName", "AdditionalFields"}
    assert {row["Type"] for row in at_eight.values()} >= {"InBound"}
    assert {row["Type"] for row in settled.values()} >= {"Inbound"}


COMPLETE = timedelta(minutes=10)
"""How long after its end nothing of a record changes any more, until the night [measured]."""
SPELLING = {
    *("Type", "Event", "CallFlow", "Rating", "PickupTime", "CallAudio"),
    *("WrapUpStartTime", "WrapUpEndTime", "WrapupDuration", "WrapupDurationSeconds"),
}
"""What the two systems of the API write differently [measured]."""


def clocks(hour: int) -> datetime:
    """Return an hour of the day as the table has it."""
    at = datetime(DAY.year, DAY.month, DAY.day, hour, tzinfo=KOLKATA)
    return at.astimezone(timezone.utc).replace(tzinfo=None)


def over(row: Row) -> datetime:
    """Return when a record and its wrap-up were over."""
    end: datetime = row["WrapUpEndedAt"] or row["EndedAt"]
    return end


def changes(before: Rows, after: Rows) -> dict[tuple[str, str], set[str]]:
    """Return the columns in which rows differ, by key."""
    changed = defaultdict(set)
    for key, row in before.items():
        for name in row:
            if row[name] != after[key][name]:
                changed[key].add(name)
    return dict(changed)


def test_additional_fields_are_read_as_the_page_says(
    readings: tuple[str, list[Rows]], loads: list[Load]
) -> None:
    """Text of JSON, and null where there is nothing: a cast opens it."""
    with psycopg.connect(readings[0]) as connection:
        moods = connection.execute(
            """SELECT ("AdditionalFields"::jsonb) ->> 'CustomerMood', count(*) FROM cdr"""
            """ WHERE "AdditionalFields" IS NOT NULL GROUP BY 1"""
        ).fetchall()
    expected: defaultdict[str, int] = defaultdict(int)
    for row in loads[-1].rows.values():
        expected[json.loads(row["AdditionalFields"])["CustomerMood"]] += 1
    assert dict(moods) == expected


def test_include_account_over_a_loaded_table(server: str, tmp_path: Path) -> None:
    """The key has changed, so the load fails; filled and keyed as the page says, it goes on."""
    block = re.search("`include_account`.*?```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert block
    address, clock = database(server, "accounts"), Calendar()
    with Sandbox(
        records_per_day=lambda _: 20,
        rate_limit=(1000, 1),
        now=clock.now,
        monotonic=clock.monotonic,
    ) as sandbox:
        without, within = (
            Load(extract(sandbox, clock, include_account=included), {})
            for included in (False, True)
        )
        account = sandbox.user_name
    into_postgresql(address, without, tmp_path)
    with pytest.raises(AssertionError):
        into_postgresql(address, within, tmp_path)
    before = table(address)
    with psycopg.connect(address) as connection:
        for sql in block[1].replace("ACCOUNT", account).split(";"):
            connection.execute(sql.encode())
    into_postgresql(address, within, tmp_path)
    after = table(address)
    assert after.keys() == before.keys()
    assert {row["UserName"] for row in after.values()} == {account}


def test_postgresql_keeps_instants_in_the_zone_of_the_session(
    server: str, loads: list[Load], tmp_path: Path
) -> None:
    """Where the server's zone is another, PGTZ=UTC in the loader's environment gives UTC."""

    def stored(name: str, **variables: str) -> set[datetime]:
        address = database(server, name, "SET timezone = 'Asia/Kolkata'")
        into_postgresql(address, loads[0], tmp_path, **variables)
        return {row["StartedAt"] for row in table(address).values()}

    true = {without_zone(row["StartedAt"]) for row in loads[0].rows.values()}
    assert stored("session_in_utc", PGTZ="UTC") == true
    assert stored("session_of_the_server") == {at + timedelta(hours=5, minutes=30) for at in true}


def test_postgresql_takes_batches(server: str, tmp_path: Path) -> None:
    """Read from files it holds the same, one BATCH a day; nobody removes the files."""
    (folder := tmp_path / "batches").mkdir()
    loads = read_thrice(
        100,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": folder.as_uri()},
            "batch_size": 40,
        },
    )
    address = database(server, "batches")
    sizes = []
    for load in loads:
        kinds = [json.loads(line)["type"] for line in load.messages.splitlines()]
        begin = kinds.index("BATCH")
        assert kinds[begin:][:4] == ["BATCH", "STATE", "BATCH", "STATE"]
        assert {*kinds[:begin], *kinds[begin + 4 :]} <= {"SCHEMA", "STATE"}
        into_postgresql(address, load, tmp_path)
        sizes += [gzip.decompress(file.read_bytes()).count(b"\n") for file in folder.iterdir()]
    assert max(sizes) == 40
    assert differences(table(address), in_postgresql(truth(loads))) == []
    assert list(folder.iterdir())


ODD: dict[str, Row] = {
    "nul": {"Comments": "a\ufffdb"},
    "lone_surrogate": {"Comments": "half \ufffd of it"},
    "control_character": {"Comments": "a\n\x01b"},
    "missing_id": {"UCID": ""},
    r'nan:{"a\u0000": [1e999, -Infinity, 36893488147419103232, "\ud83d", "0000-00-00"]}': {
        "Rating": None,
        "AdditionalFields": (
            '{"Rating":{"a\ufffd":["1E+999","-Infinity",36893488147419103232,"\ufffd","0000-00-00"]}}'
        ),
    },
}
"""Faults, and what the first row of a day becomes that has one."""


def test_postgresql_takes_odd_records(server: str, tmp_path: Path) -> None:
    """What no target can hold is replaced, and what fits no column is in AdditionalFields."""
    clock = Calendar()
    days = [DAY - timedelta(days=n) for n in range(len(ODD), 0, -1)]
    with Sandbox(
        records_per_day=lambda _: 3,
        rate_limit=(1000, 1),
        now=clock.now,
        monotonic=clock.monotonic,
        faults=list(ODD),
    ) as sandbox:
        messages = extract(
            sandbox, clock, start_date=str(days[0]), end_date=str(days[-1]), auth_method="api_key"
        )
        rows: list[Row] = []
        for day, odd in zip(days, ODD.values(), strict=True):
            records = sandbox.records(day)
            made = [expected_row(record, day, KOLKATA) for record in records]
            rows += [made[0] | odd, *made[1:]]
    load = Load(messages, by_key(rows))
    address = database(server, "odd")
    into_postgresql(address, load, tmp_path)
    assert differences(table(address), in_postgresql(load.rows)) == []


# Files


def test_jsonl_holds_the_truth(loads: list[Load], tmp_path: Path) -> None:
    """All runs stand in the file, one after the other; the last line of a record is the truth."""
    for load in loads:
        JSONL.load(load, tmp_path, destination_path=str(tmp_path), do_timestamp_file=False)
    file = tmp_path / "cdr.jsonl"
    written = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(written) == sum(len(load.rows) for load in loads)
    assert differences(last_of_each(written), truth(loads)) == []
    with duckdb.connect() as connection:
        moods = connection.execute(
            """SELECT "AdditionalFields" ->> 'CustomerMood' FROM read_json($file, columns ="""
            """ {'AdditionalFields': 'VARCHAR'})""",
            {"file": str(file)},
        ).fetchall()
    assert [mood for (mood,) in moods] == [
        json.loads(row["AdditionalFields"] or "{}").get("CustomerMood") for row in written
    ]


def test_csv_holds_the_last_run(loads: list[Load], tmp_path: Path) -> None:
    """Each run replaces the file; null and blank text look the same."""
    for load in loads:
        CSV.load(load, tmp_path, output_path=str(tmp_path / "files"))
        with (tmp_path / "files/cdr.csv").open(encoding="utf-8", newline="") as file:
            written = by_key(list(csv.DictReader(file)))
        true = held(
            load.rows,
            instant=lambda at: at.replace("T", " "),
            number=lambda number: "" if number is None else str(number),
            text=lambda text: text or "",
        )
        blank = {k: {n: "" if v is None else v for n, v in r.items()} for k, r in true.items()}
        assert differences(written, blank) == []
