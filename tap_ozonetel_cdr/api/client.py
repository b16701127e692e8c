"""One day in, its complete response out: wait, send, judge, retry."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, Generic, TypeVar

from tap_ozonetel_cdr.api.auth import Auth
from tap_ozonetel_cdr.api.body import Envelope, Reading, read_envelope
from tap_ozonetel_cdr.api.headers import seconds_of
from tap_ozonetel_cdr.api.limiter import Limiter
from tap_ozonetel_cdr.api.patience import Patience
from tap_ozonetel_cdr.api.responses import (
    NOT_AUTHENTICATED,
    Action,
    Verdict,
    judge,
    judge_failure,
    judge_token,
)
from tap_ozonetel_cdr.api.spans import Span, SpanSize, whole_day
from tap_ozonetel_cdr.api.transport import Failed, Transport
from tap_ozonetel_cdr.errors import NOTHING_LOST, RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from requests.auth import AuthBase

    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.settings import Settings

CDR_PATH = "/ca_reports/fetchCDRDetails"
TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105  # a path

_Result = TypeVar("_Result")

_NOTHING_LEFT = Verdict(Action.ACCEPT, "")


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response: the file that holds its body, and what a first pass has read of it."""

    file: BinaryIO
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class DayResponse:
    """The complete responses of a day, one for each span of it, in the order of their times."""

    day: date
    responses: tuple[Response, ...]
    seconds: float
    """From the first request to the last byte of the last response."""

    @property
    def bodies(self) -> list[Envelope]:
        """What was read of each response, with its records."""
        return [response.envelope for response in self.responses]

    @property
    def count(self) -> int:
        """How many records they hold, one that stands in two of them counted twice."""
        return sum(body.count for body in self.bodies)

    def close(self) -> None:
        """Let go of the files."""
        for response in self.responses:
            response.file.close()


@dataclass(frozen=True, slots=True)
class MissingDay:
    """A day that is passed over: the API has it no longer, or may not. No bookmark rests on it.

    Attributes:
        day: The day.
        reason: Why, fit for a log line behind the day and a colon.
        lost: Whether it cannot be read later either: it leaves a gap.
    """

    day: date
    reason: str
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a client is, at one moment.

    It never changes. The thread that fetches puts another in its place after each request, so that
    any thread may read one, and finds what belongs together.

    Attributes:
        limiter: When the next requests may go.
        finding_out: How many requests for records finding the way in may still cost.
        way_in: The way that works, ``api_key`` or ``token``; None before a response is accepted.
        requests: Requests for records that were sent so far.
        tokens: Tokens that were generated so far, or may have been.
        days: Days that are fetched, or were passed over.
    """

    limiter: Limiter
    finding_out: int
    way_in: str | None = None
    requests: int = 0
    tokens: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class _Try(Generic[_Result]):
    """One request: what it was for, what came of it, and what it gave where it is accepted."""

    what: str
    verdict: Verdict
    result: _Result | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """An accepted response of a day: where its span ends, and whether that ends the day.

    It has no response where nothing is left of the day: the clock went back since the last span.
    """

    last: int
    ends_day: bool
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of one request.

    Attributes:
        verdict: What it means.
        response: The response, if it is accepted.
        http_status: Its status code, if that much came.
        date: When it was made, by the API's own clock, if it says so.
    """

    verdict: Verdict
    response: Response | None = None
    http_status: int | None = None
    date: datetime | None = None


class _EndedError(Exception):
    """No more is tried; ``verdict`` says why, ``error`` is what ends the run."""

    def __init__(self, verdict: Verdict, error: RefusedError | UnavailableError) -> None:
        super().__init__(str(error))
        self.verdict = verdict
        self.error = error


class _GoneError(Exception):
    """The API has the day no longer."""


class _NotBegunError(Exception):
    """The day has not begun by the API's clock."""


