"""What an answer means: one table of the API's own words, and one of HTTP and body.

Sources of API facts: [doc] the vendor's page of fetchCDRDetails or of a sister endpoint,
[field] seen in production by people who publish their integration, [open] unknown, so that both
ways are handled.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
import urllib3

from tap_ozonetel_cdr.api.body import Details, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_ozonetel_cdr.api.body import Envelope


class Action(enum.Enum):
    """What to do with an answer."""

    ACCEPT = "a complete answer: records, or an empty day"
    NEW_TOKEN = "generate a token and ask again"  # noqa: S105  # no secret, a description
    WAIT = "wait for the account's window and ask again"
    RETRY = "back off and ask again"
    STOP = "end the run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an answer, why, and what a person should check when the run ends for it."""

    action: Action
    reason: str
    advice: str = ""
    too_large: bool = False
    """Whether the span asked for may be more than the API can answer in time."""
    retry_after: float | None = None
    """The wait that the server asks for, in seconds."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API's words (compared without case, as a beginning) and what follows from them."""

    words: str
    action: Action
    advice: str = ""


_CHECK_CLOCK = (
    "This is a fault in the request: check this machine's clock and the setting timezone; "
    "if both are right, please report it"
)
REFUSALS = (
    # [doc] The token is too old, or was ended by a newer one of another client of the account.
    Refusal("Token Expired", Action.NEW_TOKEN),
    # [doc] More than 2 requests a minute, perhaps by another client; HTTP 200 or 429 [open].
    Refusal("API rate limit has been exceeded", Action.WAIT),
    # [doc of sister endpoints] An empty day.
    Refusal("No Data Found", Action.ACCEPT),
    # [doc]; [field] the same words come when the account is set to the other authentication.
    Refusal(
        "Missing userName or apiKey",
        Action.STOP,
        "Check user_name and api_key. The API says the same when auth_method does not fit: an "
        "account set to basic authentication needs auth_method: api_key, any other "
        "auth_method: token",
    ),
    # All [doc] from here on.
    Refusal("userName or apiKey is Invalid", Action.STOP, "Check user_name and api_key"),
    Refusal("Missing fromDate and toDate", Action.STOP, _CHECK_CLOCK),
    Refusal("Invalid fromDate format", Action.STOP, _CHECK_CLOCK),
    Refusal("Invalid toDate format", Action.STOP, _CHECK_CLOCK),
    Refusal("fromDate and toDate should be same date", Action.STOP, _CHECK_CLOCK),
    Refusal("fromDate and toDate should not be future dates", Action.STOP, _CHECK_CLOCK),
    Refusal("Invalid Json Pass Valid Json", Action.STOP, _CHECK_CLOCK),
    Refusal("Invalid campaignName", Action.STOP, "Check the setting campaign_name"),
)
UNKNOWN_REFUSAL = Refusal(
    "", Action.STOP, "These words are not known to this tap: ask Ozonetel's support what they mean"
)

_TOO_LARGE = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.GATEWAY_TIMEOUT}
_NO_RESPONSE = {
    Reading.NOT_WHOLE: "a body that is not one whole JSON value",
    Reading.NOT_A_RESPONSE: "JSON that is not a response",
}


def judge(  # noqa: PLR0911  # a return a row
    http_status: int,
    envelope: Envelope,
    *,
    wants_details: bool = True,
    location: str | None = None,
    retry_after: float | None = None,
) -> Verdict:
    """Return what an answer means.

    The API's own words come first, whatever status code they come under [open]; a success is one
    only under 200, with ``details``. All else that is not a refusal is asked for again: a cut or
    strange body must never pass for an empty day.

    Args:
        http_status: The answer's status code.
        envelope: What its body says.
        wants_details: Whether a success must bear ``details``; that of a token does not.
        location: The host that a redirect names.
        retry_after: The wait that the server asks for, in seconds.
    """
    if 300 <= http_status < 400:  # noqa: PLR2004  # the class of redirects
        return Verdict(
            Action.STOP,
            f"a redirect to {location or 'an unnamed host'}",
            "Credentials are never sent to another host: check api_url",
        )
    refusal = _refusal(envelope)
    if refusal and not (refusal is UNKNOWN_REFUSAL and http_status >= 500):  # noqa: PLR2004
        return Verdict(
            refusal.action,
            f"'{envelope.message or envelope.status}' (HTTP {http_status})",
            refusal.advice,
            retry_after=retry_after,
        )
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict(Action.WAIT, "HTTP 429", retry_after=retry_after)
    if http_status >= 500 or http_status == HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004
        return Verdict(
            Action.RETRY,
            f"HTTP {http_status}",
            too_large=http_status in _TOO_LARGE,
            retry_after=retry_after,
        )
    if http_status != HTTPStatus.OK:
        return Verdict(Action.STOP, f"HTTP {http_status}", "Check api_url, user_name and api_key")
    if envelope.reading is not Reading.RESPONSE:
        return Verdict(Action.RETRY, _NO_RESPONSE[envelope.reading])
    if envelope.status is None and envelope.message is None:
        return Verdict(Action.RETRY, _NO_RESPONSE[Reading.NOT_A_RESPONSE])
    if wants_details and envelope.details is Details.ABSENT:
        return Verdict(Action.RETRY, "a success without details")
    return Verdict(Action.ACCEPT, f"{envelope.count} calls")


def judge_failure(error: Exception, timeout: float) -> Verdict:
    """Return what it means that no answer came, or not the whole of it.

    Args:
        error: What requests or urllib3 raised.
        timeout: The time that the request had, in seconds.
    """
    if isinstance(error, requests.ConnectTimeout):
        return Verdict(Action.RETRY, "no connection in time")
    if isinstance(error, (requests.Timeout, urllib3.exceptions.ReadTimeoutError)):
        return Verdict(
            Action.RETRY, f"no whole answer within {timeout:g} s (request_timeout)", too_large=True
        )
    if isinstance(error, ValueError) and not isinstance(error, requests.JSONDecodeError):
        return Verdict(Action.STOP, f"nothing ({type(error).__name__})", "Check api_url")
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Verdict(
            Action.STOP,
            "with a certificate that this machine does not trust",
            "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic",
        )
    return Verdict(Action.RETRY, f"no whole answer ({reason})")


def _refusal(envelope: Envelope) -> Refusal | None:
    """Return the row that an envelope's words fall under, or None for a success or no words."""
    said = envelope.status is not None or envelope.message is not None
    if not said or _is_success(envelope):
        return None
    message = " ".join((envelope.message or "").split()).casefold()
    row = next(
        (row for row in REFUSALS if message.startswith(row.words.casefold())), UNKNOWN_REFUSAL
    )
    # With a strange `details` only known words count, and none of them as an empty day.
    known = row is not UNKNOWN_REFUSAL and row.action is not Action.ACCEPT
    return row if envelope.reading is Reading.RESPONSE or known else None


def _is_success(envelope: Envelope) -> bool:
    """Say whether the words are those of a success: ``status`` says so [doc].

    An answer that bears records and no ``status`` counts by its ``message``.
    """
    word = envelope.message if envelope.status is None else envelope.status
    return (word or "").strip().casefold() == "success"


def quote(text: str, secrets: Iterable[str]) -> str:
    """Return text of the API fit for a log: one line, masked, at most 200 characters.

    Masked are the secrets and every run of six digits or more (phone numbers, ids).
    """
    line = " ".join(text.split())
    for secret in secrets:
        line = line.replace(secret, "***")
    line = re.sub(r"\d{6,}", "***", line)
    return line if len(line) <= 200 else f"{line[:199]}…"  # noqa: PLR2004  # as promised above
