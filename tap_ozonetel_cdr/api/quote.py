"""The one way for text of the API into a log line."""

from __future__ import annotations

import base64
import html
import json
import re
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import quote as percent_encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"
LONGEST = 200
"""Characters that a log line quotes at the most."""

# No more of a text is looked at.
_LOOKED_AT = 4000
# A shorter part of a secret may be anything.
_TELLING = 8

_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.DOTALL
)
# Letters and marks that Unicode has without ink; the rest of them Python does not call printable.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# What stands between the digits of a phone number.
_SIGN = r"(?:[ \-.()\[\]/_+*~\u00b7\u2010-\u2015\u2212]|%2[0-9A-Fa-f])"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_SPARED = "|".join(
    rf"(?<!\d[\-./]){form}(?![\d:]|[\-./]\d)"
    for form in (
        *(rf"{_YEAR}{sign}{_MONTH}{sign}{_DAY}" for sign in "-/."),
        *(rf"{_DAY}{sign}{_MONTH}{sign}{_YEAR}" for sign in "-/."),
        r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?",
        rf"{_OCTET}(?:\.{_OCTET}){{3}}",
    )
)
_DIGITS = re.compile(rf"(?<!\d)(?:(?P<spared>{_SPARED})|\d+(?:{_SIGN}{{1,4}}(?!{_SPARED})\d+)*)")
_LONG_RUN = re.compile(r"\d{6,}")
# As many digits as the shortest number with signs in it that is called from elsewhere.
_MOST_APART = 6
_WEB_TOKEN = re.compile(r"eyJ[\w\-=]{6,}(?:\.[\w\-=]+)*", re.ASCII)
_ID = re.compile(r"\d{15,17}", re.ASCII)


def quote(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text of the API fit for a log: one line, masked, at most 200 characters.

    It has printable characters only: no line ends, terminal sequences, direction marks or what has
    no width. Masked are the secrets, also percent-, base64-, HTML- or JSON-encoded, in another
    case, or parts of eight characters; what looks like a token; runs of six digits; and phone
    numbers as people write them. Dates, times and IPv4 addresses are spared.
    """
    line = one_line(text[:_LOOKED_AT])
    line = _without_secrets(line, secrets)
    line = _WEB_TOKEN.sub(MASK, line)
    line = _DIGITS.sub(_masked_number, line)
    whole = len(line) <= LONGEST and len(text) <= _LOOKED_AT
    return line if whole else f"{line[: LONGEST - 1]}…"


def quote_id(text: str, secrets: Iterable[str] = ()) -> str:
    """Return an id of a record fit for a log: as ``quote``, but an id of 15 to 17 digits whole.

    Ids are that long [measured]; no phone number is.
    """
    return text if _ID.fullmatch(text) else quote(text, secrets)


def one_line(text: str) -> str:
    """Return text with single blanks and printable characters only."""
    text = _INVISIBLE.sub("", _TERMINAL_SEQUENCE.sub("", text))
    # Characters of category Cf vanish: they stand within words. All others part words.
    return " ".join("".join(map(_printable, text)).split())


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() or char < " " or "\x7f" <= char <= "\x9f" else ""


def _masked_number(found: re.Match[str]) -> str:
    number = found.group()
    if found["spared"]:
        return number
    without_codes = re.sub(r"%2[0-9A-Fa-f]", " ", number)
    digits = sum(char.isdigit() for char in without_codes)
    return MASK if digits > _MOST_APART or _LONG_RUN.search(without_codes) else number


def _without_secrets(line: str, secrets: Iterable[str]) -> str:
    """Mask all characters that belong to a secret in any of its forms, or to a part of one."""
    lowered = line.lower()
    if len(lowered) != len(line):  # a few letters have two in lower case
        lowered = line
    # At each character: how many masked stretches begin, less those that end.
    steps = [0] * (len(line) + 1)
    parts: dict[int, set[str]] = {}
    for form in {form.lower() for secret in secrets for form in _forms(secret)}:
        length = min(len(form), _TELLING)
        parts.setdefault(length, set()).update(
            form[start : start + length] for start in range(len(form) - length + 1)
        )
    for length, known in parts.items():
        for start in range(len(line) - length + 1):
            if lowered[start : start + length] in known:
                steps[start] += 1
                steps[start + length] -= 1
    depths = accumulate(steps[:-1])
    masked = "".join("\0" if depth else char for char, depth in zip(line, depths, strict=True))
    return re.sub("\0+", MASK, masked)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret in all forms in which a server may say it."""
    secret = one_line(secret)
    if not secret:
        return
    yield secret
    if len(secret) < _TELLING:
        return  # encoded it would be like any other few letters
    yield percent_encoded(secret, safe="")
    yield html.escape(secret)
    yield json.dumps(secret)[1:-1]
    content = secret.encode("utf-8", "replace")
    yield content.hex()
    for before in range(3):  # in base64 it looks different for what stands in front of it
        whole = base64.b64encode(b"\0" * before + content).decode()
        # The first and the last characters hold bits of what stands around.
        inner = whole[(before * 8 + 5) // 6 : len(whole.rstrip("=")) - 1]
        if len(inner) >= _TELLING:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
