from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs
from clocks import NOW, TODAY
from commands import PROGRAMS, Process, environment

from ozonetel_sandbox import Sandbox

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples/many-accounts"


def read(path: Path) -> Any:  # noqa: ANN401  any YAML
    """Return what a file of YAML holds."""
    return yaml.safe_load(path.read_text("utf-8"))


ACCOUNTS: list[dict[str, Any]] = read(EXAMPLE / "accounts.meltano.yml")["plugins"]["extractors"]
CRONJOB: dict[str, Any] = read(EXAMPLE / "cronjob.yaml")
DAG = ast.parse((EXAMPLE / "dags/ozonetel_cdr.py").read_text("utf-8"))


def constant(name: str) -> str:
    """Return the text that the DAG's module gives a name."""
    (value,) = [
        node.value
        for node in DAG.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    return str(ast.literal_eval(value))


@needs.meltano
def test_an_account_is_one_line_in_one_file(tmp_path: Path) -> None:
    """With a line more Meltano knows the account: its name, its key, and the shared settings."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True, ignore=lambda *_: [".meltano"])
    accounts = tmp_path / "accounts.meltano.yml"
    line = "  - {name: cdr-initech, inherit_from: tap-ozonetel-cdr, config: {user_name: initech}}"
    accounts.write_text(f"{accounts.read_text('utf-8')}{line}\n", "utf-8")
    done = subprocess.run(
        [PROGRAMS / "meltano", "config", "print", "cdr-initech"],
        cwd=tmp_path,
        env=environment(CDR_INITECH_API_KEY="a-key", MELTANO_CLI_DISABLE_VERSION_CHECK="true"),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    config = json.loads(done.stdout)
    assert (config["user_name"], config["api_key"]) == ("initech", "*****")
    assert config["include_account"] is True


def test_no_other_file_names_the_accounts() -> None:
    """Only the manifest, which is for one account, and the file of accounts hold their names."""
    names = {account["name"] for account in ACCOUNTS}
    assert len(names) == len(ACCOUNTS)
    holding = {
        path.name
        for path in EXAMPLE.rglob("*")
        if path.is_file() and ".meltano" not in path.parts
        if any(name in path.read_text("utf-8", "replace") for name in names)
    }
    assert holding == {"accounts.meltano.yml", "cronjob.yaml"}


def test_the_accounts_file_and_the_dag_say_how_keys_and_states_are_called() -> None:
    """The key's variable is the extractor's name in capitals, and the state id is the name."""
    comment = (EXAMPLE / "accounts.meltano.yml").read_text("utf-8").splitlines()[0]
    assert ACCOUNTS[0]["name"].upper().replace("-", "_") + "_API_KEY" in comment
    assert constant("LOAD") == 'meltano el "$ACCOUNT" target-postgres --state-id="$ACCOUNT"'


def test_the_manifest_loads_an_account_as_the_dag_does() -> None:
    """Its command, state id and variables are those of an account in the file."""
    (container,) = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    name = CRONJOB["metadata"]["name"]
    assert name in {account["name"] for account in ACCOUNTS}
    assert container["args"] == ["el", name, "target-postgres", f"--state-id={name}"]
    assert [variable["name"] for variable in container["env"]] == [
        f"{name.upper().replace('-', '_')}_API_KEY",
        "MELTANO_DATABASE_URI",
        "TARGET_POSTGRES_SQLALCHEMY_URL",
        "TMPDIR",
    ]


def test_the_image_finds_the_line_that_it_changes() -> None:
    """The Dockerfile replaces the origin of the extractor, as it stands in meltano.yml."""
    dockerfile = (EXAMPLE / "Dockerfile").read_text("utf-8")
    pattern = re.search(r"s\|(.*?)\|(.*?)\|", dockerfile)
    assert pattern
    text = (EXAMPLE / "meltano.yml").read_text("utf-8")
    changed = re.sub(pattern[1], pattern[2], text, flags=re.MULTILINE)
    assert yaml.safe_load(changed)["plugins"]["extractors"][0]["pip_url"] == "/tap"


def test_machines_that_share_an_account_wait_for_each_other() -> None:
    """Three at once, with the account's key: all read all days, and the limit is kept."""
    with Sandbox(
        rate_limit=(2, 0.5), records_per_day=5, auth_method="api_key", now=lambda: NOW
    ) as sandbox:
        settings = {
            **sandbox.environment(),
            "TAP_OZONETEL_CDR_START_DATE": str(TODAY - timedelta(days=2)),
            "TAP_OZONETEL_CDR_END_DATE": str(TODAY - timedelta(days=1)),
            "TAP_OZONETEL_CDR_RETENTION_DAYS": "3650",
        }
        processes = [Process(settings) for _ in range(3)]
        codes = [process.end() for process in processes]
        answered = sorted(r.received for r in sandbox.requests if r.count is not None)
    assert codes == [0, 0, 0], [process.errors for process in processes]
    assert not any(b"CRITICAL" in process.errors for process in processes)
    assert len(answered) == 3 * 2
    assert all(
        later - earlier > 0.5 for earlier, later in zip(answered, answered[2:], strict=False)
    )


# The manifest and the schemas of Kubernetes


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    """Check a manifest against the schemas that kubernetes-validate brings along."""
    uv = [str(PROGRAMS / "uv"), "tool", "run", "--quiet", "--python", sys.executable]
    return subprocess.run(
        [*uv, "--from", "kubernetes-validate==1.37.0", "kubernetes-validate", "--strict", path],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
def test_the_manifest_follows_its_schema() -> None:
    """Nothing in it is unknown to Kubernetes, or of a wrong type."""
    done = validate(EXAMPLE / "cronjob.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("concurrencyPolicy:", "concurencyPolicy:"),
        ("backoffLimit: 6", "backoffLimit: six"),
        ("schedule:", "when:"),
        ("secretKeyRef:", "secretRef:"),
        ("restartPolicy: Never", "restartPolicy: [Never]"),
    ],
)
def test_a_wrong_manifest_is_caught(right: str, wrong: str, tmp_path: Path) -> None:
    """A misspelt or missing field, or a wrong type, at any depth, fails the check."""
    text = (EXAMPLE / "cronjob.yaml").read_text("utf-8")
    assert right in text
    path = tmp_path / "cronjob.yaml"
    path.write_text(text.replace(right, wrong), "utf-8")
    assert validate(path).returncode == 1
