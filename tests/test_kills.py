from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import struct
import subprocess
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from clocks import until
from commands import TAP, Process, environment
from runs import Run, days_from, expected

from ozonetel_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

YESTERDAY = datetime.now(ZoneInfo("Asia/Kolkata")).date() - timedelta(days=1)

GRACE = 3.0
"""Seconds that a target has to take what is being written when a signal comes."""

KILLS = int(os.environ.get("KILLS", "16"))
"""How many runs are killed; ``make soak`` kills more."""


def start(
    account: Sandbox,
    state: Path | None = None,
    *,
    days: int = 2,
    reads: bool = True,
    **variables: str,
) -> Process:
    """Start the tap for so many days that are over."""
    settings = {
        **account.environment(),
        "TAP_OZONETEL_CDR_START_DATE": str(YESTERDAY - timedelta(days=days - 1)),
        "TAP_OZONETEL_CDR_END_DATE": str(YESTERDAY),
        **variables,
    }
    return Process(settings, *([f"--state={state}"] if state else []), reads=reads)


DAYS = days_from(YESTERDAY - timedelta(days=9), YESTERDAY)
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT]
CODES = {
    signal.SIGKILL: {-9},
    # The signal itself ends a process that has not come to its own work yet.
    signal.SIGTERM: {143, -15},
    signal.SIGINT: {130, -2},
}


def killed_runs(
    seed: int, kills: int, directory: Path, way: Literal["api_key", "token"]
) -> tuple[int, int]:
    """Kill so many runs, each continuing from the last STATE of the one before.

    The account takes one way in; the runs are set to it, or find it out, by turns.

    Returns:
        How many were killed, and how many STATE lines they left.
    """
    chance = random.Random(seed)  # noqa: S311  # no secret, an instant
    killed = states = 0
    state_file = directory / f"state-{seed}.json"
    with Sandbox(
        records_per_day=lambda _: 150,
        rate_limit=(1, 0.08),
        auth_method=way,
        tokens_per_hour=100_000,
    ) as account:
        truth = {str(day): expected(account, day, None) for day in DAYS}
        while killed < kills:
            delivered: dict[str, list[dict[str, Any]]] = {}
            bookmark = DAYS[0]
            state_file.write_text("{}")
            while True:
                signum = SIGNALS[killed % len(SIGNALS)] if killed < kills else None
                method = "auto" if killed % 2 else way
                process = start(
                    account, state_file, days=len(DAYS), TAP_OZONETEL_CDR_AUTH_METHOD=method
                )
                if signum:
                    if chance.random() < 0.9:
                        process.reached.wait(30)
                        time.sleep(chance.uniform(0, 0.3))
                    else:
                        time.sleep(chance.uniform(0, 1))
                    process.kill(signum)
                code = process.end()
                result = check(process, truth, days_from(bookmark, YESTERDAY), signum, code)
                delivered.update(zip(result.bookmarks, result.days, strict=True))
                states += len(result.states)
                if code == 0:
                    break
                killed += 1
                if result.states:
                    state_file.write_text(json.dumps(result.states[-1]))
                    bookmark = date.fromisoformat(result.bookmarks[-1])
            assert delivered == truth
    return killed, states


def check(
    process: Process,
    truth: dict[str, list[dict[str, Any]]],
    days: list[date],
    signum: signal.Signals | None,
    code: int,
) -> Run:
    """Check what a run wrote, killed or not: whole days, then at most the beginning of one."""
    assert code in ({0} | CODES[signum] if signum else {0})
    lines = process.output.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        # Or the reader, on a busy machine, took nothing for as long as a target is given.
        assert code == -9 or process.took >= GRACE
        lines.pop()
    result = Run.of(b"".join(lines))
    named = [str(day) for day in days]
    assert result.bookmarks == named[: len(result.days)]
    assert result.days == [truth[day] for day in named[: len(result.days)]]
    if result.rest:
        assert result.rest == truth[named[len(result.days)]][: len(result.rest)]
    assert b"Traceback" not in process.errors or code == -2
    return result


