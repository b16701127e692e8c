"""The first pass over a body: is it one whole response, and where do its records lie.

It builds no record. Only when it has seen the whole of a response are records read from it, so that
nothing can go wrong once the first of them is written. It holds little more than one chunk.
"""

from __future__ import annotations

import codecs
import json
import re
from array import array
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from tap_ozonetel_cdr import lenient_json
from tap_ozonetel_cdr.api import spool

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 64 * 1024
"""Bytes of records that are read at once; larger chunks are slower and take more memory."""

# Values nested more deeply are not read: all that handles them later (the SDK, an encoder, a
# target's decoder) recurses, some of it twice for each level, and Python gives up near 1000.
_DEEPEST = 200
# A value is held whole, decoded it takes up to thirty times its size, and no record is as large.
_LARGEST_VALUE = 2**23
# How many closing braces are tried as the end of a chunk before its records are read one by one.
_TRIES = 8

_NOT_SPACE = re.compile(r"[^ \t\n\r]")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_BEGINNING = re.compile(r'\{[ \t\n\r]*"[^"]*"')
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEPTH_STEPS = bytes.maketrans(b"[]{}", b"\x02\x00\x02\x00")
# No word, escape or part of a number is longer: where a decoder gives up further from the end of
# the text, no more text can help.
_LONGEST_WORD = len("-Infinity")
# A refusal is a few words; any longer text within a JSON string is none.
_LONGEST_TEXT = 200
# A longer status or message is given as it stands there, because nobody reads so much of it.
_LONGEST_WORDS = 2**16
# \\uXXXX
_LONGEST_ESCAPE = 6


class Reading(Enum):
    """How a body reads."""

    NOT_WHOLE = "not one whole JSON value"
    """Nothing, JSON that ends early or goes on behind its end, too deep JSON, HTML, or any text."""
    TOO_LARGE = "a single value too large to be held"
    """JSON with a record, or any other value that is no list or text of its own, beyond 8 MB."""
    NOT_A_RESPONSE = "not a response"
    """Whole JSON without the shape of a response, such as ``[]``, ``{}`` or ``details`` as text."""
    RESPONSE = "response"
    """An object whose ``details`` are a list of objects; or null or absent, with a status."""


