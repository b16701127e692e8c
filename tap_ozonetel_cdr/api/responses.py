"""What a response means: one table of the API's own words, and one of HTTP and body.

Sources of API facts: [doc] the vendor's page of fetchCDRDetails, of generateToken or of another
endpoint, [field] seen in production by people who publish their integration, [open] unknown, so
that both ways are handled.
"""

from __future__ import annotations

import enum
import errno
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
import urllib3

from tap_ozonetel_cdr.api.body import Details, Reading
from tap_ozonetel_cdr.api.quote import quote
from tap_ozonetel_cdr.api.transport import BodyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_ozonetel_cdr.api.body import Envelope


class Action(enum.Enum):
    """What to do with a response."""

    ACCEPT = "a complete response: records, an empty day, or a token"
    WAIT = "wait for the account's limit and retry"
    RETRY = "back off and retry"
    AGAIN = "retry at once, or at the moment that the verdict names"
    STOP = "end the run"
    NOT_LET_IN = "not authenticated: auth.py decides"
    TOKEN_EXPIRED = "not authenticated, for the token has ended: auth.py decides"  # noqa: S105
    WRONG_CREDENTIALS = "not authenticated, for there is no such account or key: auth.py decides"


NOT_AUTHENTICATED = frozenset({Action.NOT_LET_IN, Action.TOKEN_EXPIRED, Action.WRONG_CREDENTIALS})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a response, why, and what a person should check when the run ends for it."""

    action: Action
    reason: str
    """What was answered, fit for a log line."""
    advice: str = ""
    too_large: bool = False
    """Whether the span asked for may be more than the API can answer in time."""
    retry_after: float | None = None
    """The wait that the server asks for, in seconds."""
    words: str = ""
    """A refusal's words in a form to compare, or its status code where there are none."""
    denied: bool = False
    """Whether the status code is 401 or 403."""
    answered: bool = True
    """Whether the API sent something, so that a line may say that it answered."""
    may_mean_gone: bool = False
    """Whether the API may say so of a day that it no longer has: nobody knows its words [open]."""
    in_future: bool = False
    """Whether the API says that the span ends after the present."""
    both_ways: bool = False
    """Whether both ways in were refused."""
    not_before: float = float("-inf")
    """For ``AGAIN``: the moment, of the monotonic clock, before which nothing is sent."""
    at_last: Verdict | None = None
    """What ends the run where there is no time left to retry; None: no complete response."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API's words, how their like is known, and what follows from them.

    Case, blanks, dots and the order of words make no difference. A refusal is one of these when it
    holds all pieces of one of the ``signs``, and none of those with a minus. Words that mean an
    empty day have no signs: they are all that is said, for no other text may pass for one.
    """

    words: str
    action: Action
    advice: str = ""
    signs: tuple[str, ...] = ()
    may_mean_gone: bool = False
    in_future: bool = False

    def matches(self, letters: str) -> bool:
        """Tell whether these are the words, given without case, blanks and signs."""
        if not self.signs:
            return letters == _letters(self.words)
        return any(
            all(
                piece[1:] not in letters if piece.startswith("-") else piece in letters
                for piece in sign.split()
            )
            for sign in self.signs
        )


