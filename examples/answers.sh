#!/usr/bin/env bash
# answers.sh FOLDER: make calls of the records in FOLDER/cdr.jsonl, and a page of them. Where dbt cannot
# run, it says why and ends well.
set -euo pipefail
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

if ! python -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then
    echo "dbt-core 1.11 runs on Python 3.10 to 3.13: no calls and no page are made here."
    exit
fi
if ! python -c 'import multiprocessing; multiprocessing.RLock()' 2>/dev/null; then
    echo "dbt needs shared memory, and /dev/shm is closed to this user: no calls and no page are made here."
    exit
fi
make --no-print-directory dbt-setup

export DBT_SEND_ANONYMOUS_USAGE_STATS=false
export DBT_PROFILES_DIR=$PWD/dbt DBT_TARGET_PATH=$PWD/.dbt/target DBT_LOG_PATH=$PWD/.dbt/logs
export OZONETEL_CDR_JSONL=$folder/cdr.jsonl OZONETEL_CDR_DUCKDB=$folder/cdr.duckdb
.dbt/venv/bin/dbt --no-use-colors build --project-dir dbt >"$folder/dbt.log" || {
    cat "$folder/dbt.log" >&2
    exit 1
}
sed -n 's/^[0-9:]* *Found \(.*\), [0-9]* macros\(.*\)/dbt: \1\2/p; s/^[0-9:]* *Done\. /dbt: /p' "$folder/dbt.log"
.dbt/venv/bin/python dbt/page "$folder/cdr.duckdb" "$folder/cdr.html"
printf '\nThe page, for a browser: %s\n' "$folder/cdr.html"
