from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pytest
from made_calls import MODELS, Event, differences, truth
from runs_dbt import InDuckDB, InPostgreSQL, dbt, load_jsonl, load_postgresql, need_dbt
from servers import a_server, database, environment

from ozonetel_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

TODAY = date(2026, 3, 12)
FIRST = TODAY - timedelta(days=6)
EMPTY = date(2026, 3, 8)
LISTED_AFTER = timedelta(seconds=3)
"""From the end of an event until its record is there [measured]."""
CHECKED = ("build", "--exclude-resource-type=unit_test")
ACCOUNTS = {"alpha": "Asia/Kolkata", "beta": "America/New_York"}


class Account:
    """An emulated account in a zone of its own, what the tap reads of it, and what is true."""

    def __init__(self, name: str, zone: str) -> None:
        """Emulate an account of this name."""
        self.name = name
        self.zone = ZoneInfo(zone)
        self.now = datetime(2026, 3, 1, tzinfo=self.zone)
        self.sandbox = Sandbox(
            accounts={name: f"key of {name}"},
            timezone=zone,
            records_per_day=lambda day: 0 if day == EMPTY else 150,
            current_kinds="all",
            future_to_date="accepted",
            rate_limit=(1000, 1),
            now=lambda: self.now,
        )

    def extract(self, first: date, last: date, at: datetime, batches: Path | None = None) -> str:
        """Return what the tap writes for these days at this local time, or in batches to there."""
        self.now = at.replace(tzinfo=self.zone)
        settings = {
            "START_DATE": str(first),
            "END_DATE": str(last),
            "RETENTION_DAYS": "3650",  # the emulated account lives in the past
            "INCLUDE_ACCOUNT": "true",
        }
        if batches:
            storage = {"root": batches.as_uri()}
            encoding = {"format": "jsonl", "compression": "gzip"}
            settings["BATCH_CONFIG"] = json.dumps({"encoding": encoding, "storage": storage})
        tap = str(Path(sys.executable).with_name("tap-ozonetel-cdr"))
        return subprocess.run(
            [tap, "--config=ENV"],
            env=environment(
                **self.sandbox.environment(auth_method="api_key"),
                **{f"TAP_OZONETEL_CDR_{name}": value for name, value in settings.items()},
            ),
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout

    def events(self, first: date, last: date, at: datetime) -> list[Event]:
        """Return the events of these days as they are at this local time."""
        events = []
        for number in range((last - first).days + 1):
            for call in self.sandbox.truth(first + timedelta(days=number)):
                for made in call.events:
                    if made.listed > at:
                        continue
                    running = at < made.ended + LISTED_AFTER
                    wrap_up = made.wrap_up or 0
                    events.append(
                        Event(
                            account=self.name,
                            call_id=call.call_id,
                            ucid=made.ucid,
                            start=made.started.replace(tzinfo=self.zone),
                            direction=call.direction,
                            kind=made.kind,
                            lasted=int((made.ended - made.started).total_seconds()),
                            campaign=call.campaign,
                            customer=call.customer,
                            reference=call.reference,
                            skill=made.skill,
                            agent=(made.agent_id, "") if made.agent_id else None,
                            rang=int((made.picked_up - made.started).total_seconds())
                            if made.picked_up
                            else None,
                            wrap_up=wrap_up,
                            wrapping_up=at < made.ended + timedelta(seconds=wrap_up),
                            running=running,
                            queue=0 if running else made.queue,
                            # Between the end of an event and its settling it may be noted or not.
                            disposition=made.disposition if at >= made.settled else "?",
                            hangup_by=None if running else made.hangup_by,
                            transfer=made.transferred_to is not None and not running,
                        )
                    )
        return events


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Say plainly where dbt is missing."""
    need_dbt()


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], list[Event]]:
    """Return what the tap writes in two runs of each account, and the events behind it.

    It writes records, and the same in batches. The second run reads a day again that the first one
    read while it was running. Between them finished calls change, as they do.
    """
    yesterday = TODAY - timedelta(days=1)
    evening = datetime(2026, 3, 11, 18, 3, 20)  # noqa: DTZ001 - local
    noon = datetime(2026, 3, 12, 12, 10, 40)  # noqa: DTZ001 - local
    messages: dict[str, list[str]] = {"records": [], "batches": []}
    events = []
    folder = tmp_path_factory.mktemp("batches")
    for account in [Account(*item) for item in ACCOUNTS.items()]:
        with account.sandbox as sandbox:
            for kind, where in (("records", None), ("batches", folder)):
                messages[kind].append(account.extract(FIRST, yesterday, evening, where))
            events += account.events(FIRST, yesterday - timedelta(days=1), evening)
            sandbox.change_late()
            for kind, where in (("records", None), ("batches", folder)):
                messages[kind].append(account.extract(yesterday, TODAY, noon, where))
            events += account.events(yesterday, TODAY, noon)
    assert sum(event.running for event in events) > 1
    assert any(event.wrapping_up for event in events)
    assert {event.kind for event in events} == {
        *("agent", "queue", "skill_transfer", "disconnect", "customer", "dial_out")
    }
    return messages, events


@pytest.fixture(scope="module", params=["jsonl", "postgres", "postgres in batches"])
def built(
    request: pytest.FixtureRequest,
    loads: tuple[dict[str, list[str]], list[Event]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[InDuckDB | InPostgreSQL]:
    """Yield what dbt builds of these loads, with each loader."""
    folder = tmp_path_factory.mktemp("built")
    messages, _ = loads
    if request.param == "jsonl":
        in_duckdb = InDuckDB(folder)
        for run in messages["records"]:
            load_jsonl(in_duckdb, run)
        assert "WARN=0 ERROR=0" in dbt(folder, *CHECKED, env=in_duckdb.variables)
        yield in_duckdb
    else:
        with a_server() as server:
            in_postgresql = InPostgreSQL(database(server, "loaded"))
            for run in messages["batches" if "batches" in request.param else "records"]:
                load_postgresql(in_postgresql, run, folder)
            said = dbt(folder, *CHECKED, "--target=postgres", env=in_postgresql.variables)
            assert "WARN=0 ERROR=0" in said
            yield in_postgresql


@pytest.mark.parametrize("model", MODELS)
def test_the_marts_tell_the_truth_of_the_emulated_calls(
    built: InDuckDB | InPostgreSQL, loads: tuple[dict[str, list[str]], list[Event]], model: str
) -> None:
    """Counted from the calls themselves, which are in no spelling, without SQL."""
    true = truth(model, loads[1])
    for row in true.values():
        # Names change with the reading, recordings are not told, a disposition may not be noted.
        for column in ("agent_name", "recording_url", "hold_seconds", "rating"):
            row.pop(column, None)
        if row.get("disposition") == "?":
            del row["disposition"]
    assert len(true) > 30
    assert differences(built.rows(model), true) == []


def test_meltano_runs_it_all(tmp_path: Path) -> None:
    """One command, from the API to the marts: no hub is asked, and nothing is reported."""
    programs = Path(sys.executable).parent
    with Sandbox(records_per_day=100, rate_limit=(1000, 1)) as sandbox:
        done = subprocess.run(
            ["meltano", "--env-file", "/dev/null", "run", "cdr-to-answers"],
            cwd=Path(__file__).parent.parent,
            env=environment(
                **sandbox.environment(),
                PATH=f"{programs}:{os.environ['PATH']}",
                MELTANO_SYS_DIR_ROOT=".meltano/demo",
                MELTANO_DATABASE_URI=f"sqlite:///{tmp_path}/meltano.db",
                MELTANO_CLI_DISABLE_VERSION_CHECK="true",
                MELTANO_HUB_URL="http://127.0.0.1:9",
                TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
                DBT_DUCKDB_JSONL=str(tmp_path / "cdr.jsonl"),
                DBT_DUCKDB_PATH=str(tmp_path / "cdr.duckdb"),
                DBT_DUCKDB_TARGET_PATH=str(tmp_path / "target"),
                DBT_DUCKDB_LOG_PATH=str(tmp_path / "logs"),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert "WARN=0 ERROR=0" in done.stdout
    answered = sum(request.count or 0 for request in sandbox.requests)
    with duckdb.connect(tmp_path / "cdr.duckdb", read_only=True) as connection:
        counted = connection.execute("SELECT sum(event_count) FROM ozonetel_calls").fetchall()
    assert counted == [(answered,)]
    assert answered > 1000
