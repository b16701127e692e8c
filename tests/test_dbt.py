from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs
from made_calls import (
    MODELS,
    Event,
    Row,
    Variables,
    differences,
    keyed,
    make_calls,
    rows_of,
    rows_of_two_loads,
    truth,
)
from runs_dbt import (
    PACKAGE,
    InDuckDB,
    InPostgreSQL,
    dbt,
    insert,
    load_postgresql,
    make_table,
    need_dbt,
    read,
)
from servers import a_server, database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Say plainly where dbt is missing."""
    need_dbt()


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Return the events of two accounts in two zones, some of whose calls have the same ids."""
    return [*make_calls("alpha"), *make_calls("beta")]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of dbt's own files."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="module")
def in_duckdb(
    events: list[Event], target: Path, tmp_path_factory: pytest.TempPathFactory
) -> InDuckDB:
    """Return what dbt builds of two loads by target-jsonl."""
    built = InDuckDB(tmp_path_factory.mktemp("duckdb"))
    for rows in rows_of_two_loads(events):
        built.load(rows)
    said = dbt(target, "build", env=built.variables)
    assert "WARN=0 ERROR=0 SKIP=0" in said
    return built


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of a PostgreSQL server; say plainly where there is none to start."""
    with a_server() as address:
        yield address


def singer(rows: list[Row]) -> str:
    """Return rows as a tap's messages, with the types of the stream."""
    kinds = {
        "CallDate": {"type": ["string", "null"], "format": "date"},
        "Rating": {"type": ["integer", "null"]},
        "DialCount": {"type": ["integer", "null"]},
    }
    for name in rows[0]:
        if name.endswith("Seconds"):
            kinds[name] = {"type": ["integer", "null"]}
        elif name.endswith("At"):
            kinds[name] = {"type": ["string", "null"], "format": "date-time"}
    properties = {name: kinds.get(name, {"type": ["string", "null"]}) for name in rows[0]}
    key = [name for name in ("UserName", "CallID", "UCID") if name in properties]
    messages: list[Row] = [
        {"type": "SCHEMA", "stream": "cdr", "schema": {"properties": properties}}
        | {"key_properties": key},
        *({"type": "RECORD", "stream": "cdr", "record": row} for row in rows),
    ]
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture(scope="module")
def in_postgresql(
    server: str, events: list[Event], target: Path, tmp_path_factory: pytest.TempPathFactory
) -> InPostgreSQL:
    """Return what dbt builds of two loads by meltanolabs-target-postgres."""
    built = InPostgreSQL(database(server, "loaded"))
    folder = tmp_path_factory.mktemp("target")
    for rows in rows_of_two_loads(events):
        load_postgresql(built, singer(rows), folder)
    said = dbt(target, "build", "--target=postgres", env=built.variables)
    assert "WARN=0 ERROR=0 SKIP=0" in said
    return built


@pytest.mark.parametrize("model", MODELS)
def test_duckdb_holds_the_truth(in_duckdb: InDuckDB, events: list[Event], model: str) -> None:
    """Every row of every model is what the calls say, and no row is missing or invented."""
    true = truth(model, events)
    assert len(true) > 50
    assert differences(in_duckdb.rows(model), true) == []


@pytest.mark.parametrize("model", MODELS)
def test_postgresql_holds_the_truth(
    in_postgresql: InPostgreSQL, events: list[Event], model: str
) -> None:
    """The same truth, with an upserting loader in place of an appending one."""
    assert differences(in_postgresql.rows(model), truth(model, events)) == []


@pytest.mark.parametrize("model", MODELS)
def test_both_databases_agree(in_duckdb: InDuckDB, in_postgresql: InPostgreSQL, model: str) -> None:
    """They agree in every column, also in those that the truth does not name."""
    rows = in_duckdb.rows(model)
    assert {tuple(row) for row in rows.values()} == {
        tuple(row) for row in in_postgresql.rows(model).values()
    }
    assert differences(in_postgresql.rows(model), rows) == []


def test_every_column_is_described(in_duckdb: InDuckDB) -> None:
    """The descriptions name every column that the models have, and no other."""
    described = {
        model["name"]: [column["name"] for column in model["columns"] if column["description"]]
        for file in PACKAGE.glob("models/*/*.yml")
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", ())
    }
    for model in MODELS:
        assert described[model] == list(next(iter(in_duckdb.rows(model).values()))), model


def test_older_versions_of_duckdb_open_the_file(in_duckdb: InDuckDB) -> None:
    """The file says the storage version of DuckDB 1.0."""
    # [doc] DuckDB's storage format: the version is eight bytes behind a checksum and four letters.
    header = in_duckdb.file.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64


