"""What the API remembers of an account: its token, and how much of its limits is used up."""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections import deque
from typing import Literal, NamedTuple

HOUR = 3600.0


class RateLimit(NamedTuple):
    """At most ``requests`` within any ``seconds``."""

    requests: int
    seconds: float


class Period:
    """The requests of an account within the last period, which slides over their receipt."""

    def __init__(self, limit: RateLimit, *, count_refused: bool = False) -> None:
        """Start with nothing used up.

        With ``count_refused`` a request that is refused counts as well, so that a client that
        keeps asking is never let in. Which of both the vendor does is not known. [open]
        """
        self._limit = limit
        self._count_refused = count_refused
        self._received: deque[float] = deque()

    def admit(self, now: float) -> bool:
        """Return whether a request received at ``now`` (seconds) is within the limit."""
        while self._received and self._received[0] <= now - self._limit.seconds:
            self._received.popleft()
        admitted = len(self._received) < self._limit.requests
        if admitted or self._count_refused:
            self._received.append(now)
        return admitted

    def use_up(self, now: float) -> None:
        """Let another client have made all the requests of a period at ``now``."""
        self._received = deque([now] * self._limit.requests)


class TokenLife(NamedTuple):
    """From when to when a token is accepted: its age in seconds."""

    begins: float
    ends: float


def made_up_token() -> str:
    """Return a text that looks like a token."""
    return f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(48)}"


@dataclasses.dataclass
class Account:
    """An account: its credentials, its limits, its token."""

    user_name: str
    #: All of them share the limits. [field]
    api_keys: tuple[str, ...] = dataclasses.field(repr=False)
    requests: Period
    tokens: Period
    _token: str = dataclasses.field(default="", init=False, repr=False)
    _made: float = dataclasses.field(default=-math.inf, init=False, repr=False)

    def new_token(self, now: float) -> str:
        """Return a new token; the one before it ends."""
        self._token = made_up_token()
        self._made = now
        return self._token

    def end_token(self) -> None:
        """End the token, if there is one."""
        self._token = ""

    def judge(self, token: str, now: float, life: TokenLife) -> Literal["good", "new", "ended"]:
        """Return whether ``token`` is accepted, not yet, or no more."""
        if not self._token or token != self._token or now - self._made >= life.ends:
            return "ended"
        return "new" if now - self._made < life.begins else "good"
