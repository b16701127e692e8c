"""Check the example of many accounts under Apache Airflow: `make check-airflow`.

The emulated API, PostgreSQL and Airflow run on loopback, with all their files in `.airflow`. The
DAG loads these accounts side by side, as it would a partner's:

- ordinary ones, and one that was loaded alone before, to compare the time with;
- one whose task is killed in the middle, with the Airflow worker above it;
- and one with a wrong key.

Then the table must hold the truth for every account, and only the wrong key may have failed.

There are four ordinary accounts, the limit is 2 requests in 5 seconds, and what takes minutes to
notice a killed task takes seconds. `make check-airflow REAL=1` has eight, allows 2 requests in 60
seconds as a real account does, and hastens nothing. `make check-airflow SHORT=1` lets Airflow run
the whole DAG in one process, without a scheduler, for two ordinary accounts.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import psutil
import psycopg
from commands import environment
from oracle import INSTANTS, expected_row
from psycopg.rows import dict_row
from servers import NO_POSTGRESQL, database, find_initdb, postgresql

from ozonetel_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ozonetel_sandbox.api import Request

EXAMPLE = Path(__file__).parent
ROOT = EXAMPLE.parents[1]
WORK = ROOT / ".airflow"
PROJECT = WORK / "project"
PROGRAMS = Path(sys.executable).parent
AIRFLOW = WORK / "venv/bin/airflow"

DAG = "ozonetel_cdr"
ALONE, KILLED, WRONG = "cdr-alone", "cdr-killed", "cdr-wrong-key"
WRONG_KEY = "key-that-is-wrong"
DAYS = 16
TRIES = 4
"""Of a task that keeps failing: the DAG's three retries come after the first."""

PATIENCE = 3600.0
"""The longest that anything may take, in seconds."""

T = TypeVar("T")
Row = dict[str, Any]


class Task(NamedTuple):
    """What Airflow's database says of a task, or of a whole run."""

    state: str
    tries: int
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long it took; of a task, its last try."""
        return (self.ended - self.began).total_seconds()


def user_name(extractor: str) -> str:
    """Return the account of an extractor."""
    return extractor.replace("-", "_")


def key_variable(extractor: str) -> str:
    """Return where Meltano looks for an extractor's key."""
    return f"{user_name(extractor).upper()}_API_KEY"


def row(record: Row, day: date, zone: ZoneInfo, user: str) -> Row:
    """Return what the table has to hold of a record; the oracle says it in Singer's terms."""
    true = expected_row(record, day, zone, account=user)
    true["CallDate"] = date.fromisoformat(true["CallDate"])
    for name in INSTANTS:
        true[name] = true[name] and datetime.fromisoformat(true[name]).replace(tzinfo=None)
    return true


