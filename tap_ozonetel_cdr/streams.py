"""The stream cdr: for each planned day fetch, decode, shape, write, and move the bookmark.

The only file that moves the state.
"""

from __future__ import annotations

import contextlib
import dataclasses
import operator
from datetime import timedelta
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import StateMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ozonetel_cdr import doctor, settings, state
from tap_ozonetel_cdr.api.client import Client, MissingDay
from tap_ozonetel_cdr.api.prefetch import one_ahead
from tap_ozonetel_cdr.errors import StateError
from tap_ozonetel_cdr.plan import Plan, plan, settled_day
from tap_ozonetel_cdr.progress import Progress
from tap_ozonetel_cdr.records import columns, duplicates
from tap_ozonetel_cdr.records.rows import RowMaker, as_record
from tap_ozonetel_cdr.writers import Batches, Lines, Mapped, batch_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_ozonetel_cdr.api.client import DayResponse
    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.output import Output
    from tap_ozonetel_cdr.records.duplicates import Duplicates
    from tap_ozonetel_cdr.records.rows import Row
    from tap_ozonetel_cdr.settings import Settings
    from tap_ozonetel_cdr.writers import Writer

NAME = "cdr"
REPLICATION_KEY = "CallDate"

_key = operator.attrgetter("CallID", "UCID")

_KNOWN_RETENTION = 15
"""Days before today for which the API answers [doc]."""