class Details(Enum):
    """What stands under ``details``."""

    ABSENT = "absent"
    NULL = "null"
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the first pass found out about a body; it judges nothing.

    ``status`` and ``message`` are given whenever the body is a whole object, also when it is not
    a response; the few words of a JSON string that holds no JSON are a message, too. Text is given
    as it is, null as None, any other value as its JSON text. Of keys that are sent twice the last
    one counts, as in other JSON decoders, but ``details`` sent twice are not a response: nobody can
    know which of them are meant.
    """

    reading: Reading
    status: str | None = None
    message: str | None = None
    details: Details = Details.ABSENT
    count: int = 0
    """How many records ``details`` holds."""
    token: str | None = field(default=None, repr=False)
    """The text under ``token``, without blanks around it; None for any other value or no text."""
    file: BinaryIO = field(default_factory=BytesIO, repr=False, compare=False)
    """Where the records lie: the file that was read, or the text that it held as a JSON string."""
    places: array[int] = field(default_factory=lambda: array("q"), repr=False)
    """Where each chunk starts and ends in ``file``: start, end, start, end."""

    def chunks(self) -> Iterator[bytes]:
        """Give the records in their order, a chunk at a time, each a JSON array of objects.

        No chunk is empty, and none is larger than was asked for by more than its last record.
        """
        places = iter(self.places)
        for start, end in zip(places, places, strict=True):
            self.file.seek(start)
            yield b"[%b]" % self.file.read(end - start)


def read_envelope(file: BinaryIO, *, chunk: int = CHUNK) -> Envelope:
    """Read the whole of ``file`` once, whatever it holds, without building its records.

    Whatever Python's own decoder reads as a response is one here: a byte-order mark, bytes that are
    not UTF-8, lone surrogates, control characters, NaN and numbers of any size do no harm. A
    response within a JSON string is taken out of it [doc], into a file of its own, which the caller
    closes. The time taken is proportional to the size, the memory to ``chunk`` and to the largest
    record or other value, up to 8 MB.

    Raises:
        OSError: The file cannot be read. No content raises anything.
        LocalError: There is no room for what a JSON string holds.
    """
    file.seek(0)
    file.seek(len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0)
    text = _Text(file, chunk)
    try:
        envelope = _read_body(text)
    except _TooLargeError:
        return Envelope(Reading.TOO_LARGE)
    except _NotWholeError:
        return Envelope(Reading.NOT_WHOLE)
    if not text.peek():
        return envelope
    if envelope.file is not file:
        envelope.file.close()
    return Envelope(Reading.NOT_WHOLE)


class _AnyObject(msgspec.Struct, gc=False):
    """Any object; its fields are checked to be JSON and skipped."""


# Its only leniencies are bytes that are not UTF-8 and the size of numbers, which records() reads.
_OBJECTS = msgspec.json.Decoder(list[_AnyObject])
_EACH = msgspec.json.Decoder(list[msgspec.Raw])
# Finds where a value ends, so that its numbers need no converting.
_SCANNER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


@dataclass(slots=True)
class _List:
    """A list that was passed: where its chunks lie, and what they hold."""

    places: array[int] = field(default_factory=lambda: array("q"))
    count: int = 0
    only_objects: bool = True


class _NotWholeError(Exception):
    """The text is not JSON, whatever follows, or ends early."""


class _TooLargeError(Exception):
    """A value is larger than anything that is held."""


class _Text:
    """A file of JSON, passed from where it stands to its end.

    Bytes are held as Latin-1, one character a byte, so that positions are the file's own and bytes
    that are not UTF-8 do no harm: all that gives JSON its structure is ASCII.
    """

    def __init__(self, file: BinaryIO, chunk: int) -> None:
        self.file = file
        self.chunk = chunk
        self._held = ""
        self._held_from = file.tell()
        self._next = 0

    @property
    def position(self) -> int:
        """Where in the file the text goes on."""
        return self._held_from + self._next

    def peek(self) -> str:
        """Pass white space, and give the character after it: no character at the end."""
        while True:
            found = _NOT_SPACE.search(self._held, self._next)
            if found is not None:
                self._next = found.start()
                return found.group()
            self._next = len(self._held)
            if not self._read_on():
                return ""

    def take(self, expected: str) -> str:
        """Pass the next character, which has to be one of those expected."""
        char = self.peek()
        if not char or char not in expected:
            raise _NotWholeError
        self._next += 1
        return char

    def value(self) -> bytes:
        """Pass the value that comes next, however long it is, and give it."""
        self.peek()
        end, goes_on = _end_of_value(self._held, self._next)
        while goes_on:
            if len(self._held) - self._next > _LARGEST_VALUE:
                raise _TooLargeError
            if not self._read_on():
                break
            end, goes_on = _end_of_value(self._held, self._next)
        if end is None:
            raise _NotWholeError
        value = self._held[self._next : end].encode("latin-1")
        self._next = end
        return value

    def string(self) -> Iterator[str]:
        """Pass a JSON string of any length, giving its text in pieces."""
        self.take('"')
        as_utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        half, ended = "", False
        while not ended:
            end = _end_of_escapes(self._held, self._next)
            piece, ended = _up_to_quote(self._held[self._next : end])
            self._next += len(piece) + ended
            text = as_utf8.decode(piece.encode("latin-1"), final=ended)
            text, half = _joined(half, _SCANNER.decode(f'"{text}"'), final=ended)
            if text:
                yield text
            if not (ended or self._read_on()):
                raise _NotWholeError

    def members(self) -> Iterator[str]:
        """Pass an object, giving each of its keys; the caller passes the value in between."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise _NotWholeError
            key: str = lenient_json.decode(self.value())
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def elements(self) -> tuple[int, bool]:
        """Pass a chunk of a list's elements: how many they are, and whether all are objects."""
        if len(self._held) - self._next < self.chunk:
            self._read_on()
        objects = self._objects()
        return (objects, True) if objects else self._one_by_one()

    def _objects(self) -> int:
        """Pass as many objects as the chunk holds, when they are found at once, and count them.

        The chunk is cut in front of the last record in it that begins as its first one does. What
        then reads as a list of objects is one by construction. If it does not read, the cut was in
        a nested value or in a string, or one of the records is no strict JSON.
        """
        beginning = _BEGINNING.match(self._held, self._next)
        if beginning is None:
            return 0
        cut = self._next + self.chunk
        for _ in range(_TRIES):
            cut = self._held.rfind(beginning.group(), self._next + 1, cut)
            end = self._held.rfind("}", self._next, cut) + 1 if cut >= 0 else 0
            if not end:
                break
            piece = self._held[self._next : end].encode("latin-1")
            try:
                count = len(_OBJECTS.decode(b"[%b]" % piece))
            except (msgspec.DecodeError, RecursionError):
                continue
            _refuse_too_deep(piece, count)
            self._next = end
            return count
        return 0

    def _one_by_one(self) -> tuple[int, bool]:
        """Pass elements of any kind, exactly and at the standard library's pace."""
        start = self.position
        only_objects = self.value().startswith(b"{")
        count = 1
        while self.position - start < self.chunk:
            comma = _COMMA.match(self._held, self._next)
            if comma is None:
                break
            end, goes_on = _end_of_value(self._held, comma.end())
            if end is None or goes_on:
                break
            only_objects = only_objects and self._held[comma.end()] == "{"
            count += 1
            self._next = end
        return count, only_objects

    def _read_on(self) -> bool:
        """Hold more of the file, twice as much if need be; false at its end."""
        more = self.file.read(max(self.chunk, len(self._held) - self._next))
        if more:
            self._held_from += self._next
            self._held = self._held[self._next :] + more.decode("latin-1")
            self._next = 0
        return bool(more)


