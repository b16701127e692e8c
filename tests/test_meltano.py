from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import needs
import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs
from commands import PROGRAMS, environment

from ozonetel_sandbox import Sandbox

ROOT = Path(__file__).parent.parent
DEMO = "examples/demo.sh"

pytestmark = [needs.meltano, pytest.mark.slow]


def run(folder: Path, *command: str, **settings: str) -> str:
    """Run a command in a folder as a user does, and return what it said."""
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(PATH=path, **settings),
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
    return run(ROOT, DEMO)


def test_the_demo_loads_twice_and_shows_what_was_loaded(demo: str) -> None:
    """The first run reads 16 dates and the second two; nothing is lost or said in vain."""
    assert "16 requests, at least 7.0 s" in demo
    assert re.search("[23] requests, ", demo)  # three before 04:00 of the account's clock
    assert demo.count("Done: ") == 2
    assert "16 days in" in demo
    assert re.search("[23] days in", demo)
    assert "WARNING" not in demo
    assert "METRIC" not in demo
    assert "What was loaded into output/demo/cdr.jsonl" in demo


@pytest.mark.usefixtures("demo")
def test_the_second_of_two_runs_continues_from_the_first(tmp_path: Path) -> None:
    """It has the state that Meltano kept, and asks for two days."""
    with Sandbox(rate_limit=(100, 1), records_per_day=20) as sandbox:
        settings = {
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
            run(ROOT, "meltano", "run", "tap-ozonetel-cdr", "target-jsonl", **settings)
            new = [r for r in sandbox.requests[before:] if r.method == "GET"]
            asked.append([request.from_date[:10] for request in new])
        lines = (tmp_path / "cdr.jsonl").read_text("utf-8").splitlines()
        answered = sum(r.count or 0 for r in sandbox.requests)
    assert len(asked[0]) == 16
    assert asked[0] == sorted(set(asked[0]))
    assert asked[1] in (asked[0][-2:], asked[0][-3:])  # before 04:00 of the account's clock
    assert len(lines) == answered
    keys = {(json.loads(line)["CallID"], json.loads(line)["UCID"]) for line in lines}
    assert len(keys) < len(lines)


@pytest.mark.usefixtures("demo")
def test_the_sdks_settings_reach_the_tap(tmp_path: Path) -> None:
    """From the environment, where Meltano hands on what is declared and drops all else."""
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path}", "prefix": "cdr-"},
    }
    seed = {"hash_seed": "a long random text"}
    maps = {"cdr": {"E164": "sha256(config['hash_seed'] + E164)", "AgentName": "__NULL__"}}
    with Sandbox(rate_limit=(100, 1), records_per_day=5) as sandbox:
        meltano = {
            **sandbox.environment(),
            "TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD": "1",
            "TAP_OZONETEL_CDR_STREAM_MAPS": json.dumps(maps),
            "TAP_OZONETEL_CDR_STREAM_MAP_CONFIG": json.dumps(seed),
            "TAP_OZONETEL_CDR_FLATTENING_ENABLED": "true",
            "TAP_OZONETEL_CDR_FLATTENING_MAX_DEPTH": "1",
            "MELTANO_SYS_DIR_ROOT": ".meltano/demo",
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        }
        run(ROOT, "meltano", "run", "tap-ozonetel-cdr", "target-jsonl", **meltano)
        meltano["TAP_OZONETEL_CDR_BATCH_CONFIG"] = json.dumps(batches)
        said = run(ROOT, "meltano", "config", "print", "tap-ozonetel-cdr", **meltano)
        written = run(ROOT, "meltano", "invoke", "tap-ozonetel-cdr", **meltano)
    config = json.loads(said[said.index("{") :])
    assert config["stream_maps"] == maps
    assert config["stream_map_config"] == seed
    assert config["flattening_enabled"] is True
    assert config["flattening_max_depth"] == 1
    assert config["batch_config"] == batches
    rows = [json.loads(line) for line in (tmp_path / "cdr.jsonl").read_text("utf-8").splitlines()]
    assert rows
    assert all(re.fullmatch("[0-9a-f]{64}", row["E164"]) for row in rows)
    assert not any("AgentName" in row for row in rows)
    assert '{"type":"BATCH"' in written
    assert list(tmp_path.glob("cdr-*.gz"))


def test_the_readme_leads_from_an_empty_project_to_rows(tmp_path: Path) -> None:
    """Each of its commands does what it shows; the definition for the hub needs no hub."""
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## With a real account: Meltano")[2].partition("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    lines = "".join(blocks).replace("/path/to/clone", str(ROOT)).splitlines()
    project = tmp_path / "project"
    quiet = {
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    }
    run(tmp_path, "meltano", "init", "project", **quiet)
    # The loader without asking a hub: its entry in this repository's project.
    (loader,) = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]["loaders"]
    (tmp_path / "loader.yml").write_text(yaml.safe_dump(loader | {"variant": "original"}), "utf-8")
    add = ("meltano", "add", "--no-install", "--from-ref", "../loader.yml", "target-jsonl")
    run(project, *add, **quiet)
    with Sandbox(rate_limit=(100, 1), records_per_day=20) as sandbox:
        here = {name: sandbox.environment()[name] for name in ("TAP_OZONETEL_CDR_API_URL",)}
        here["TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD"] = "1"
        said = ""
        for line in lines:
            if not line.startswith("$ "):
                assert line.replace("my_account", sandbox.user_name) in said
                continue
            command = line[2:].replace("my_account", sandbox.user_name)
            words = [w if w != "..." else sandbox.api_key for w in shlex.split(command)]
            said = run(project, *words, **quiet, **here)
            assert sandbox.api_key not in said
            if "add" in words:
                path = project / "meltano.yml"
                text = path.read_text("utf-8")
                assert "pip_url: tap-ozonetel-cdr\n" in text
                text = text.replace("pip_url: tap-ozonetel-cdr\n", f"pip_url: {ROOT}\n")
                path.write_text(text, "utf-8")
        answered = sum(r.count or 0 for r in sandbox.requests)
        assert len([r for r in sandbox.requests if r.method == "GET"]) == 16
    assert "TAP_OZONETEL_CDR_API_KEY" in (project / ".env").read_text("utf-8")
    rows = (project / "output" / "cdr.jsonl").read_text("utf-8").splitlines()
    assert len(rows) == answered > 0
