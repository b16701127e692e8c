"""Print what target-jsonl wrote: the queries in ``analysis/``, answered by DuckDB.

Usage: overview.py FILE. The queries run unchanged on PostgreSQL, on the table that
meltanolabs-target-postgres fills.
"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import duckdb

ANALYSIS = Path(__file__).parent / "analysis"
ROWS = 24  # the hours of a day

# Named, not guessed: DuckDB would take "12:20:00" for a time, and a "25:00:00" below it for an
# error. A TIMESTAMP would lose the offset that the text has.
COLUMNS = {
    "CallID": "VARCHAR",
    "UCID": "VARCHAR",
    "CallDate": "DATE",
    "CampaignName": "VARCHAR",
    "AgentName": "VARCHAR",
    "Type": "VARCHAR",
    "Status": "VARCHAR",
    "StartTime": "VARCHAR",
    "StartedAt": "TIMESTAMPTZ",
    "PickedUpAt": "TIMESTAMPTZ",
    "EndedAt": "TIMESTAMPTZ",
    "TimeToAnswerSeconds": "BIGINT",
    "HandlingTimeSeconds": "BIGINT",
}


def load(file: str) -> duckdb.DuckDBPyConnection:
    """Return a database whose table ``cdr`` holds the file's legs, each once.

    target-jsonl appends, so a leg that was read again has a line for each time: the last one holds.
    """
    database = duckdb.connect()
    database.execute(
        "CREATE TABLE lines AS FROM read_json($file, columns = $columns)",
        {"file": file, "columns": COLUMNS},
    )
    database.execute(
        "CREATE TABLE cdr AS FROM lines"
        ' QUALIFY rowid = max(rowid) OVER (PARTITION BY "CallID", "UCID")'
    )
    return database


def loaded(database: duckdb.DuckDBPyConnection) -> str:
    """Return in one line how much was loaded."""
    return "\n".join(
        f"{calls:,} calls ({legs:,} legs), {first} to {last}, from {lines:,} lines"
        for calls, legs, first, last, lines in database.execute(
            'SELECT count(DISTINCT "CallID"), count(*), min("CallDate"), max("CallDate"),'
            " (SELECT count(*) FROM lines) FROM cdr"
        ).fetchall()
    )


def cell(value: object) -> str:
    """Return a value as it is shown."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(headings: list[str], rows: list[tuple[object, ...]]) -> str:
    """Return the first rows under their headings, text to the left and numbers to the right."""
    if not rows:
        return "  none"
    shown = [[cell(value) for value in row] for row in rows[:ROWS]]
    columns = []
    for heading, *values, of_type in zip(headings, *shown, rows[0], strict=True):
        width = max(map(len, [heading, *values]))
        align = str.rjust if isinstance(of_type, (int, float, Decimal)) else str.ljust
        columns.append([align(text, width) for text in (heading, *values)])
    text = "\n".join(("  " + "  ".join(line)).rstrip() for line in zip(*columns, strict=True))
    return text if len(rows) <= ROWS else f"{text}\n  and {len(rows) - ROWS} more rows"


def main() -> None:
    """Print how much the file holds, and each query's title and answer."""
    styled = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    bold, plain = ("\033[1m", "\033[0m") if styled else ("", "")
    if not sys.argv[1:]:
        sys.exit(__doc__)
    database = load(sys.argv[1])
    print(loaded(database))
    for query in sorted(ANALYSIS.glob("*.sql")):
        sql = query.read_text("utf-8")
        answer = database.execute(sql)
        title = sql.partition("\n")[0].removeprefix("-- ")
        headings = [column[0] for column in answer.description]
        print(f"\n{bold}{title}{plain}\n\n{table(headings, answer.fetchall())}")


if __name__ == "__main__":
    main()
