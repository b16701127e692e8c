"""The API's rules: who may ask for what, when, and what the answer is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import threading
from collections import deque
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from ozonetel_sandbox import answers
from ozonetel_sandbox.accounts import HOUR, Account, RateLimit, Window
from ozonetel_sandbox.answers import Answer, Refusal
from ozonetel_sandbox.calls import Calls, Centre
from ozonetel_sandbox.faults import TOKEN_PREFIX, PlannedFault, parse
from ozonetel_sandbox.people import CAMPAIGN_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105 - a path, no secret
CDR_PATH = "/ca_reports/fetchCDRDetails"

#: The days before today that the API answers; an older one is an empty list. [doc, field]
RETENTION_DAYS = 15

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
#: The request's filters, and the record's field that each compares.
_FILTERS = {
    "campaignName": "CampaignName",
    "callType": "Type",
    "status": "Status",
    "ucid": "UCID",
    "monitorUCID": "CallID",
}


def demo_accounts(count: int) -> dict[str, str]:
    """Return ``count`` accounts, name to key, the same ones every time."""
    names = ["demo_account", *(f"demo_account_{number}" for number in range(2, count + 1))][:count]
    return {name: f"sandbox-{hashlib.sha256(name.encode()).hexdigest()[:24]}" for name in names}


@dataclasses.dataclass(kw_only=True, eq=False)
class Settings:
    """How the API behaves; the defaults are the vendor's rules."""

    #: How many demo accounts, or each account's name and key.
    accounts: int | Mapping[str, str] = 1
    timezone: str = "Asia/Kolkata"
    seed: int = 1
    #: About how many calls a working day has, or exactly how many a date has.
    calls_per_day: int | Callable[[date], int] = 200
    ids_as_text: bool = False
    #: How the accounts are set to authenticate; the other way is refused.
    auth_method: Literal["token", "api_key"] = "token"
    #: Requests for calls, within so many seconds, of one account.
    rate_limit: tuple[int, float] = (2, 60)
    #: Whether a request refused for the limit counts against it as well. [open]
    count_refused: bool = False
    #: Seconds.
    token_lifetime: float = HOUR
    tokens_per_hour: int = 10
    #: The longest span of one request, in minutes, that is answered in time; None for any.
    largest_window: float | None = None
    #: The fault that answers a longer one.
    too_large: str = "http_504"
    #: The HTTP status of each group of refusals. [open]
    request_status: int = HTTPStatus.OK
    credentials_status: int = HTTPStatus.UNAUTHORIZED
    limit_status: int = HTTPStatus.OK


@dataclasses.dataclass(frozen=True)
class Question:
    """One HTTP request as it was received; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Request:
    """What one request asked and what was answered, for a log and for a test's assertions."""

    #: The monotonic clock in seconds, and the calendar, at receipt.
    received: float
    now: datetime
    method: str
    path: str
    #: The account, when it was recognised, and what it asked for as it stood in the request.
    account: str
    from_date: str
    to_date: str
    #: The HTTP status that was sent.
    status: int
    #: "success" or the refusal's message, and the number of records: by the rules, before a fault.
    outcome: str
    count: int | None
    #: The fault that changed the answer, "" for none.
    fault: str
    #: All headers (names in lower case) and the JSON body, which is ``{}`` when it was none.
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    fields: Mapping[str, Any] = dataclasses.field(repr=False)


