"""Make one HTML page of the calls that the dbt package has counted."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

from document import render
from figures import NoCallsError, UnreadableError, database, read


def main() -> None:
    """Write the page, and name it."""
    parser = argparse.ArgumentParser(prog="page", description=__doc__)
    parser.add_argument(
        "database", help="the DuckDB file, or postgresql://..., that dbt has built the marts in"
    )
    parser.add_argument("output", type=Path, help="the HTML file to write")
    parser.add_argument(
        "--schema", help="of the marts (main in DuckDB, ozonetel_cdr in PostgreSQL)"
    )
    parser.add_argument("--account", help="only this one's calls; default: all together")
    parser.add_argument("--days", type=int, default=15, help="whole days to show (%(default)s)")
    parser.add_argument(
        "--show-numbers",
        action="store_true",
        help="callers' whole numbers, not the last four digits",
    )
    parser.add_argument(
        "--now",
        type=datetime.fromisoformat,
        help=argparse.SUPPRESS,
        default=datetime.now(timezone.utc),
    )
    options = parser.parse_args()
    try:
        with database(options.database, options.schema) as query:
            figures = read(query, days=options.days, account=options.account, now=options.now)
    except NoCallsError:
        sys.exit("There are no calls to show.")
    except UnreadableError as error:
        sys.exit(f"The marts cannot be read: {error}. Has dbt built them there? See --schema.")
    page = render(figures, made=options.now, show_numbers=options.show_numbers)
    # It holds personal data: only its owner may read it.
    with open(options.output, "w", encoding="utf-8", opener=_private) as file:
        file.write(page)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    main()
