from __future__ import annotations

import json
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from commands import TAP, ended, tap

from ozonetel_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = "TAP_OZONETEL_CDR_"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Serve an account in real time, as the command has it, whose limit never bites."""
    with Sandbox(rate_limit=(1000, 1), records_per_day=40) as sandbox:
        yield sandbox


@pytest.mark.parametrize("command", [[TAP], [sys.executable, "-m", "tap_ozonetel_cdr"]])
def test_version_needs_no_settings(command: list[str]) -> None:
    """It prints the installed one, by either name of the command."""
    done = ended([*command, "--version"], {})
    assert (done.returncode, done.stderr) == (0, "")
    versions = [metadata.version(name) for name in ("tap-ozonetel-cdr", "singer-sdk")]
    assert done.stdout == "tap-ozonetel-cdr v{}, Meltano SDK v{}\n".format(*versions)


@pytest.mark.parametrize(
    ("arguments", "beginning"),
    [
        (("--about",), "Name: tap-ozonetel-cdr\n"),
        (("--about", "--format=json"), '{\n  "name": "tap-ozonetel-cdr",\n'),
        (("--about", "--format=markdown"), "# `tap-ozonetel-cdr`\n"),
    ],
    ids=["text", "json", "markdown"],
)
def test_about_needs_no_settings(arguments: tuple[str, ...], beginning: str) -> None:
    """It describes the tap and its settings in each form."""
    done = tap(*arguments)
    assert done.returncode == 0
    assert done.stdout.lstrip().startswith(beginning)
    assert "rate_limit_period" in done.stdout


def test_discover_needs_no_settings() -> None:
    """The catalog has the one stream, with its keys, everything selected."""
    done = tap("--discover")
    assert done.returncode == 0
    [stream] = json.loads(done.stdout)["streams"]
    assert (stream["tap_stream_id"], stream["key_properties"], stream["replication_key"]) == (
        "cdr",
        ["CallID", "UCID"],
        "CallDate",
    )


def test_a_test_says_that_account_and_key_work(sandbox: Sandbox) -> None:
    """It costs one request for records, and a line names the day and its records."""
    before = len(sandbox.requests)
    done = tap("--config=ENV", "--test", **sandbox.environment())
    assert done.returncode == 0
    [request] = [request for request in sandbox.requests[before:] if request.method == "GET"]
    line = f"{request.from_date[:10]} has {request.count} records"
    assert done.stderr.count(line) == 1
    assert "user_name and api_key work (auth_method: " in done.stderr


def test_a_test_with_a_wrong_key_fails_in_one_line(sandbox: Sandbox) -> None:
    """It ends with exit code 1, what to check, and neither a traceback nor the key."""
    done = tap(
        "--config=ENV", "--test", **sandbox.environment() | {f"{PREFIX}API_KEY": "wrong-and-secret"}
    )
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if "INFO" not in line]
    assert len(errors) == 1
    for piece in (
        "'userName or apiKey is Invalid' (HTTP 401) to the header apiKey, and ",
        "'Invalid userName or apiKey' (HTTP 401) to generateToken. Check user_name and api_key, ",
    ):
        assert piece in errors[0]
    assert "wrong-and-secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("API_KEY", "hidden\nkey", "api_key: must be one line of ASCII letters, digits and signs"),
        ("START_DATE", "2999-01-01", "start_date: must not be after today ("),
        ("STREAM_MAPS", "[hidden", "stream_maps: must be of type object"),
    ],
)
def test_a_wrong_setting_is_one_line(sandbox: Sandbox, name: str, value: str, line: str) -> None:
    """It names the setting and what would be right; nothing is asked for, nothing leaks."""
    before = len(sandbox.requests)
    done = tap("--config=ENV", **sandbox.environment() | {PREFIX + name: value})
    assert (done.returncode, done.stdout) == (1, "")
    [error] = [text for text in done.stderr.splitlines() if "INFO" not in text]
    assert line in error
    assert "hidden" not in error
    assert sandbox.api_key not in error
    assert len(sandbox.requests) == before


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_file_that_is_no_object_ends_in_one_line(option: str, tmp_path: Path) -> None:
    """A state or catalog that cannot be one is named, without a traceback."""
    (tmp_path / "file.json").write_text("[]")
    done = tap(option, str(tmp_path / "file.json"))
    assert done.returncode == 1
    assert f"{option}: must name a file with one JSON object" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_config_file_that_is_not_there_is_named() -> None:
    """The line says which file, and how to read the environment instead."""
    done = tap("--config", "env", "--test")
    assert done.returncode == 1
    assert (
        "--config env: cannot be read (No such file or directory). ENV, in capitals, stands"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
