"""Every account's calls into one table: a mapped task for each line of accounts.meltano.yml."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # it comes with Airflow, without stubs
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = Path(__file__).parents[1]
ACCOUNTS = [
    extractor["name"]
    for extractor in yaml.safe_load((PROJECT / "accounts.meltano.yml").read_text("utf-8"))[
        "plugins"
    ]["extractors"]
]

# A run that was killed holds its state id for five minutes more: Meltano refuses another till then.
RETRY_DELAY = timedelta(minutes=6)

# One state id for each account. `meltano el` gives every run a folder of its own; with
# `meltano run` all accounts would share the loader's.
LOAD = 'meltano el "$ACCOUNT" target-postgres --state-id="$ACCOUNT"'

# An end date before all calls: no request is made, but the table is there, and Meltano's own
# tables are. Loads that make them side by side for the first time fail: "already exists".
PREPARE = """
set -e
meltano el "$ACCOUNT" target-postgres --state-id=prepare
find .meltano/run/elt -mindepth 2 -maxdepth 2 -mtime +1 -exec rm -r {} +
"""

with DAG(
    dag_id="ozonetel_cdr",
    description="Call detail records of every Ozonetel CloudAgent account",
    # In UTC: 04:30 in India and 03:00 in the Emirates. Finished days are complete at the API at
    # 03:00 IST; before 04:00 of an account's own clock its run reads one day more.
    schedule="0 23 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    # How many accounts run side by side is the pool's business alone.
    max_active_tasks=10_000,
    default_args={
        "cwd": str(PROJECT),
        "append_env": True,
        "retries": 3,
        "retry_delay": RETRY_DELAY,
        # A full backfill takes seven minutes, and longer when others use the account's limit.
        "execution_timeout": timedelta(hours=1),
    },
):
    prepare = BashOperator(
        task_id="prepare",
        bash_command=PREPARE,
        env={"ACCOUNT": ACCOUNTS[0], "TAP_OZONETEL_CDR_END_DATE": "2000-01-01"},
    )
    load = BashOperator.partial(
        task_id="load",
        bash_command=LOAD,
        pool="ozonetel_cdr",
        map_index_template="{{ task.env['ACCOUNT'] }}",
    ).expand(env=[{"ACCOUNT": account} for account in ACCOUNTS])
    prepare >> load
