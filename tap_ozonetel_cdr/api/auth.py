"""Which way in: the header ``apiKey`` or a token, found out by trying where nobody knows.

What an account "is set to" does not tell: the header alone has been seen to work on accounts that
are set to tokens, too, and no account was found that takes the Bearer token alone, as the vendor's
page has it [field].
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from requests.auth import AuthBase

from tap_ozonetel_cdr.api.responses import CHECK_CREDENTIALS, Action
from tap_ozonetel_cdr.errors import NOTHING_LOST, RefusedError

if TYPE_CHECKING:
    from requests import PreparedRequest

    from tap_ozonetel_cdr.api.responses import Verdict

MAX_TOKENS = 8
"""Tokens that one run generates at the most: an account has ten an hour [doc]."""

TOKEN_TRIES = (4.0, 12.0, 30.0)
"""When a new token that is refused is tried again, in seconds after it was made.

It may be refused for some seconds; clients wait 2 to 31 [field].
"""

_API_KEY, _TOKEN, _AUTO = "api_key", "token", "auto"
_CHECK_ALL = (
    f"{CHECK_CREDENTIALS}, api_url (India: in1-ccaas-api.ozonetel.com, international: "
    "api.ccaas.ozonetel.com, or a partner's own), and API authentication in the account's "
    "administration"
)


class ApiKeyAuth(AuthBase):
    """The header ``apiKey`` alone: for generateToken [doc], and for records [field].

    A ``requests`` auth object, because a plain header would give way to an entry in ``.netrc``.
    """

    def __init__(self, api_key: str) -> None:
        """Keep the key, in memory only."""
        self._api_key = api_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["apiKey"] = self._api_key
        return request


class TokenAuth(AuthBase):
    """The header ``Authorization: Bearer`` with a generated token [doc]."""

    def __init__(self, token: str) -> None:
        """Keep the token, in memory only."""
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Auth:
    """The way that a run goes, and its tokens: what each refusal means for them. Sends nothing.

    A way is settled for the run by the first accepted response. Times are seconds of one monotonic
    clock, handed in by the caller.
    """

    def __init__(self, method: str, api_key: str) -> None:
        """Go the way of ``method``: ``api_key``, ``token``, or ``auto`` to find out."""
        self._method = method
        self._way = _TOKEN if method == _TOKEN else _API_KEY
        self._settled = False
        self._header_refusal: Verdict | None = None
        self._key = ApiKeyAuth(api_key)
        self._token: TokenAuth | None = None
        self._token_made_at = float("-inf")
        self._token_works = False
        self._tokens_before_first_response = 0
        self.tokens = 0
        """Tokens that this run has generated, or may have."""
        self.secrets = [api_key]
        """What must not stand in a log line."""

    # What is asked of it

    @property
    def way_in(self) -> str | None:
        """The way that works, ``api_key`` or ``token``; None before a response is accepted."""
        return self._way if self._settled else None

    @property
    def finding_out(self) -> int:
        """How many requests for records finding the way in may still cost, 1 or 0."""
        return int(self._method == _AUTO and self._way == _API_KEY and not self._settled)

    @property
    def key(self) -> AuthBase:
        """What proves whose a request for a token is."""
        return self._key

    def credentials(self) -> AuthBase | None:
        """Return what proves whose the next request for records is; None: make a token first."""
        return self._key if self._way == _API_KEY else self._token

    # What came of a request for records

    def accepted(self) -> bool:
        """Settle the way; tell whether it has just turned out that a token is needed."""
        found_out = self._method == _AUTO and self._way == _TOKEN and not self._settled
        self._settled = self._token_works = True
        return found_out

    def refused(self, verdict: Verdict, sent_at: float) -> Verdict:
        """Return what to do about a request, sent at ``sent_at``, that was not let in."""
        if self._way == _TOKEN:
            return self._token_refused(verdict, sent_at)
        if self.finding_out:
            self._header_refusal = verdict
            self._way = _TOKEN
            return replace(verdict, action=Action.AGAIN)
        return replace(
            verdict,
            action=Action.STOP,
            reason=f"{verdict.reason} to the header apiKey",
            advice=self._or_try(_TOKEN),
        )

    def day_is_passed_over(self, verdict: Verdict) -> None:
        """Find out anew on the next day, where both ways were refused and the day may be why."""
        header = self._header_refusal
        if header and verdict.both_ways and _may_be_of_the_day(header, verdict):
            self._way = _API_KEY
            self._header_refusal = None

    def _token_refused(self, verdict: Verdict, sent_at: float) -> Verdict:
        wrong = verdict.action is Action.WRONG_CREDENTIALS
        if self._settled and verdict.denied:
            wrong = False  # a token that has ended may be any 401 [field]
        if self._token_works and not wrong:
            self._token = None
            return replace(verdict, action=Action.AGAIN)
        if wrong:
            return self._stop(verdict, "the token", self._or_try(_API_KEY))
        others = "Check whether another client of the account generates tokens all the time"
        stop = self._stop(
            verdict, "a new token", others if self._settled else self._or_try(_API_KEY)
        )
        tries = (self._token_made_at + seconds for seconds in TOKEN_TRIES)
        next_try = next((moment for moment in tries if moment > sent_at), None)
        if next_try is not None:
            return replace(verdict, action=Action.AGAIN, not_before=next_try, at_last=stop)
        if (
            verdict.action is Action.TOKEN_EXPIRED
            and not self._settled
            and self._tokens_before_first_response == 1
        ):
            self._token = None
            return replace(verdict, action=Action.AGAIN)
        return stop

    def _stop(self, verdict: Verdict, to: str, advice: str) -> Verdict:
        """End the run for a token that is refused."""
        if self._header_refusal and not self._settled:
            header = self._header_refusal
            may_mean_gone = verdict.action is not Action.WRONG_CREDENTIALS and (
                verdict.may_mean_gone or _may_be_of_the_day(header, verdict)
            )
            return _neither(header, verdict, to, may_mean_gone=may_mean_gone)
        return replace(
            verdict, action=Action.STOP, reason=f"{verdict.reason} to {to}", advice=advice
        )

    # What came of a request for a token

    def token_is_needed(self) -> None:
        """Make sure that the run may generate another.

        Raises:
            RefusedError: It has generated its eight.
        """
        if self.tokens >= MAX_TOKENS:
            raise RefusedError(
                f"This run has generated {MAX_TOKENS} of the ten tokens that an account has an "
                "hour: another client of the account keeps ending them. Set auth_method: api_key "
                f"if the account takes it, or give that client an account of its own. "
                f"{NOTHING_LOST}"
            )

    def token_made(self, token: str, now: float) -> AuthBase:
        """Go by ``token``, which came at ``now``; return what proves whose a request is."""
        self.tokens += 1
        self._tokens_before_first_response += not self._settled
        self.secrets.append(token)
        self._token = TokenAuth(token)
        self._token_made_at = now
        self._token_works = False
        return self._token

    def token_missing(self, verdict: Verdict) -> Verdict:
        """Count a 200 with neither a token nor a refusal: a token may have been made."""
        self.tokens += 1
        if self.tokens < MAX_TOKENS:
            return verdict
        return replace(
            verdict,
            action=Action.STOP,
            advice=f"This run has requested {MAX_TOKENS} of the ten tokens that an account has an "
            "hour: ask Ozonetel's support why none comes",
        )

    def token_is_refused(self, verdict: Verdict) -> Verdict:
        """End the run for a refusal of generateToken itself."""
        if self._header_refusal and not self._settled:
            header = self._header_refusal
            known = verdict.action is Action.WRONG_CREDENTIALS
            may_mean_gone = not known and _may_be_of_the_day(header, verdict)
            return _neither(header, verdict, "generateToken", may_mean_gone=may_mean_gone)
        return replace(
            verdict, action=Action.STOP, advice=self._or_try(_API_KEY), may_mean_gone=False
        )

    def _or_try(self, other: str) -> str:
        """Say what to check where a way is set that does not work."""
        if self._method == _AUTO or self._settled:
            return CHECK_CREDENTIALS
        return f"{CHECK_CREDENTIALS}, or try auth_method: {other}"


def _may_be_of_the_day(header: Verdict, verdict: Verdict) -> bool:
    """Tell whether the header may have been refused for the day, and not for its way in."""
    return header.may_mean_gone or header.words == verdict.words


def _neither(header: Verdict, verdict: Verdict, to: str, *, may_mean_gone: bool) -> Verdict:
    """End the run: neither way in works."""
    return replace(
        verdict,
        action=Action.STOP,
        reason=f"{header.reason} to the header apiKey, and {verdict.reason} to {to}",
        advice=_CHECK_ALL,
        may_mean_gone=may_mean_gone,
        both_ways=True,
    )
