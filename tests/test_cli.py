from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ozonetel_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TAP = str(Path(sys.executable).parent / "tap-ozonetel-cdr")
PREFIX = "TAP_OZONETEL_CDR_"


def bare(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment with these settings of the tap and no others."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    # The SDK announces on every start that it will drop Python 3.10, and joblib, which it imports
    # for targets, that it cannot write to /dev/shm where that is so.
    quiet = "ignore::FutureWarning,ignore::UserWarning:joblib._multiprocessing_helpers"
    return others | {"PYTHONWARNINGS": quiet} | dict(settings or {})


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tap's command to its end."""
    return subprocess.run(
        [TAP, *arguments],
        env=bare(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def start(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a sync."""
    return subprocess.Popen(
        [TAP, "--config=ENV"],
        env=bare(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Serve an account whose limit never bites."""
    with Sandbox(rate_limit=(1000, 1), records_per_day=40) as sandbox:
        yield sandbox


@pytest.mark.parametrize("command", [[TAP], [sys.executable, "-m", "tap_ozonetel_cdr"]])
def test_version_needs_no_settings(command: list[str]) -> None:
    """It prints the installed one, by either name of the command."""
    done = subprocess.run(
        [*command, "--version"], env=bare(), capture_output=True, text=True, check=False
    )
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
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout.lstrip().startswith(beginning)
    assert "rate_limit_period" in done.stdout


def test_discover_needs_no_settings() -> None:
    """The catalog has the one stream, with its keys, everything selected."""
    done = run("--discover")
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
    done = run("--config=ENV", "--test", **sandbox.environment())
    assert done.returncode == 0
    [request] = [request for request in sandbox.requests[before:] if request.method == "GET"]
    line = f"{request.from_date[:10]} has {request.count} records"
    assert done.stderr.count(line) == 1
    assert "user_name and api_key work (auth_method: " in done.stderr


def test_a_test_with_a_wrong_key_fails_in_one_line(sandbox: Sandbox) -> None:
    """It ends with exit code 1, what to check, and neither a traceback nor the key."""
    done = run(
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
        ("API_KEY", "", "api_key: is required (API key from the account's administration page)"),
        ("API_KEY", "hidden\nkey", "api_key: must be one line of ASCII letters, digits and signs"),
        ("START_DATE", "2026-02-30", "start_date: must be a date that exists, such as"),
        ("START_DATE", "2999-01-01", "start_date: must not be after today ("),
        ("TIMEZONE", "Asia/Calcuta", "timezone: must be an IANA name such as Asia/Kolkata"),
        ("LOOKBACK_DAYS", "-1", "lookback_days: must be a whole number from 0 to 3650, not '-1'"),
        ("API_URL", "http://api.example.com", "api_url: must begin with https://"),
        ("AUTH_METHOD", "basic", "auth_method: must be auto, token or api_key, not 'basic'"),
        ("STREAM_MAPS", "[hidden", "stream_maps: must be of type object"),
    ],
)
def test_a_wrong_setting_is_one_line(sandbox: Sandbox, name: str, value: str, line: str) -> None:
    """It names the setting and what would be right; nothing is asked for, nothing leaks."""
    before = len(sandbox.requests)
    done = run("--config=ENV", **sandbox.environment() | {PREFIX + name: value})
    assert (done.returncode, done.stdout) == (1, "")
    [error] = [text for text in done.stderr.splitlines() if "INFO" not in text]
    assert line in error
    assert "hidden" not in error
    assert sandbox.api_key not in error
    assert len(sandbox.requests) == before


def test_an_end_before_the_start_is_refused(sandbox: Sandbox) -> None:
    """The line names both dates."""
    done = run(
        "--config=ENV",
        **sandbox.environment(),
        **{f"{PREFIX}START_DATE": "2026-11-08", f"{PREFIX}END_DATE": "2026-11-07"},
    )
    assert done.returncode == 1
    assert (
        "end_date: must not be before start_date (2026-11-08), not 2026-11-07"
        in done.stderr.splitlines()[-1]
    )


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_between_lines(signum: int, code: int) -> None:
    """The exit code is the signal's, every line is whole, the last STATE stands."""
    with Sandbox(records_per_day=lambda _: 5) as sandbox, start(sandbox.environment()) as tap:
        assert tap.stdout
        assert tap.stderr
        lines: list[str] = []
        while sum('"STATE"' in line for line in lines) < 2:  # then it waits for the limit
            line = tap.stdout.readline()
            assert line, tap.stderr.read()
            lines.append(line)
        tap.send_signal(signum)
        rest, errors = tap.communicate(timeout=10)
    lines += rest.splitlines(keepends=True)
    assert tap.returncode == code
    assert all(json.loads(line) and line.endswith("\n") for line in lines)
    assert [json.loads(line)["type"] for line in lines].count("STATE") == 2
    name = signal.Signals(signum).name
    assert f"Stopped by {name}; nothing was lost" in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_a_target_that_closes_the_pipe_is_named() -> None:
    """The run ends with exit code 1 and one line that sends the reader to the target."""
    with (
        Sandbox(rate_limit=(1000, 1), records_per_day=lambda _: 500) as sandbox,
        start(sandbox.environment()) as tap,
    ):
        assert tap.stdout
        assert tap.stderr
        tap.stdout.readline()
        tap.stdout.close()
        errors = [line for line in tap.stderr.read().splitlines() if "INFO" not in line]
        tap.wait(10)
    assert tap.returncode == 1
    [error] = errors
    assert "The target has closed the pipe: look at its own log" in error


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_file_that_is_no_object_ends_in_one_line(option: str, tmp_path: Path) -> None:
    """A state or catalog that cannot be one is named, without a traceback."""
    (tmp_path / "file.json").write_text("[]")
    done = run(option, str(tmp_path / "file.json"))
    assert done.returncode == 1
    assert f"{option}: must name a file with one JSON object" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_config_file_that_is_not_there_is_named() -> None:
    """The line says which file, and how to read the environment instead."""
    done = run("--config", "env", "--test")
    assert done.returncode == 1
    assert (
        "--config env: cannot be read (No such file or directory). ENV, in capitals, stands"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
