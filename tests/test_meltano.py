from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ozonetel_sandbox import Sandbox

ROOT = Path(__file__).parent.parent
DEMO = "examples/demo.sh"


def run(*command: str, **environment: str) -> str:
    """Run a command in the project as a user does, and return what it said."""
    programs = str(Path(sys.executable).parent)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def demo() -> str:
    """Run the demo once: it installs what the other tests use."""
    return run(DEMO)


def test_the_demo_loads_twice_and_shows_the_calls(demo: str) -> None:
    """The first run reads 16 dates and the second two; nothing is lost or said in vain."""
    assert "16 requests, at least 7.0 s" in demo
    assert "2 requests, no wait" in demo
    assert demo.count("Done: ") == 2
    assert "16 days in" in demo
    assert "2 days in" in demo
    assert "WARNING" not in demo
    assert "What was loaded into output/demo/cdr.jsonl" in demo


@pytest.mark.usefixtures("demo")
def test_two_runs_in_a_row(tmp_path: Path) -> None:
    """The second one continues from the first one's state, and asks for two days."""
    with Sandbox(rate_limit=(100, 1), calls_per_day=20) as sandbox:
        environment = {
            **sandbox.environment(),
            "TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD": "1",
            "MELTANO_SYS_DIR_ROOT": ".meltano/demo",
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        }
        asked: list[list[str]] = []
        for _ in range(2):
            before = len(sandbox.requests)
            run("meltano", "run", "tap-ozonetel-cdr", "target-jsonl", **environment)
            new = [r for r in sandbox.requests[before:] if r.method == "GET"]
            asked.append([request.from_date[:10] for request in new])
        lines = (tmp_path / "cdr.jsonl").read_text("utf-8").splitlines()
        answered = sum(r.count or 0 for r in sandbox.requests)
    assert len(asked[0]) == 16
    assert asked[0] == sorted(set(asked[0]))
    assert asked[1] == asked[0][-2:]
    assert len(lines) == answered
    keys = {(json.loads(line)["CallID"], json.loads(line)["UCID"]) for line in lines}
    assert len(keys) < len(lines)
