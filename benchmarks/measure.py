"""One run of a command, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).parent
THIS: Final = "this tap"
PLAIN: Final = "plain SDK tap"
FLOOR: Final = "floor"

TAPS: Final = {
    THIS: [str(Path(sys.executable).with_name("tap-ozonetel-cdr"))],
    # What an installed command does, so that its module is compiled once as well.
    PLAIN: [sys.executable, "-c", "from plain_tap import PlainTap; PlainTap.cli()"],
}


class FailedError(Exception):
    """A run did not do what it was to do, so that its figures mean nothing."""


@dataclass(frozen=True)
class Cost:
    """What a process took."""

    started: float
    """Seconds of the machine's monotonic clock."""
    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of processor time, of user and system."""
    peak: float
    """The most memory that was resident, in MB of a million bytes."""


def run(
    command: list[str],
    folder: Path,
    output: int | IO[bytes] = subprocess.DEVNULL,
    read: Callable[[IO[bytes]], None] | None = None,
) -> Cost:
    """Run a command to its end, its standard output to ``output``, or to ``read`` by a pipe.

    Raises:
        FailedError: It failed, or its peak memory cannot be known.
    """
    log = folder / "stderr.log"
    with log.open("wb") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if read else output,
            stderr=errors,
        )
        if read and process.stdout:
            with process.stdout as pipe:
                read(pipe)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedError(f"{command}: exit code {process.returncode}\n{log.read_text()[-2000:]}")
    if usage.ru_maxrss <= _inherited_peak():
        raise FailedError(f"{command}: its memory is hidden by the benchmark's own")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(started, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def sync_command(tap: str, folder: Path, **settings: object) -> list[str]:
    """Return the command by which a tap syncs with ``settings``."""
    config = folder / "config.json"
    config.write_text(json.dumps({"api_key": "a-key", **settings}))
    return [*TAPS[tap], "--config", str(config)]


def compile_all(folder: Path) -> None:
    """Start each tap once, so that Python has compiled what they import, as installers do."""
    for command in TAPS.values():
        run([*command, "--version"], folder)


def _environment() -> dict[str, str]:
    """Return an environment in which Python does what it does by default.

    It caches what it compiles, and buffers what it writes; and no proxy lies between this machine
    and itself.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def _inherited_peak() -> int:
    """Return the peak memory that a process starts with: on Linux, that of its parent."""
    process = subprocess.Popen(["true"])  # noqa: S607  wherever it lies
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss
