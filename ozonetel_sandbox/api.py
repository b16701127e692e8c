"""The API's rules: who may ask for what, when, and what the response is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import threading
from collections import deque
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ozonetel_sandbox import responses
from ozonetel_sandbox.accounts import HOUR, Account, Period, RateLimit, TokenLife, made_up_token
from ozonetel_sandbox.days import Centre, Days
from ozonetel_sandbox.faults import PlannedFault, parse
from ozonetel_sandbox.people import CAMPAIGN_NAMES
from ozonetel_sandbox.responses import Refusal, Response
from ozonetel_sandbox.settings import CHOICES, Settings
from ozonetel_sandbox.spelling import CURRENT, PAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ozonetel_sandbox.days import Day
    from ozonetel_sandbox.truth import MadeCall

TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105 - a path, no secret
CDR_PATH = "/ca_reports/fetchCDRDetails"

#: The days before today that the API answers. [doc]
RETENTION_DAYS = 15

# Not 24:00:00, which Python 3.14 and newer take for the next midnight.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d (?!24)\d\d:\d\d:\d\d")
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


@dataclasses.dataclass(frozen=True)
class Received:
    """One HTTP request as it was received; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Request:
    """What one request asked and what came of it, for a log and for a test's assertions."""

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
    #: The fault that changed the response, "" for none.
    fault: str
    #: All headers (names in lower case) and the JSON body, which is ``{}`` when it was none.
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    fields: Mapping[str, Any] = dataclasses.field(repr=False)


class _RefusedError(Exception):
    """A rule was broken."""

    def __init__(self, refusal: Refusal | Response) -> None:
        super().__init__()
        self.refusal = refusal


@dataclasses.dataclass
class _Draft:
    """What becomes known of a request while it is judged."""

    fields: dict[str, Any] = dataclasses.field(default_factory=dict)
    account: Account | None = None
    fault: PlannedFault | None = None