class _RefusedError(Exception):
    """A rule was broken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclasses.dataclass
class _Draft:
    """What becomes known of a request while it is judged."""

    fields: dict[str, Any] = dataclasses.field(default_factory=dict)
    account: Account | None = None
    fault: PlannedFault | None = None


class Api:
    """Answers requests by the vendor's rules. Any thread may ask.

    The limits and the tokens' age follow ``monotonic`` (seconds), the calendar follows ``now``
    (an aware time).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        """Start with no token made and no limit used.

        Raises:
            ValueError: There is no account, or no such fault as ``too_large``.
            zoneinfo.ZoneInfoNotFoundError: There is no such time zone.
        """
        zone = ZoneInfo(settings.timezone)
        accounts = settings.accounts
        credentials = demo_accounts(accounts) if isinstance(accounts, int) else accounts
        if not credentials:
            raise ValueError("There must be at least one account.")
        self._settings = settings
        self._zone = zone
        self._now = now
        self._monotonic = monotonic
        self._too_large = parse(settings.too_large)
        self._accounts = {
            user_name: Account(
                user_name,
                api_key,
                Window(RateLimit(*settings.rate_limit), count_refused=settings.count_refused),
                Window(RateLimit(settings.tokens_per_hour, HOUR)),
            )
            for user_name, api_key in credentials.items()
        }
        self._calls = Calls(
            [
                Centre(name, zone, settings.seed, settings.calls_per_day, settings.ids_as_text)
                for name in credentials
            ]
        )
        self._faults: deque[PlannedFault | None] = deque()
        self._token_faults: deque[PlannedFault | None] = deque()
        self._requests: list[Request] = []
        self._lock = threading.RLock()

    @property
    def credentials(self) -> dict[str, str]:
        """Return every account's user name and its key."""
        return {name: account.api_key for name, account in self._accounts.items()}

    @property
    def requests(self) -> list[Request]:
        """Return what was asked so far, in order."""
        with self._lock:
            return list(self._requests)

    def add_faults(self, faults: Iterable[str | None]) -> None:
        """Let the next requests meet these faults; ``None`` or ``"ok"`` is an ordinary answer.

        Raises:
            ValueError: A fault does not exist.
        """
        planned = [None if fault in {None, "ok"} else parse(str(fault)) for fault in faults]
        with self._lock:
            for fault in planned:
                is_token = fault is not None and fault.fault.name.startswith(TOKEN_PREFIX)
                (self._token_faults if is_token else self._faults).append(fault)

    def change_late(self) -> None:
        """Change finished calls from now on."""
        with self._lock:
            self._calls.change_late()

    def calls(self, user_name: str, day: date, at: datetime | None = None) -> list[dict[str, Any]]:
        """Return the records of a whole ``day`` as the API would list them, now or ``at``."""
        now = (at or self._now()).astimezone(self._zone)
        midnight = datetime.combine(day, time())
        with self._lock:
            answer = self._list(user_name, midnight, midnight + timedelta(days=1), now, {})
        records: list[dict[str, Any]] = json.loads(answer.body)["details"]
        return records

    def answer(self, question: Question) -> tuple[Answer, Request]:
        """Return the answer to ``question``, and the log's entry about it."""
        with self._lock:
            received, now = self._monotonic(), self._now().astimezone(self._zone)
            draft = _Draft()
            try:
                answer = self._route(question, draft, received, now)
            except _RefusedError as error:
                answer = answers.refused(error.refusal, self._status(error.refusal))
            if draft.fault:
                answer = draft.fault.change(answer)
            request = Request(
                received,
                now,
                question.method,
                question.path,
                draft.account.user_name if draft.account else "",
                str(draft.fields.get("fromDate", "")),
                str(draft.fields.get("toDate", "")),
                int(answer.status),
                answer.outcome,
                answer.count,
                draft.fault.text if draft.fault else "",
                question.headers,
                draft.fields,
            )
            self._requests.append(request)
            return answer, request

    def _status(self, refusal: Refusal) -> int:
        return {
            "request": self._settings.request_status,
            "credentials": self._settings.credentials_status,
            "limit": self._settings.limit_status,
        }[refusal.group]

    def _route(self, question: Question, draft: _Draft, received: float, now: datetime) -> Answer:
        if question.path not in {TOKEN_PATH, CDR_PATH}:
            return answers.plain(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
        if question.method != ("POST" if question.path == TOKEN_PATH else "GET"):
            # The vendor's status for it, too [field]; its text is not known.
            return answers.plain(
                HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED.phrase
            )
        draft.fields = _json_object(question.body)
        if question.path == TOKEN_PATH:
            return self._token(question, draft, received)
        return self._cdr(question, draft, received, now)

    def _token(self, question: Question, draft: _Draft, received: float) -> Answer:
        draft.account = self._account(draft.fields)
        self._check_key(draft.account, question)
        if not draft.account.tokens.admit(received):
            # The vendor's words for this are not known. [open]
            raise _RefusedError(answers.RATE_LIMITED)
        draft.fault = self._token_faults.popleft() if self._token_faults else None
        token = draft.account.new_token(received)
        content = {"token": token, "message": "success", "status": "success"}
        return Answer(body=json.dumps(content).encode())

    def _cdr(self, question: Question, draft: _Draft, received: float, now: datetime) -> Answer:
        account = self._account(draft.fields)
        self._authenticate(account, question, received)
        draft.account = account
        if not account.requests.admit(received):
            raise _RefusedError(answers.RATE_LIMITED)
        draft.fault = self._faults.popleft() if self._faults else None
        if draft.fault:
            self._take_effect(draft.fault, account, received)
        first, last = _span(draft.fields)
        if max(first, last) > now.replace(tzinfo=None):
            raise _RefusedError(answers.FUTURE_DATES)
        campaign = draft.fields.get("campaignName")
        if campaign and str(campaign) not in CAMPAIGN_NAMES:
            raise _RefusedError(answers.INVALID_CAMPAIGN)
        longest = self._settings.largest_window
        if longest is not None and last - first >= timedelta(minutes=longest):
            draft.fault = draft.fault or self._too_large
        return self._list(account.user_name, first, last, now, draft.fields)

    def _account(self, fields: Mapping[str, Any]) -> Account:
        user_name = fields.get("userName")
        if not user_name:
            raise _RefusedError(answers.MISSING_CREDENTIALS)
        account = self._accounts.get(str(user_name))
        if account is None:
            raise _RefusedError(answers.INVALID_CREDENTIALS)
        return account

    def _check_key(self, account: Account, question: Question) -> None:
        api_key = question.headers.get("apikey")
        if not api_key:
            raise _RefusedError(answers.MISSING_CREDENTIALS)
        if api_key != account.api_key:
            raise _RefusedError(answers.INVALID_CREDENTIALS)

    def _authenticate(self, account: Account, question: Question, received: float) -> None:
        """Refuse what the account's own way of authentication does not know."""
        authorization = question.headers.get("authorization", "")
        if self._settings.auth_method == "api_key":
            # Only the key's header alone works; a Bearer token is refused like this. [field]
            if authorization:
                raise _RefusedError(answers.MISSING_CREDENTIALS)
            self._check_key(account, question)
            return
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _RefusedError(answers.MISSING_CREDENTIALS)
        if not account.accepts(token, received, self._settings.token_lifetime):
            raise _RefusedError(answers.TOKEN_EXPIRED)

    def _take_effect(self, fault: PlannedFault, account: Account, received: float) -> None:
        if fault.fault.effect == "token_ends":
            account.end_token()
        elif fault.fault.effect == "limit_is_used_up":
            account.requests.use_up(received)
        elif fault.fault.effect == "calls_change":
            self._calls.change_late()

    def _list(
        self,
        user_name: str,
        first: datetime,
        last: datetime,
        now: datetime,
        filters: Mapping[str, Any],
    ) -> Answer:
        """Answer with the calls of ``first``'s day that start from ``first`` to ``last``."""
        day = first.date()
        if not timedelta(0) <= now.date() - day <= timedelta(days=RETENTION_DAYS):
            return answers.success(answers.OPENING + answers.CLOSING, 0)
        calls = self._calls.day(user_name, day)
        midnight = datetime.combine(day, time())
        moments = (first, last, now.replace(tzinfo=None))
        selected = calls.select(*(int((moment - midnight).total_seconds()) for moment in moments))
        wanted = {field: str(filters[key]) for key, field in _FILTERS.items() if filters.get(key)}
        if wanted:
            selected = [
                index for index in selected if _matches(json.loads(calls.record(index)), wanted)
            ]
        return answers.success(calls.answer(selected), len(selected))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _RefusedError(answers.INVALID_JSON)
    return fields


def _span(fields: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the first and the last second asked for."""
    if not (fields.get("fromDate") and fields.get("toDate")):
        raise _RefusedError(answers.MISSING_DATES)
    first, last = _date_time(fields["fromDate"]), _date_time(fields["toDate"])
    if first.date() != last.date():
        raise _RefusedError(answers.NOT_ONE_DATE)
    return first, last


def _date_time(value: object) -> datetime:
    try:
        if isinstance(value, str) and _DATE_TIME.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise _RefusedError(answers.INVALID_DATE)


def _matches(record: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(str(record[field]) == value for field, value in wanted.items())
