"""``ozonetel-sandbox probe``: what a real account says of the facts that nobody could check here.

It asks, one request after the other and within the limit, for what docs/api.md marks [open] or
[field], and for the measured forms. What it returns and leaves behind are forms only. It shares no
code with the tap: both rest on the same page, and this is what checks the page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ozonetel_sandbox import probe_keys, probe_records
from ozonetel_sandbox.probe_account import Account
from ozonetel_sandbox.probe_days import RETENTION_DAYS, days
from ozonetel_sandbox.probe_facts import Fact, about, table, unseen
from ozonetel_sandbox.probe_limits import limit, tokens
from ozonetel_sandbox.probe_refusals import refusals_alike, refused_requests
from ozonetel_sandbox.probe_visit import Visit
from ozonetel_sandbox.probe_ways import ways_in, wrong_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from ozonetel_sandbox.probe_account import Clock, Target
    from ozonetel_sandbox.probe_records import Which
    from ozonetel_sandbox.probe_visit import Options

WARNING = """\
This asks the real API for {minutes}, and for the account that you have set:
- It generates {tokens}. Each ends the one before it: clients that go by token must get a new one.
- It uses the limit up, {limit}, from its first request to its last: other clients are refused.
- It {wrong}
What it prints and leaves in {keys} are forms, shares and the API's own words: no name, number,
id, key or text of a record."""


class Probe:
    """Asks one account, and collects what is seen."""

    def __init__(
        self, target: Target, options: Options, *, clock: Clock, say: Callable[[str], None]
    ) -> None:
        """Send nothing yet; ``say`` takes a line about each request.

        Raises:
            ValueError: The file of keys is none, or was made under another API key.
        """
        self._hashes, self._kept = probe_keys.load(options.keys, target.api_key)
        self._visit = Visit(Account(target, clock=clock, say=say), options)
        self.facts: list[Fact] = []

    def run(self) -> None:
        """Ask everything, and leave the hashes for the next run.

        Raises:
            NoWayInError: Nothing lets the account in.
            OSError: The file of keys cannot be written.
        """
        visit = self._visit
        for part in (ways_in, wrong_keys, refused_requests, refusals_alike, days):
            self.facts.extend(part(visit))
        self.facts.extend(self._records())
        self.facts.extend(self._keys())
        for part in (limit, tokens):
            self.facts.extend(part(visit))
        kept = {
            day: reading.records
            for day, reading in visit.readings.items()
            if day >= visit.today - timedelta(days=1) and reading.records
        }
        probe_keys.save(visit.options.keys, self._hashes, kept, visit.begun)

    def __str__(self) -> str:
        """Return the report: what was asked, and the table."""
        visit = self._visit
        results = [fact.result for fact in self.facts]
        counts = (
            f"{results.count(result)} {result}"
            for result in ("as expected", "differs", "learned", "not seen")
        )
        records = (
            f"{name} {about(len(visit.readings[day].records)) if day in visit.readings else 'none'}"
            for name, day in (("today", visit.today), ("two days ago", visit.past))
        )
        lines = (
            (
                f"Probe of {_host(visit.target.url)}, begun on {visit.begun:%Y-%m-%d} at "
                f"{visit.begun:%H:%M} of the account. Requests: {visit.account.sent} for records. "
                f"Tokens generated: {visit.account.tokens}. Records: {', '.join(records)}."
            ),
            f"Facts: {', '.join(counts)}.",
            *(f"Differs: {fact.name}" for fact in self.facts if fact.result == "differs"),
            "",
            table(self.facts),
        )
        return "\n".join(lines)

    def _records(self) -> Iterator[Fact]:
        visit = self._visit
        asked: tuple[tuple[Which, date], ...] = (("today", visit.today), ("past", visit.past))
        for which, day in asked:
            reading = visit.readings[day]
            if reading.records:
                yield from probe_records.facts(reading.records, which, day, visit.target.zone)
            else:
                yield unseen(f"records of {which}", "measured", "their forms", str(reading))

    def _keys(self) -> Iterator[Fact]:
        visit = self._visit
        if not self._kept:
            yield unseen(
                "keys, when a day changes its spelling",
                "open",
                "stay the same",
                f"run the probe again tomorrow, with {visit.options.keys.name} beside it",
            )
        for kept in self._kept:
            if kept.day > visit.today - timedelta(days=RETENTION_DAYS):
                reading = visit.readings.get(kept.day)
                reading = reading or visit.read("a day of the last run", kept.day)
                yield from probe_keys.facts(kept, reading.records, self._hashes)


def _host(url: str) -> str:
    """Return whose host it is: a partner's own may name the account's company."""
    host = urlsplit(url).hostname or ""
    known = {
        "in1-ccaas-api.ozonetel.com": "the host for India",
        "api.ccaas.ozonetel.com": "the international host",
        "127.0.0.1": "a host on loopback",
    }
    return known.get(host, "a host of its own")