def queries() -> list[str]:
    """Return the selects of the page about analysis."""
    page = (PACKAGE.parent / "docs/analysis.md").read_text("utf-8")
    return [q for q in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) if "{{" not in q]


@pytest.mark.parametrize("number", range(6))
def test_the_selects_of_the_page_answer_alike(
    in_duckdb: InDuckDB, in_postgresql: InPostgreSQL, number: int
) -> None:
    """Each runs unchanged on both databases, has an answer, and the same one."""
    assert len(queries()) == 6
    query = queries()[number]
    with duckdb.connect(in_duckdb.file, read_only=True) as connection:
        answer = connection.execute(query).fetchall()
    with psycopg.connect(in_postgresql.address) as there:
        there.execute("SET search_path = built")
        other = there.execute(query.encode()).fetchall()
    assert answer
    assert [tuple(map(plain, row)) for row in answer] == [tuple(map(plain, row)) for row in other]


def plain(value: object) -> object:
    """Return a number as one kind of number, and the start of a day as that day."""
    if isinstance(value, datetime):
        return value.date()
    return float(value) if isinstance(value, (int, Decimal)) else value


def test_the_variables_of_the_page_are_those_of_the_package() -> None:
    """With their defaults; those of the source have theirs elsewhere."""
    page = (PACKAGE.parent / "docs/analysis.md").read_text("utf-8")
    page = page.partition("## Variables")[2].partition("\n## ")[0]
    project = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text("utf-8"))
    documented = dict(re.findall(r"^\| `(\w+)` \| `?(\w+)`? \|", page, re.MULTILINE))
    documented.pop("source_jsonl")
    defaults = project["vars"]["ozonetel_cdr"]
    assert documented == {name: str(value) for name, value in defaults.items()}


# Other sources


def test_a_source_of_another_kind(server: str, events: list[Event], target: Path) -> None:
    """Names in lower case, instants in UTC without a zone, appended versions, another time zone.

    The columns that loaders add say which version is the last.
    """
    built = InPostgreSQL(database(server, "lower", "SET timezone = 'Asia/Kolkata'"))
    events = [event for event in events if event.account == "alpha"]
    loads = rows_of_two_loads(events)
    kinds = {
        name.lower(): "timestamp"
        if name.endswith("At")
        else "bigint"
        if name.endswith("Seconds")
        else "text"
        for name in loads[0][0]
    }
    make_table(built.address, "landed", "events", kinds | {"_sdc_batched_at": "timestamp"})
    rows = [
        [
            *(v.removesuffix("+00:00") if isinstance(v, str) else v for v in row.values()),
            f"2026-03-1{number} 01:30:00",
        ]
        for number, load in enumerate(loads)
        for row in load
    ]
    # The last version does not stand last.
    insert(built.address, "landed", "events", reversed(rows))
    source = {"OZONETEL_CDR_SOURCE_SCHEMA": "landed", "OZONETEL_CDR_SOURCE_TABLE": "events"}
    dbt(target, "run", "--target=postgres", env=built.variables | source)
    for model in MODELS:
        assert differences(built.rows(model), truth(model, events)) == [], model


@pytest.fixture(params=["duckdb", "postgres"])
def with_few_columns(
    request: pytest.FixtureRequest, events: list[Event], target: Path, tmp_path: Path
) -> InDuckDB | InPostgreSQL:
    """Return what dbt builds of one account's rows with few columns, without the account's."""
    kept = {
        *("CallID", "UCID", "CallDate", "Type", "Event", "Status", "HangupBy", "AgentDialStatus"),
        *("StartTime", "StartedAt", "PickedUpAt", "EndedAt", "DurationSeconds", "TalkTimeSeconds"),
    }
    all_rows = rows_of(event for event in events if event.account == "alpha")
    rows = [{name: value for name, value in row.items() if name in kept} for row in all_rows]
    built: InDuckDB | InPostgreSQL
    if request.param == "duckdb":
        built = InDuckDB(tmp_path)
        built.load(rows)
    else:
        built = InPostgreSQL(database(request.getfixturevalue("server"), "few"))
        kinds = {name: "bigint" if name.endswith("Seconds") else "text" for name in rows[0]}
        make_table(built.address, "tap_ozonetel_cdr", "cdr", kinds)
        insert(built.address, "tap_ozonetel_cdr", "cdr", (row.values() for row in rows))
    # Data tests too: nothing that may be missing is asked for.
    wanted = ("build", f"--target={request.param}", "--exclude-resource-type=unit_test")
    assert "WARN=0 ERROR=0" in dbt(target, *wanted, env=built.variables)
    return built