class Client:
    """The account at the API, within its limit.

    One thread at a time fetches. Other threads read ``standing`` and ``secrets``, ask
    ``least_wait``, and nothing else.
    """

    def __init__(self, settings: Settings, *, clock: Clock, logger: logging.Logger) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            LocalError: What the environment names for requests cannot be used.
        """
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._transport = Transport(
            settings.api_url, settings.user_agent, settings.request_timeout, clock.monotonic
        )
        self._auth = Auth(settings.auth_method, settings.api_key)
        self._patience = Patience(settings.retry_timeout, settings.rate_limit_period)
        self._size = SpanSize()
        self._filters: Mapping[str, str] = settings.filters
        self._on_edge = False
        self._ahead = timedelta()
        self.clock_ahead: float | None = None
        """Seconds by which this machine's clock is ahead of the server's, by the last response.

        Negative where it is behind, and 0 where the two may agree; None where the server does not
        say what time it has.
        """
        self._standing = Standing(
            Limiter(settings.rate_limit_requests, settings.rate_limit_period),
            self._auth.finding_out,
        )
        if settings.retry_timeout < settings.rate_limit_period:
            logger.warning(
                "retry_timeout (%g s) is shorter than rate_limit_period (%g s): a request that "
                "meets the account's limit is not retried",
                settings.retry_timeout,
                settings.rate_limit_period,
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in a log line; for any thread."""
        return tuple(self._auth.secrets)

    @property
    def standing(self) -> Standing:
        """How far the client is; for any thread."""
        return self._standing

    def least_wait(self, requests: int = 1) -> float:
        """Return the least seconds until the last of the next requests may go; for any thread."""
        return self.standing.limiter.delay(self._clock.monotonic(), requests)

    def without_filters(self) -> None:
        """Ask for all records from now on, whatever filters are set."""
        self._filters = {}

    def fetch_day(self, day: date) -> DayResponse | MissingDay:
        """Return the complete response of ``day``: one, or one for each span of it.

        The next day may still be had where this one is missing: it left the API's memory while the
        run waited, or it lies at the edge of it, exactly ``retention_days`` before the account's
        date at sending, and is refused in words that are not known, or that are of the dates. What
        the API says of a day that it no longer has is not known [open]. Nor is a day lost that has
        not begun by the API's clock: the next run reads it.

        Raises:
            RefusedError: The API refused in a way that no retry can mend.
            UnavailableError: No complete response came within ``retry_timeout`` seconds.
            LocalError: The disk is full, or the machine's clock was set back.
        """
        self._patience.start(self._clock.monotonic())
        self._wait()
        started = self._clock.monotonic()
        try:
            responses = self._fetch_spans(day)
        except _GoneError:
            found: DayResponse | MissingDay = MissingDay(
                day,
                f"while the run waited, it left the {self._settings.retention_days} days that the "
                "API keeps",
            )
        except _NotBegunError:
            found = MissingDay(day, "it has not begun by the API's clock", lost=False)
        except _EndedError as ended:
            if not (self._on_edge and ended.verdict.may_mean_gone):
                raise ended.error from None
            self._auth.day_is_passed_over(ended.verdict)
            found = MissingDay(day, f"the API answered {ended.verdict.reason}")
        else:
            found = DayResponse(day, responses, self._clock.monotonic() - started)
        self._update(days=self.standing.days + 1)
        return found

    def _fetch_spans(self, day: date) -> tuple[Response, ...]:
        """Return the responses that make up a day, in their order."""
        responses: list[Response] = []
        with contextlib.ExitStack() as on_failure:
            first, is_over = 0, False
            while not is_over:
                part = self._until_accepted(partial(self._try_span, day, first))
                if part.response:
                    on_failure.callback(part.response.file.close)
                    responses.append(part.response)
                first, is_over = part.last + 1, part.ends_day
            on_failure.pop_all()
        self._size.day_is_over()
        return tuple(responses)

    # The loop

    def _until_accepted(self, attempt: Callable[[], _Try[_Result]]) -> _Result:
        """Try until a response is accepted, and return what it gave: for records and tokens alike.

        Raises:
            _EndedError: No other try can mend it, or none is left.
        """
        while True:
            self._wait()
            tried = attempt()
            if tried.result is not None:
                return tried.result
            self._prepare_retry(tried.what, tried.verdict)

    def _wait(self) -> None:
        """Wait until the next request may go: for the limit, or before another try."""
        while (delay := self.least_wait()) > 0:
            self._clock.sleep(delay)

    def _prepare_retry(self, what: str, verdict: Verdict) -> None:
        """Set the moment of the next try, or end when there is none.

        Raises:
            _EndedError: The verdict is final, or the next try would come after ``retry_timeout``.
        """
        if verdict.action is Action.STOP:
            said = f"the API answered {verdict.reason}" if verdict.answered else verdict.reason
            line = f"{what}: {said}. {verdict.advice}. {NOTHING_LOST}"
            raise _EndedError(verdict, RefusedError(line))
        now = self._clock.monotonic()
        limiter = self.standing.limiter.hold(self._patience.next_try(verdict, now))
        delay = limiter.delay(now)
        left = self._patience.ends - now - delay
        if left >= 0:
            # Otherwise the next day might wait for years.
            self._update(limiter=limiter)
            self._say_when(what, verdict, delay, left)
        elif verdict.at_last:
            self._prepare_retry(what, verdict.at_last)
        else:
            line = self._out_of_patience(what, verdict, self._patience.ends - now)
            raise _EndedError(verdict, UnavailableError(line))

    # The two kinds of requests

    def _try_span(self, day: date, first: int) -> _Try[_Part]:
        """Ask for the records of ``day`` from second ``first`` on, as many as may be had at once.

        Raises:
            _GoneError: The API has the day no longer.
            _NotBegunError: It has not begun by the API's clock.
        """
        auth = self._auth.credentials() or self._until_accepted(self._try_token)
        # Made anew for each try: today grows, and may be over by then.
        now, until = self._now(), self._until()
        if day < self._oldest(now):
            raise _GoneError
        self._on_edge = day == self._oldest(now)
        if self._ahead and day > until.date():
            raise _NotBegunError
        whole = whole_day(day, until)
        if first > whole.last:
            return _Try(str(day), _NOTHING_LEFT, _Part(first - 1, ends_day=True))
        span = self._size.of(Span(day, first, whole.last))
        content = {
            "fromDate": span.from_date,
            "toDate": span.to_date,
            "userName": self._settings.user_name,
            **self._filters,
        }
        sent_at = self._clock.monotonic()
        sent = self._send("GET", CDR_PATH, content, auth, judge)
        verdict = sent.verdict
        limiter = self.standing.limiter.responded(self._clock.monotonic())
        self._update(limiter=limiter, requests=self.standing.requests + 1)
        self._note_size(day, verdict)
        if sent.response:
            self._accept(day, sent.response)
            ends_day = span.last == whole.last
            return _Try(str(span), verdict, _Part(span.last, ends_day, sent.response))
        if verdict.in_future and self._clock_is_ahead(span, sent.date):
            verdict = replace(verdict, action=Action.AGAIN)
        if verdict.action in NOT_AUTHENTICATED:
            verdict = self._auth.refused(verdict, sent_at)
        return _Try(str(span), verdict)

    def _accept(self, day: date, response: Response) -> None:
        """Note what a complete response settles.

        Raises:
            _GoneError: It is empty, and the day has left meanwhile: nobody can know whether it had
                no records, or was no longer there.
        """
        self._patience.start(self._clock.monotonic())
        if self._auth.accepted():
            self._logger.info(
                "The account takes a token, and not the header apiKey alone: auth_method: token "
                "would save a request in every run"
            )
        self._update()
        if not response.envelope.count and day < self._oldest(self._now()):
            response.file.close()
            raise _GoneError

    def _try_token(self) -> _Try[AuthBase]:
        """Ask for a token; the request does not count for the limit of those for records.

        Raises:
            RefusedError: The run has generated as many as it may.
        """
        self._auth.token_is_needed()
        content = {"userName": self._settings.user_name}
        sent = self._send("POST", TOKEN_PATH, content, self._auth.key, judge_token)
        verdict = sent.verdict
        auth = None
        if sent.response:
            sent.response.file.close()
            token = str(sent.response.envelope.token)
            auth = self._auth.token_made(token, self._clock.monotonic())
            self._logger.info("Token %d of this run generated", self._auth.tokens)
        elif verdict.action in NOT_AUTHENTICATED:
            verdict = self._auth.token_is_refused(verdict)
        elif verdict.action is Action.RETRY and sent.http_status == HTTPStatus.OK:
            verdict = self._auth.token_missing(verdict)
        self._update()
        return _Try("generateToken", verdict, auth)

    def _send(
        self,
        method: str,
        path: str,
        content: Mapping[str, str],
        auth: AuthBase,
        judged_by: Callable[..., Verdict],
    ) -> _Sent:
        """Send one request and judge what comes.

        Raises:
            LocalError: The disk is full, or there are no more threads.
        """
        sent_at = self._clock.now()
        received = self._transport.send(method, path, content, auth)
        if isinstance(received, Failed):
            verdict = judge_failure(
                received.error,
                self._settings.request_timeout,
                received.proxy,
                self._auth.secrets,
            )
            return _Sent(verdict, http_status=received.http_status)
        self.clock_ahead = _ahead(received.date, sent_at, self._clock.now())
        envelope = Envelope(Reading.NOT_WHOLE)
        try:
            envelope = read_envelope(received.body)
        finally:
            if envelope.file is not received.body:
                received.body.close()
        verdict = judged_by(
            received.http_status,
            envelope,
            secrets=self._auth.secrets,
            location=received.location,
            retry_after=seconds_of(received.retry_after, self._clock.now()),
        )
        sent = _Sent(verdict, None, received.http_status, received.date)
        if verdict.action is Action.ACCEPT:
            return replace(sent, response=Response(envelope.file, envelope))
        envelope.file.close()
        return sent

    # What both need

    def _now(self) -> datetime:
        """Return the present in the account's time zone, as the API has it."""
        return (self._clock.now() - self._ahead).astimezone(self._settings.timezone)

    def _until(self) -> datetime:
        """Return the last instant, in the account's time zone, that the API does not refuse."""
        return (self._clock.safe_now() - self._ahead).astimezone(self._settings.timezone)

    def _clock_is_ahead(self, span: Span, date: datetime | None) -> bool:
        """Go by the API's clock where this machine's is why a span was refused; tell whether it is.

        That is found out once. A span that has ended by the API's clock is refused for another
        reason, such as a wrong time zone.
        """
        if self._ahead or date is None:
            return False
        ends = datetime.fromisoformat(span.to_date).replace(tzinfo=self._settings.timezone)
        if ends < date:
            return False
        self._ahead = self._clock.now() - date
        self._logger.warning(
            "This machine's clock is %.0f s ahead of the API's, which refuses times in the future: "
            "set it right. From here on, this run goes by the API's clock",
            self._ahead.total_seconds(),
        )
        return True

    def _oldest(self, now: datetime) -> date:
        """Return the edge: the oldest day that the API may still have."""
        return now.date() - timedelta(days=self._settings.retention_days)

    def _note_size(self, day: date, verdict: Verdict) -> None:
        """Ask for less at once when the API cannot answer in time."""
        if not verdict.too_large:
            self._size.answered()
        elif self._size.too_large():
            self._logger.warning(
                "%s: no response in time; the day is now read in spans of %g hours",
                day,
                self._size.seconds / 3600,
            )

    def _update(
        self, limiter: Limiter | None = None, requests: int | None = None, days: int | None = None
    ) -> None:
        """Put another standing in the place of the one before, whole."""
        before = self._standing
        self._standing = Standing(
            limiter=limiter or before.limiter,
            finding_out=self._auth.finding_out,
            way_in=self._auth.way_in,
            requests=before.requests if requests is None else requests,
            tokens=self._auth.tokens,
            days=before.days if days is None else days,
        )

    def _say_when(self, what: str, verdict: Verdict, delay: float, left: float) -> None:
        """Say why and when there is another try."""
        if verdict.action is Action.WAIT and not verdict.advice:
            self._logger.info(
                "%s: the account's limit is used up by another client or an earlier run; "
                "retrying in %.0f s",
                what,
                delay,
            )
            return
        level = logging.WARNING
        if verdict.action is Action.AGAIN:
            level = logging.INFO if delay >= 1 else logging.DEBUG
        self._logger.log(
            level,
            "%s: %s; retrying in %.0f s, giving up in %.0f s",
            what,
            verdict.advice if verdict.action is Action.WAIT else verdict.reason,
            delay,
            delay + left,
        )

    def _out_of_patience(self, what: str, verdict: Verdict, left: float) -> str:
        """Return the line that ends a run without a complete response."""
        if verdict.retry_after is not None and verdict.retry_after > left:
            return (
                f"{what}: the API answered {verdict.reason}, and asks to wait "
                f"{_span(verdict.retry_after)} (Retry-After), longer than retry_timeout "
                f"({self._settings.retry_timeout:g} s) leaves. Run it again after that time, or "
                f"set retry_timeout higher. {NOTHING_LOST}"
            )
        if verdict.action is Action.RETRY and verdict.advice:
            look_for = verdict.advice
        elif verdict.action is not Action.WAIT:
            look_for = "Check the network, api_url and Ozonetel's service"
        elif verdict.advice:
            look_for = f"Look for another client that generates tokens: {verdict.advice}"
        else:
            look_for = "Look for another client that uses up the account's limit"
        return (
            f"{what}: no complete response within {self._settings.retry_timeout:g} s "
            f"(retry_timeout). Last failure: {verdict.reason}. {look_for}. {NOTHING_LOST}"
        )


def _span(seconds: float) -> str:
    """Return a wait as a person says it."""
    for unit, name in ((86400, "days"), (3600, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _ahead(date: datetime | None, sent: datetime, received: datetime) -> float | None:
    """Return the seconds by which a clock that read ``sent`` and ``received`` is surely ahead.

    The server's ``date`` is of some moment between the two.
    """
    if date is None:
        return None
    return max((sent - date).total_seconds(), min((received - date).total_seconds(), 0.0))