def _end_of_value(text: str, start: int) -> tuple[int | None, bool]:
    """Find where a value ends, if it does, and whether more text could change that.

    Raises:
        _NotWholeError: No more text can make this a value.
    """
    try:
        _, end = _SCANNER.raw_decode(text, start)
    except RecursionError:
        raise _NotWholeError from None
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or _near_end(text, error.pos):
            return None, True
        raise _NotWholeError from None
    _refuse_too_deep(text[start:end].encode("latin-1"), 1)
    return end, text[start] not in '{["' and _near_end(text, end)


def _end_of_escapes(text: str, start: int) -> int:
    """Return where a part of a JSON string from ``start`` on ends that cuts no escape in two."""
    last = text.rfind("\\", max(start, len(text) - _LONGEST_ESCAPE + 1))
    if last < 0:
        return len(text)
    before = text[start : last + 1]
    if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
        return len(text)  # it is escaped itself
    length = _LONGEST_ESCAPE if text[last + 1 : last + 2] == "u" else 2
    return last if last + length > len(text) else len(text)


def _up_to_quote(text: str) -> tuple[str, bool]:
    """Return a part of a JSON string up to its closing quote, and whether that is in it.

    Raises:
        _NotWholeError: There is an escape that is none.
    """
    try:
        _, end = _SCANNER.raw_decode(f'"{text}"')
    except json.JSONDecodeError:
        raise _NotWholeError from None
    return text[: end - 2], end - 2 < len(text)


def _joined(half: str, text: str, *, final: bool) -> tuple[str, str]:
    """Join the halves of a pair of surrogates that stand in two parts of a string.

    Returns:
        The text, and the half at its end that the next part may bring the other of.
    """
    if half and "\udc00" <= text[:1] <= "\udfff":
        pair = (half + text[0]).encode("utf-16", "surrogatepass").decode("utf-16")
        half, text = "", pair + text[1:]
    text = half + text
    if not final and "\ud800" <= text[-1:] <= "\udbff":
        return text[:-1], text[-1]
    return text, ""


