"""The second pass: a chunk of a response becomes its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tap_ozonetel_cdr import lenient_json

if TYPE_CHECKING:
    from typing import TypeAlias

Record: TypeAlias = "dict[str, Any]"
"""One record as the API sent it; its numbers are whole ``int`` or exact ``Decimal``."""

_Kind = TypeVar("_Kind")


def records(chunk: bytes) -> tuple[list[Record], bool]:
    """Decode a chunk: its records, and whether it was not strict JSON.

    What is not strict (a lone surrogate, a control character, NaN, bytes that are not UTF-8, a
    number out of range) is read by the standard library's decoder, with U+FFFD for what is not
    UTF-8. Numbers stay exact: an integer is an ``int``, every other number a ``Decimal`` with the
    digits that were sent, also NaN and the infinities. An integer too long for Python to convert
    is a ``Decimal``, a number whose exponent no ``Decimal`` can hold is its own text.
    """
    try:
        return _RECORDS.decode(chunk), False
    except (msgspec.DecodeError, UnicodeDecodeError):
        return lenient_json.decode(chunk), True


def decoder(kind: type[_Kind]) -> msgspec.json.Decoder[list[_Kind]]:
    """Return a decoder of chunks whose records are of this kind, with the numbers as exact.

    It takes strict JSON alone, and raises ``msgspec.DecodeError`` or ``UnicodeDecodeError``
    otherwise.
    """
    return msgspec.json.Decoder(list[kind], float_hook=lenient_json.number)  # type: ignore[valid-type]


_RECORDS = decoder(dict[str, Any])
