"""Ids that hold their time, and telephone numbers that belong to nobody."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random
    from zoneinfo import ZoneInfo

DAY = 86_400

#: Shares no factor with a power of ten: its multiples end in every group of digits once.
_STRIDE = 7919
_EIGHT_DIGITS = 10**8


class Ids:
    """Makes the ids of one account's day; no two of a day are equal.

    The Unix time stands in them [measured]: in those of outbound calls all ten digits, in those of
    inbound calls the last eight. The digits around it are made up.
    """

    def __init__(self, day: date, zone: ZoneInfo, salt: Random) -> None:
        """Take what sets the account apart from ``salt``."""
        midnight = datetime.combine(day, time())
        self._midnight = midnight
        self._zone = zone
        self._epoch = _epoch(midnight, zone)
        #: Clocks are changed on such a day, so its seconds do not simply count on.
        self._is_odd = _epoch(midnight + timedelta(days=1), zone) - self._epoch != DAY
        self._salt = salt.randrange(10**6)
        self._made = 0

    def unix(self, second: int) -> int:
        """Return the Unix time of a second of the day, by the clock on the wall."""
        if self._is_odd:
            return _epoch(self._midnight + timedelta(seconds=second), self._zone)
        return self._epoch + second

    def outbound(self, second: int) -> int:
        """Return an id for a Manual or Progressive call that starts at ``second``.

        Of 17 digits, in which the time stands from the 6th on, or of 16, from the 1st on; it is
        within two seconds of the start. [measured]
        """
        number = self._next()
        moment = self.unix(second) - number % 2
        if number % 6 == 0:
            return moment * 10**6 + self._suffix(number, 6)
        prefix = 10_000 + (self._salt + number // 100) % 90_000
        return prefix * 10**12 + moment * 100 + self._suffix(number, 2)

    def inbound(self, second: int) -> int:
        """Return an id for what happened to an inbound call at ``second``.

        Of 15, 16 or 17 digits, in which the last eight digits of the time stand from the 4th on.
        [measured]
        """
        number = self._next()
        digits = (4, 5, 6, 6)[number % 4]
        modulus: int = 10**digits
        prefix = 200 + (self._salt + number // modulus) % 700
        moment = self.unix(second) % _EIGHT_DIGITS
        return (prefix * _EIGHT_DIGITS + moment) * modulus + self._suffix(number, digits)

    def _next(self) -> int:
        self._made += 1
        return self._made

    def _suffix(self, number: int, digits: int) -> int:
        modulus: int = 10**digits
        return (self._salt + number * _STRIDE) % modulus


def _epoch(local: datetime, zone: ZoneInfo) -> int:
    return int(local.replace(tzinfo=zone).timestamp())


#: India has no range of numbers for fiction. These have ten digits as Indian numbers have, but
#: begin with 0, the digit that is dialled before a national number and never its first.
def national(customer: int) -> str:
    """Return the ten digits of a customer, a number below a million."""
    return f"0555{customer:06}"


def e164(customer: int) -> str:
    """Return a customer's number as ``E164`` has it for every kind of call [measured]."""
    return f"+91{national(customer)}"


def did(line: int) -> str:
    """Return the number that was called, or called from: 12 digits [measured]."""
    return f"910556{line:06}"


def inside_line(agent: int) -> str:
    """Return an agent's six-digit line, which is what ``DialedNumber`` holds [measured]."""
    return f"{500_001 + agent}"


def agent_id(agent: int) -> str:
    """Return the id of an agent, which never changes."""
    return f"agent{1001 + agent}"