def test_kills_at_any_instant_lose_nothing(tmp_path: Path) -> None:
    """Whatever was being done: the last STATE and another run deliver all, in whole days."""
    halves = [KILLS - KILLS // 2, KILLS // 2]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(killed_runs, [1, 2], halves, [tmp_path] * 2, ["api_key", "token"]))
    assert sum(killed for killed, _ in results) == KILLS
    assert sum(states for _, states in results) >= len(DAYS)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_for_the_limit(signum: signal.Signals) -> None:
    """It ends within two seconds, with the signal's code, one line, and the day before in STATE."""
    with Sandbox(records_per_day=lambda _: 5, rate_limit=(1, 3600)) as account:
        process = start(account)
        until(lambda: b'"STATE"' in process.output)
        seconds = process.kill(signum)
        code = process.end()
        truth = expected(account, YESTERDAY - timedelta(days=1), None)
    result = Run.of(process.output)
    assert (code, seconds < 2) == (128 + signum, True)
    assert (result.days, result.rest) == ([truth], [])
    assert f"Stopped by {signum.name}; nothing was lost".encode() in process.errors
    assert b"Traceback" not in process.errors


@pytest.mark.parametrize("fault", ["hang", "stall:0.5", "token_hang"])
def test_a_signal_ends_a_download_that_hangs(fault: str) -> None:
    """It ends within two seconds, with nothing of the day written."""
    way: Literal["token", "api_key"] = "token" if fault.startswith("token_") else "api_key"
    with Sandbox(records_per_day=lambda _: 50, faults=[fault], auth_method=way) as account:
        process = start(account)
        until(lambda: any(request.fault for request in account.requests))
        seconds = process.kill(signal.SIGTERM)
        code = process.end()
    result = Run.of(process.output)
    assert (code, seconds < 2) == (143, True)
    assert (result.days, result.rest) == ([], [])
    assert b"Traceback" not in process.errors


def test_a_signal_ends_a_run_whose_target_does_not_read() -> None:
    """It ends within five seconds, in front of or within the line that nobody takes."""
    with Sandbox(records_per_day=lambda _: 500) as account:
        process = start(account, reads=False)
        until(lambda: len(account.requests) == 2)
        time.sleep(0.3)
        seconds = process.kill(signal.SIGTERM)
        assert process.popen.stdout
        left = process.popen.stdout.read()
        code = process.end()
    assert (code, seconds < 5) == (143, True)
    assert b"Traceback" not in process.errors
    assert left.startswith(b'{"type":"SCHEMA"')


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_signal_within_a_piece_leaves_whole_lines(unbuffered: str) -> None:
    """A target that reads on gets the rest of what was being written, also without a buffer."""
    with Sandbox(records_per_day=lambda _: 500) as account:
        process = start(account, reads=False, PYTHONUNBUFFERED=unbuffered)
        pipe = process.popen.stdout
        assert pipe
        until(lambda: waiting(pipe) > 60_000)
        process.popen.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        output = pipe.read()
        code = process.end()
    assert code == 143
    assert output.endswith(b"}\n")
    assert len(output) > 65_536


def waiting(pipe: IO[bytes]) -> int:
    """Return how many bytes a pipe holds; 65,536 when it is full."""
    [count] = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


def test_two_runs_of_one_account_do_not_break_each_other() -> None:
    """Each takes requests from the other's limit; both deliver all."""
    with Sandbox(
        records_per_day=lambda _: 20, rate_limit=(2, 0.2), auth_method="api_key"
    ) as account:
        processes = [start(account, days=3) for _ in range(2)]
        codes = [process.end() for process in processes]
        truth = [expected(account, day, None) for day in DAYS[-3:]]
    assert codes == [0, 0]
    for process in processes:
        assert Run.of(process.output).days == truth


def shell(account: Sandbox, script: str) -> subprocess.Popen[str]:
    """Start a script of bash that knows the tap and its settings."""
    return subprocess.Popen(
        ["bash", "-c", f"set -o pipefail; {script}"],
        env=environment(
            **account.environment(),
            TAP=TAP,
            TAP_OZONETEL_CDR_START_DATE=str(YESTERDAY - timedelta(days=1)),
        ),
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_shell_pipe_ends_with_the_signals_code(tmp_path: Path) -> None:
    """A script with ``pipefail`` sees 143, and the target has whole lines."""
    with Sandbox(records_per_day=lambda _: 5, rate_limit=(1, 3600)) as account:
        lines = tmp_path / "lines"
        pid = tmp_path / "pid"
        script = f"{{ echo $BASHPID > {pid}; exec $TAP --config=ENV; }} | cat > {lines}"
        with shell(account, script) as bash:
            until(lambda: lines.exists() and b'"STATE"' in lines.read_bytes())
            os.kill(int(pid.read_text()), signal.SIGTERM)
            assert bash.wait(10) == 143
    assert json.loads(lines.read_bytes().splitlines()[-1])["type"] == "STATE"


def test_an_output_that_is_full_ends_the_run_with_a_line() -> None:
    """The run fails, and says what has happened."""
    with Sandbox(records_per_day=lambda _: 5) as account:
        with shell(account, "$TAP --config=ENV > /dev/full") as bash:
            _, errors = bash.communicate(timeout=30)
        assert bash.returncode == 1
    assert "Cannot write to standard output: No space left on device. Nothing was lost" in errors
    assert "Traceback" not in errors


def test_a_target_that_closes_the_pipe_ends_the_run_with_a_line() -> None:
    """The run fails, and its one line says where to look."""
    with Sandbox(records_per_day=lambda _: 500) as account:
        with shell(account, "$TAP --config=ENV | head -n 1 > /dev/null") as bash:
            _, errors = bash.communicate(timeout=30)
        assert bash.returncode == 1
    [line] = [line for line in errors.splitlines() if "INFO" not in line]
    assert "The target has closed the pipe: look at its own log" in line
