from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from commands import environment

from ozonetel_sandbox import Sandbox

TESTS = Path(__file__).parent
CORE = ("streams", "prefetch", "sandbox_server", "catalog", "state")


def test_core_without_posix() -> None:
    """Days, states and the sandbox's server do without the signals that Windows does not have."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "as_on_windows", "-p", "no:cacheprovider"]
        + [str(TESTS / f"test_{name}.py") for name in CORE],
        env=environment(PYTHONPATH=str(TESTS / "helpers")),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_command_without_posix() -> None:
    """The command reads its days, and says so."""
    with Sandbox(records_per_day=lambda _: 5, rate_limit=(1000, 1)) as sandbox:
        today = datetime.now().astimezone().date()
        done = subprocess.run(
            [sys.executable, TESTS / "helpers" / "as_on_windows.py", "--config=ENV"],
            env=environment(
                **sandbox.environment(),
                TAP_OZONETEL_CDR_START_DATE=str(today - timedelta(days=2)),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert {*kinds} == {"SCHEMA", "RECORD", "STATE"}
    assert "Done:" in done.stderr.splitlines()[-1]