def _near_end(text: str, position: int) -> bool:
    """Tell whether what stands there may be cut by the text's end."""
    return len(text) - position <= _LONGEST_WORD


def _refuse_too_deep(values: bytes, count: int) -> None:
    """Raise when one of these ``count`` values, parted by commas, is nested too deeply."""
    opened = values.count(b"{") + (values.count(b"[") if b"[" in values else 0)
    if opened - count < _DEEPEST:
        return
    if count > 1:
        for value in _EACH.decode(b"[%b]" % values):
            _refuse_too_deep(bytes(value), 1)
        return
    outside_strings = b"".join(_ESCAPE.sub(b"", values).split(b'"')[::2])
    steps = outside_strings.translate(_DEPTH_STEPS, _NOT_BRACKETS)
    if max(accumulate(step - 1 for step in steps), default=0) > _DEEPEST:
        raise _NotWholeError


def _read_body(text: _Text) -> Envelope:
    first = text.peek()
    if first == "{":
        return _read_object(text)
    if first == '"':
        return _read_text(text)
    if first == "[":
        _pass_list(text)
    else:
        text.value()
    return Envelope(Reading.NOT_A_RESPONSE)


def _read_text(text: _Text) -> Envelope:
    """Read the JSON that a JSON string holds, or take its few words for a message."""
    beginning = ""
    inner: BinaryIO = BytesIO()
    envelope = Envelope(Reading.NOT_WHOLE)
    try:
        for piece in text.string():
            beginning += piece[: _LONGEST_TEXT + 1 - len(beginning)]
            inner = spool.write(inner, piece.encode("utf-8", "surrogatepass"))
        envelope = read_envelope(inner, chunk=text.chunk)
    finally:
        if envelope.file is not inner:
            spool.close(inner)
    if envelope.reading is not Reading.NOT_WHOLE:
        return envelope
    is_words = len(beginning) <= _LONGEST_TEXT and beginning.lstrip()[:1] not in {"", "{", "["}
    return Envelope(Reading.NOT_A_RESPONSE, message=beginning if is_words else None)


def _read_object(text: _Text) -> Envelope:
    said: dict[str, str | None] = {"status": None, "message": None}
    token: str | None = None
    details = Details.ABSENT
    found = _List()
    for key in text.members():
        if key in said:
            said[key] = _as_text(text.value())
            continue
        if key == "token":
            token = _as_token(text.value())
            continue
        kind, value = _pass_value(text)
        if key == "details":
            details = kind if details is Details.ABSENT else Details.OTHER
            found = value
    if details is not Details.LIST:
        found = _List()
    says_something = said["status"] is not None or said["message"] is not None
    is_response = details is Details.LIST or (details is not Details.OTHER and says_something)
    return Envelope(
        Reading.RESPONSE if is_response else Reading.NOT_A_RESPONSE,
        **said,
        token=token,
        details=details,
        count=found.count,
        file=text.file,
        places=found.places,
    )


def _pass_value(text: _Text) -> tuple[Details, _List]:
    """Pass any value, a list of any length among them, and tell what it would be as details."""
    if text.peek() == "[":
        found = _pass_list(text)
        return Details.LIST if found.only_objects else Details.OTHER, found
    return Details.NULL if text.value() == b"null" else Details.OTHER, _List()


def _pass_list(text: _Text) -> _List:
    found = _List()
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return found
    while True:
        text.peek()
        start = text.position
        count, only_objects = text.elements()
        found.places.extend((start, text.position))
        found.count += count
        found.only_objects = found.only_objects and only_objects
        if text.take(",]") == "]":
            return found


def _as_text(value: bytes) -> str | None:
    if len(value) > _LONGEST_WORDS:
        return value[:_LONGEST_WORDS].decode("utf-8", "replace")
    decoded = lenient_json.decode(value)
    if decoded is None or isinstance(decoded, str):
        return decoded
    return value.decode("utf-8", "replace")


def _as_token(value: bytes) -> str | None:
    decoded = lenient_json.decode(value)
    return (decoded.strip() or None) if isinstance(decoded, str) else None
