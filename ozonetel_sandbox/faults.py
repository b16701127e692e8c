"""Named faults: each turns the ordinary response to one request into a broken one."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from ozonetel_sandbox.accounts import made_up_token
from ozonetel_sandbox.responses import (
    INVALID_CREDENTIALS,
    INVALID_USER_OR_KEY,
    MAX_LIMIT,
    MISSING_CREDENTIALS,
    NO_USER_NAME,
    RATE_LIMITED,
    TOKEN_EXPIRED,
    Refusal,
    Response,
    beside,
    http_status,
    refused,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Makes the faulty response from the ordinary one and the fault's argument.
    Change = Callable[[Response, str], Response]

#: The prefix of faults that meet a request for a token; all others meet requests for records.
_TOKEN_PREFIX = "token_"  # noqa: S105 - a name, no secret


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
    #: What happens to the account beside the response.
    effect: Literal["", "token_ends", "limit_is_used_up", "records_change"] = ""

    @property
    def is_for_tokens(self) -> bool:
        """Whether it meets a request for a token, not one for records."""
        return self.name.startswith(_TOKEN_PREFIX)


@dataclasses.dataclass(frozen=True)
class PlannedFault:
    """A fault with its argument, as asked for by a text such as ``cut_body:0.5``."""

    fault: Fault
    argument: str

    @property
    def text(self) -> str:
        """The fault as it was asked for."""
        return f"{self.fault.name}:{self.argument}" if self.argument else self.fault.name

    def change(self, response: Response) -> Response:
        """Return the faulty form of ``response``."""
        return self.fault.change(response, self.argument)


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
        planned.change(Response(body=b'{"details": [], "message": "", "status": ""}'))
    except ValueError:
        raise ValueError(f"The fault {name!r} takes: {fault.argument}; not {argument!r}.") from None
    return planned


def _ordinary(response: Response, _: str) -> Response:
    return response


def _json(response: Response, content: object, status: int = HTTPStatus.OK) -> Response:
    return dataclasses.replace(response, body=json.dumps(content).encode(), status=status)


def _text(response: Response, status: HTTPStatus) -> Response:
    return dataclasses.replace(
        response, body=status.phrase.encode(), status=status, content_type="text/plain"
    )


def _always(content: object) -> Change:
    """Respond with this JSON, whatever was asked."""
    return lambda response, _: _json(response, content)


def _http(status: HTTPStatus) -> Change:
    """Respond with an HTTP error; the argument is its Retry-After header."""

    def change(response: Response, retry_after: str) -> Response:
        return _retry_after(_text(response, status), retry_after)

    return change


def _retry_after(response: Response, value: str) -> Response:
    headers = (("Retry-After", value),) if value else ()
    return dataclasses.replace(response, headers=headers)


def _rate_limited_429(response: Response, retry_after: str) -> Response:
    status = HTTPStatus.TOO_MANY_REQUESTS
    return _retry_after(_json(response, RATE_LIMITED.body, status), retry_after)


def _bearing_token(response: Response, _: str) -> Response:
    return beside(_json(response, RATE_LIMITED.body), token=made_up_token())


def _refused(refusal: Refusal) -> Change:
    """Refuse like this; the argument is the HTTP status."""
    return lambda response, status: _body_of(response, refused(refusal, http_status(status)))


def _body_of(response: Response, other: Response) -> Response:
    """Return ``response`` with the body and status of another; the log keeps its own."""
    return dataclasses.replace(response, body=other.body, status=other.status)


def _expired_token_text(response: Response, status: str) -> Response:
    return _json(response, json.dumps(TOKEN_EXPIRED.body), http_status(status))


def _refusal(response: Response, argument: str) -> Response:
    """Refuse with ``MESSAGE`` or ``STATUS:MESSAGE``; known words have their own envelope."""
    return _body_of(response, said(argument, HTTPStatus.OK))


def _token_alone(response: Response, _: str) -> Response:
    return _json(response, {"token": json.loads(response.body).get("token")})


def _token_in_string(response: Response, _: str) -> Response:
    return _json(response, response.body.decode())


def _token_beside_words(response: Response, words: str) -> Response:
    return _json(response, {**json.loads(response.body), "message": words, "status": "false"})


def _html(response: Response, _: str) -> Response:
    page = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body></body></html>\n"
    return dataclasses.replace(response, body=page, content_type="text/html; charset=utf-8")


def _empty_body(response: Response, _: str) -> Response:
    return dataclasses.replace(response, body=b"")


def _offset(body: bytes, where: str) -> int:
    """Return the place in ``body`` that ``where`` names: bytes, a fraction, or ``last``."""
    if where == "last":
        return max(body.rfind(b'}, {"') + 1, 1)
    if "." in where:
        return int(len(body) * float(where))
    offset = int(where)
    return min(offset, len(body)) if offset >= 0 else max(len(body) + offset, 0)


def _cut_body(response: Response, where: str) -> Response:
    return dataclasses.replace(response, stop_at=_offset(response.body, where))


def _cut_chunked(response: Response, where: str) -> Response:
    return dataclasses.replace(_cut_body(response, where), framing="chunked")


def _cut_until_close(response: Response, where: str) -> Response:
    return dataclasses.replace(_cut_body(response, where), framing="close")


def _truncated_json(response: Response, where: str) -> Response:
    return dataclasses.replace(response, body=response.body[: _offset(response.body, where)])


def _chunked(response: Response, _: str) -> Response:
    return dataclasses.replace(response, framing="chunked")


def _until_close(response: Response, _: str) -> Response:
    return dataclasses.replace(response, framing="close")


def _gzip(response: Response, _: str) -> Response:
    headers = (*response.headers, ("Content-Encoding", "gzip"))
    return dataclasses.replace(response, body=gzip.compress(response.body), headers=headers)


def _reset(response: Response, _: str) -> Response:
    return dataclasses.replace(response, reset=True)


def _slow(response: Response, seconds: str) -> Response:
    return dataclasses.replace(response, delay=float(seconds))


def _slow_body(response: Response, seconds: str) -> Response:
    return dataclasses.replace(response, stop_at=len(response.body) // 2, pause=float(seconds))


def _stall(response: Response, where: str) -> Response:
    return dataclasses.replace(response, stop_at=_offset(response.body, where), pause=math.inf)


def _hang(response: Response, _: str) -> Response:
    return dataclasses.replace(response, delay=math.inf)


def _redirect(response: Response, base: str) -> Response:
    headers = (("Location", f"{base}/elsewhere"),)
    return dataclasses.replace(_text(response, HTTPStatus.FOUND), headers=headers)


def _envelope(change: Callable[[dict[str, Any]], object]) -> Change:
    """Respond with what ``change`` makes of the ordinary envelope."""
    return lambda response, _: _json(response, change(json.loads(response.body)))


def _without_details(envelope: dict[str, Any]) -> object:
    return {key: value for key, value in envelope.items() if key != "details"}


def _status_first(envelope: dict[str, Any]) -> object:
    return dict(reversed(envelope.items()))


def _success_is(response: Response, value: str) -> Response:
    return _json(response, {**json.loads(response.body), "status": json.loads(value)})


def _records(change: Callable[[list[dict[str, Any]], str], object]) -> Change:
    """Respond with the records as ``change`` leaves them; a response without any stays ordinary."""

    def changed(response: Response, argument: str) -> Response:
        envelope = json.loads(response.body)
        if not envelope.get("details"):
            return response
        change(envelope["details"], argument)
        return _json(response, envelope)

    return changed


def _new_field(records: list[dict[str, Any]], name: str) -> None:
    for number, record in enumerate(records):
        record[name] = f"new {number}"


def _twins(records: list[dict[str, Any]], _: str) -> None:
    records.append({**records[0], "Disposition": "The other one", "TalkTime": "00:00:01"})


def _repeated(records: list[dict[str, Any]], _: str) -> None:
    records.append(records[0])


def _without_id(records: list[dict[str, Any]], _: str) -> None:
    del records[0]["UCID"]


def _other_types(records: list[dict[str, Any]], _: str) -> None:
    for record in records:
        record.update(CallerID=5550100, DID=None, Rating="4", Skill=["General"], TalkTime=56)


def _raw(field: str, raw: bytes | None = None) -> Change:
    """Respond with these bytes (or the argument's) inside the first record's ``field``."""
    marker = "@here@"

    def change(response: Response, argument: str) -> Response:
        def mark(records: list[dict[str, Any]], _: str) -> None:
            records[0][field] = marker

        marked = _records(mark)(response, "")
        old = json.dumps(marker) if raw is None else marker
        new = argument.encode() if raw is None else raw
        return dataclasses.replace(marked, body=marked.body.replace(old.encode(), new))

    return change


def _byte_order_mark(response: Response, _: str) -> Response:
    return dataclasses.replace(response, body=b"\xef\xbb\xbf" + response.body)


_WHERE = "bytes (from the end if negative), a fraction, or last: before the last record"
_SECONDS = "seconds"
_STATUS = "the HTTP status"
_RETRY_AFTER = "a Retry-After header"
_WORDS = "MESSAGE, or STATUS:MESSAGE for another HTTP status than 200"

#: The table of faults, by the headings that it has in the documentation.
GROUPS: dict[str, tuple[Fault, ...]] = {
    "Refusals": (
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
            "max_limit",
            "The limit's refusal in the words `Max limit exceeded`.",
            _refused(MAX_LIMIT),
            _STATUS,
            "200",
        ),
        Fault(
            "bearing_token",
            "The limit's refusal under HTTP 200, with a token beside it that is good for nothing.",
            _bearing_token,
        ),
        Fault(
            "expired_token",
            "The token ends now: `Token Expired`, until there is a new one.",
            _refused(TOKEN_EXPIRED),
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
            "ended_token",
            "The same, in any words.",
            _refusal,
            _WORDS,
            "401:Unauthorized",
            "token_ends",
        ),
        Fault(
            "missing_credentials",
            "`Missing userName or apiKey`, whatever the request has.",
            _refused(MISSING_CREDENTIALS),
            _STATUS,
            "401",
        ),
        Fault(
            "invalid_credentials",
            "`userName or apiKey is Invalid`, whatever the request has.",
            _refused(INVALID_CREDENTIALS),
            _STATUS,
            "401",
        ),
        Fault(
            "refusal",
            "Any refusal, with the envelope that its words are known with.",
            _refusal,
            _WORDS,
            "Something unknown",
        ),
    ),
    "HTTP that fails": (
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
    ),
    "Connections that fail": (
        Fault("reset", "The connection is reset before the response.", _reset),
        Fault("hang", "No response ever.", _hang),
        Fault("slow", "The response begins late.", _slow, _SECONDS, "1"),
        Fault("slow_body", "A pause in the middle of the response.", _slow_body, _SECONDS, "1"),
        Fault("stall", "The response stops and never goes on.", _stall, _WHERE, "0.5"),
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
            "A complete HTTP response whose JSON ends early.",
            _truncated_json,
            _WHERE,
            "0.5",
        ),
    ),
    "The same, sent in another way": (
        Fault("chunked", "The ordinary response in chunks.", _chunked),
        Fault("until_close", "The ordinary response without a length.", _until_close),
        Fault("gzip", "The ordinary response, compressed.", _gzip),
        Fault("bom", "The ordinary response after a byte-order mark.", _byte_order_mark),
        Fault(
            "status_first",
            "`status` and `message` before `details`.",
            _envelope(_status_first),
        ),
        Fault(
            "success_is",
            "`status` of a success is another value.",
            _success_is,
            "the value as it stands in the JSON",
            "true",
        ),
        Fault(
            "envelope_in_string",
            "The whole envelope as a JSON string that holds JSON.",
            _envelope(json.dumps),
        ),
    ),
    "Empty days": (
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
    ),
    "JSON that is no response": (
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
    ),
    "Odd records": (
        Fault(
            "late_change",
            "Finished calls change from now on: disposition, comments, wrap-up, recording.",
            _ordinary,
            effect="records_change",
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
    ),
    "Tokens": (
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
        Fault("token_cut_body", "The token's response is cut.", _cut_body, _WHERE, "0.5"),
        Fault(
            "token_refused",
            "The credentials' refusal for the token: `Invalid userName or apiKey`.",
            _refused(INVALID_USER_OR_KEY),
            _STATUS,
            "401",
        ),
        Fault(
            "token_no_user",
            "The refusal `UserName is null` for the token.",
            _refused(NO_USER_NAME),
            _STATUS,
            "401",
        ),
        Fault(
            "token_limit",
            "The tokens of the hour are used up: `Max limit exceeded`.",
            _refused(MAX_LIMIT),
            _STATUS,
            "200",
        ),
        Fault(
            "token_refusal",
            "Any refusal for the token.",
            _refusal,
            _WORDS,
            "Something unknown",
        ),
        Fault(
            "token_missing",
            "HTTP 200 with neither a token nor a refusal.",
            _always({"message": ""}),
        ),
        Fault(
            "token_blank", "HTTP 200 with an empty token.", _always({"token": "", "message": ""})
        ),
        Fault("token_alone", "The token with nothing beside it.", _token_alone),
        Fault("token_in_string", "The token's JSON as a JSON string.", _token_in_string),
        Fault(
            "token_beside_words",
            "The token beside words and a `status` of `false`.",
            _token_beside_words,
            "the words",
            "Invalid userName or apiKey",
        ),
        Fault(
            "token_redirect",
            "HTTP 302 to another host for the token.",
            _redirect,
            "the URL's beginning",
            "http://elsewhere.invalid",
        ),
    ),
}

#: Every fault by its name.
FAULTS = {fault.name: fault for group in GROUPS.values() for fault in group}
