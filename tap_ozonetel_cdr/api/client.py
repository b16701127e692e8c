"""One day in, its complete answers out: wait, send, judge, retry."""

from __future__ import annotations

import contextlib
import email.utils
import json
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

import backoff
import requests
import urllib3

from tap_ozonetel_cdr.api.auth import ApiKeyAuth, TokenAuth
from tap_ozonetel_cdr.api.body import Envelope, read_envelope
from tap_ozonetel_cdr.api.limiter import Limiter
from tap_ozonetel_cdr.api.responses import Action, Verdict, judge, judge_failure, quote
from tap_ozonetel_cdr.api.spans import LARGEST_SIZE, SMALLEST_SIZE, Span, split, whole_day
from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError, RefusedError, UnavailableError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from datetime import date

    from requests.auth import AuthBase

    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.settings import Settings

CDR_PATH = "/ca_reports/fetchCDRDetails"
TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105  # a path
MAX_TOKENS = 8
"""Tokens that one run generates at the most: an account has ten an hour [doc]."""

_FAILURES_BEFORE_HALVING = 2
_CONNECT_TIMEOUT = 30.0
_IN_MEMORY = 2**20
_CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class Body:
    """A complete answer: the file that holds it, and what a first pass over it has read."""

    file: BinaryIO
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class DayAnswers:
    """The complete answers of a day, in the order of their times."""

    day: date
    bodies: list[Body]
    seconds: float
    """From the first question to the last byte of the last answer."""

    @property
    def parts(self) -> list[Envelope]:
        """What was read of each answer, with its records."""
        return [body.envelope for body in self.bodies]

    @property
    def count(self) -> int:
        """How many records they hold, one that stands in two of them counted twice."""
        return sum(part.count for part in self.parts)

    def close(self) -> None:
        """Let go of the files."""
        for body in self.bodies:
            body.file.close()


