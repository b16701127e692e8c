"""One step ahead: the next result is made while the caller works with the present one."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def one_ahead(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yield ``function``'s result for each item, in order.

    While the caller works with one result, the next is made in a thread, never more than one. What
    the function raises is raised when its item's turn comes, after the caller is done with those
    before.
    """
    started = (_start(function, item) for item in items)
    pending = next(started, None)
    while pending:
        result = pending.result()
        pending = next(started, None)
        yield result


def _start(function: Callable[[_Item], _Result], item: _Item) -> Future[_Result]:
    """Run ``function`` in a thread that does not keep the process from ending.

    A thread of an executor would: Python waits for those at exit, and a signal's exit with them.
    """
    future: Future[_Result] = Future()

    def run() -> None:
        # A signal that ends the run has to wake the main thread, not this one.
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            future.set_result(function(item))
        except BaseException as error:  # noqa: BLE001  # handed to the one who waits
            future.set_exception(error)

    threading.Thread(target=run, name=f"ahead-{item}", daemon=True).start()
    return future
