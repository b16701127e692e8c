"""One account at the real API, asked slowly: no faster than its limit, and never in parallel."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections import deque
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import AuthBase

from ozonetel_sandbox.probe_facts import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from requests import PreparedRequest

TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105 - a path, no secret
CDR_PATH = "/ca_reports/fetchCDRDetails"

#: Seconds for one request, and between the limit's period and the next request.
_TIMEOUT = 300
_MARGIN = 1.0
#: How often a request is sent again that the limit, or nobody, answered.
_TRIES = 6
_NOTHING = object()


class Clock:
    """The calendar, the time that passes, and waiting; tests hand in another."""

    def now(self) -> datetime:
        """Return the present instant, aware."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclasses.dataclass(frozen=True)
class Target:
    """Whom the probe asks, and how fast it may."""

    url: str
    user_name: str
    api_key: str = dataclasses.field(repr=False)
    zone: ZoneInfo
    requests: int = 2
    period: float = 60


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came of one request."""

    #: None where nothing came.
    status: int | None
    #: The JSON of the body, also where it stands in a JSON string.
    content: Any = dataclasses.field(repr=False, default=_NOTHING)
    in_string: bool = False
    media_type: str = ""
    retry_after: bool = False
    #: Why nothing came: the kind of the error.
    failure: str = ""
    #: The monotonic clock when it came.
    at: float = 0.0
    secrets: tuple[str, ...] = dataclasses.field(repr=False, default=())

    @property
    def envelope(self) -> Mapping[str, Any]:
        """The object that the body is; empty where it is none."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def message(self) -> str:
        """Its message as text."""
        return str(self.envelope.get("message") or "")

    @property
    def details(self) -> list[dict[str, Any]]:
        """The records of a success."""
        found = self.envelope.get("details")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def is_success(self) -> bool:
        """Whether it answers what was asked, if only with an empty day."""
        said = str(self.envelope.get("status", self.message)).lower()
        return self.status == HTTPStatus.OK and (
            ("details" in self.envelope and said in {"success", "true"}) or self.is_no_data
        )

    @property
    def is_no_data(self) -> bool:
        """Whether its words say that there is nothing."""
        return self.message.lower().startswith("no data found")

    @property
    def is_limited(self) -> bool:
        """Whether it is the limit's refusal."""
        message = self.message.lower()
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or bool(
            re.search("rate limit|limit (has been )?exceed|too many request", message)
        )

    @property
    def bears_token(self) -> bool:
        """Whether a token stands in it."""
        return bool(self.token)

    @property
    def token(self) -> str:
        """The token that stands in it."""
        found = self.envelope.get("token")
        return found if isinstance(found, str) else ""

    @property
    def failed(self) -> bool:
        """Whether nothing came, or what a server says that could not answer."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def says(self, known: str) -> bool:
        """Tell whether its message is these words, in whatever order and case."""
        return sorted(_letters(self.message)) == sorted(_letters(known))

    def __str__(self) -> str:
        """Return what may be shown of it."""
        if self.status is None:
            return f"no response ({self.failure})"
        head = f"HTTP {self.status}"
        if self.content is _NOTHING:
            return f"{head}, {self.media_type or 'no type'}, no JSON"
        form = " in a JSON string" if self.in_string else ""
        beside = ", a token beside it" if self.bears_token and self.message else ""
        if self.is_success and not self.is_no_data:
            return f"{head}, a success{form} with{'' if self.details else 'out'} records"
        if not self.envelope:
            return f"{head}, JSON that is no object"
        status = words(str(self.envelope.get("status", "")), self.secrets)
        said = words(self.message, self.secrets) or "no message"
        return f"{head}, status {status or 'absent'}{form}: {said}{beside}"


class Account:
    """Sends requests for one account, and counts what it has sent."""

    def __init__(self, target: Target, *, clock: Clock, say: Callable[[str], None]) -> None:
        """Send nothing yet; ``say`` takes a line about each request."""
        self.target = target
        self.clock = clock
        #: The headers that let in, once they are found.
        self.way: dict[str, str] = {}
        self.sent = 0
        self.tokens = 0
        #: How often the limit refused a request that was within it.
        self.crowded = 0
        self._say = say
        self._responses: deque[float] = deque(maxlen=target.requests)
        self._held_until = float("-inf")
        self._secrets = [target.api_key, target.user_name]

    def key(self, api_key: str | None = None) -> dict[str, str]:
        """Return the header with a key, the account's own by default."""
        return {"apiKey": api_key or self.target.api_key}

    def bearer(self, token: str) -> dict[str, str]:
        """Return the header with a token."""
        return {"Authorization": f"Bearer {token}"}

    def local_now(self) -> datetime:
        """Return the present by the account's clock, without a zone."""
        return self.clock.now().astimezone(self.target.zone).replace(tzinfo=None)

    def make_token(
        self, what: str, headers: Mapping[str, str] | None = None, **fields: str | None
    ) -> Reply:
        """Ask for a token; it does not count for the limit of those for records."""
        reply = self._send(what, "POST", TOKEN_PATH, self._fields(fields), headers or self.key())
        self.tokens += reply.bears_token
        if reply.token:
            self._secrets.append(reply.token)
        return reply

    def ask(  # noqa: PLR0913 - each is a way in which a request may differ
        self,
        what: str,
        fields: Mapping[str, str | None],
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        in_address: bool = False,
        within_limit: bool = True,
    ) -> Reply:
        """Ask for records: when the limit allows it, and again where it was the limit's turn.

        A field that is None is left out.
        """
        reply = Reply(None)
        for left in reversed(range(_TRIES)):
            if within_limit:
                self.wait_until(self._next())
            reply = self._send(
                what,
                method,
                CDR_PATH,
                self._fields(fields),
                headers or self.way,
                in_address=in_address,
            )
            self.sent += 1
            self._responses.append(reply.at)
            if reply.is_limited:
                self._held_until = reply.at + self.target.period + _MARGIN
            if not within_limit or not (reply.is_limited or reply.status is None) or not left:
                break
            self.crowded += reply.is_limited
        return reply

    def wait_until(self, moment: float) -> None:
        """Wait until a moment of the monotonic clock."""
        while (delay := moment - self.clock.monotonic()) > 0:
            self.clock.sleep(delay)

    def _next(self) -> float:
        due = self._held_until
        if len(self._responses) == self.target.requests:
            due = max(due, self._responses[0] + self.target.period + _MARGIN)
        return due

    def _fields(self, fields: Mapping[str, str | None]) -> dict[str, str]:
        merged = {"userName": self.target.user_name, **fields}
        return {name: value for name, value in merged.items() if value is not None}

    def _send(  # noqa: PLR0913 - as above
        self,
        what: str,
        method: str,
        path: str,
        fields: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        in_address: bool = False,
    ) -> Reply:
        try:
            with requests.request(
                method,
                self.target.url + path,
                params=fields if in_address else None,
                json=None if in_address else fields,
                headers={"User-Agent": "ozonetel-sandbox-probe", "Connection": "close"},
                auth=_Headers(headers),
                # The key would go along to another host.
                allow_redirects=False,
                timeout=(30, _TIMEOUT),
            ) as response:
                content, in_string = _parsed(response.content)
                reply = Reply(
                    response.status_code,
                    content,
                    in_string,
                    _media_type(response.headers.get("Content-Type", "")),
                    "Retry-After" in response.headers,
                    at=self.clock.monotonic(),
                    secrets=tuple(self._secrets),
                )
        except requests.RequestException as error:
            reply = Reply(None, failure=type(error).__name__, at=self.clock.monotonic())
        self._say(f"{what}: {'HTTP ' if reply.status else ''}{reply.status or reply.failure}")
        return reply


class _Headers(AuthBase):
    """Headers that prove who asks; as plain ones they would give way to an entry in ``.netrc``."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(self._headers)
        return request


def _parsed(body: bytes) -> tuple[Any, bool]:
    """Return the JSON of a body, and whether it stood within a JSON string."""
    try:
        content = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return _NOTHING, False
    if isinstance(content, str):
        try:
            return json.loads(content), True
        except (ValueError, RecursionError):
            pass
    return content, False


def _media_type(header: str) -> str:
    found = header.partition(";")[0].strip().lower()
    return found if re.fullmatch(r"[a-z]+/[a-z.+-]+", found) else ""


def _letters(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())
