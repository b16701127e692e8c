"""What the API answers: the success envelope, the documented refusals, and how they are sent."""

from __future__ import annotations

import dataclasses
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands before and after the records of a successful answer. [doc]
OPENING = b'{"details": ['
CLOSING = b'], "message": "success", "status": "success"}'


@dataclasses.dataclass(frozen=True)
class Answer:
    """One HTTP answer, and how it goes over the wire."""

    body: bytes = b""
    status: int = HTTPStatus.OK
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    #: "success" or the refusal's message: for the log, never sent.
    outcome: str = "success"
    #: Records in the answer, where it is a list of calls.
    count: int | None = None
    #: ``close`` sends no length at all and ends with the connection, as HTTP/1.0 does.
    framing: Literal["length", "chunked", "close"] = "length"
    #: Seconds before the first byte; infinite for an answer that never comes.
    delay: float = 0.0
    #: The offset in the body at which the sending stops, if it does.
    stop_at: int | None = None
    #: Seconds from there to the rest of the body (infinite: it never comes). None drops the
    #: connection there.
    pause: float | None = None
    #: The connection is reset instead of any answer.
    reset: bool = False


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A documented refusal: its exact body, and the group that decides its HTTP status."""

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

DOCUMENTED = (
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
)


def success(body: bytes, count: int) -> Answer:
    """Return the answer that lists ``count`` calls; ``body`` is the whole envelope."""
    return Answer(body=body, count=count)


def refused(refusal: Refusal, status: int) -> Answer:
    """Return ``refusal`` as an answer under the HTTP ``status``."""
    return Answer(body=json.dumps(refusal.body).encode(), status=status, outcome=refusal.message)


def plain(status: int, text: str) -> Answer:
    """Return an answer that is no JSON."""
    return Answer(body=text.encode(), status=status, content_type="text/plain", outcome=text)