def by_key(rows: list[Row]) -> dict[tuple[str, str], Row]:
    """Return rows by their key; none may stand twice."""
    keyed = {(row["CallID"], row["UCID"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def say(text: str) -> None:
    """Print a line about where the check is."""
    print(f"{datetime.now():%H:%M:%S} {text}", flush=True)  # noqa: DTZ005 - the reader's own clock


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command in the project and return what it wrote.

    Raises:
        SystemExit: It failed.
    """
    done = subprocess.run(
        command, cwd=PROJECT, env=env, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout[-12000:]}{done.stderr[-4000:]}")
    return done.stdout


def until(condition: Callable[[], T], what: str) -> T:
    """Wait until ``condition`` returns something true, and return that.

    Raises:
        SystemExit: It never did.
    """
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > end:
            sys.exit(f"Waited in vain for {what}")
        time.sleep(0.3)
    return result


def processes(**variables: str) -> list[psutil.Process]:
    """Return the processes that have these variables in their environment."""
    return [
        process
        for process in psutil.process_iter()
        if variables.items() <= environment_of(process).items()
    ]


def environment_of(process: psutil.Process) -> dict[str, str]:
    """Return a process's environment, nothing for one that has ended or is another user's."""
    try:
        env: dict[str, str] = process.environ()
    except psutil.Error:
        return {}
    return env


def memory(found: list[psutil.Process]) -> float:
    """Return the memory of processes in MB; a page that n processes share counts 1/n in each."""
    return float(sum(process.memory_full_info().pss for process in found)) / 1e6


@dataclasses.dataclass
class Check:
    """The accounts, where they are served, and where they go."""

    accounts: dict[str, str]
    """Each account's extractor, and its key."""
    sandbox: Sandbox
    server: str
    real: bool
    began: datetime = dataclasses.field(default_factory=lambda: datetime.now(timezone.utc))
    env: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the project, the databases, and the environment of all that runs."""
        self.meltano = database(self.server, "meltano")
        self.warehouse = database(self.server, "warehouse")
        self.airflow = database(self.server, "airflow")
        self._make_project()
        self.env = environment(**self._meltano_settings(), **self._airflow_settings())

    @property
    def branches(self) -> list[str]:
        """The ordinary accounts."""
        return [name for name in self.accounts if name not in {ALONE, KILLED, WRONG}]

    # What runs

    def _make_project(self) -> None:
        """Copy the example as a partner would, with accounts of its own."""
        for folder in (PROJECT, WORK / "home", WORK / "state", WORK / "logs"):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(EXAMPLE, PROJECT, ignore=shutil.ignore_patterns(".meltano", "__pycache__"))
        (WORK / "logs").mkdir()
        lines = ["plugins:", "  extractors:"]
        for name in self.accounts:
            config = f"{{user_name: {user_name(name)}}}"
            lines.append(f"  - {{name: {name}, inherit_from: tap-ozonetel-cdr, config: {config}}}")
        (PROJECT / "accounts.meltano.yml").write_text("\n".join(lines) + "\n", "utf-8")
        if not self.real:
            dag = PROJECT / "dags/ozonetel_cdr.py"
            code = dag.read_text("utf-8")
            assert code.count("timedelta(minutes=6)") == 1
            dag.write_text(code.replace("timedelta(minutes=6)", "timedelta(seconds=5)"), "utf-8")

    def _meltano_settings(self) -> dict[str, str]:
        requests, seconds = self.sandbox.rate_limit
        return {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "XDG_STATE_HOME": str(WORK / "state"),
            "NO_PROXY": "127.0.0.1",
            "MELTANO_AUTO_INSTALL": "false",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "MELTANO_DATABASE_URI": self.meltano.replace("ql:", "ql+psycopg:"),
            "TARGET_POSTGRES_SQLALCHEMY_URL": self.warehouse.replace("ql:", "ql+psycopg2:"),
            # Few, so that the killed task has written a part of what it has read.
            "TARGET_POSTGRES_BATCH_SIZE_ROWS": "500",
            "TAP_OZONETEL_CDR_API_URL": self.sandbox.url,
            "TAP_OZONETEL_CDR_RATE_LIMIT_REQUESTS": str(requests),
            "TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD": f"{seconds:g}",
            **{key_variable(name): key for name, key in self.accounts.items()},
            key_variable(WRONG): WRONG_KEY,
        }

    def _airflow_settings(self) -> dict[str, str]:
        """Return Airflow's configuration: LocalExecutor, loopback, nothing asks the network."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        chosen = {
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(len(self.accounts)),
            "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "CORE__FERNET_KEY": "",
            "DATABASE__SQL_ALCHEMY_CONN": self.airflow.replace("ql:", "ql+psycopg2:"),
            "API__HOST": "127.0.0.1",
            "API__PORT": str(port),
            "API__SECRET_KEY": secrets.token_hex(32),
            "API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        if not self.real:
            chosen["SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"] = "30"
            chosen["SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL"] = "5"
        return {
            "AIRFLOW_HOME": str(WORK / "home"),
            **{f"AIRFLOW__{name}": value for name, value in chosen.items()},
        }

    @contextmanager
    def running_airflow(self) -> Iterator[None]:
        """Run Airflow's API server, DAG processor and scheduler; end them and all they started."""
        run(AIRFLOW, "db", "migrate", env=self.env)
        slots = str(len(self.accounts))
        run(AIRFLOW, "pools", "set", DAG, slots, "accounts side by side", env=self.env)
        parts = {
            "api-server": ["api-server", "--workers", "1"],
            "dag-processor": ["dag-processor"],
            # Not with the server of its logs, which would listen on every address.
            "scheduler": ["scheduler", "--skip-serve-logs"],
        }
        started = []
        try:
            for name, command in parts.items():
                with (WORK / "logs" / f"{name}.log").open("w") as log:
                    process = psutil.Popen(
                        [AIRFLOW, *command], cwd=PROJECT, env=self.env, stdout=log, stderr=log
                    )
                started.append(process)
            yield
        finally:
            for process in started:
                process.send_signal(signal.SIGINT)
            psutil.wait_procs(started, 30)
            for left in processes(AIRFLOW_HOME=self.env["AIRFLOW_HOME"]):
                left.kill()

    # What happens

    def load_alone(self) -> tuple[float, float]:
        """Load one account without Airflow; return the seconds it took, and the processor's."""
        began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        run("meltano", "el", ALONE, "target-postgres", f"--state-id={ALONE}", env=self.env)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        return time.monotonic() - began, processor

    def load_in_one_process(self) -> None:
        """Let Airflow run the DAG from its first task to its last, without its servers."""
        run(AIRFLOW, "db", "migrate", env=self.env)
        say("Airflow runs the DAG")
        (WORK / "logs/dag.log").write_text(run(AIRFLOW, "dags", "test", DAG, env=self.env), "utf-8")

    def load_all(self) -> None:
        """Let Airflow load all accounts, and kill one task once it has written a part."""
        known = "SELECT FROM serialized_dag WHERE dag_id = %s"
        until(lambda: self._ask(self.airflow, known, DAG), "the DAG")
        # A DAG that is unpaused runs at once, for the last time that it should have run.
        run(AIRFLOW, "dags", "unpause", DAG, env=self.env)
        say("Airflow loads all accounts")
        first = self.branches[0]
        until(lambda: len(self.answered(first)) > 2, "the first requests")
        load, above = self._processes_of(first)
        say(
            f"Memory: {memory(load):.0f} MB for the load of an account,"
            f" {memory(above[:2]):.0f} MB for Airflow's two processes above it"
        )
        until(self._is_half_done, "a part of the account whose task is killed")
        self._kill()
        until(self.dag_run, "the end of the DAG run")

    def _is_half_done(self) -> bool:
        """Return whether the account to be killed is written in part, in real time with a state.

        The loader hands its state over every five minutes: never, in an account as quick as here.
        """
        written = 'SELECT FROM cdr WHERE "UserName" = %s LIMIT 1'
        return (
            len(self.answered(KILLED)) >= DAYS // 2
            and bool(self._ask(self.warehouse, written, user_name(KILLED)))
            and (not self.real or KILLED in self.bookmarks())
        )

    def _kill(self) -> None:
        """Kill a task as the loss of its machine would, with the executor's worker above it."""
        load, above = self._processes_of(KILLED)
        victims = [*load, *above[:2]]
        names = [" ".join(victim.cmdline()).strip() for victim in victims]
        assert "scheduler" in " ".join(above[2].cmdline())
        for victim in victims:
            victim.kill()
        psutil.wait_procs(victims, 10)
        say(f"Killed after {len(self.answered(KILLED))} of its requests:")
        for name in names:
            say(f"  {name[:100]}")
        rows = self.loaded()[user_name(KILLED)]
        say(f"  Written: {len(rows)} rows, bookmark {self.bookmarks().get(KILLED)}")
        if not self.real:
            # The five minutes pass after which Meltano takes a killed run for dead.
            self._ask(
                self.meltano,
                "UPDATE runs SET last_heartbeat_at = last_heartbeat_at - interval '5 minutes'"
                " WHERE job_name = %s AND state = 'RUNNING' RETURNING id",
                KILLED,
            )

    def _processes_of(self, account: str) -> tuple[list[psutil.Process], list[psutil.Process]]:
        """Return the processes that load an account, and those above them, the next one first."""
        load = processes(ACCOUNT=account, AIRFLOW_HOME=self.env["AIRFLOW_HOME"])
        (first,) = [process for process in load if process.parent() not in load]
        return load, first.parents()

    # What Airflow, Meltano, the table and the API know

    def _ask(self, address: str, query: str, *values: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(address) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def tasks(self) -> dict[str, Task]:
        """Return the state of each account's task."""
        rows = self._ask(
            self.airflow,
            "SELECT map_index, state, try_number, start_date, end_date FROM task_instance"
            " WHERE task_id = 'load' AND map_index >= 0 AND dag_id = %s",
            DAG,
        )
        names = list(self.accounts)
        return {names[index]: Task(*found) for index, *found in rows}

    def dag_run(self) -> Task | None:
        """Return the DAG run, once it has ended."""
        rows = self._ask(
            self.airflow,
            "SELECT state, 1, start_date, end_date FROM dag_run"
            " WHERE end_date IS NOT NULL AND dag_id = %s",
            DAG,
        )
        return Task(*rows[0]) if rows else None

    def run_id(self) -> str:
        """Return the DAG run's name."""
        return str(
            self._ask(self.airflow, "SELECT run_id FROM dag_run WHERE dag_id = %s", DAG)[0][0]
        )

    def bookmarks(self) -> dict[str, str]:
        """Return the bookmark of each state id that has one."""
        rows = self._ask(self.meltano, "SELECT state_id, completed_state FROM state")
        states = {name: json.loads(text or "{}").get("singer_state") for name, text in rows}
        found = {
            name: state["bookmarks"]["cdr"].get("replication_key_value")
            for name, state in states.items()
            if state
        }
        return {name: bookmark for name, bookmark in found.items() if bookmark}

    def loaded(self) -> dict[str, list[Row]]:
        """Return the rows of each account, without the columns that the target adds."""
        with psycopg.connect(self.warehouse, row_factory=dict_row) as connection:
            rows = connection.execute("SELECT * FROM cdr").fetchall()
        accounts: dict[str, list[Row]] = {}
        for found in rows:
            own = {k: v for k, v in found.items() if not k.startswith("_sdc_")}
            accounts.setdefault(found["UserName"], []).append(own)
        return accounts

    def requests(self, extractor: str) -> list[Request]:
        """Return an account's requests for records."""
        return [
            request
            for request in self.sandbox.requests
            if request.account == user_name(extractor) and request.method == "GET"
        ]

    def answered(self, extractor: str) -> list[Request]:
        """Return those that were within the limit."""
        return [request for request in self.requests(extractor) if request.count is not None]

    # What must be

    def see(self) -> None:
        """See that every account is as it should be."""
        ended, whole = self.tasks(), self.dag_run()
        assert whole
        assert whole.state == "failed"
        wanted = dict.fromkeys(self.accounts, "success") | {WRONG: "failed"}
        assert {name: task.state for name, task in ended.items()} == wanted
        tries = {name: task.tries for name, task in ended.items()}
        assert tries.pop(KILLED) > 1
        assert tries == dict.fromkeys(tries, 1) | {WRONG: TRIES}
        self.see_rows()
        self._see_logs()

    def see_rows(self) -> None:
        """See that table and states hold the truth, and nothing else."""
        rows, bookmarks = self.loaded(), self.bookmarks()
        right = [name for name in self.accounts if name != WRONG]
        assert rows.keys() == {user_name(name) for name in right}
        assert bookmarks.keys() == set(right)
        for name in right:
            user = user_name(name)
            last = {date.fromisoformat(r.from_date[:10]): r.now for r in self.answered(name)}
            assert len(last) == DAYS
            zone = ZoneInfo(self.sandbox.timezone)
            truth = by_key(
                [
                    row(record, day, zone, user)
                    for day, now in last.items()
                    for record in self.sandbox.records(day, user, now)
                ]
            )
            found = by_key(rows[user])
            assert found.keys() == truth.keys()
            wrong = [(key, found[key], truth[key]) for key in truth if found[key] != truth[key]]
            assert not wrong, wrong[0]
            # Until four in the morning the day before today is read again.
            settled = (self.began - timedelta(hours=4)).astimezone(zone).date()
            assert bookmarks[name] in {str(min(settled, max(last))), str(max(last))}
            refused = len(self.requests(name)) - len(self.answered(name))
            say(
                f"{name}: {len(truth)} rows, all true; {len(self.answered(name))} requests"
                f" answered, {refused} refused for the limit; bookmark {bookmarks[name]}"
            )

    def _see_logs(self) -> None:
        """See that the wrong key is named for what it is, and that no key stands in any log."""
        logs = {
            path: path.read_text("utf-8", "replace")
            for folder in ("home", "state", "logs")
            for path in (WORK / folder).glob("**/*.log")
        }
        index = f"map_index={list(self.accounts).index(WRONG)}"
        of_wrong = [text for path, text in logs.items() if index in path.parts]
        assert len(of_wrong) == TRIES
        assert all(
            "userName or apiKey' (HTTP 401) to generateToken. Check user_name" in text
            for text in of_wrong
        )
        for key in [*self.accounts.values(), WRONG_KEY]:
            assert not [path for path, text in logs.items() if key in text]

    def report(self, alone: float, processor: float) -> None:
        """Print the times."""
        ended, whole = self.tasks(), self.dag_run()
        assert whole
        side = [ended[name] for name in self.branches]
        took = [task.seconds for task in side]
        last = (max(task.ended for task in side) - whole.began).total_seconds()
        killed = (ended[KILLED].ended - whole.began).total_seconds()
        say(f"One account alone: {alone:.1f} s, of which {processor:.1f} s of one processor")
        say(
            f"{len(side)} side by side, with {len(ended) - len(side)} others: {min(took):.1f} to"
            f" {max(took):.1f} s each ({100 * (max(took) / alone - 1):+.0f} %);"
            f" the last was whole {last:.1f} s after the DAG run's start"
        )
        say(f"The killed one was whole after {killed:.1f} s, in try {ended[KILLED].tries}")
        say(f"The DAG run took {whole.seconds:.1f} s")


def main() -> None:
    """Run the check."""
    parser = argparse.ArgumentParser(description="Check the example of many accounts.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--real", action="store_true", help="2 requests in 60 s, nothing hastened")
    how.add_argument("--short", action="store_true", help="two accounts, without a scheduler")
    options = parser.parse_args()
    initdb = find_initdb()
    if not initdb:
        sys.exit(f"This check {NO_POSTGRESQL}")
    branches = [f"cdr-branch-{n + 1}" for n in range(8 if options.real else 4)]
    names = branches[:2] if options.short else [ALONE, *branches, KILLED, WRONG]
    seconds = 60 if options.real else 1 if options.short else 5
    accounts = {name: f"key-{secrets.token_hex(12)}" for name in names}
    with ExitStack() as stack:
        server = stack.enter_context(postgresql(initdb))
        keys = {user_name(name): key for name, key in accounts.items()}
        sandbox = stack.enter_context(Sandbox(accounts=keys, rate_limit=(2, seconds)))
        check = Check(accounts, sandbox, server, options.real)
        say("Installing Airflow into .airflow/venv, and the project's plugins")
        uv, requirements = PROGRAMS / "uv", EXAMPLE / "airflow-requirements.txt"
        run(uv, "venv", "-q", "--allow-existing", "--python", sys.executable, WORK / "venv")
        run(uv, "pip", "sync", "-q", "--python", WORK / "venv/bin/python", requirements)
        run("meltano", "install", env=check.env)
        if options.short:
            check.load_in_one_process()
            check.see_rows()
        else:
            check_whole(check)


def check_whole(check: Check) -> None:
    """Load all accounts under Airflow's scheduler, kill one, and see that only one has failed."""
    say("Loading one account alone")
    alone, processor = check.load_alone()
    say("Starting Airflow")
    with check.running_airflow():
        check.load_all()
        say("What Airflow says:")
        print(run(AIRFLOW, "tasks", "states-for-dag-run", DAG, check.run_id(), env=check.env))
    check.see()
    check.report(alone, processor)


if __name__ == "__main__":
    main()