_CHECK_CLOCK = (
    "This is a fault in the request: check this machine's clock and the setting timezone; "
    "if both are right, please report it"
)
CHECK_CREDENTIALS = "Check user_name and api_key"
TOKENS_USED_UP = "the account's ten tokens an hour are used up"
# [open] What gateways in front of an API say.
GATEWAY_REFUSAL = Refusal(
    "Unauthorized",
    Action.NOT_LET_IN,
    CHECK_CREDENTIALS,
    (
        *("unauthori", "not authori", "authenticat", "forbidden", "access denied"),
        *("credential", "invalid token", "missing token", "token null", "token required"),
    ),
    may_mean_gone=True,
)
REFUSALS = (
    # [doc] The token is too old, or was ended by a newer one of another client of the account.
    Refusal("Token Expired", Action.TOKEN_EXPIRED, CHECK_CREDENTIALS, ("token expire",)),
    # [doc] More than 2 requests a minute, perhaps by another client; HTTP 200 or 429 [field].
    Refusal("API rate limit has been exceeded", Action.WAIT, signs=("rate limit",)),
    # [doc of sister endpoints] The same; of generateToken, the limit of ten tokens an hour.
    # With a number of days it would be about the dates.
    Refusal("Max limit exceeded", Action.WAIT, signs=("max limit exceed -day -date",)),
    # All [doc].
    *(
        Refusal(words, Action.STOP, _CHECK_CLOCK, signs, may_mean_gone=True)
        for words, signs in (
            ("Missing fromDate and toDate", ("missing fromdate", "missing todate")),
            ("Invalid fromDate format", ("invalid fromdate",)),
            ("Invalid toDate format", ("invalid todate",)),
            ("fromDate and toDate should be same date", ("same date",)),
        )
    ),
    # This, too, is of [doc].
    Refusal(
        "fromDate and toDate should not be future dates",
        Action.STOP,
        _CHECK_CLOCK,
        ("future date",),
        may_mean_gone=True,
        in_future=True,
    ),
    Refusal("Invalid Json Pass Valid Json", Action.STOP, _CHECK_CLOCK, ("invalid json",)),
    Refusal(
        "Invalid campaignName",
        Action.STOP,
        "Check the setting campaign_name",
        ("invalid campaign",),
    ),
    # [doc] Also what an account says that does not take the way in [field], and of a token that
    # has ended [field].
    Refusal(
        "Missing userName or apiKey",
        Action.NOT_LET_IN,
        CHECK_CREDENTIALS,
        ("missing username", "missing apikey"),
    ),
    # [doc] generateToken has this order of words, fetchCDRDetails "userName or apiKey is Invalid".
    Refusal(
        "Invalid userName or apiKey",
        Action.WRONG_CREDENTIALS,
        CHECK_CREDENTIALS,
        ("invalid username", "invalid apikey"),
    ),
    # [doc] of generateToken.
    Refusal(
        "UserName is null",
        Action.WRONG_CREDENTIALS,
        CHECK_CREDENTIALS,
        ("username null", "apikey null"),
    ),
    GATEWAY_REFUSAL,
    # [doc of sister endpoints] An empty day.
    Refusal("No Data Found", Action.ACCEPT),
)
UNKNOWN_REFUSAL = Refusal(
    "",
    Action.STOP,
    "These words are not known to this tap: ask Ozonetel's support what they mean",
    may_mean_gone=True,
)

_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Under any other status the words of an empty day may stand for a failure.
_EMPTY_DAY = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
_TOO_LARGE = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.GATEWAY_TIMEOUT}
_NO_RESPONSE = {
    Reading.NOT_WHOLE: "a body that is not one whole JSON value",
    Reading.TOO_LARGE: "a body with a record, or another single value, of more than 8 MB",
    Reading.NOT_A_RESPONSE: "JSON that is not a response",
}
# What is raised before anything is sent, for the address, the proxy's, or a header.
_NEVER_SENT = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)
_BY_PROXY = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
# No socket fails with these.
_OF_FILES = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
# The known words are short; they are not looked for in more of a text than this.
_LONGEST_WORDS = 1000


def judge(
    http_status: int,
    envelope: Envelope,
    *,
    secrets: Iterable[str] = (),
    location: str | None = None,
    retry_after: float | None = None,
) -> Verdict:
    """Return what a response of fetchCDRDetails means.

    The API's own words come first, whatever status code they come under [open]; a success is one
    only under 200, with ``details``. All else that is not a refusal is asked for again: a cut or
    strange body must never pass for an empty day.

    Args:
        http_status: The response's status code.
        envelope: What its body says.
        secrets: What is masked where the API's words are quoted.
        location: The host that a redirect names.
        retry_after: The wait that the server asks for, in seconds.
    """
    if 300 <= http_status < 400:  # noqa: PLR2004  # the class of redirects
        return Verdict(
            Action.STOP,
            f"a redirect to {quote(location or '', secrets) or 'an unnamed host'}",
            "Credentials are never sent to another host: check api_url",
        )
    refusal = _refusal(envelope)
    if refusal is None:
        verdict = _judge_status(http_status) or _judge_success(envelope)
    else:
        verdict = _judge_words(http_status, envelope, refusal, secrets)
    return replace(verdict, retry_after=retry_after)


def judge_token(
    http_status: int,
    envelope: Envelope,
    *,
    secrets: Iterable[str] = (),
    location: str | None = None,
    retry_after: float | None = None,
) -> Verdict:
    """Return what a response of generateToken means; the arguments are those of ``judge``.

    Any 200 with a token is a success, whatever else it holds [doc]. ``RETRY`` under 200 means that
    there is neither a token nor a refusal. Words that refuse are never retried but for the limit's.
    """
    if http_status == HTTPStatus.OK and envelope.token:
        if _fits_a_header(envelope.token):
            return Verdict(Action.ACCEPT, "a token")
        return Verdict(
            Action.STOP,
            "a token that does not fit into a header",
            "Ask Ozonetel's support why it holds more than letters, digits and signs",
        )
    verdict = judge(
        http_status, envelope, secrets=secrets, location=location, retry_after=retry_after
    )
    no_words = not _letters(envelope.message or "") and (
        _letters(envelope.status or "") in {"", "success", "true"}
    )
    if http_status == HTTPStatus.OK and (
        no_words or verdict.action in {Action.ACCEPT, Action.RETRY}
    ):
        no_object = envelope.reading in {Reading.NOT_WHOLE, Reading.TOO_LARGE}
        reason = _NO_RESPONSE[envelope.reading] if no_object else "a success without a token"
        return Verdict(Action.RETRY, reason, retry_after=retry_after)
    if verdict.action is Action.WAIT and "max" in verdict.words:
        return replace(verdict, advice=TOKENS_USED_UP)
    if verdict.action is Action.STOP and verdict.may_mean_gone:
        return replace(verdict, action=Action.NOT_LET_IN)
    return verdict if verdict.action in NOT_AUTHENTICATED else replace(verdict, may_mean_gone=False)