class Api:
    """Responds to requests by the vendor's rules. Any thread may ask.

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
            ValueError: A setting cannot be: no account, no such choice, no such fault.
            zoneinfo.ZoneInfoNotFoundError: There is no such time zone.
        """
        _check(settings)
        zone = ZoneInfo(settings.timezone)
        self._settings = settings
        self._zone = zone
        self._now = now
        self._monotonic = monotonic
        self._too_large = parse(settings.too_large)
        self._new_token = responses.said(settings.token_delay_words, settings.credentials_status)
        self._life = TokenLife(settings.token_delay, settings.token_lifetime)
        self._accounts = {
            user_name: Account(
                user_name,
                keys,
                Period(RateLimit(*settings.rate_limit), count_refused=settings.count_refused),
                Period(RateLimit(settings.tokens_per_hour, HOUR)),
            )
            for user_name, keys in _accounts(settings).items()
        }
        self._days = Days(
            [
                Centre(
                    name,
                    zone,
                    settings.seed,
                    settings.records_per_day,
                    settings.remarks,
                    settings.extras,
                    settings.dial_count,
                    settings.current_kinds,
                )
                for name in self._accounts
            ]
        )
        self._faults: deque[PlannedFault | None] = deque()
        self._token_faults: deque[PlannedFault | None] = deque()
        self._requests: list[Request] = []
        self._lock = threading.RLock()

    @property
    def credentials(self) -> dict[str, str]:
        """Return every account's user name and its (first) key."""
        return {name: account.api_keys[0] for name, account in self._accounts.items()}

    @property
    def requests(self) -> list[Request]:
        """Return what was asked so far, in order."""
        with self._lock:
            return list(self._requests)

    def add_faults(self, faults: Iterable[str | None]) -> None:
        """Let the next requests meet these faults; ``None`` or ``"ok"`` is an ordinary response.

        Raises:
            ValueError: A fault does not exist.
        """
        planned = [None if fault in {None, "ok"} else parse(str(fault)) for fault in faults]
        with self._lock:
            for fault in planned:
                is_token = fault is not None and fault.fault.is_for_tokens
                (self._token_faults if is_token else self._faults).append(fault)

    def change_late(self) -> None:
        """Change finished calls from now on."""
        with self._lock:
            self._days.change_late()

    def records(
        self, user_name: str, day: date, at: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Return the records of a whole ``day`` as the API would list them, now or ``at``."""
        now = (at or self._now()).astimezone(self._zone)
        midnight = datetime.combine(day, time())
        with self._lock:
            response = self._list(user_name, midnight, midnight + timedelta(days=1), now, {})
        records: list[dict[str, Any]] = json.loads(response.body).get("details", [])
        return records

    def truth(self, user_name: str, day: date) -> list[MadeCall]:
        """Return the calls that start on ``day``, as they are once all is over."""
        with self._lock:
            return self._days.truth(user_name, day)

    def respond(self, received: Received) -> tuple[Response, Request]:
        """Return the response to what was received, and the log's entry about it."""
        with self._lock:
            seconds, now = self._monotonic(), self._now().astimezone(self._zone)
            draft = _Draft()
            try:
                response = self._route(received, draft, seconds, now)
            except _RefusedError as error:
                response = self._refused(error.refusal)
            if draft.fault:
                response = draft.fault.change(response)
            request = Request(
                seconds,
                now,
                received.method,
                received.path,
                draft.account.user_name if draft.account else "",
                str(draft.fields.get("fromDate", "")),
                str(draft.fields.get("toDate", "")),
                int(response.status),
                response.outcome,
                response.count,
                draft.fault.text if draft.fault else "",
                received.headers,
                draft.fields,
            )
            self._requests.append(request)
            return response, request

    def _refused(self, refusal: Refusal | Response) -> Response:
        if isinstance(refusal, Response):
            return refusal
        status = {
            "request": self._settings.request_status,
            "credentials": self._settings.credentials_status,
            "limit": self._settings.limit_status,
        }[refusal.group]
        return responses.refused(refusal, status)

    def _route(self, received: Received, draft: _Draft, seconds: float, now: datetime) -> Response:
        if received.path not in {TOKEN_PATH, CDR_PATH}:
            return responses.plain(HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase)
        if received.method != ("POST" if received.path == TOKEN_PATH else "GET"):
            # The vendor's status for it, too [field]; its text is not known.
            return responses.plain(
                HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED.phrase
            )
        draft.fields = _json_object(received.body)
        if received.path == TOKEN_PATH:
            return self._token(received, draft, seconds)
        return self._cdr(received, draft, seconds, now)

    def _token(self, received: Received, draft: _Draft, seconds: float) -> Response:
        user_name = draft.fields.get("userName")
        if not user_name:
            raise _RefusedError(responses.NO_USER_NAME)
        account = self._accounts.get(str(user_name))
        if account is None or received.headers.get("apikey") not in account.api_keys:
            raise _RefusedError(responses.INVALID_USER_OR_KEY)
        draft.account = account
        if not account.tokens.admit(seconds):
            # The vendor's words on sister endpoints. [doc]
            raise _RefusedError(responses.MAX_LIMIT)
        draft.fault = self._token_faults.popleft() if self._token_faults else None
        content = {"token": account.new_token(seconds)}
        if self._settings.token_form == "message":  # noqa: S105 - a form
            content["message"] = ""
        body = json.dumps(content)
        if self._settings.token_form == "string":  # noqa: S105 - a form
            body = json.dumps(body)
        return Response(body=body.encode())

    def _cdr(self, received: Received, draft: _Draft, seconds: float, now: datetime) -> Response:
        account = self._account(draft.fields)
        self._authenticate(account, received, seconds)
        draft.account = account
        if not account.requests.admit(seconds):
            raise _RefusedError(self._over_the_limit())
        draft.fault = self._faults.popleft() if self._faults else None
        if draft.fault:
            self._take_effect(draft.fault, account, seconds)
        first, last = _span(draft.fields)
        self._check_future(first, last, now.replace(tzinfo=None))
        campaign = draft.fields.get("campaignName")
        if campaign and str(campaign) not in CAMPAIGN_NAMES:
            raise _RefusedError(responses.INVALID_CAMPAIGN)
        longest = self._settings.largest_span
        if longest is not None and last - first >= timedelta(minutes=longest):
            draft.fault = draft.fault or self._too_large
        return self._list(account.user_name, first, last, now, draft.fields)

    def _account(self, fields: Mapping[str, Any]) -> Account:
        user_name = fields.get("userName")
        if not user_name:
            raise _RefusedError(responses.MISSING_CREDENTIALS)
        account = self._accounts.get(str(user_name))
        if account is None:
            raise _RefusedError(responses.INVALID_CREDENTIALS)
        return account

    def _authenticate(self, account: Account, received: Received, seconds: float) -> None:
        """Refuse what the account's own way of authentication does not know.

        Where the header works, a Bearer token beside it does no harm, and alone it is refused as
        missing credentials. [field] The other way round is made up alike.
        """
        way = self._settings.auth_method
        key = received.headers.get("apikey") if way != "token" else None
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        if way == "api_key" or scheme.lower() != "bearer":
            token = ""
        if key in account.api_keys:
            return
        if token:
            judgement = account.judge(token, seconds, self._life)
            if judgement == "good":
                return
            raise _RefusedError(self._new_token if judgement == "new" else responses.TOKEN_EXPIRED)
        raise _RefusedError(responses.INVALID_CREDENTIALS if key else responses.MISSING_CREDENTIALS)

    def _over_the_limit(self) -> Response:
        settings = self._settings
        refusal = responses.said(settings.limit_words, settings.limit_status)
        if settings.limit_bears_token and refusal.status == HTTPStatus.OK:
            # What it is good for is not known; here it is good for nothing.
            refusal = responses.beside(refusal, token=made_up_token())
        return refusal

    def _take_effect(self, fault: PlannedFault, account: Account, seconds: float) -> None:
        if fault.fault.effect == "token_ends":
            account.end_token()
        elif fault.fault.effect == "limit_is_used_up":
            account.requests.use_up(seconds)
        elif fault.fault.effect == "records_change":
            self._days.change_late()

    def _check_future(self, first: datetime, last: datetime, now: datetime) -> None:
        is_later_today = self._settings.future_to_date == "accepted" and last.date() == now.date()
        if first > now or (last > now and not is_later_today):
            raise _RefusedError(responses.FUTURE_DATES)

    def _list(
        self,
        user_name: str,
        first: datetime,
        last: datetime,
        now: datetime,
        filters: Mapping[str, Any],
    ) -> Response:
        """Respond with the records of ``first``'s day that start from ``first`` to ``last``."""
        day = first.date()
        age = (now.date() - day).days
        if (gone := self._gone(age, now)) is not None:
            return gone
        midnight = datetime.combine(day, time())
        moments = (first, last, now.replace(tzinfo=None))
        seconds = [int((moment - midnight).total_seconds()) for moment in moments]
        is_current = moments[2] - midnight < timedelta(days=1, hours=self._settings.switch_hour)
        records = self._days.day(
            user_name,
            day,
            CURRENT if is_current else PAST,
            now.date() if self._settings.renaming else None,
        )
        selected = self._kept(records, records.select(*seconds), age, now)
        if wanted := {field: filters[key] for key, field in _FILTERS.items() if filters.get(key)}:
            selected = [
                index
                for index in selected
                if _matches(json.loads(records.record(index, seconds[2])), wanted)
            ]
        return responses.success(records.response(selected, seconds[2]), len(selected))

    def _gone(self, age: int, now: datetime) -> Response | None:
        """Return what is said of a day that is too old, to come, or not yet there; else None."""
        settings = self._settings
        words = ""
        if age < 0 or (self._is_settling(age, now) and settings.settling == "empty"):
            words = "empty"
        elif age > RETENTION_DAYS:
            words = settings.too_old
        elif age == RETENTION_DAYS and settings.edge not in {"whole", "partial"}:
            words = settings.edge
        if words == "empty":
            return responses.success(responses.OPENING + responses.CLOSING, 0)
        return responses.said(words, settings.request_status) if words else None

    def _kept(self, records: Day, selected: list[int], age: int, now: datetime) -> list[int]:
        """Return what there is of a day that is kept in part."""
        if self._is_settling(age, now) and self._settings.settling == "partial":
            # The older half has arrived.
            newest = (len(records.starts) + 1) // 2
            return [index for index in selected if index >= newest]
        if age == RETENTION_DAYS and self._settings.edge == "partial":
            # Fifteen days ago to the second.
            oldest = now.hour * 3600 + now.minute * 60 + now.second
            return [index for index in selected if records.starts[index] >= oldest]
        return selected

    def _is_settling(self, age: int, now: datetime) -> bool:
        return age == 1 and now.hour + now.minute / 60 < self._settings.settling_hour


def _accounts(settings: Settings) -> dict[str, tuple[str, ...]]:
    accounts = settings.accounts
    given = demo_accounts(accounts) if isinstance(accounts, int) else accounts
    named = {
        name: (keys,) if isinstance(keys, str) else tuple(keys) for name, keys in given.items()
    }
    if not named or not all(named.values()):
        raise ValueError("There must be at least one account, and a key for each.")
    return named


def _check(settings: Settings) -> None:
    """Raise ValueError for a choice that does not exist, or words that are none."""
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}.")
    for name in ("too_old", "edge", "limit_words", "token_delay_words"):
        responses.said(getattr(settings, name), HTTPStatus.OK)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _RefusedError(responses.INVALID_JSON)
    return fields


def _span(fields: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the first and the last second asked for."""
    if not (fields.get("fromDate") and fields.get("toDate")):
        raise _RefusedError(responses.MISSING_DATES)
    first, last = _date_time(fields["fromDate"]), _date_time(fields["toDate"])
    if first.date() != last.date():
        raise _RefusedError(responses.NOT_ONE_DATE)
    return first, last


def _date_time(value: object) -> datetime:
    try:
        if isinstance(value, str) and _DATE_TIME.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise _RefusedError(responses.INVALID_DATE)


def _matches(record: Mapping[str, Any], wanted: Mapping[str, object]) -> bool:
    return all(_alike(record[field]) == _alike(value) for field, value in wanted.items())


def _alike(value: object) -> str:
    """Return a word as both spellings and the filter's own have it."""
    word = str(value).lower().replace(" ", "")
    # The filter's word [doc]; records have the other. [measured]
    return "unanswered" if word == "notanswered" else word
