"""Standard output in whole lines, also when a signal comes in the middle of one."""

from __future__ import annotations

import os
import signal
import sys
import threading

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

_GRACE = 3.0
"""Seconds that a target has to take what is being written when a signal comes."""


class Stopped(SystemExit):
    """The run ends for a signal, with the exit code that shells give it: 128 + its number."""

    def __init__(self, signum: int) -> None:
        """Keep the signal's number."""
        super().__init__(128 + signum)
        self.signal_name = signal.Signals(signum).name


class Output:
    """Writes Singer lines; a signal ends the run between two of them."""

    def __init__(self) -> None:
        """Start with nothing written and no signal seen."""
        self._writing = False
        self._signum: int | None = None

    def write(self, lines: bytes) -> None:
        """Write whole lines and hand them to the target at once.

        Raises:
            LocalError: The target has closed the pipe, the disk is full that they go to, or there
                is no standard output at all.
            Stopped: A signal came meanwhile.
        """
        if sys.stdout is None:
            raise LocalError(
                "Standard output is closed, and records go there: start the tap with a target or a "
                f"file behind it. {NOTHING_LOST}"
            )
        self._writing = True
        try:
            _write(lines)
        except OSError as error:
            # Python flushes standard output once more at exit, and would complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            reason = (
                "The target has closed the pipe: look at its own log, or its exit code, for why"
                if isinstance(error, BrokenPipeError)
                else f"Cannot write to standard output: {error.strerror}"
            )
            raise LocalError(
                f"{reason}. "
                "Nothing was lost: the next run continues from the last state the target kept"
            ) from None
        finally:
            self._writing = False
        if self._signum is not None:
            raise Stopped(self._signum)

    def stop(self, signum: int) -> None:
        """End the run for a signal, once the lines being written are out.

        A target that takes none of them within three seconds has stopped reading: then the
        process ends at once, and the rest of its last line is never written.

        Raises:
            Stopped: Nothing is being written.
        """
        if not self._writing:
            raise Stopped(signum)
        self._signum = signum
        # A thread, not an alarm: Windows has none.
        patience = threading.Timer(_GRACE, os._exit, (128 + signum,))
        patience.daemon = True
        patience.start()


def _write(lines: bytes) -> None:
    """Write to whatever standard output is at the moment: tests put a text buffer there."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(lines.decode())
    else:
        rest = memoryview(lines)
        # With PYTHONUNBUFFERED it is a bare file, and a signal ends a write to it half-way.
        while rest:
            rest = rest[stream.write(rest) :]
    sys.stdout.flush()