def judge_failure(
    error: Exception, timeout: float, proxy: str | None = None, secrets: Iterable[str] = ()
) -> Verdict:
    """Return what it means that no response came, or not the whole of it.

    All that requests, urllib3 and what lies under them raise has its place here.

    Args:
        error: What was raised.
        timeout: The time that the request had, in seconds.
        proxy: The environment variable that names the proxy, if one is used.
        secrets: What is masked where a header is quoted.
    """
    causes = list(_causes(error))
    cause = causes[-1]
    # Other text of an error may be the server's: none of that is quoted.
    reason = quote(getattr(cause, "strerror", None) or type(cause).__name__)
    return (
        _judge_silence(error, timeout, proxy)
        or _judge_strange_response(causes, secrets)
        or _judge_machine(error, cause, reason, proxy)
        or _judge_proxy(causes, reason, proxy)
        or Verdict(Action.RETRY, f"no complete response ({reason})")
    )


def _judge_silence(error: Exception, timeout: float, proxy: str | None) -> Verdict | None:
    """Judge what took too long."""
    if isinstance(error, requests.ConnectTimeout):
        return Verdict(Action.RETRY, "no connection in time", _check_proxy(proxy))
    if isinstance(error, (requests.Timeout, urllib3.exceptions.ReadTimeoutError)):
        reason = f"no complete response within {timeout:g} s (request_timeout)"
        return Verdict(Action.RETRY, reason, too_large=True)
    return None


def _judge_strange_response(causes: list[BaseException], secrets: Iterable[str]) -> Verdict | None:
    """Judge a response that came and cannot be read."""
    if isinstance(causes[0], BodyError):
        return Verdict(
            Action.STOP,
            quote(str(causes[0]), secrets),
            "Look for a proxy or a gateway that breaks responses",
        )
    if any(isinstance(one, urllib3.exceptions.DecodeError) for one in causes):
        return Verdict(Action.RETRY, "a body that is not what its Content-Encoding says")
    if any(isinstance(one, urllib3.exceptions.InvalidHeader) for one in causes):
        return Verdict(Action.RETRY, "headers that contradict each other")
    return None


def _judge_machine(
    error: Exception, cause: BaseException, reason: str, proxy: str | None
) -> Verdict | None:
    """Judge what only a person can set right, on this machine or in the settings."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Verdict(
            Action.STOP,
            "this machine does not trust the server's certificate",
            "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic",
            answered=False,
        )
    if isinstance(error, _NEVER_SENT) and not isinstance(error, requests.JSONDecodeError):
        check = "Check user_agent" if isinstance(cause, UnicodeEncodeError) else "Check api_url"
        return Verdict(
            Action.STOP,
            f"nothing was sent ({type(error).__name__})",
            _check_proxy(proxy) or check,
            answered=False,
        )
    if isinstance(cause, OSError) and (cause.errno in _OF_FILES or "TLS CA cert" in str(cause)):
        return Verdict(
            Action.STOP,
            f"nothing was sent: a file on this machine cannot be read ({reason})",
            "Check the environment variables REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSLKEYLOGFILE",
            answered=False,
        )
    return None


def _judge_proxy(causes: list[BaseException], reason: str, proxy: str | None) -> Verdict | None:
    """Judge what kept a proxy from handing a request on."""
    if not any(isinstance(one, _BY_PROXY) for one in causes):
        return None
    refused = re.search(r"Tunnel connection failed: (\d{3})\b", str(causes[-1]), re.ASCII)
    if refused is None:
        return Verdict(Action.RETRY, f"no way through the proxy ({reason})", _check_proxy(proxy))
    is_final = HTTPStatus.BAD_REQUEST <= int(refused[1]) < HTTPStatus.INTERNAL_SERVER_ERROR
    return Verdict(
        Action.STOP if is_final else Action.RETRY,
        f"the proxy refused to connect (HTTP {refused[1]})",
        f"{_check_proxy(proxy)}, its user and password, and whether it lets this machine through",
        answered=False,
    )


def _check_proxy(proxy: str | None) -> str:
    return f"Check the proxy that {proxy} names" if proxy else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised for, and so on to the first of all."""
    cause: BaseException | None = error
    while cause:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _judge_words(
    http_status: int, envelope: Envelope, refusal: Refusal, secrets: Iterable[str]
) -> Verdict:
    """Judge a refusal by its words, and words that are not the API's by their status code, too."""
    said = envelope.message or envelope.status or ""
    masked = (*secrets, envelope.token) if envelope.token else secrets
    is_ours = refusal is not UNKNOWN_REFUSAL and refusal is not GATEWAY_REFUSAL
    by_status = None if is_ours else _judge_status(http_status)
    by_words = Verdict(refusal.action, "", refusal.advice)
    verdict = by_words if by_status is None or by_status.action is Action.STOP else by_status
    if refusal.action is Action.ACCEPT and http_status not in _EMPTY_DAY:
        verdict = _judge_status(http_status) or by_words
    return replace(
        verdict,
        reason=f"'{quote(said, masked)}' (HTTP {http_status})",
        words=_letters(said),
        denied=http_status in _DENIED,
        may_mean_gone=refusal.may_mean_gone and verdict.action is not Action.WAIT,
        in_future=refusal.in_future,
    )


