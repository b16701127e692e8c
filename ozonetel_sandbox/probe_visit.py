"""One visit to an account: what it asks about, and what later questions need of earlier ones."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from ozonetel_sandbox import probe_records
from ozonetel_sandbox.probe_account import Account, Reply, Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ozonetel_sandbox.probe_records import Record

#: The hours of a day to ask for, while more is not answered.
_HOURS = (24, 6, 1)


@dataclasses.dataclass(frozen=True)
class Options:
    """What the probe may do, and where it keeps its hashes."""

    keys: Path
    #: Whether it tries a wrong key and a wrong account.
    wrong_keys: bool = False
    #: Whether it waits until a token ends, and uses up the account's tokens of an hour.
    tokens: bool = False


@dataclasses.dataclass(frozen=True)
class Reading:
    """A day as it was answered."""

    day: date
    reply: Reply
    #: How many hours from midnight on were asked for.
    hours: int

    @property
    def records(self) -> Sequence[Record]:
        """Its records."""
        return self.reply.details

    @property
    def is_of_a_whole_day(self) -> bool:
        """Whether a whole day was answered."""
        return self.hours == _HOURS[0] and self.reply.is_success

    def __str__(self) -> str:
        """Return what may be said of it."""
        if self.reply.is_success and not self.records and not self.reply.is_no_data:
            return "an empty list under success"
        found = probe_records.hours(self.records)
        return f"records from hour {found[0]} to hour {found[1]}" if found else str(self.reply)


class Visit:
    """An account that is being asked."""

    def __init__(self, account: Account, options: Options) -> None:
        """Begin now: this is today, also if midnight passes meanwhile."""
        self.account = account
        self.options = options
        self.begun = account.local_now()
        #: Every refusal, by what was asked.
        self.refusals: dict[str, Reply] = {}
        self.readings: dict[date, Reading] = {}
        #: Whether a token alone lets in.
        self.token_works = False

    @property
    def target(self) -> Target:
        """Whom it asks."""
        return self.account.target

    @property
    def today(self) -> date:
        """The day on which it began, by the account's clock."""
        return self.begun.date()

    @property
    def past(self) -> date:
        """A day that is surely settled."""
        return self.today - timedelta(days=2)

    @property
    def little(self) -> dict[str, str | None]:
        """A minute of a settled day: where only the way of asking matters."""
        return {"fromDate": at(self.past), "toDate": at(self.past, "00:00:59")}

    def read(self, what: str, day: date) -> Reading:
        """Return a day as it is answered; less of it where the whole is not."""
        reading = Reading(day, Reply(None), _HOURS[0])
        for hours in _HOURS:
            last = datetime.combine(day, time()) + timedelta(hours=hours, seconds=-1)
            to = min(last, self.account.local_now().replace(microsecond=0))
            reply = self.account.ask(what, {"fromDate": at(day), "toDate": f"{to}"})
            reading = Reading(day, reply, hours)
            if not reply.failed:
                break
        self.readings[day] = reading
        return reading


def at(day: date, clock: str = "00:00:00") -> str:
    """Return a moment in the API's form."""
    return f"{day} {clock}"
