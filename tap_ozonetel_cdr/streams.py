"""The stream cdr: for each planned day fetch, decode, shape, emit, and move the bookmark.

The only file that touches state. The SDK's private hooks that it overrides stand together at the
end of the class, each with its reason; tests fail when the SDK changes under them.
"""

from __future__ import annotations

import contextlib
import operator
from datetime import timedelta
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import StateMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ozonetel_cdr import settings
from tap_ozonetel_cdr.api.client import Client
from tap_ozonetel_cdr.api.prefetch import one_ahead
from tap_ozonetel_cdr.errors import StateError
from tap_ozonetel_cdr.plan import Plan, parse_date, plan
from tap_ozonetel_cdr.progress import Progress
from tap_ozonetel_cdr.records import columns, duplicates
from tap_ozonetel_cdr.records.lines import record_lines
from tap_ozonetel_cdr.records.rows import RowMaker, as_record

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import date

    from singer_sdk.helpers.types import Context

    from tap_ozonetel_cdr.records.rows import Row
    from tap_ozonetel_cdr.tap import TapOzonetelCDR

_key = operator.attrgetter("CallID", "UCID")

_KNOWN_RETENTION = 15
"""Days before today for which the API answers [doc]."""


class CdrStream(Stream):
    """One record a leg of a call, one request a day, a date as the bookmark."""

    name = "cdr"
    # Records fit their schema when they leave rows.py.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    # A target would drop every call older than the API's memory.
    emit_activate_version_messages = False
    _tap: TapOzonetelCDR

    def __init__(self, tap: TapOzonetelCDR) -> None:
        """Make the stream; nothing is asked for before its sync."""
        include_account = settings.includes_account(tap.config)
        super().__init__(tap, schema=columns.schema(include_account=include_account))
        self.primary_keys = columns.key_properties(include_account=include_account)
        self.replication_key = "CallDate"
        self._batching = False

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        """Yield the records of each planned day, for the SDK's own path.

        The SDK asks for a record after it has written the one before, as ``_chunks`` needs it.
        """
        for rows in self._chunks():
            yield from map(as_record, rows)

    def _chunks(self) -> Iterator[list[Row]]:
        """Yield the rows of each planned day, and move the bookmark behind its last one.

        The next rows have to be asked for when those before are written: what follows the last
        rows of a day here happens when they are out.
        """
        run = self._tap.run_settings()
        planned = self._plan(run)
        client = Client(run, clock=self._tap.clock, logger=self.logger)
        maker = RowMaker(
            run.timezone,
            account=run.user_name if run.include_account else None,
            columns={crumb[-1] for crumb, selected in self.mask.items() if crumb and selected},
        )
        if self.ABORT_AT_RECORD_COUNT is not None:
            yield from self._try_connection(planned, client, maker)
            return
        progress = Progress(planned.days, client, clock=self._tap.clock, logger=self.logger)
        try:
            for answers in one_ahead(client.fetch_day, planned.days):
                keys, emitted = duplicates.Hashes(), 0
                with contextlib.closing(answers):
                    for window, wanted in duplicates.once(answers.parts):
                        rows = maker.rows(window, answers.day)
                        if wanted is not None:
                            rows = list(compress(rows, wanted))
                        keys.add(map(_key, rows))
                        emitted += len(rows)
                        yield rows
                    suspects = keys.repeated()
                    found = duplicates.find(answers.parts, suspects) if suspects else None
                self._finish(answers.day)
                progress.day_is_read(answers, emitted, found)
        finally:
            progress.say_what_was_strange(maker.counts)
        progress.all_is_read()

    def _writes_rows_as_they_are(self) -> bool:
        """Tell whether the SDK would change nothing in a record, and leave none out."""
        maps = self.stream_maps
        return (
            self.selected
            and self.ABORT_AT_RECORD_COUNT is None
            and len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
        )

    def _try_connection(
        self, planned: Plan, client: Client, maker: RowMaker
    ) -> Iterator[list[Row]]:
        """Yield a few rows for one request, and move no bookmark: what ``--test`` asks for.

        The day is the last that is over, if there is one: today may have no calls yet.
        """
        for day in planned.days[-2:][:1]:
            with contextlib.closing(client.fetch_day(day)) as answers:
                self.logger.info("user_name and api_key work: %s has %d calls", day, answers.count)
                for window, _ in islice(duplicates.once(answers.parts), 1):
                    yield maker.rows(window, day)[: self.ABORT_AT_RECORD_COUNT]

    # The plan

    def _plan(self, run: settings.Settings) -> Plan:
        """Return the days to ask for; say which are gone.

        Raises:
            StateError: The bookmark cannot be continued from, or days behind it are gone and
                ``on_gap`` is ``fail``.
        """
        today = self._tap.clock.now().astimezone(run.timezone).date()
        planned = plan(
            today=today,
            retention_days=run.retention_days,
            lookback_days=run.lookback_days,
            start_date=run.start_date,
            end_date=run.end_date,
            bookmark=self._bookmark(today),
        )
        if run.retention_days > _KNOWN_RETENTION:
            self.logger.warning(
                "retention_days is %d: the API is known to keep %d, and for older days it answers "
                "as if there had been no calls",
                run.retention_days,
                _KNOWN_RETENTION,
            )
        if planned.gap:
            lost = (
                f"{planned.gap} can no longer be read: the last run is too long ago, and the API "
                f"keeps {run.retention_days} days"
            )
            if run.on_gap == "fail":
                raise StateError(
                    f"{lost}. Nothing was asked for (on_gap: fail). To go on without them, set "
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
                "%s is the oldest day that the API answers for; it may no longer be whole",
                planned.days[0],
            )
        return planned

    def _bookmark(self, today: date) -> date | None:
        """Return the last day read to its end, or None to begin at the first that is wanted.

        Raises:
            StateError: It is no date, lies in the future, or belongs to another key.
        """
        if self.replication_method != REPLICATION_INCREMENTAL:
            return None
        value = self.stream_state.get("replication_key_value")
        if value is None:
            return None
        key = self.stream_state.get("replication_key", self.replication_key)
        way_out = "Set the state right, or clear it to read all days that the API still has"
        if key != self.replication_key:
            raise StateError(
                f"The bookmark in the state belongs to the key {key!r}, not to "
                f"{self.replication_key}. {way_out}"
            )
        try:
            bookmark = parse_date(value)
        except ValueError:
            raise StateError(
                f"The bookmark in the state is no date: {value!r}. {way_out}"
            ) from None
        if bookmark > today:
            raise StateError(
                f"The bookmark in the state, {bookmark}, lies in the future: today is {today}. "
                f"Check this machine's clock and the setting timezone. {way_out}"
            )
        return bookmark

    # The bookmark

    def _finish(self, day: date) -> None:
        """Move the bookmark behind a day whose last record is written, and say so in a STATE."""
        state = self.stream_state
        if self.replication_method == REPLICATION_INCREMENTAL:
            before = state.get("replication_key_value")
            if before is None or parse_date(before) < day:
                before = day.isoformat()
            state["replication_key"] = self.replication_key
            state["replication_key_value"] = before
        if self._batching:
            # The SDK writes it behind the batch that holds the day's last record.
            self.state_manager.is_flushed = False
        else:
            self._tap.write_message(StateMessage(value=self.tap_state))

    # The SDK's private hooks

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write many lines at once where the SDK would write the same ones singly.

        Records that go into batches are left to the SDK, and noted: their STATE has to come behind
        the batch.
        """
        self._batching = not write_messages
        if self._batching or not self._writes_rows_as_they_are():
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        with self.get_record_counter() as counter, self.get_sync_timer():
            for rows in self._chunks():
                self._tap.write_lines(record_lines(self.name, rows, self._tap.clock.now()))
                counter.increment(len(rows))

    def _increment_stream_state(self, latest_record: object, *, context: object = None) -> None:
        """Leave the bookmark alone: by record it could name a day that is half written."""

    def _write_starting_replication_value(self, context: object) -> None:
        """Leave it out of the state: it would compare date-times of ``start_date``."""

    def get_replication_key_signpost(self, context: object = None) -> None:
        """Give none: the days planned end today."""