def _judge_status(http_status: int) -> Verdict | None:
    """Judge a status code without known words; None for that of a success."""
    reason = f"HTTP {http_status}"
    if http_status == HTTPStatus.OK:
        return None
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict(Action.WAIT, reason)
    if http_status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return Verdict(
            Action.STOP,
            reason,
            "A proxy wants a user and a password: check those in HTTP_PROXY, HTTPS_PROXY or "
            "ALL_PROXY",
        )
    if http_status >= 500 or http_status == HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004
        return Verdict(Action.RETRY, reason, too_large=http_status in _TOO_LARGE)
    if http_status in _DENIED:
        return Verdict(
            Action.NOT_LET_IN,
            reason,
            CHECK_CREDENTIALS,
            words=_letters(reason),
            denied=True,
            may_mean_gone=True,
        )
    return Verdict(Action.STOP, reason, "Check api_url, user_name and api_key", may_mean_gone=True)


def _judge_success(envelope: Envelope) -> Verdict:
    """Judge what came under 200 without a refusal: only ``details`` make it a success."""
    if envelope.reading is Reading.TOO_LARGE:
        return Verdict(
            Action.STOP, _NO_RESPONSE[envelope.reading], "No record is known to come near that"
        )
    if envelope.reading is not Reading.RESPONSE:
        return Verdict(Action.RETRY, _NO_RESPONSE[envelope.reading])
    if envelope.status is None and envelope.message is None:
        return Verdict(Action.RETRY, _NO_RESPONSE[Reading.NOT_A_RESPONSE])
    if envelope.details is Details.ABSENT:
        return Verdict(Action.RETRY, "a success without details")
    return Verdict(Action.ACCEPT, f"{envelope.count} records")


def _refusal(envelope: Envelope) -> Refusal | None:
    """Return the row that an envelope's words fall under, or None for a success or no words."""
    if envelope.status is None and envelope.message is None:
        return None
    letters = _letters(envelope.message or envelope.status or "")
    known = next((row for row in REFUSALS if row.matches(letters)), None)
    refuses = known is not None and known.action is not Action.ACCEPT
    if _is_success(envelope):
        # A refusal beside an empty list is none of a day's records.
        return known if refuses and not envelope.count else None
    # With strange `details` only known words count, and none of them as an empty day.
    return (
        (known or UNKNOWN_REFUSAL)
        if envelope.reading is Reading.RESPONSE
        else (known if refuses else None)
    )


def _is_success(envelope: Envelope) -> bool:
    """Say whether the words are those of a success: ``status`` says so [doc].

    An object that bears records and no ``status`` counts by its ``message``. A ``status`` that is
    true is a success where ``details`` is a list, and none otherwise [open].
    """
    status = envelope.status
    if _letters(status or "") == "true":
        if envelope.details is Details.LIST:
            return True
        status = None
    return _letters((envelope.message if status is None else status) or "") == "success"


def _fits_a_header(token: str) -> bool:
    return token.isprintable() and max(token) <= "\xff"


def _letters(text: str) -> str:
    """Return words without case, blanks and signs, to be compared."""
    return re.sub(r"[\W_]+", "", text[:_LONGEST_WORDS]).casefold()
