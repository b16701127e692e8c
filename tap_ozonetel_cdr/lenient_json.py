"""JSON as people send it: what the fast decoder refuses is read all the same, and exactly."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any


def decode(value: bytes) -> Any:  # noqa: ANN401  # it is any JSON value
    """Return a JSON value that may hold what is not strict JSON, with numbers as exact as sent.

    U+FFFD stands for what is not UTF-8. An integer is an ``int``, every other number a ``Decimal``
    with the digits that were sent, also NaN and the infinities. An integer too long for Python to
    convert is a ``Decimal``, a number whose exponent no ``Decimal`` can hold is its own text.

    Raises:
        json.JSONDecodeError: It is no JSON at all.
    """
    return _DECODER.decode(value.decode("utf-8", "replace"))


def number(text: str) -> Decimal | str:
    """Return a number with its digits, or its text when no ``Decimal`` can hold it."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:  # Python converts at most 4300 digits, for the time that it takes.
        return Decimal(text)


_DECODER = json.JSONDecoder(
    strict=False, parse_int=_integer, parse_float=number, parse_constant=Decimal
)
