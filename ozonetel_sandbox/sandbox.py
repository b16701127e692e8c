"""The sandbox as an object: start it, point a client at it, ask it for the truth."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ozonetel_sandbox.api import Api, Received, Request
from ozonetel_sandbox.server import Server
from ozonetel_sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from types import TracebackType

    from typing_extensions import Self

    from ozonetel_sandbox.responses import Response
    from ozonetel_sandbox.truth import MadeCall


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclasses.dataclass(kw_only=True, eq=False)
class Sandbox(Settings):
    """The API on loopback, without an account: served while used as a context manager.

    All arguments are keywords: those of ``Settings``, and the ones below.

    Raises:
        ValueError: A setting cannot be, or a fault does not exist.
        zoneinfo.ZoneInfoNotFoundError: There is no such time zone.
    """

    #: The port on loopback; 0 takes a free one.
    port: int = 0
    #: What the requests meet, in order: one for each request for records that gets past
    #: authentication and limit, or for a token where the name begins with ``token_``. ``None`` and
    #: ``"ok"`` are ordinary responses.
    faults: Iterable[str | None] = ()
    #: The calendar: returns an aware time.
    now: Callable[[], datetime] = _utc_now
    #: The clock, in seconds, of limits and of the tokens' age.
    monotonic: Callable[[], float] = time.monotonic
    #: Takes a line about each request, without keys.
    log: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        """Check the settings; nothing is bound yet."""
        self._api = Api(self, now=self.now, monotonic=self.monotonic)
        self._api.add_faults(self.faults)
        self._server: Server | None = None

    def __enter__(self) -> Self:
        """Start; returns when the port answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.close()

    def start(self) -> None:
        """Serve from now on, in threads.

        Raises:
            OSError: The port is taken.
        """
        self._server = Server(self._respond, self.port)
        self._server.start()

    def close(self) -> None:
        """Stop at once: hung responses and open connections end."""
        if self._server:
            self._server.close()
            self._server = None

    @property
    def url(self) -> str:
        """Where it listens, for ``api_url``.

        Raises:
            RuntimeError: It was not started.
        """
        if not self._server:
            raise RuntimeError("The sandbox is not running.")
        return self._server.url

    @property
    def credentials(self) -> dict[str, str]:
        """Every account's user name and its key; the first one, where it has several."""
        return self._api.credentials

    @property
    def user_name(self) -> str:
        """The first account."""
        return next(iter(self.credentials))

    @property
    def api_key(self) -> str:
        """The first account's key."""
        return self.credentials[self.user_name]

    @property
    def requests(self) -> list[Request]:
        """What was asked so far, in order of receipt; a copy."""
        return self._api.requests

    def environment(
        self, user_name: str | None = None, auth_method: str | None = None
    ) -> dict[str, str]:
        """Return the environment that points the tap at an account, by default the first.

        How to get in is left to the tap, unless ``auth_method`` says it.
        """
        user_name = user_name or self.user_name
        requests, seconds = self.rate_limit
        settings = {
            "API_URL": self.url,
            "USER_NAME": user_name,
            "API_KEY": self.credentials[user_name],
            "TIMEZONE": self.timezone,
            "RATE_LIMIT_REQUESTS": str(requests),
            "RATE_LIMIT_PERIOD": str(seconds),
        }
        if auth_method:
            settings["AUTH_METHOD"] = auth_method
        return {f"TAP_OZONETEL_CDR_{name}": value for name, value in settings.items()}

    def records(
        self, day: date, user_name: str | None = None, at: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Return the records of a whole ``day`` as the API lists them now, or ``at``, in its order.

        A day that the API does not answer (too old, refused, or to come) has none.
        """
        return self._api.records(user_name or self.user_name, day, at)

    def truth(self, day: date, user_name: str | None = None) -> list[MadeCall]:
        """Return the calls of a ``day`` as they are once all is over, whatever is listed of them.

        They are in no spelling, and in the order of their starts.
        """
        return self._api.truth(user_name or self.user_name, day)

    def add_faults(self, *faults: str | None) -> None:
        """Let the next requests meet ``faults`` as well.

        Raises:
            ValueError: A fault does not exist.
        """
        self._api.add_faults(faults)

    def change_late(self) -> None:
        """Change finished calls from now on: disposition, comments, wrap-up, recording."""
        self._api.change_late()

    def _respond(self, received: Received) -> Response:
        response, request = self._api.respond(received)
        if self.log:
            self.log(log_line(request))
        return response


def log_line(request: Request) -> str:
    """Return one line about ``request``: no key, no token, nothing of a record."""
    asked = f"{request.from_date} to {request.to_date[-8:]}" if request.to_date else ""
    outcome = request.outcome if request.count is None else f"{request.count} records"
    parts = [
        f"{request.now:%H:%M:%S}",
        request.method,
        request.path,
        request.account,
        asked,
        str(request.status),
        f"fault {request.fault}" if request.fault else outcome,
    ]
    return " ".join(part for part in parts if part)