class CdrStream(Stream):
    """A record is an event of a call, a request is one day, and the bookmark is a date."""

    name = NAME
    # Records fit their schema when they leave rows.py.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    # A target would drop every record older than the API's memory.
    emit_activate_version_messages = False

    def __init__(self, tap: Tap, *, clock: Clock, output: Output) -> None:
        """Make the stream; nothing is requested before its sync."""
        include_account = settings.includes_account(tap.config)
        super().__init__(tap, schema=columns.schema(include_account=include_account))
        self.primary_keys = columns.key_properties(include_account=include_account)
        self.replication_key = REPLICATION_KEY
        self._clock = clock
        self._output = output

    # The SDK's hook, which its documentation asks nobody to override: the stream moves its state by
    # the day, where the SDK's own loop moves it by the record.
    def sync(self, context: Context | None = None) -> None:  # type: ignore[misc]  # noqa: ARG002
        """Read each planned day and write it whole; behind each stands a STATE.

        Raises:
            TapError: The run cannot go on. Every day before it is written, with its STATE.
        """
        maps = self.stream_maps
        if all(isinstance(one, RemoveRecordTransform) for one in maps):
            self.logger.warning(
                "stream_maps drop the stream %s, so nothing is read and the bookmark stays. Map "
                "its columns instead, or deselect the stream",
                self.name,
            )
            return
        run = settings.Settings.from_config(self.config, now=self._clock.now())
        is_test = self.ABORT_AT_RECORD_COUNT is not None
        if is_test:  # who waits for it sits in front of it
            patience = min(run.retry_timeout, 2 * run.rate_limit_period)
            run = dataclasses.replace(run, retry_timeout=patience)
        planned = self._plan(run)
        client = Client(run, clock=self._clock, logger=self.logger)
        if is_test:
            self._test(planned, client, run)
            return
        maker, writer = self._row_maker(run), self._writer()
        self._write_schema_message()
        progress = Progress(planned.days, client, clock=self._clock, logger=self.logger)
        with self.get_record_counter() as counter, self.get_sync_timer():
            try:
                for response in one_ahead(client.fetch_day, planned.days):
                    if isinstance(response, MissingDay):
                        self._pass_over(response, planned, run)
                        continue
                    written, found = _write_day(response, maker, writer)
                    self._move_bookmark(planned, response.day)
                    counter.increment(written)
                    progress.day_is_read(response, written, found)
                    if other := maker.zone_check.end_day():
                        progress.ids_say(other, run.timezone.key)
            finally:
                progress.say_what_was_strange(maker.counts)
        progress.all_is_read(run.filter_names)

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        """Yield the records of all planned days, for whoever asks the stream itself for them."""
        run = settings.Settings.from_config(self.config, now=self._clock.now())
        client = Client(run, clock=self._clock, logger=self.logger)
        maker = self._row_maker(run)
        for response in map(client.fetch_day, self._plan(run).days):
            if not isinstance(response, MissingDay):
                with contextlib.closing(response):
                    for rows in _rows(response, maker):
                        yield from map(as_record, rows)

    def log_sync_costs(self) -> None:
        """Say aloud that nothing was read, where the catalog is why: the end of every run."""
        if self.selected:
            return
        catalog = self._tap.input_catalog
        if catalog is not None and catalog.get_stream(self.name) is None:
            names = ", ".join(catalog) or "none"
            self.logger.warning(
                "The catalog has no stream %s (it lists %s), so nothing is read. Make the catalog "
                "again with --discover",
                self.name,
                names,
            )
            return
        self.logger.warning(
            'The catalog does not select the stream %s, so nothing is read. Set "selected": true '
            "in its metadata; with Meltano, check `select`",
            self.name,
        )

    # A day at a time

    def _row_maker(self, run: Settings) -> RowMaker:
        return RowMaker(
            run.timezone,
            account=run.user_name if run.include_account else None,
            columns=self.effective_schema["properties"],
        )

    def _pass_over(self, day: MissingDay, planned: Plan, run: Settings) -> None:
        """Say that a planned day cannot be read; the bookmark does not move.

        Raises:
            StateError: It was to be continued from, and ``on_gap`` is ``fail``.
        """
        if not day.lost:
            self.logger.warning("%s is left to the next run: %s", day.day, day.reason)
            return
        lost = f"{day.day} cannot be read: {day.reason}"
        if run.on_gap == "fail" and planned.misses(day.day):
            raise StateError(
                f"{lost}. The run ends here (on_gap: fail). To go on without it, set start_date to "
                f"{day.day + timedelta(days=1)}, or on_gap to warn"
            )
        self.logger.warning(
            "%s. The run goes on with the next day. Ask Ozonetel for a report of it if you need it",
            lost,
        )

    def _test(self, planned: Plan, client: Client, run: Settings) -> None:
        """Say what the doctor finds, write a record of the day it read, and move no bookmark."""
        maker, writer = self._row_maker(run), self._writer()
        self._write_schema_message()
        response = doctor.examine(run, planned, client, clock=self._clock, logger=self.logger)
        with contextlib.closing(response):
            for rows in islice(_rows(response, maker), 1):
                writer.write(rows[: self.ABORT_AT_RECORD_COUNT])
            writer.end_day()
        self._tap.write_message(StateMessage(value=self.tap_state))

    # How rows leave

    def _writer(self) -> Writer:
        batches = batch_config(self.config)
        as_they_are = self._leaves_records_as_they_are()
        if batches:
            messages = None if as_they_are else self._generate_record_messages
            return Batches(batches, self.tap_name, self.name, messages, self._tap.write_message)
        if as_they_are:
            return Lines(self.name, self._output, self._clock)
        return Mapped(self._generate_record_messages, self._tap.write_message)

    def _leaves_records_as_they_are(self) -> bool:
        """Tell whether the SDK would change nothing in a record, and leave none out."""
        [first, *others] = self.stream_maps
        return not others and type(first) is SameRecordTransform and not first.flattening_enabled

    # The plan

    def _plan(self, run: Settings) -> Plan:
        """Return the days to ask for; say which are gone.

        Raises:
            StateError: The bookmark cannot be continued from, or days behind it are gone and
                ``on_gap`` is ``fail``.
        """
        now = self._clock.now().astimezone(run.timezone)
        until = self._clock.safe_now().astimezone(run.timezone)
        incremental = self.replication_method == REPLICATION_INCREMENTAL
        planned = plan(
            today=until.date(),
            settled=min(settled_day(now, run.settling_hours), until.date()),
            # The API forgets by its own clock.
            retention_days=run.retention_days - (now.date() - until.date()).days,
            lookback_days=run.lookback_days,
            start_date=run.start_date,
            end_date=run.end_date,
            bookmark=(
                state.bookmark(self.stream_state, REPLICATION_KEY, now.date())
                if incremental
                else None
            ),
        )
        if run.retention_days > _KNOWN_RETENTION:
            self.logger.warning(
                "retention_days is %d: the API is known to keep %d, and for older days it returns "
                "an empty list",
                run.retention_days,
                _KNOWN_RETENTION,
            )
        if planned.gap:
            lost = (
                f"{planned.gap} can no longer be read: the last run was too long ago, and the API "
                f"keeps {run.retention_days} days"
            )
            if run.on_gap == "fail":
                raise StateError(
                    f"{lost}. Nothing was requested (on_gap: fail). To go on without them, set "
                    f"start_date to {planned.gap.last + timedelta(days=1)}, or on_gap to warn"
                )
            self.logger.warning(
                "%s. Ask Ozonetel for a report of these days if you need them", lost
            )
        if planned.before_retention:
            self.logger.warning(
                "start_date asks for %s, which the API no longer has: it keeps %d days",
                planned.before_retention,
                run.retention_days,
            )
        if planned.oldest_may_be_partial:
            self.logger.warning(
                "%s is the oldest day that the API answers for; it may no longer be complete",
                planned.days[0],
            )
        return planned

    # The bookmark

    def _move_bookmark(self, planned: Plan, day: date) -> None:
        """Move the bookmark behind a day whose last record is written, and write a STATE."""
        reached = planned.bookmark_after(day)
        if reached and self.replication_method == REPLICATION_INCREMENTAL:
            entry = self.stream_state
            entry["replication_key"] = REPLICATION_KEY
            entry["replication_key_value"] = reached.isoformat()
        self._tap.write_message(StateMessage(value=self.tap_state))


def _write_day(
    response: DayResponse, maker: RowMaker, writer: Writer
) -> tuple[int, Duplicates | None]:
    """Write a day whole; return how many records it had, and which of them share a key."""
    keys, written = duplicates.Hashes(), 0
    with contextlib.closing(response):
        for rows in _rows(response, maker):
            keys.add(map(_key, rows))
            written += len(rows)
            writer.write(rows)
        suspects = keys.repeated()
        found = duplicates.find(response.bodies, suspects) if suspects else None
    writer.end_day()
    return written, found


def _rows(response: DayResponse, maker: RowMaker) -> Iterator[list[Row]]:
    """Yield the rows of a day, a chunk at a time; a record in two of its responses once."""
    for chunk, wanted in duplicates.once(response.bodies):
        rows = maker.rows(chunk, response.day)
        yield rows if wanted is None else list(compress(rows, wanted))