def test_columns_that_were_not_loaded_are_null(
    with_few_columns: InDuckDB | InPostgreSQL, events: list[Event]
) -> None:
    """What can be counted without them is right, and the rest is null; the account has a name."""
    events = [e for e in events if e.account == "alpha"]
    unknown = {
        *("campaign", "customer", "agent_id", "agent_name", "skill", "disposition", "reference"),
        *("wrap_up_seconds", "handling_seconds", "hold_seconds", "queue_seconds", "recording_url"),
    }
    told_by_agents = {"agents_tried", "skill_count"}
    # Without TransferType only a second answer tells of a transfer.
    compared = [{**row, "account": "default"} for row in truth("ozonetel_calls", events).values()]
    true = keyed(compared, "ozonetel_calls")
    for row in true.values():
        row.update(dict.fromkeys(unknown), **dict.fromkeys(told_by_agents, 0))
        del row["is_transferred"]
    assert differences(with_few_columns.rows("ozonetel_calls"), true) == []
    assert with_few_columns.rows("ozonetel_agent_days") == {}
    assert with_few_columns.rows("ozonetel_customers") == {}
    hours = sum(row["calls"] for row in with_few_columns.rows("ozonetel_hours").values())
    assert hours == len(true)


def test_no_record_at_all(target: Path, tmp_path: Path) -> None:
    """An empty file is no error: every model is there, and empty."""
    built = InDuckDB(tmp_path)
    built.load([])
    wanted = ("build", "--exclude-resource-type=unit_test")
    assert "WARN=0 ERROR=0" in dbt(target, *wanted, env=built.variables)
    assert not any(built.rows(model) for model in MODELS)


def test_a_missing_table_is_named(target: Path, tmp_path: Path) -> None:
    """The error says which table is missing and what names it."""
    file = {"OZONETEL_CDR_DUCKDB": str(tmp_path / "cdr.duckdb")}
    said = dbt(target, "run", "--select=base_ozonetel_cdr__rows", fails=True, env=file)
    assert 'There is no table "cdr"."tap_ozonetel_cdr"."cdr"' in said
    assert "OZONETEL_CDR_JSONL" in said


# Definitions


def test_the_variables_change_what_is_counted(
    in_duckdb: InDuckDB, events: list[Event], target: Path, tmp_path: Path
) -> None:
    """Each of them, with a value that makes a difference."""
    others = Variables(
        service_level_seconds=10, short_abandon_seconds=15, connected_seconds=100, repeat_days=1
    )
    built = InDuckDB(tmp_path)
    built.lines = in_duckdb.lines
    built.variables["OZONETEL_CDR_JSONL"] = str(in_duckdb.lines)
    given = json.dumps(vars(others))
    dbt(target, "run", "--vars", given, env=built.variables)
    for model in MODELS:
        true = truth(model, events, others)
        assert differences(built.rows(model), true) == [], model
        if model != "stg_ozonetel_cdr__events":
            assert true != truth(model, events), model


def test_an_event_under_two_ids_and_a_new_word_are_warned_of(
    events: list[Event], target: Path, tmp_path: Path
) -> None:
    """Neither stops the build."""
    built = InDuckDB(tmp_path)
    built.load(rows_of(events[:40]))
    (row,) = rows_of([next(e for e in events if e.agent and e.customer)])
    built.load(
        [
            row | {"CallID": "99", "UCID": "99"},
            row | {"UCID": "77", "StartedAt": None, "Type": "Fax"},
        ]
    )
    said = dbt(target, "build", "--exclude-resource-type=unit_test", env=built.variables)
    warned = re.findall(r"Warning in test (\w+)", said)
    assert "one_event_under_two_ids" in warned
    assert any("direction" in name for name in warned)
    assert "ERROR=0" in said


# From another project


def test_another_project_uses_the_package(
    in_duckdb: InDuckDB, events: list[Event], tmp_path: Path
) -> None:
    """Its models select from the marts, and its variables hold."""
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "packages.yml").write_text(f"packages: [{{local: {PACKAGE}}}]\n", "utf-8")
    (project / "dbt_project.yml").write_text(
        "name: mine\nprofile: ozonetel_cdr\nvars: {ozonetel_cdr: {service_level_seconds: 30}}\n",
        "utf-8",
    )
    (project / "models/mine.sql").write_text(
        "select * from {{ ref('ozonetel_cdr', 'ozonetel_campaign_days') }}", "utf-8"
    )
    built = InDuckDB(tmp_path)
    built.variables["OZONETEL_CDR_JSONL"] = str(in_duckdb.lines)
    here = f"--project-dir={project}"
    dbt(tmp_path / "target", "deps", here, env=built.variables)
    dbt(tmp_path / "target", "run", here, env=built.variables)
    with duckdb.connect(built.file) as connection:
        rows = keyed(read(connection.execute("FROM mine")), "ozonetel_campaign_days")
    true = truth("ozonetel_campaign_days", events, Variables(service_level_seconds=30))
    assert differences(rows, true) == []
