"""Say how much target-jsonl wrote. Usage: overview.py FILE.

Calls are counted by their ids, records once each. What people ask of them, the dbt package answers:
docs/analysis.md.
"""

from __future__ import annotations

import sys

import duckdb

LOADED = """
    SELECT count(DISTINCT "CallID"), count(DISTINCT ("CallID", "UCID")), min("CallDate"),
        max("CallDate"), count(*)
    FROM read_json($file, columns = {'CallID': 'VARCHAR', 'UCID': 'VARCHAR', 'CallDate': 'DATE'})
"""


def main() -> None:
    """Print one line."""
    if not sys.argv[1:]:
        sys.exit(__doc__)
    with duckdb.connect() as connection:
        rows = connection.execute(LOADED, {"file": sys.argv[1]}).fetchall()
    for calls, records, first, last, lines in rows:
        print(f"{calls:,} calls ({records:,} records), {first} to {last}, from {lines:,} lines")


if __name__ == "__main__":
    main()
