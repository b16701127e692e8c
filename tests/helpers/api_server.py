"""An API of the tests' own, on loopback: an account by the facts, and what it is told to say."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from clocks import TODAY, PassingClock, until

from tap_ozonetel_cdr.api.client import Client, DayResponse, MissingDay
from tap_ozonetel_cdr.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

# Handed on, for who needs an API needs time.
__all__ = ["TODAY", "PassingClock", "until"]

KOLKATA = ZoneInfo("Asia/Kolkata")
EDGE = TODAY - timedelta(days=15)
DAYS = [EDGE + timedelta(days=n) for n in range(16)]
"""What a first run asks for: the edge, the days after it, and today."""
DAY, NEXT, THIRD = DAYS[10:13]

USER, KEY = "acme", "k3y-0f-acme"
MISSING, INVALID = "Missing userName or apiKey", "userName or apiKey is Invalid"
FUTURE = "fromDate and toDate should not be future dates"
EXPIRED, LIMIT = "Token Expired", "API rate limit has been exceeded"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    what: str
    """``records`` or ``token``."""
    key: str | None
    token: str | None
    content: dict[str, str]
    at: float

    @property
    def way(self) -> str:
        """The way that it tries."""
        ways = {"api_key": self.key, "token": self.token}
        return "+".join(way for way, value in ways.items() if value) or "none"

    @property
    def times(self) -> str:
        """The times asked for, from and to."""
        return f"{self.content['fromDate'][11:]} {self.content['toDate'][11:]}"

    @property
    def day(self) -> date:
        """The day asked for."""
        return date.fromisoformat(self.content["fromDate"][:10])


@dataclass(frozen=True)
class Reply:
    """A response: a status code, and JSON, or bytes as they are."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    """How many bytes of the body are not sent."""
    takes: float = 0
    """How many seconds pass until it comes."""


def refusal(message: str | None, status: int = 401, word: str = "false") -> Reply:
    """Return a refusal in the API's form; without words, a page of a gateway."""
    if message is None:
        return Reply(status, b"<html>Sorry</html>")
    return Reply(status, {"status": word, "message": message})


def success(count: int = 3) -> Reply:
    """Return so many records."""
    details = [{"CallID": str(n), "UCID": str(n)} for n in range(count)]
    return Reply(200, {"details": details, "message": "success", "status": "success"})


class Api:
    """An account at the API. What it is told to say comes first, then it goes by the facts."""

    def __init__(self, clock: PassingClock) -> None:
        """Serve an account that takes both ways in."""
        self.clock = clock
        self.takes = "api_key+token"
        """The ways in, or none."""
        self.new_token_refused = (0.0, refusal(MISSING))
        """For how many seconds a new token is refused, and how."""
        self.asked: list[Asked] = []
        self.says: list[Reply | None] = []
        """The responses to the next requests for records; None: by the facts."""
        self.says_of_tokens: list[Reply | None] = []
        """The same for requests for tokens."""
        self.says_of_days: dict[date, Callable[[Asked], Reply | None]] = {}
        """The response to a day, before anything else."""
        self.tokens: list[tuple[str, float]] = []
        self.behind = timedelta()
        """How far its clock is behind that of the machine."""
        self.refuses_the_future = False

    def now(self) -> datetime:
        """Return what time it is by the API's own clock."""
        return self.clock.now() - self.behind

    def records_asked(self) -> list[Asked]:
        """Return the requests for records."""
        return [asked for asked in self.asked if asked.what == "records"]

    def tokens_asked(self) -> list[Asked]:
        """Return the requests for tokens."""
        return [asked for asked in self.asked if asked.what == "token"]

    def cost(self) -> tuple[int, int, int]:
        """Return the requests for records, those for tokens, and the tokens that were made."""
        return len(self.records_asked()), len(self.tokens_asked()), len(self.tokens)

    def answer(self, asked: Asked) -> Reply:
        """Respond to a request."""
        self.asked.append(asked)
        if asked.what == "token":
            told = self.says_of_tokens.pop(0) if self.says_of_tokens else None
            return told or self._token(asked)
        if asked.day in self.says_of_days:
            told = self.says_of_days[asked.day](asked)
            if told:
                return told
        told = self.says.pop(0) if self.says else None
        if self.refuses_the_future:
            ends = datetime.fromisoformat(asked.content["toDate"]).replace(tzinfo=KOLKATA)
            told = told or (refusal(FUTURE, 200) if ends > self.now() else None)
        return told or self._records(asked)

    def _token(self, asked: Asked) -> Reply:
        if (asked.key, asked.content["userName"]) != (KEY, USER):
            return refusal("Invalid userName or apiKey")
        self.tokens.append((f"eyJ.{len(self.tokens)}-t0ken", self.clock.monotonic()))
        return Reply(200, {"token": self.tokens[-1][0], "message": ""})

    def _records(self, asked: Asked) -> Reply:
        if asked.way not in self.takes.split("+"):
            return refusal(MISSING)
        if asked.way == "api_key":
            valid = (asked.key, asked.content["userName"]) == (KEY, USER)
            return success() if valid else refusal(INVALID)
        if not self.tokens or asked.token != self.tokens[-1][0]:
            return refusal(EXPIRED)
        seconds, reply = self.new_token_refused
        if self.clock.monotonic() < self.tokens[-1][1] + seconds:
            return reply
        return success()

    # The server

    def __enter__(self) -> Self:
        """Start."""
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    api: Api

    def do_GET(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bearer = self.headers["Authorization"]
        asked = Asked(
            {"/ca_reports/fetchCDRDetails": "records"}.get(self.path, "token"),
            self.headers["apiKey"],
            bearer.removeprefix("Bearer ") if bearer else None,
            content,
            self.api.clock.monotonic(),
        )
        reply = self.api.answer(asked)
        self.api.clock.passed += reply.takes
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response_only(reply.status)
        date = format_datetime(self.api.now().astimezone(timezone.utc), usegmt=True)
        for name, value in {
            "Date": date,
            "Content-Length": str(len(body)),
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) - reply.cut])

    do_POST = do_GET  # noqa: N815  # the standard library's name

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def client_of(api: Api, **settings: object) -> Client:
    """Return a client of an account, on its clock, at the vendor's limit."""
    config = {"api_url": api.url, "user_name": USER, "api_key": KEY, **settings}
    run = Settings.from_config(config, now=api.clock.now())
    return Client(run, clock=api.clock, logger=logging.getLogger("tap"))


def fetch(client: Client, *days: date) -> list[int | MissingDay]:
    """Fetch days; return how many records each has, or why it is missing."""
    found: list[int | MissingDay] = []
    for day in days:
        fetched = client.fetch_day(day)
        if isinstance(fetched, DayResponse):
            found.append(fetched.count)
            fetched.close()
        else:
            found.append(fetched)
    return found
