from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from ozonetel_sandbox import Sandbox
from ozonetel_sandbox.cli import MEASURED, NOT_IMITATED, main
from ozonetel_sandbox.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

SANDBOX = (sys.executable, "-m", "ozonetel_sandbox")

#: Says that it is ready, and ends with another code for each signal.
PATIENT = "trap 'exit 42' TERM; trap 'exit 43' INT; echo ready; while :; do sleep 0.02; done"

#: Requests a token and prints the response.
ASKS = """
import json, os, urllib.request
setting = lambda name: os.environ[f"TAP_OZONETEL_CDR_{name}"]
request = urllib.request.Request(
    setting("API_URL") + "/ca_apis/CAToken/generateToken",
    json.dumps({"userName": setting("USER_NAME")}).encode(),
    {"apiKey": setting("API_KEY")},
)
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode())
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``ozonetel-sandbox run`` with these arguments."""
    return subprocess.run(
        [*SANDBOX, "run", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def start(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Start ``ozonetel-sandbox`` in a session of its own."""
    return subprocess.Popen(
        [*SANDBOX, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_run_points_the_command_at_the_sandbox() -> None:
    """All settings that the tap needs are in its environment, as the options have them."""
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    options = ("--auth", "either", "--timezone", "UTC", "--rate-limit", "3/0.5")
    done = run(*options, "--account", "acme:se:cret", "--", sys.executable, "-c", dump)
    environment = json.loads(done.stdout)
    assert environment.items() >= {k: v for k, v in os.environ.items() if k == "PATH"}.items()
    url = environment["TAP_OZONETEL_CDR_API_URL"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert {key: value for key, value in environment.items() if key.startswith("TAP_OZON")} == {
        "TAP_OZONETEL_CDR_API_URL": url,
        "TAP_OZONETEL_CDR_USER_NAME": "acme",
        "TAP_OZONETEL_CDR_API_KEY": "se:cret",
        "TAP_OZONETEL_CDR_TIMEZONE": "UTC",
        "TAP_OZONETEL_CDR_RATE_LIMIT_REQUESTS": "3",
        "TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD": "0.5",
    }


def test_run_serves_while_the_command_runs() -> None:
    """The log on stderr has a line about it, and neither key nor token."""
    done = run("--account", "acme:secret", "--", sys.executable, "-c", ASKS)
    assert done.returncode == 0
    assert json.loads(done.stdout)["token"]
    path = "/ca_apis/CAToken/generateToken"
    assert re.fullmatch(rf"\d\d:\d\d:\d\d POST {path} acme 200 success\n", done.stderr)


def test_a_quiet_sandbox_says_nothing() -> None:
    """Only the command speaks."""
    done = run("--quiet", "--", sys.executable, "-c", ASKS)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["no-such-command-anywhere"], 127),
        (["/"], 126),
    ],
)
def test_run_ends_with_the_commands_exit_code(command: list[str], code: int) -> None:
    """As a shell would, also for a signal and for what cannot be run."""
    done = run("--", *command)
    assert done.returncode == code
    assert (command[0] in done.stderr) == (code in {126, 127})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 42), (signal.SIGINT, 43)])
def test_run_hands_signals_on(number: signal.Signals, code: int) -> None:
    """The command decides how to end."""
    with start("run", "--", "sh", "-c", PATIENT) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(10) == code


def test_run_leaves_a_typed_interrupt_to_the_terminal() -> None:
    """It has told the command as well; a second SIGINT would disturb its ending."""
    try:
        ours, theirs = os.openpty()
    except OSError as exc:
        pytest.skip(f"needs a pseudo-terminal, and so /dev/pts: {exc}")
    with start("run", "--", "sh", "-c", PATIENT, stdin=theirs) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 42
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_what_a_client_needs_and_ends_cleanly(number: signal.Signals) -> None:
    """The lines can be pasted into a shell; a signal ends it with exit code 0."""
    with start("serve", "--accounts", "2") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(15)]
        settings = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[2:8])
        assert settings["TAP_OZONETEL_CDR_USER_NAME"] == "demo_account"
        assert "export TAP_OZONETEL_CDR_USER_NAME=demo_account_2\n" in lines
        response = requests.post(
            f"{settings['TAP_OZONETEL_CDR_API_URL']}/ca_apis/CAToken/generateToken",
            json={"userName": settings["TAP_OZONETEL_CDR_USER_NAME"]},
            headers={"apiKey": settings["TAP_OZONETEL_CDR_API_KEY"]},
            timeout=5,
        )
        assert response.json()["token"]
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr
        errors = process.stderr.read()
        assert errors.endswith(" demo_account 200 success\n")
        assert settings["TAP_OZONETEL_CDR_API_KEY"] not in errors


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve", "--", "true"], "run takes a command"),
        (["run"], "run takes a command"),
        (["run", "--"], "run takes a command"),
        ([], "serve|run"),
        *(
            (["run", *options.split(), "--", "true"], complaint)
            for options, complaint in (
                ("--fault no_such", "There is no fault 'no_such'"),
                ("--fault slow:soon", "The fault 'slow' takes: seconds; not 'soon'."),
                ("--too-large no_such", "There is no fault 'no_such'"),
                ("--account acme", "an account is NAME:KEY"),
                ("--account acme:", "an account is NAME:KEY"),
                ("--accounts 0", "There must be at least one account"),
                ("--accounts 2 --account a:b", "not allowed with"),
                ("--timezone Nowhere/At_All", "there is no time zone 'Nowhere/At_All'"),
                ("--timezone ../x", "there is no time zone '../x'"),
                ("--rate-limit 2", "'2' is not N/SECONDS"),
                ("--rate-limit 0/60", "'0/60' is not N/SECONDS"),
                ("--rate-limit 2/nan", "'2/nan' is not N/SECONDS"),
                ("--token-lifetime inf", "'inf' is not a number above 0"),
                ("--largest-span 0", "'0' is not a number above 0"),
                ("--records-per-day -1", "'-1' is not a whole number from 0"),
                ("--auth basic", "invalid choice"),
                ("--settling soon", "invalid choice"),
                ("--switch-hour 25", "'25' is not an hour from 0 to 24"),
                ("--switch-hour -1", "'-1' is not an hour from 0 to 24"),
                ("--settling-hour nan", "'nan' is not an hour from 0 to 24"),
                ("--edge 99:words", "99 is no HTTP status."),
                ("--port 70000", "port must be 0-65535"),
            )
        ),
    ],
)
def test_wrong_options_end_before_anything_is_served(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and what is wrong, before anything is served."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The other one keeps it."""
    with Sandbox() as sandbox, pytest.raises(SystemExit):
        main(["serve", "--port", sandbox.url.rpartition(":")[2]])
    assert "in use" in capsys.readouterr().err


ASKS_FOR_RECORDS = """
import datetime, json, os, sys, urllib.request
setting = lambda name: os.environ[f"TAP_OZONETEL_CDR_{name}"]
now = datetime.datetime.now(datetime.timezone.utc)
day = now.date() - datetime.timedelta(days=int(sys.argv[1]))
fields = {
    "userName": setting("USER_NAME"), "fromDate": f"{day} 00:00:00", "toDate": f"{day} 23:59:59",
}
request = urllib.request.Request(
    setting("API_URL") + "/ca_reports/fetchCDRDetails", json.dumps(fields).encode(),
    {"apiKey": setting("API_KEY")}, method="GET",
)
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode())
"""


@pytest.mark.parametrize(
    ("options", "ago", "expected"),
    [
        ("--exact --records-per-day 7", "3", 7),
        ("--exact --records-per-day 7 --extras --dial-count --remarks plain", "3", 7),
        ("--exact --records-per-day 7 --too-old 200:Gone", "30", "Gone"),
        ("--exact --records-per-day 7", "30", 0),
        ("--exact --records-per-day 7 --auth either --no-renaming", "3", 7),
        ("--account acme:first --account acme:second --exact", "3", 200),
        ("--limit-words Max --rate-limit 1/60 --fault refusal:Odd", "3", "Odd"),
    ],
)
def test_options_reach_the_sandbox(options: str, ago: str, expected: object) -> None:
    """As the settings of the same names."""
    command = (sys.executable, "-c", ASKS_FOR_RECORDS, ago)
    done = run(*options.split(), "--timezone", "UTC", "--", *command)
    content = json.loads(done.stdout)
    found = len(content["details"]) if "details" in content else content["message"]
    assert found == expected


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what a command's ``--help`` prints."""

    def help_of(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--help"])
        assert ended.value.code == 0
        return capsys.readouterr().out

    return help_of


@pytest.mark.parametrize("arguments", [(), ("serve",), ("run",)])
def test_help_says_what_is_true_and_what_is_not(
    help_of: Callable[..., str], arguments: tuple[str, ...]
) -> None:
    """Nobody should take the sandbox for the vendor."""
    text = help_of(*arguments)
    assert "\n".join(MEASURED) in text
    assert all(f"- {line}" in text for line in NOT_IMITATED)


@pytest.mark.parametrize("action", ["serve", "run"])
def test_help_names_every_fault(help_of: Callable[..., str], action: str) -> None:
    """A fault that is known to the sandbox is known to its reader."""
    text = help_of(action)
    assert all(f"\n  {name}" in text for name in FAULTS)
