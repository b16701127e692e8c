#!/usr/bin/env bash
# The demo: load the calls of an emulated account with Meltano, twice, and look at them.
set -euo pipefail
cd "$(dirname "$0")/.."

output=output/demo
meltano_dir=.meltano/demo

# The demo has its own Meltano database, state and settings: those of this checkout's user neither
# take part nor change.
unset "${!MELTANO_@}" "${!TAP_OZONETEL_CDR_@}" "${!TARGET_JSONL_@}"
export MELTANO_SYS_DIR_ROOT=$meltano_dir MELTANO_CLI_DISABLE_VERSION_CHECK=true
export TARGET_JSONL_DESTINATION_PATH=$output
# Without its lines of metrics, which Meltano's plain format leaves empty, and of settings.
load='meltano --env-file /dev/null --log-format plain run tap-ozonetel-cdr target-jsonl 2>&1 |
    grep --line-buffered -Ev "^(METRIC|Skipping parse of env var settings\.\.\.)$"'

# Every demo starts without calls and without state; the plugins stay until their needs change.
[[ $meltano_dir -nt pyproject.toml ]] || rm -rf "$meltano_dir"
rm -rf "$output" "$meltano_dir"/{meltano.db,run}

echo "An emulated account on loopback, with about 400 records a day. To save waiting,"
echo "it allows 2 requests in 1 second; a real account allows 2 in 60 seconds."

ozonetel-sandbox run --quiet --records-per-day 400 --rate-limit 2/1 -- bash -euo pipefail -c "
    printf '\nThe first run reads today and the 15 days before it:\n\n'
    $load
    printf '\nThe next run reads the last days again, for what has changed since:\n\n'
    $load"

printf '\nWhat was loaded into %s:\n\n' "$output/cdr.jsonl"
PYTHONUTF8=1 python examples/overview.py "$output/cdr.jsonl"

examples/answers.sh "$output"
