"""The tap's command, as users start it: run to its end, or started and left to itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAMS = Path(sys.executable).parent
TAP = str(PROGRAMS / "tap-ozonetel-cdr")


def environment(**more: str) -> dict[str, str]:
    """Return the environment without settings of this machine's taps, targets and servers."""
    foreign = ("TAP_", "TARGET_", "PG")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign)} | more


def quiet(settings: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the tap has these settings, and says only what is its own.

    The SDK announces on every start that it will drop Python 3.10, and joblib, which it imports for
    targets, that it cannot write to /dev/shm where that is so.
    """
    others = "ignore::FutureWarning,ignore::UserWarning:joblib._multiprocessing_helpers"
    return environment(PYTHONWARNINGS=others, **settings)


def tap(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the tap's command to its end; ``settings`` are variables of its environment."""
    return ended([TAP, *arguments], settings)


def ended(command: Sequence[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that is the tap by another name to its end."""
    return subprocess.run(
        command,
        env=quiet(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Process:
    """A run of the tap that goes on by itself, with a target that takes its lines."""

    def __init__(self, settings: Mapping[str, str], *arguments: str, reads: bool = True) -> None:
        """Start it; a target that does not read leaves its lines in the pipe."""
        self.took = 0.0
        """Seconds from the signal to the end."""
        self.errors = b""
        self.output = b""
        self.reached = threading.Event()
        """There was a line, or there will be none."""
        self.popen = subprocess.Popen(
            [TAP, "--config=ENV", *arguments],
            env=quiet(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        readers = [self._read_errors, *([self._read_output] if reads else [])]
        self._readers = [threading.Thread(target=reader) for reader in readers]
        for reader in self._readers:
            reader.start()

    def _read_errors(self) -> None:
        assert self.popen.stderr
        self.errors = self.popen.stderr.read()

    def _read_output(self) -> None:
        assert self.popen.stdout
        while piece := os.read(self.popen.stdout.fileno(), 65536):
            self.output += piece
            self.reached.set()
        self.reached.set()

    def kill(self, signum: int) -> float:
        """Send a signal; return the seconds until the process was gone."""
        self.popen.send_signal(signum)
        sent = time.monotonic()
        self.popen.wait(30)
        self.took = time.monotonic() - sent
        return self.took

    def end(self) -> int:
        """Return the exit code, when all output is read."""
        code = self.popen.wait(60)
        for reader in self._readers:
            reader.join()
        assert self.popen.stdout
        assert self.popen.stderr
        self.popen.stdout.close()
        self.popen.stderr.close()
        return code
