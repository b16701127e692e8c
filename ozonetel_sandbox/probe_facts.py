"""The probe's table, and the API's words in a form that holds nothing of anybody's."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Result = Literal["as expected", "differs", "learned", "not seen"]


@dataclasses.dataclass(frozen=True)
class Fact:
    """One row of the table."""

    name: str
    #: The marks of docs/api.md: doc, field, measured, open.
    source: str
    #: What tap and sandbox take for granted.
    granted: str
    #: What was seen: forms, shares and the API's own words, and nothing of a record.
    seen: str
    #: ``learned`` is of facts that were open: nothing relies on either outcome.
    result: Result


def judged(name: str, source: str, granted: str, seen: str, *, expected: bool) -> Fact:
    """Return a fact that was taken one way."""
    return Fact(name, source, granted, seen, "as expected" if expected else "differs")


def learned(name: str, source: str, granted: str, seen: str) -> Fact:
    """Return a fact that was open."""
    return Fact(name, source, granted, seen, "learned")


def unseen(name: str, source: str, granted: str, why: str) -> Fact:
    """Return a fact that could not be looked at."""
    return Fact(name, source, granted, why, "not seen")


def table(facts: Iterable[Fact]) -> str:
    """Return the facts as a table of Markdown, which an issue shows and a terminal can read."""
    heads = ("fact", "source", "what we take for granted", "what was seen", "result")
    rows = [heads, tuple("---" for _ in heads)]
    rows += [
        (fact.name, f"[{fact.source}]", fact.granted, fact.seen, fact.result) for fact in facts
    ]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |" for cells in rows
    )


def share(count: int, total: int) -> str:
    """Return how many of so many, as a share."""
    if count in {0, total}:
        return "all" if count else "none"
    percent = 100 * count / total
    if percent < 1:
        return "less than 1 %"
    return f"{min(int(percent), 99)} %"


def about(count: int) -> str:
    """Return a number of records by its first digit: what an account has is its own business."""
    digits = str(count)
    return digits if len(digits) == 1 else f"about {digits[0]}{'0' * (len(digits) - 1)}"


def words(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the API's words with ``…`` for all that could be a name, a number or a key.

    Only words that interfaces are wont to say are kept, and single numbers of one or two digits.
    """
    for secret in secrets:
        text = text.replace(secret, " … ")
    kept = [_word(piece) for piece in text[:_LONGEST_LOOKED_AT].split()]
    line = " ".join(piece for piece in kept if piece)
    # Digits in groups are a number in disguise.
    line = re.sub(r"\d+(?:[^A-Za-z\d]+\d+)+", "…", line)
    line = re.sub(r"…(?:[^A-Za-z\d]*…)+", "…", line).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


_LONGEST, _LONGEST_LOOKED_AT = 200, 1000


def _word(piece: str) -> str:
    """Return a piece between blanks, or ``…``."""
    match = re.fullmatch(r"([\"'(\[{<]*)(.*?)([\"')\]}>.,:;!?]*)", piece)
    before, core, after = match.groups() if match else ("", piece, "")
    if not core:
        return ""
    if re.fullmatch(r"[0-9]{1,2}", core) or all(map(_is_usual, re.split(r"[-/_:.']", core))):
        return f"{before}{core}{after}"
    return "…"


def _is_usual(text: str) -> bool:
    """Tell whether text is of usual words, also of several in camel case."""
    if not text.isascii() or not text.isalpha():
        return False
    pieces = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)
    return text.lower() in _USUAL or all(piece.lower() in _USUAL for piece in pieces)


_USUAL = frozenset(
    """
    a about above accepted access account active admin administrator aes after again agent
    agentdial agents all allowed already an and another answered any api apis are array as at
    audio auth authentication authorization authorized available bad basic be bearer because
    been before beginning being between beyond blank body busy but by call caller calls
    campaign campaigns cannot cdr check client code columns completed connection contact
    contain contains content correct could count credential credentials current customer daily
    data database date dates datetime day days dd deactivated default denied detail details
    dial dialed dials did digits disabled disconnect does domain done down duplicate during
    each either email empty enable enabled end ended ends entity entries entry error errors
    exceed exceeded exceeds exception exist existing exists expire expired expires fail failed
    failure false fetch field fields file filter filters for forbidden form format found from
    future gateway generate generated get given greater has have header headers hh history
    hour hours html http id identifier if in inactive inbound incorrect input insufficient
    integer interface internal invalid ip is it its json key keys kindly know last later
    latest least length less limit limited limits list locked login long longer lookup
    maintenance malformed manual many match max maximum may message messages method min
    minimum minute minutes mismatch missing mm moment monitor month months more most must my
    name names need network new no non none not note null number numbers object of off ok old
    older on once one only open operation or order org other out outbound over page parameter
    parameters parse pass passed password past path payload per period permission permissions
    permitted please post predictive previous process processing progressive provide provided
    query queue quota range rate raw re reached read reading receive received record recording
    records refused reject rejected remaining report reports request requested requests
    require required resource response result results retention retry returned same sample
    search second seconds secret see server service session set settings should size skill
    some something span ss start started starts state status still stop string subscription
    success successful successfully such support syntax system takes temporarily than that the
    their them then there they this throttled time timed timeout timestamp timezone to today
    token tokens tomorrow too total transfer transfers true try twice type ucid unable
    unanswered unauthorised unauthorized unavailable unexpected unknown unsupported until up
    upper url usage use used user username users uui valid validate validation value values
    via wait was week were what when which while will window with within without words wrong
    xml year yes yesterday yet you your yyyy zone
    """.split()  # noqa: SIM905 - a page of words
)