class Client:
    """The account at the API, within its limit; serves one caller at a time."""

    def __init__(self, settings: Settings, *, clock: Clock, logger: logging.Logger) -> None:
        """Prepare; nothing is sent yet."""
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._limiter = Limiter(settings.rate_limit_requests, settings.rate_limit_period)
        # Between two requests lies half a minute: a kept connection would mostly be a stale one.
        self._headers = {"User-Agent": settings.user_agent, "Connection": "close"}
        self._auth: AuthBase | None = None
        self._secrets = [settings.api_key]
        self._tokens = 0
        self._token_refused = False
        self._part_size = LARGEST_SIZE
        self._forget_failures()
        self.requests = 0
        """Requests for records that were sent so far."""
        self.days = 0
        """Days whose answers are complete."""

    def least_wait(self, requests: int = 1) -> float:
        """Return the least seconds until the last of the next ``requests`` requests may go."""
        return self._limiter.delay(self._clock.monotonic(), requests)

    def fetch_day(self, day: date) -> DayAnswers:
        """Return the complete answers of ``day``.

        One answer, or one for each part of a day that the API cannot answer whole: after two
        read time-outs, 500s or 504s in a row the span asked for is halved, down to 45 minutes.
        The next day starts at the size that worked, or at twice that after a day without halving.

        Raises:
            RefusedError: The API refused in a way that asking again cannot mend.
            UnavailableError: No complete answer came within ``retry_timeout`` seconds.
            LocalError: The disk is full, or the machine's clock was set back.
        """
        self._forget_failures()
        self._wait()
        started = self._clock.monotonic()
        size = self._part_size
        bodies: list[Body] = []
        with contextlib.ExitStack() as on_failure:
            first, complete = 0, False
            while not complete:
                part, complete, body = self._fetch_part(day, first)
                on_failure.callback(body.file.close)
                bodies.append(body)
                first = part.last + 1
            on_failure.pop_all()
        if self._part_size == size:
            self._part_size = min(2 * size, LARGEST_SIZE)
        self.days += 1
        return DayAnswers(day, bodies, self._clock.monotonic() - started)

    def _fetch_part(self, day: date, first: int) -> tuple[Span, bool, Body]:
        """Return the answer to the part of ``day`` from second ``first`` on.

        Returns:
            The part, whether it ends the day (today: as far as it has come), and the answer.
        """
        failures = 0
        while True:
            self._wait()
            auth = self._authentication()
            # Made anew for each try: today grows, and may be over by then.
            now = self._clock.now().astimezone(self._settings.timezone)
            whole = whole_day(day, now)
            part = split(Span(day, first, whole.last), self._part_size)[0]
            verdict, body = self._send("GET", CDR_PATH, self._question(part), auth)
            self.requests += 1
            self._limiter.answered(self._clock.monotonic())
            self._token_refused &= verdict.action is Action.NEW_TOKEN
            if body:
                self._forget_failures()
                return part, part.last == whole.last, body
            failures = failures + 1 if verdict.too_large else 0
            if failures == _FAILURES_BEFORE_HALVING and self._part_size > SMALLEST_SIZE:
                failures = 0
                self._part_size //= 2
                self._logger.warning(
                    "%s is not answered in time; asking for parts of %g hours",
                    day,
                    self._part_size / 3600,
                )
            self._prepare_retry(str(part), verdict)

    def _question(self, part: Span) -> dict[str, str]:
        """Return the JSON body that asks for a part; filters that are not set are left out."""
        return {
            "fromDate": part.from_date,
            "toDate": part.to_date,
            "userName": self._settings.user_name,
            **self._settings.filters,
        }

    # Authentication

    def _authentication(self) -> AuthBase:
        """Return what proves whose the request is; one token serves until it is refused."""
        if self._auth is None:
            if self._settings.auth_method == "api_key":
                self._auth = ApiKeyAuth(self._settings.api_key)
            else:
                self._auth = TokenAuth(self._generate_token())
        return self._auth

    def _generate_token(self) -> str:
        """Generate a token, asking again as for records; it does not count for their limit."""
        if self._tokens == MAX_TOKENS:
            raise RefusedError(
                f"This run has generated {MAX_TOKENS} tokens, of the ten that an account has an "
                "hour: another client of the account keeps ending them. Set auth_method: api_key, "
                f"or give that client an account of its own. {NOTHING_LOST}"
            )
        while True:
            self._wait()
            verdict, body = self._send(
                "POST",
                TOKEN_PATH,
                {"userName": self._settings.user_name},
                ApiKeyAuth(self._settings.api_key),
                wants_details=False,
            )
            if body:
                token = _token(body)
                if token:
                    self._tokens += 1
                    self._secrets.append(token)
                    self._logger.info("Token %d of this run generated", self._tokens)
                    return token
                verdict = Verdict(Action.RETRY, "a success without a token")
            self._prepare_retry("generateToken", verdict)

    # One request

    def _wait(self) -> None:
        """Wait until the next request may go: for the limit, or before another try."""
        while (delay := self.least_wait()) > 0:
            self._clock.sleep(delay)

    def _send(
        self,
        method: str,
        path: str,
        question: dict[str, str],
        auth: AuthBase,
        *,
        wants_details: bool = True,
    ) -> tuple[Verdict, Body | None]:
        """Send one request, read its whole answer and judge it.

        Returns:
            The verdict, and the answer if it is accepted.
        """
        timeout = self._settings.request_timeout
        deadline = self._clock.monotonic() + timeout
        try:
            # No session: it would keep a connection that the server is about to close.
            with requests.request(
                method,
                self._settings.api_url + path,
                headers=self._headers,
                json=question,
                auth=auth,
                # requests would send the header apiKey along to another host.
                allow_redirects=False,
                stream=True,
                timeout=(min(_CONNECT_TIMEOUT, timeout), timeout),
            ) as response:
                file = self._download(response, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return judge_failure(error, timeout), None
        envelope = read_envelope(file)
        verdict = judge(
            response.status_code,
            envelope,
            wants_details=wants_details,
            location=urlsplit(response.headers.get("Location", "")).hostname,
            retry_after=self._seconds(response.headers.get("Retry-After")),
        )
        if verdict.action is Action.ACCEPT:
            return verdict, Body(file, envelope)
        file.close()
        return verdict, None

    def _download(self, response: requests.Response, deadline: float) -> BinaryIO:
        """Return the whole body in a temporary file that has no name and goes with the process.

        Raises:
            requests.ReadTimeout: The body was not whole by ``deadline``.
            LocalError: The disk is full.
        """
        with contextlib.ExitStack() as on_failure:
            file = on_failure.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                _write(file, chunk, response)
                if self._clock.monotonic() > deadline:
                    raise requests.ReadTimeout
            file.seek(0)
            on_failure.pop_all()  # it is now the caller's to close
        return cast("BinaryIO", file)

    # Another try

    def _prepare_retry(self, what: str, verdict: Verdict) -> None:
        """Set the wait before another try, or end the run when there is none.

        Raises:
            RefusedError: The verdict is final, or a new token is refused at once.
            UnavailableError: The next try would come after ``retry_timeout``.
        """
        reason = quote(verdict.reason, self._secrets)
        if verdict.action is Action.STOP:
            raise RefusedError(
                f"{what}: the API answered {reason}. {verdict.advice}. {NOTHING_LOST}"
            )
        now = self._clock.monotonic()
        if verdict.action is Action.NEW_TOKEN:
            self._renew_token(reason)
        elif verdict.action is Action.WAIT:
            self._limiter.hold_window(now)
        else:
            self._limiter.hold(now + next(self._waits))
        self._limiter.hold(now + (verdict.retry_after or 0))
        delay = self.least_wait()
        left = self._last_answer + self._settings.retry_timeout - now - delay
        if left < 0:
            look_for = (
                "Look for another client that uses up the account's limit"
                if verdict.action is Action.WAIT
                else "Check the network, api_url and Ozonetel's service"
            )
            raise UnavailableError(
                f"{what}: no complete answer within {self._settings.retry_timeout:g} s "
                f"(retry_timeout), at last {reason}. {look_for}. {NOTHING_LOST}"
            )
        if verdict.action is Action.WAIT:
            self._logger.info(
                "%s: the account's limit is used up by another client or an earlier run; "
                "asking again in %.0f s",
                what,
                delay,
            )
        else:
            self._logger.warning(
                "%s: %s; asking again in %.0f s, giving up in %.0f s",
                what,
                reason,
                delay,
                delay + left,
            )

    def _renew_token(self, reason: str) -> None:
        """Drop the token; the next request generates another.

        Raises:
            RefusedError: The token before was refused too, with no answer between.
        """
        if self._token_refused or self._settings.auth_method == "api_key":
            raise RefusedError(
                f"The API answered {reason} to a new token. Check whether another client of the "
                "account generates tokens all the time, and whether the account is set to basic "
                f"authentication (auth_method: api_key). {NOTHING_LOST}"
            )
        self._token_refused = True
        self._auth = None

    def _forget_failures(self) -> None:
        """Start the time and the waits of failures anew: a complete answer has come."""
        self._last_answer = self._clock.monotonic()
        self._waits = self._exponential_waits()

    def _exponential_waits(self) -> Iterator[float]:
        """Yield growing random waits, from a sixtieth of the limit's period up to the period."""
        period = self._settings.rate_limit_period
        waits = backoff.expo(factor=period / 60, max_value=period)
        next(waits)  # what backoff's own decorators begin with
        return map(backoff.full_jitter, waits)

    def _seconds(self, retry_after: str | None) -> float | None:
        """Return a ``Retry-After`` header as seconds from now; None for what is neither form."""
        if retry_after is None:
            return None
        if retry_after.strip().isdecimal():
            return float(retry_after)
        try:
            then = email.utils.parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        return max(0.0, then.timestamp() - self._clock.now().timestamp())


def _write(
    file: tempfile.SpooledTemporaryFile[bytes], chunk: bytes, response: requests.Response
) -> None:
    """Write a piece of a body through to the disk.

    Raises:
        LocalError: The disk is full.
    """
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        needed = response.headers.get("Content-Length", "more than it has free")
        raise LocalError(
            f"Cannot write to {tempfile.gettempdir()}: {error.strerror}. The answer needs "
            f"{needed} bytes there; free some, or set TMPDIR to a larger directory. {NOTHING_LOST}"
        ) from None


def _token(body: Body) -> str | None:
    """Return the token that an answer of generateToken bears, if it bears one."""
    with body.file as file:
        file.seek(0)
        try:
            answer: Any = json.loads(file.read())
            token = (json.loads(answer) if isinstance(answer, str) else answer)["token"]
        except (ValueError, LookupError, TypeError):
            return None
    return token if isinstance(token, str) and token.strip() else None
