"""One step ahead: the next result is made while the caller works with the present one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tap_ozonetel_cdr.api.background import start

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
    started = (start(partial(function, item), f"ahead-{item}") for item in items)
    pending = next(started, None)
    while pending:
        result = pending.result()
        pending = next(started, None)
        yield result
