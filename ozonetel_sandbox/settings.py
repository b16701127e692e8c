"""How the sandbox behaves: what was measured is the default, what is open is an option."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from ozonetel_sandbox.accounts import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

#: The settings that are one of a few words.
CHOICES = {
    "remarks": ("rich", "plain"),
    "current_kinds": ("measured", "all"),
    "settling": ("whole", "empty", "partial"),
    "future_to_date": ("refused", "accepted"),
    "auth_method": ("api_key", "token", "either"),
    "token_form": ("message", "alone", "string"),
}


@dataclasses.dataclass(kw_only=True, eq=False)
class Settings:
    """How the API behaves. Hours are those of the accounts' clock, counted from midnight."""

    # The accounts.
    #: How many demo accounts, or each account's name and key, or keys.
    accounts: int | Mapping[str, str | Sequence[str]] = 1
    timezone: str = "Asia/Kolkata"

    # The records.
    seed: int = 1
    #: About how many records a working day has, or exactly how many a date has.
    records_per_day: int | Callable[[date], int] = 200
    #: ``rich``: quotes, braces, other scripts in remarks and names. ``plain``: ASCII. [measured]
    remarks: Literal["rich", "plain"] = "rich"
    #: Ratings, holds, conferences and nulls, which other accounts may have.
    extras: bool = False
    #: The field ``DialCount``, which came to other accounts later. [field]
    dial_count: bool = False
    #: ``measured``: a current day lists no Progressive calls, changes of skill and dials out.
    current_kinds: Literal["measured", "all"] = "measured"
    #: Agents get other names, in old records too. [measured]
    renaming: bool = True

    # What changes with the time.
    #: When a finished day takes on the spelling of past days: between 0 and 9.5. [measured]
    switch_hour: float = 0
    #: A finished day until ``settling_hour``: whole, or without records, or half of them. [open]
    settling: Literal["whole", "empty", "partial"] = "whole"
    settling_hour: float = 3
    #: A day older than 15 days: ``empty`` [field], or the words of a refusal. [open]
    too_old: str = "empty"
    #: The 15th day back: ``whole``, ``empty``, ``partial``, or the words of a refusal. [open]
    edge: str = "whole"
    #: A ``toDate`` later than now that is still today: both were seen. [field]
    future_to_date: Literal["refused", "accepted"] = "refused"

    # Getting in.
    #: The ways that work: the key's header alone (seen everywhere it was tried), a Bearer token
    #: alone [doc], or either. Beside the one that works the other does no harm. [field]
    auth_method: Literal["api_key", "token", "either"] = "api_key"
    #: generateToken's success: with an empty ``message`` [doc], the token ``alone`` [field], or
    #: within a JSON ``string`` [open].
    token_form: Literal["message", "alone", "string"] = "message"  # noqa: S105 - a form
    #: Seconds.
    token_lifetime: float = HOUR
    tokens_per_hour: int = 10
    #: Seconds in which a new token is refused [field], and the words for it [open].
    token_delay: float = 0
    token_delay_words: str = "401:Token Expired"  # noqa: S105 - words

    # Limits.
    #: Requests for records, within so many seconds, of one account.
    rate_limit: tuple[int, float] = (2, 60)
    #: Whether a request refused for the limit counts against it as well. [open]
    count_refused: bool = False
    #: The limit's words: ``Max limit exceeded`` is what sister endpoints say. [doc]
    limit_words: str = "API rate limit has been exceeded"
    #: Whether a token stands beside the limit's refusal under HTTP 200. [field]
    limit_bears_token: bool = False
    #: The longest span of one request, in minutes, that is answered in time; None for any.
    largest_span: float | None = None
    #: The fault that answers a longer one.
    too_large: str = "http_504"

    # The HTTP status of each group of refusals. [open]
    request_status: int = HTTPStatus.OK
    credentials_status: int = HTTPStatus.UNAUTHORIZED
    limit_status: int = HTTPStatus.OK
