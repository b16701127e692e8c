"""What a person reads of a run: its plan, how far it is, and what was strange in the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_ozonetel_cdr.api.quote import quote, quote_id

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence
    from datetime import date

    from tap_ozonetel_cdr.api.client import Client, DayResponse
    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.records.counts import Counts
    from tap_ozonetel_cdr.records.duplicates import Duplicates
    from tap_ozonetel_cdr.records.ids import OtherOffset

_SUSPICIOUS_DAYS = 3
"""Days on which filters that leave nothing are more likely misspelt than meant."""


class Progress:
    """Says in the log how a run goes; of records it says names of fields, ids and counts alone."""

    def __init__(
        self, days: Sequence[date], client: Client, *, clock: Clock, logger: logging.Logger
    ) -> None:
        """Say what is planned, and how long it takes at least."""
        self._days = len(days)
        self._client = client
        self._clock = clock
        self._logger = logger
        self._started = clock.monotonic()
        self._read = self._records = 0
        if not days:
            logger.info("Nothing to read: the last day wanted comes before the first")
            return
        wait = client.least_wait(self._days)
        finding_out = client.standing.finding_out
        logger.info(
            "Plan: %s to %s, %d requests%s%s",
            days[0],
            days[-1],
            self._days,
            f", at least {_span(wait)}" if wait else ", no wait",
            f"; {finding_out} more if the account needs a token" if finding_out else "",
        )

    def ids_say(self, other: OtherOffset, timezone: str) -> None:
        """Say that the ids and the setting place the records in different time zones."""
        self._logger.warning(
            "timezone is %s (%s), but the ids of the records say %s: instants are wrong by the "
            "difference, and today may be another day. Set timezone to the account's",
            timezone,
            other.of_setting,
            other.of_ids,
        )

    def day_is_read(self, response: DayResponse, written: int, found: Duplicates | None) -> None:
        """Say how many records a day had, and what is still to come."""
        self._read += 1
        self._records += written
        if written < response.count:
            self._logger.info(
                "%s: %d records came in two parts of the day; they are written once",
                response.day,
                response.count - written,
            )
        if found:
            self._logger.warning(
                "%s: %d keys are shared by records that differ, such as CallID %s, UCID %s; all of "
                "them are written, but a target that upserts keeps one record of a key",
                response.day,
                found.count,
                *(quote_id(one, self._client.secrets) for one in found.example),
            )
        # The next day may have been answered while this one was written.
        left = self._days - self._client.standing.days
        wait = self._client.least_wait() if left else 0
        self._logger.info(
            "%s: %d records in %s (day %d of %d)%s",
            response.day,
            written,
            _span(response.seconds),
            self._read,
            self._days,
            f"; next request in {_span(wait)}, at least {_span(self._client.least_wait(left))} left"
            if wait >= 1
            else "",
        )

    def all_is_read(self, filter_names: str) -> None:
        """Say what the whole run came to; ``filter_names`` are the settings that filter."""
        self._logger.info(
            "Done: %d records of %d days in %s, %d requests",
            self._records,
            self._read,
            _span(self._clock.monotonic() - self._started),
            self._client.standing.requests,
        )
        if filter_names and not self._records and self._read >= _SUSPICIOUS_DAYS:
            self._logger.warning(
                "The filters leave nothing on any of %d days: check the spelling of %s. --test "
                "says how many records a day has without them",
                self._read,
                filter_names,
            )

    def say_what_was_strange(self, counts: Counts) -> None:
        """Say what the records had that a user should hear of."""
        for day in sorted(counts.lenient):
            self._logger.warning(
                "%s: part of the response is not strict JSON; it is read anyway, with U+FFFD for "
                "bytes that are not UTF-8",
                day,
            )
        for met, what in (
            (counts.new_fields, "unknown field %s in %d records; it is kept in AdditionalFields"),
            (counts.misfits, "%s: %d values do not fit the column; they are in AdditionalFields"),
            (counts.missing_ids, "%s is missing in %d records; it is empty text there"),
            (counts.replaced, "%s: %d characters that no target can hold became U+FFFD"),
            (counts.numbers_as_text, "%s: %d numbers that no target can hold became text"),
        ):
            for name, count in met.items():
                self._logger.warning(what, quote(name, self._client.secrets), count)
            if met.others:
                self._logger.warning(what, "others like these", met.others)


def _span(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004
