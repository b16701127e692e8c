"""Work in a thread that holds up neither a signal nor the end of the process."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


def start(function: Callable[[], _Result], name: str) -> Future[_Result]:
    """Run ``function`` in a thread that does not keep the process from ending.

    A thread of an executor would: Python waits for those at exit, and a signal's exit with them.

    Raises:
        LocalError: This machine gives no more threads.
    """
    future: Future[_Result] = Future()

    def run() -> None:
        # A signal that ends the run has to wake the main thread, not this one.
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001  # handed to the one who waits
            future.set_exception(error)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        raise LocalError(
            "The tap needs two threads, and this machine gives it no more threads: check the "
            "limits on processes (ulimit -u), on the container (pids), and on memory. "
            f"{NOTHING_LOST}"
        ) from None
    return future
