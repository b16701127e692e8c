"""Named faults: each turns the ordinary answer to one request into a broken one."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from ozonetel_sandbox.answers import (
    DOCUMENTED,
    INVALID_CREDENTIALS,
    RATE_LIMITED,
    TOKEN_EXPIRED,
    Answer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Makes the faulty answer from the ordinary one and the fault's argument.
    Change = Callable[[Answer, str], Answer]

#: The prefix of faults that hit a request for a token; all others hit requests for calls.
TOKEN_PREFIX = "token_"  # noqa: S105 - a name, no secret


@dataclasses.dataclass(frozen=True)
class Fault:
    """One row of the table of faults."""

    name: str
    #: What the client sees, for ``--help`` and the documentation.
    meaning: str
    change: Change
    #: What may follow the name after a colon, and what stands there if nothing does.
    argument: str = ""
    default: str = ""
    #: What happens to the account beside the answer.
    effect: Literal["", "token_ends", "limit_is_used_up", "calls_change"] = ""


@dataclasses.dataclass(frozen=True)
class PlannedFault:
    """A fault with its argument, as asked for by a text such as ``cut_body:0.5``."""

    fault: Fault
    argument: str

    @property
    def text(self) -> str:
        """The fault as it was asked for."""
        return f"{self.fault.name}:{self.argument}" if self.argument else self.fault.name

    def change(self, answer: Answer) -> Answer:
        """Return the faulty form of ``answer``."""
        return self.fault.change(answer, self.argument)


def parse(text: str) -> PlannedFault:
    """Return the fault that ``text`` (``NAME`` or ``NAME:ARGUMENT``) names.

    Raises:
        ValueError: There is no such fault, or its argument cannot be read.
    """
    name, _, argument = text.partition(":")
    fault = FAULTS.get(name)
    if fault is None:
        raise ValueError(f"There is no fault {name!r}; there are: ok, {', '.join(FAULTS)}.")
    if argument and not fault.argument:
        raise ValueError(f"The fault {name!r} takes no argument.")
    planned = PlannedFault(fault, argument or fault.default)
    try:
        planned.change(Answer(body=b'{"details": [], "message": "", "status": ""}'))
    except ValueError:
        raise ValueError(f"The fault {name!r} takes: {fault.argument}; not {argument!r}.") from None
    return planned


def _ordinary(answer: Answer, _: str) -> Answer:
    return answer


def _json(answer: Answer, content: object, status: int = HTTPStatus.OK) -> Answer:
    return dataclasses.replace(answer, body=json.dumps(content).encode(), status=status)


def _text(answer: Answer, status: HTTPStatus) -> Answer:
    return dataclasses.replace(
        answer, body=status.phrase.encode(), status=status, content_type="text/plain"
    )


def _always(content: object) -> Change:
    """Answer with this JSON, whatever was asked."""
    return lambda answer, _: _json(answer, content)


def _http(status: HTTPStatus) -> Change:
    """Answer with an HTTP error; the argument is its Retry-After header."""

    def change(answer: Answer, retry_after: str) -> Answer:
        return _retry_after(_text(answer, status), retry_after)

    return change


def _retry_after(answer: Answer, value: str) -> Answer:
    headers = (("Retry-After", value),) if value else ()
    return dataclasses.replace(answer, headers=headers)


def _rate_limited_429(answer: Answer, retry_after: str) -> Answer:
    status = HTTPStatus.TOO_MANY_REQUESTS
    return _retry_after(_json(answer, RATE_LIMITED.body, status), retry_after)


def _expired_token(answer: Answer, status: str) -> Answer:
    return _json(answer, TOKEN_EXPIRED.body, int(status))


def _expired_token_text(answer: Answer, status: str) -> Answer:
    return _json(answer, json.dumps(TOKEN_EXPIRED.body), int(status))


def _refusal(answer: Answer, argument: str) -> Answer:
    """Refuse with ``MESSAGE`` or ``STATUS:MESSAGE``; a documented message has its own envelope."""
    code, separator, message = argument.partition(":")
    if not (separator and code.isdecimal()):
        code, message = str(int(HTTPStatus.OK)), argument
    known = {refusal.message: refusal.body for refusal in DOCUMENTED}
    return _json(answer, known.get(message, {"message": message, "status": "error"}), int(code))


def _html(answer: Answer, _: str) -> Answer:
    page = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body></body></html>\n"
    return dataclasses.replace(answer, body=page, content_type="text/html; charset=utf-8")


def _empty_body(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, body=b"")


def _offset(body: bytes, where: str) -> int:
    """Return the place in ``body`` that ``where`` names: bytes, a fraction, or ``last``."""
    if where == "last":
        return max(body.rfind(b'}, {"') + 1, 1)
    if "." in where:
        return int(len(body) * float(where))
    offset = int(where)
    return min(offset, len(body)) if offset >= 0 else max(len(body) + offset, 0)


def _cut_body(answer: Answer, where: str) -> Answer:
    return dataclasses.replace(answer, stop_at=_offset(answer.body, where))


def _cut_chunked(answer: Answer, where: str) -> Answer:
    return dataclasses.replace(_cut_body(answer, where), framing="chunked")


def _cut_until_close(answer: Answer, where: str) -> Answer:
    return dataclasses.replace(_cut_body(answer, where), framing="close")


def _truncated_json(answer: Answer, where: str) -> Answer:
    return dataclasses.replace(answer, body=answer.body[: _offset(answer.body, where)])


def _chunked(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, framing="chunked")


def _until_close(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, framing="close")


def _gzip(answer: Answer, _: str) -> Answer:
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return dataclasses.replace(answer, body=gzip.compress(answer.body), headers=headers)


def _reset(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, reset=True)


def _slow(answer: Answer, seconds: str) -> Answer:
    return dataclasses.replace(answer, delay=float(seconds))


def _slow_body(answer: Answer, seconds: str) -> Answer:
    return dataclasses.replace(answer, stop_at=len(answer.body) // 2, pause=float(seconds))


def _stall(answer: Answer, where: str) -> Answer:
    return dataclasses.replace(answer, stop_at=_offset(answer.body, where), pause=math.inf)


def _hang(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, delay=math.inf)


def _redirect(answer: Answer, base: str) -> Answer:
    headers = (("Location", f"{base}/elsewhere"),)
    return dataclasses.replace(_text(answer, HTTPStatus.FOUND), headers=headers)


def _envelope(change: Callable[[dict[str, Any]], object]) -> Change:
    """Answer with what ``change`` makes of the ordinary envelope."""
    return lambda answer, _: _json(answer, change(json.loads(answer.body)))


def _without_details(envelope: dict[str, Any]) -> object:
    return {key: value for key, value in envelope.items() if key != "details"}


def _status_first(envelope: dict[str, Any]) -> object:
    return dict(reversed(envelope.items()))


def _records(change: Callable[[list[dict[str, Any]], str], object]) -> Change:
    """Answer with the records as ``change`` leaves them; an answer without any stays ordinary."""

    def changed(answer: Answer, argument: str) -> Answer:
        envelope = json.loads(answer.body)
        if not envelope.get("details"):
            return answer
        change(envelope["details"], argument)
        return _json(answer, envelope)

    return changed


def _new_field(records: list[dict[str, Any]], name: str) -> None:
    for number, record in enumerate(records):
        record[name] = f"new {number}"


def _twins(records: list[dict[str, Any]], _: str) -> None:
    records.append({**records[0], "Disposition": "The other twin", "TalkTime": "00:00:01"})


def _repeated(records: list[dict[str, Any]], _: str) -> None:
    records.append(records[0])


def _without_id(records: list[dict[str, Any]], _: str) -> None:
    del records[0]["UCID"]


def _other_types(records: list[dict[str, Any]], _: str) -> None:
    for record in records:
        record.update(CallerID=5550100, DID=None, Rating="4", Skill=["General"], TalkTime=56)


def _raw(field: str, raw: bytes | None = None) -> Change:
    """Answer with these bytes (or the argument's) inside the first record's ``field``."""
    marker = "@here@"

    def change(answer: Answer, argument: str) -> Answer:
        def mark(records: list[dict[str, Any]], _: str) -> None:
            records[0][field] = marker

        marked = _records(mark)(answer, "")
        old = json.dumps(marker) if raw is None else marker
        new = argument.encode() if raw is None else raw
        return dataclasses.replace(marked, body=marked.body.replace(old.encode(), new))

    return change


def _byte_order_mark(answer: Answer, _: str) -> Answer:
    return dataclasses.replace(answer, body=b"\xef\xbb\xbf" + answer.body)


_WHERE = "bytes (from the end if negative), a fraction, or last: before the last record"
_SECONDS = "seconds"
_STATUS = "the HTTP status"
_RETRY_AFTER = "a Retry-After header"

_TABLE = (
    # Refusals
    Fault(
        "rate_limited",
        "The limit's refusal under HTTP 200.",
        _always(RATE_LIMITED.body),
    ),
    Fault(
        "rate_limited_429",
        "The limit's refusal under HTTP 429.",
        _rate_limited_429,
        _RETRY_AFTER,
    ),
    Fault(
        "other_client",
        "Another client of the account has used up the limit for a whole period.",
        _always(RATE_LIMITED.body),
        effect="limit_is_used_up",
    ),
    Fault(
        "expired_token",
        "The token ends now: `Token Expired`, until there is a new one.",
        _expired_token,
        _STATUS,
        "401",
        "token_ends",
    ),
    Fault(
        "expired_token_json_string",
        "The same, as a JSON string that holds JSON.",
        _expired_token_text,
        _STATUS,
        "200",
        "token_ends",
    ),
    Fault(
        "refusal",
        "Any refusal, with the envelope of the vendor's page if it is on it.",
        _refusal,
        "MESSAGE, or STATUS:MESSAGE for another HTTP status than 200",
        "Something unknown",
    ),
    # Failures of HTTP
    Fault("http_500", "HTTP 500.", _http(HTTPStatus.INTERNAL_SERVER_ERROR)),
    Fault("http_502", "HTTP 502.", _http(HTTPStatus.BAD_GATEWAY)),
    Fault("http_503", "HTTP 503.", _http(HTTPStatus.SERVICE_UNAVAILABLE), _RETRY_AFTER),
    Fault("http_504", "HTTP 504.", _http(HTTPStatus.GATEWAY_TIMEOUT)),
    Fault("html_page", "A maintenance page in HTML under HTTP 200.", _html),
    Fault("empty_body", "HTTP 200 with nothing in it.", _empty_body),
    Fault(
        "redirect",
        "HTTP 302 to another host.",
        _redirect,
        "the URL's beginning",
        "http://elsewhere.invalid",
    ),
    # Failures of the connection
    Fault("reset", "The connection is reset before the answer.", _reset),
    Fault("hang", "No answer ever.", _hang),
    Fault("slow", "The answer begins late.", _slow, _SECONDS, "1"),
    Fault("slow_body", "A pause in the middle of the answer.", _slow_body, _SECONDS, "1"),
    Fault("stall", "The answer stops and never goes on.", _stall, _WHERE, "0.5"),
    Fault(
        "cut_body",
        "The connection ends before the promised length.",
        _cut_body,
        _WHERE,
        "0.5",
    ),
    Fault(
        "cut_chunked",
        "The connection ends before the last chunk.",
        _cut_chunked,
        _WHERE,
        "0.5",
    ),
    Fault(
        "cut_until_close",
        "The connection ends early where no length was promised.",
        _cut_until_close,
        _WHERE,
        "0.5",
    ),
    Fault(
        "truncated_json",
        "A complete HTTP answer whose JSON ends early.",
        _truncated_json,
        _WHERE,
        "0.5",
    ),
    # Other ways to send the same
    Fault("chunked", "The ordinary answer in chunks.", _chunked),
    Fault("until_close", "The ordinary answer without a length.", _until_close),
    Fault("gzip", "The ordinary answer, compressed.", _gzip),
    Fault("bom", "The ordinary answer after a byte-order mark.", _byte_order_mark),
    Fault(
        "status_first",
        "`status` and `message` before `details`.",
        _envelope(_status_first),
    ),
    Fault(
        "envelope_in_string",
        "The whole envelope as a JSON string that holds JSON.",
        _envelope(json.dumps),
    ),
    # Empty days
    Fault(
        "empty_day",
        "`details` is an empty list.",
        _envelope(lambda envelope: {**envelope, "details": []}),
    ),
    Fault(
        "details_null",
        "`details` is null.",
        _envelope(lambda envelope: {**envelope, "details": None}),
    ),
    Fault(
        "no_data_found",
        "An error envelope that says `No Data Found`.",
        _always({"message": "No Data Found", "status": "error"}),
    ),
    # JSON that is no answer
    Fault(
        "details_text",
        "`details` is text.",
        _envelope(lambda envelope: {**envelope, "details": "none"}),
    ),
    Fault(
        "details_numbers",
        "`details` is a list of numbers.",
        _envelope(lambda envelope: {**envelope, "details": [1, 2, 3]}),
    ),
    Fault(
        "success_without_details",
        "`status` says success and there are no `details`.",
        _envelope(_without_details),
    ),
    Fault(
        "failure_after_details",
        "The records, and after them the limit's refusal.",
        _envelope(lambda envelope: {**envelope, **RATE_LIMITED.body}),
    ),
    Fault("json_list", "`[]`", _always([])),
    Fault("json_number", "`5`", _always(5)),
    Fault("json_null", "`null`", _always(None)),
    Fault("json_empty_object", "`{}`", _always({})),
    # Odd records, on a day that has any
    Fault(
        "late_change",
        "Finished calls change from now on: disposition, comments, rating, recording.",
        _ordinary,
        effect="calls_change",
    ),
    Fault(
        "new_field",
        "Every record has a field more.",
        _records(_new_field),
        "the field's name",
        "CustomerMood",
    ),
    Fault("twins", "Two different records with the same ids.", _records(_twins)),
    Fault("repeated_record", "The first record a second time.", _records(_repeated)),
    Fault("missing_id", "The first record without `UCID`.", _records(_without_id)),
    Fault(
        "other_types",
        "Numbers for text, text for numbers, null, a list.",
        _records(_other_types),
    ),
    Fault(
        "bad_utf8",
        "Bytes in a comment that are not UTF-8.",
        _raw("Comments", b"caf\xe9 \xff\xfe"),
    ),
    Fault(
        "lone_surrogate",
        "Half a surrogate pair in a comment.",
        _raw("Comments", b"half \\ud83d of it"),
    ),
    Fault("nul", "An escaped U+0000 in a comment.", _raw("Comments", b"a\\u0000b")),
    Fault(
        "control_character",
        "A raw line end and a raw U+0001 in a comment.",
        _raw("Comments", b"a\n\x01b"),
    ),
    Fault(
        "nan",
        "A number that is not finite.",
        _raw("Rating"),
        "the number as it stands in the JSON",
        "NaN",
    ),
    # The same for tokens
    Fault("token_http_500", "HTTP 500 for the token.", _http(HTTPStatus.INTERNAL_SERVER_ERROR)),
    Fault(
        "token_http_503",
        "HTTP 503 for the token.",
        _http(HTTPStatus.SERVICE_UNAVAILABLE),
        _RETRY_AFTER,
    ),
    Fault("token_html_page", "A maintenance page in HTML for the token.", _html),
    Fault("token_empty_body", "HTTP 200 with nothing in it for the token.", _empty_body),
    Fault("token_reset", "The connection is reset before the token.", _reset),
    Fault("token_hang", "No token ever.", _hang),
    Fault("token_cut_body", "The token's answer is cut.", _cut_body, _WHERE, "0.5"),
    Fault(
        "token_refused",
        "The credentials' refusal for the token.",
        lambda answer, status: _json(answer, INVALID_CREDENTIALS.body, int(status)),
        _STATUS,
        "401",
    ),
    Fault(
        "token_limit",
        "The limit's refusal for the token.",
        lambda answer, status: _json(answer, RATE_LIMITED.body, int(status)),
        _STATUS,
        "200",
    ),
    Fault(
        "token_missing",
        "Success, but no token in it.",
        _always({"message": "success", "status": "success"}),
    ),
    Fault(
        "token_redirect",
        "HTTP 302 to another host for the token.",
        _redirect,
        "the URL's beginning",
        "http://elsewhere.invalid",
    ),
)

#: Every fault by its name.
FAULTS = {fault.name: fault for fault in _TABLE}
