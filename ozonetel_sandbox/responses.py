"""What the API responds: the success envelope, the refusals, and how they are sent."""

from __future__ import annotations

import dataclasses
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands before and after the records of a success. [doc, measured]
OPENING = b'{"details": ['
CLOSING = b'], "message": "success", "status": "success"}'


@dataclasses.dataclass(frozen=True)
class Response:
    """One HTTP response, and how it goes over the wire."""

    body: bytes = b""
    status: int = HTTPStatus.OK
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    #: "success" or the refusal's message: for the log, never sent.
    outcome: str = "success"
    #: Records in the response, where it lists any.
    count: int | None = None
    #: ``close`` sends no length at all and ends with the connection, as HTTP/1.0 does.
    framing: Literal["length", "chunked", "close"] = "length"
    #: Seconds before the first byte; infinite for a response that never comes.
    delay: float = 0.0
    #: The offset in the body at which the sending stops, if it does.
    stop_at: int | None = None
    #: Seconds from there to the rest of the body (infinite: it never comes). None drops the
    #: connection there.
    pause: float | None = None
    #: The connection is reset instead of any response.
    reset: bool = False


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A refusal: its exact body, and the group that decides its HTTP status."""

    group: Literal["request", "credentials", "limit"]
    body: Mapping[str, str | None]

    @property
    def message(self) -> str:
        """The API's own words."""
        return self.body["message"] or ""


# The bodies with the order of their keys as the vendor's page prints them. [doc]
TOKEN_EXPIRED = Refusal(
    "credentials", {"status": "false", "message": "Token Expired", "data": None}
)
MISSING_CREDENTIALS = Refusal(
    "credentials", {"status": "false", "message": "Missing userName or apiKey"}
)
INVALID_CREDENTIALS = Refusal(
    "credentials", {"status": "false", "message": "userName or apiKey is Invalid"}
)
RATE_LIMITED = Refusal("limit", {"message": "API rate limit has been exceeded", "status": "error"})
INVALID_JSON = Refusal("request", {"status": "false", "message": "Invalid Json Pass Valid Json"})
MISSING_DATES = Refusal("request", {"message": "Missing fromDate and toDate", "status": "fail"})
INVALID_DATE = Refusal(
    "request",
    {
        "message": "Invalid fromDate format. Please pass the date in the format "
        "yyyy-MM-dd HH:mm:ss",
        "status": "fail",
    },
)
NOT_ONE_DATE = Refusal(
    "request", {"message": "fromDate and toDate should be same date", "status": "fail"}
)
FUTURE_DATES = Refusal(
    "request", {"message": "fromDate and toDate should not be future dates", "status": "fail"}
)
INVALID_CAMPAIGN = Refusal("request", {"message": "Invalid campaignName", "status": "fail"})

# generateToken's own words are the vendor's [doc], as are those of the limit on sister endpoints;
# the envelope around them is made up.
INVALID_USER_OR_KEY = Refusal(
    "credentials", {"message": "Invalid userName or apiKey", "status": "error"}
)
NO_USER_NAME = Refusal("credentials", {"message": "UserName is null", "status": "error"})
MAX_LIMIT = Refusal("limit", {"message": "Max limit exceeded", "status": "error"})

#: Every refusal whose words are known.
KNOWN = (
    TOKEN_EXPIRED,
    MISSING_CREDENTIALS,
    INVALID_CREDENTIALS,
    MISSING_DATES,
    INVALID_DATE,
    INVALID_CAMPAIGN,
    FUTURE_DATES,
    NOT_ONE_DATE,
    RATE_LIMITED,
    INVALID_JSON,
    INVALID_USER_OR_KEY,
    NO_USER_NAME,
    MAX_LIMIT,
)


def success(body: bytes, count: int) -> Response:
    """Return the response that lists ``count`` records; ``body`` is the whole envelope."""
    return Response(body=body, count=count)


def refused(refusal: Refusal, status: int) -> Response:
    """Return ``refusal`` under the HTTP ``status``."""
    return Response(body=json.dumps(refusal.body).encode(), status=status, outcome=refusal.message)


def beside(response: Response, **fields: str) -> Response:
    """Return ``response`` with more fields in its JSON object."""
    content = {**json.loads(response.body), **fields}
    return dataclasses.replace(response, body=json.dumps(content).encode())


def said(text: str, status: int) -> Response:
    """Return the refusal that ``MESSAGE`` or ``STATUS:MESSAGE`` stands for.

    Without a status of its own it has ``status``. Known words have the envelope that they are
    known with.

    Raises:
        ValueError: There are no words, or the status is none of HTTP's.
    """
    code, separator, words = text.partition(":")
    if separator and code.isdecimal():
        status = http_status(code)
    else:
        words = text
    if not words:
        raise ValueError("A refusal is MESSAGE or STATUS:MESSAGE.")
    for refusal in KNOWN:
        if refusal.message == words:
            return refused(refusal, status)
    return refused(Refusal("request", {"message": words, "status": "error"}), status)


def http_status(text: str) -> int:
    """Return the HTTP status that ``text`` is.

    Raises:
        ValueError: It is none.
    """
    if not (text.isdecimal() and _LOWEST <= int(text) <= _HIGHEST):
        raise ValueError(f"{text} is no HTTP status.")
    return int(text)


_LOWEST, _HIGHEST = 200, 599


def plain(status: int, text: str) -> Response:
    """Return a response that is no JSON."""
    return Response(body=text.encode(), status=status, content_type="text/plain", outcome=text)
