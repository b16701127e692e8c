from __future__ import annotations

import contextlib
import gzip
import io
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import url2pathname

import pytest
from clocks import TODAY, StillClock
from runs import days_from, expected, run, sandbox_on, tap_for

if TYPE_CHECKING:
    from runs import Sync

    from ozonetel_sandbox import Sandbox

OLDEST = date(2026, 11, 5)
YESTERDAY = date(2026, 11, 19)


def asked(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return the spans asked for, in order."""
    return [(r.from_date, r.to_date) for r in sandbox.requests if r.method == "GET"]


def days_asked(sandbox: Sandbox) -> list[str]:
    """Return the dates asked for, in order."""
    return [first[:10] for first, _ in asked(sandbox)]


def bookmark(value: object, key: str = "CallDate") -> dict[str, Any]:
    """Return a state."""
    return {"bookmarks": {"cdr": {"replication_key": key, "replication_key_value": value}}}


def texts(first: date, last: date = TODAY) -> list[str]:
    """Return the days from first to last as a bookmark has them."""
    return [str(day) for day in days_from(first, last)]


def catalog(sandbox: Sandbox, crumb: tuple[str, ...], **metadata: object) -> dict[str, Any]:
    """Return the discovered catalog with metadata changed."""
    discovered = tap_for(sandbox, StillClock()).catalog_dict
    found: dict[str, Any] = json.loads(json.dumps(discovered))
    [stream] = found["streams"]
    [entry] = [m["metadata"] for m in stream["metadata"] if tuple(m["breadcrumb"]) == crumb]
    entry.update(metadata)
    if "forced-replication-method" in metadata:
        stream["replication_method"] = metadata["forced-replication-method"]
    return found


def test_a_first_run_reads_16_dates_once_each(sandbox: Sandbox, sync: Sync) -> None:
    """They ascend, each asked for whole, today up to now; every record and a STATE a day."""
    result = sync()
    days = days_from(OLDEST)
    assert asked(sandbox) == [
        (f"{day} 00:00:00", f"{day} 11:59:50" if day == TODAY else f"{day} 23:59:59")
        for day in days
    ]
    truth = [expected(sandbox, day) for day in days]
    assert result.records == [row for rows in truth for row in rows]
    assert len(result.records) >= 3 * 14
    types = ["SCHEMA"]
    for rows in truth:
        types += ["RECORD"] * len(rows) + ["STATE"]
    assert result.types[: len(types)] == types
    assert result.bookmarks == texts(OLDEST)


def test_a_first_run_takes_the_least_time_that_the_default_limit_allows(
    sandbox: Sandbox, sync: Sync, clock: StillClock
) -> None:
    """Sixteen requests at 2 in 60 seconds wait seven times, and none is refused for the limit."""
    begin = clock.monotonic()
    sync()
    assert 420 <= clock.monotonic() - begin < 421
    assert {request.outcome for request in sandbox.requests} == {"success"}


def test_an_empty_account_moves_the_bookmark_every_day(clock: StillClock) -> None:
    """A day without records is a day that was read."""
    with sandbox_on(clock, records_per_day=lambda _: 0) as sandbox:
        result = run(sandbox, clock)
    assert result.records == []
    assert result.bookmarks == texts(OLDEST)


@pytest.mark.parametrize("value", ["2026-11-20", "2026-11-20T08:00:00+05:30"])
def test_the_next_run_reads_two_days(sandbox: Sandbox, sync: Sync, value: str) -> None:
    """Looking back does not take the bookmark along."""
    result = sync(bookmark(value))
    assert days_asked(sandbox) == ["2026-11-19", "2026-11-20"]
    assert [str(one)[:10] for one in result.bookmarks] == ["2026-11-20"] * 2


@pytest.mark.parametrize(
    ("state", "settings", "first", "last"),
    [
        (None, {"start_date": "2026-11-18"}, 18, 20),
        (None, {"start_date": "2026-11-10", "end_date": "2026-11-12"}, 10, 12),
        (None, {"end_date": "2026-11-07"}, 5, 7),
        (None, {"retention_days": 3}, 17, 20),
        ("2026-11-10", {}, 10, 20),
        ("2026-11-18T23:00:00-05:00", {}, 18, 20),
        ("2026-11-20", {"lookback_days": 3}, 17, 20),
        ("2026-11-20", {"lookback_days": 0}, 20, 20),
    ],
)
def test_settings_and_bookmark_say_which_days_are_read(
    sandbox: Sandbox, sync: Sync, state: str | None, settings: dict[str, Any], first: int, last: int
) -> None:
    """Each of them once, and the last of them is the bookmark."""
    result = sync(bookmark(state) if state else None, **settings)
    assert days_asked(sandbox) == texts(date(2026, 11, first), date(2026, 11, last))
    assert str(result.bookmarks[-1])[:10] == f"2026-11-{last:02}"


def test_nothing_to_read_is_no_request(
    sandbox: Sandbox, sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    """An end date behind the bookmark's days leaves the bookmark as it was."""
    caplog.set_level("INFO")
    result = sync(bookmark("2026-11-19"), end_date="2026-11-10")
    assert sandbox.requests == []
    assert set(result.bookmarks) <= {"2026-11-19"}
    assert "Nothing to read" in caplog.text


def test_a_misspelt_setting_is_named(sync: Sync, caplog: pytest.LogCaptureFixture) -> None:
    """A name that no setting has is warned of, without its value."""
    result = sync(start_date="2026-11-20", timezon="secret")
    assert result.error is None
    assert "unknown setting timezon ignored" in caplog.text
    assert "secret" not in caplog.text
    assert caplog.text.count("unknown setting") == 1


@pytest.mark.parametrize(("first", "warned"), [("2026-11-18", True), ("2026-11-19", False)])
def test_filters_that_leave_nothing_are_named(
    sync: Sync, caplog: pytest.LogCaptureFixture, first: str, warned: bool
) -> None:
    """On three days or more they are more likely misspelt than meant."""
    result = sync(start_date=first, status="Answred", call_type="Inbound")
    assert (result.error, result.records) == (None, [])
    line = "The filters leave nothing on any of 3 days: check the spelling of call_type, status."
    assert (line in caplog.text) is warned


def test_a_gap_is_warned_of(sandbox: Sandbox, sync: Sync, caplog: pytest.LogCaptureFixture) -> None:
    """The days that are gone are named, and the rest is read."""
    sync(bookmark("2026-11-01"))
    assert "2026-11-01 to 2026-11-04 (4 days) can no longer be read" in caplog.text
    assert days_asked(sandbox) == texts(OLDEST)


def test_a_gap_can_fail(sandbox: Sandbox, sync: Sync) -> None:
    """With on_gap fail nothing is asked for, and the line says how to go on."""
    result = sync(bookmark("2026-11-01"), on_gap="fail")
    assert sandbox.requests == []
    assert result.error is not None
    assert "2026-11-01 to 2026-11-04 (4 days) can no longer be read" in result.error
    assert result.records == []


def test_a_start_before_retention_is_warned_of(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    """The days that the API no longer has are named."""
    sync(start_date="2026-11-01", end_date="2026-11-05")
    assert "start_date asks for 2026-11-01 to 2026-11-04 (4 days)" in caplog.text


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (bookmark("2026-11-21"), "2026-11-21, is in the future: today is 2026-11-20"),
        (bookmark("soon"), "The bookmark in the state is not a date: 'soon'"),
        (bookmark(5), "The bookmark in the state is not a date: 5"),
        (bookmark("2026-11-19", "StartedAt"), "belongs to the key 'StartedAt', not to CallDate"),
    ],
)
def test_a_bookmark_that_cannot_be_continued_from(
    sandbox: Sandbox, sync: Sync, state: dict[str, Any], line: str
) -> None:
    """It ends the run before any request, with a line that says what is wrong with it."""
    result = sync(state)
    assert result.error is not None
    assert line in result.error
    assert sandbox.requests == []


def test_full_table_reads_all_days_whatever_the_bookmark(sandbox: Sandbox, sync: Sync) -> None:
    """The bookmark is neither looked at nor moved."""
    full = catalog(sandbox, (), **{"forced-replication-method": "FULL_TABLE"})
    result = sync(bookmark("2026-11-19"), full)
    assert days_asked(sandbox) == texts(OLDEST)
    assert set(result.bookmarks) == {"2026-11-19"}


def test_a_deselected_stream_is_not_asked_for(sandbox: Sandbox, sync: Sync) -> None:
    """No request, no record, and no bookmark."""
    result = sync(None, catalog(sandbox, (), selected=False))
    assert sandbox.requests == []
    assert result.records == []
    assert set(result.bookmarks) <= {None}


def test_deselected_columns_are_absent(sandbox: Sandbox, sync: Sync) -> None:
    """Neither the schema nor a record has them; the others stay."""
    crumb = ("properties", "CallerID")
    result = sync(None, catalog(sandbox, crumb, selected=False))
    assert "CallerID" not in result.messages[0]["schema"]["properties"]
    assert all("CallerID" not in row and "E164" in row for row in result.records)
    assert result.records


@pytest.mark.parametrize(
    ("zone", "last"),
    [
        ("Pacific/Kiritimati", ("2026-11-20 00:00:00", "2026-11-20 20:29:50")),
        ("Pacific/Pago_Pago", ("2026-11-19 00:00:00", "2026-11-19 19:29:50")),
    ],
)
def test_today_is_the_accounts(clock: StillClock, zone: str, last: tuple[str, str]) -> None:
    """At one instant it is Friday in Kiritimati and Thursday in Pago Pago."""
    with sandbox_on(clock, timezone=zone, records_per_day=lambda _: 1) as sandbox:
        result = run(sandbox, clock)
        assert asked(sandbox)[-1] == last
    assert result.error is None
    assert result.bookmarks[-1] == last[0][:10]


@pytest.mark.parametrize(("day", "kind"), [(YESTERDAY, str), (TODAY, int)])
def test_ids_are_text(clock: StillClock, day: date, kind: type) -> None:
    """Whatever the API sends, their digits are kept: the current day sends numbers."""
    with sandbox_on(clock, records_per_day=lambda _: 40) as sandbox:
        result = run(sandbox, clock, start_date=str(day), end_date=str(day))
        records = sandbox.records(day)
    assert {type(record[name]) for record in records for name in ("CallID", "UCID")} == {kind}
    sent = [(str(record["CallID"]), str(record["UCID"])) for record in records]
    assert [(row["CallID"], row["UCID"]) for row in result.records] == sent


def test_the_account_can_be_in_records_and_key(sandbox: Sandbox, sync: Sync) -> None:
    """It stands in every record, and first in the key."""
    result = sync(include_account=True, start_date="2026-11-19")
    assert result.messages[0]["key_properties"] == ["UserName", "CallID", "UCID"]
    assert {row["UserName"] for row in result.records} == {sandbox.user_name}


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("int(StartTime)", "the expression for Rating failed on a record (ValueError). It has to"),
        ("nope + 1", "the expression for Rating failed on a record (NameNotDefined). It reads a"),
        ("1 // DialCount", "the expression for Rating failed on a record (TypeError). It has to"),
    ],
)
def test_an_expression_that_fails_is_named_without_the_value(
    sandbox: Sandbox, sync: Sync, caplog: pytest.LogCaptureFixture, expression: str, line: str
) -> None:
    """The column and the kind of failure; what stood in the record is in no line."""
    caplog.set_level("DEBUG")
    result = sync(stream_maps={"cdr": {"Rating": expression}}, start_date="2026-11-19")
    assert result.error is not None
    assert result.error.startswith(f"stream_maps: {line}")
    starts = {record["StartTime"] for record in sandbox.records(YESTERDAY)}
    assert starts
    assert not any(start in result.error + caplog.text for start in starts)


def test_stream_maps_hash_and_drop(sync: Sync) -> None:
    """The SDK's maps apply to the records."""
    maps = {"cdr": {"CallerID": "md5(CallerID)", "E164": None}}
    result = sync(stream_maps=maps, start_date="2026-11-19")
    assert result.error is None
    assert result.records
    assert all("E164" not in row and len(row["CallerID"]) == 32 for row in result.records)


def test_flattening_keeps_additional_fields(sandbox: Sandbox, sync: Sync) -> None:
    """A field that the schema does not know is still there."""
    sandbox.add_faults("new_field")
    result = sync(
        flattening_enabled=True,
        flattening_max_depth=3,
        start_date="2026-11-19",
        end_date="2026-11-19",
    )
    assert result.records
    assert all("CustomerMood" in json.dumps(row) for row in result.records)


def batches(folder: Path, size: int = 2) -> dict[str, Any]:
    """Return the setting that has files of so many records in a folder."""
    encoding = {"format": "jsonl", "compression": "gzip"}
    storage = {"root": folder.as_uri()}
    return {"batch_config": {"encoding": encoding, "storage": storage, "batch_size": size}}


def in_files(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records in the files that a BATCH message lists, two in each but the last."""
    paths = [Path(url2pathname(uri.removeprefix("file://"))) for uri in message["manifest"]]
    texts = [gzip.decompress(path.read_bytes()) for path in paths]
    assert {text.count(b"\n") for text in texts[:-1]} <= {2}
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_day_is_one_batch(sandbox: Sandbox, sync: Sync, tmp_path: Path) -> None:
    """Its files hold its records in order; its STATE stands behind it; an empty day is a STATE."""
    result = sync(**batches(tmp_path))
    truth = {str(day): expected(sandbox, day) for day in days_from(OLDEST)}
    assert 10 < sum(map(bool, truth.values())) < 16
    types = ["SCHEMA"]
    for rows in truth.values():
        types += ["BATCH", "STATE"] if rows else ["STATE"]
    assert result.types[: len(types)] == types
    found = [in_files(message) for message in result.messages if message["type"] == "BATCH"]
    assert found == [rows for rows in truth.values() if rows]
    assert result.bookmarks == list(truth)
    assert result.error is None


def test_what_changes_records_changes_those_in_files(
    sandbox: Sandbox, sync: Sync, tmp_path: Path
) -> None:
    """Selection, maps and a filter apply, and each stream that a map makes has its own files."""
    result = sync(
        None,
        catalog(sandbox, ("properties", "AgentName"), selected=False),
        stream_maps={
            "cdr": {"E164": "md5(E164)", "CallerID": "__NULL__"},
            "copies": {"__source__": "cdr", "__else__": None, "CallID": "CallID", "UCID": "UCID"},
        },
        start_date="2026-11-19",
        **batches(tmp_path),
    )
    assert result.error is None
    schemas = {
        m["stream"]: set(m["schema"]["properties"]) for m in result.messages if "schema" in m
    }
    assert schemas["cdr"] == set(expected(sandbox, YESTERDAY)[0]) - {"AgentName", "CallerID"}
    found: dict[str, list[dict[str, Any]]] = {"cdr": [], "copies": []}
    for message in result.messages:
        if message["type"] == "BATCH":
            found[message["stream"]] += in_files(message)
    truth = [row for day in days_from(YESTERDAY) for row in expected(sandbox, day)]
    assert [row["CallID"] for row in found["cdr"]] == [row["CallID"] for row in truth]
    assert all(set(row) == schemas["cdr"] and len(row["E164"]) == 32 for row in found["cdr"])
    assert found["copies"] == [{name: row[name] for name in ("CallID", "UCID")} for row in truth]


def test_a_failure_on_the_fifth_day_delivers_four(
    sandbox: Sandbox, sync: Sync, tmp_path: Path
) -> None:
    """What a STATE names stands in files that a BATCH in front of it lists."""
    sandbox.add_faults("ok", "ok", "ok", "ok", "refusal:Something else")
    result = sync(start_date="2026-11-10", **batches(tmp_path, size=10_000))
    assert result.error is not None
    assert [t for t in result.types if t in {"BATCH", "STATE"}] == ["BATCH", "STATE"] * 4
    assert result.bookmarks[-1] == "2026-11-13"


ODD_DAYS = ("new_field", "other_types", "twins", "nul", "missing_id", "bad_utf8", "repeated_record")


@pytest.mark.parametrize(
    ("settings", "crumb", "selected"),
    [
        ({}, (), True),
        ({"include_account": True}, (), True),
        ({}, ("properties", "StartTime"), False),
        ({}, ("properties", "AdditionalFields"), False),
    ],
)
def test_the_sdk_would_write_the_same_lines(
    sandbox: Sandbox,
    sync: Sync,
    clock: StillClock,
    settings: dict[str, Any],
    crumb: tuple[str, ...],
    selected: bool,
) -> None:
    """Written many at once, lines are those that the SDK writes singly, but for their time.

    A stream map that changes nothing leaves every record to the SDK.
    """
    chosen = catalog(sandbox, crumb, selected=selected)
    results = []
    for maps in ({}, {"cdr": {"CallID": "CallID"}}):
        clock.passed += 60
        sandbox.add_faults(*ODD_DAYS)
        result = sync(None, chosen, stream_maps=maps, **settings)
        assert result.error is None
        for message in result.messages:
            message.pop("time_extracted", None)
        results.append(result.messages)
    (schema, *at_once), (mapped_schema, *singly) = results
    assert list(schema["schema"]["properties"]) == list(mapped_schema["schema"]["properties"])
    assert at_once == singly
    assert len(at_once) > 16 * 3


@pytest.mark.parametrize("records", [0, 30])
def test_a_connection_test_costs_one_request(clock: StillClock, records: int) -> None:
    """Also on an empty account; it moves no bookmark."""
    with sandbox_on(clock, records_per_day=lambda _: records) as sandbox:
        tap = tap_for(sandbox, clock)
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
            assert tap.run_connection_test()
        assert days_asked(sandbox) == ["2026-11-19"]
    assert "replication_key_value" not in json.dumps(tap.state)


def test_of_a_cut_day_nothing_is_emitted(sandbox: Sandbox, sync: Sync) -> None:
    """The run ends with the days before it, and the bookmark stands behind those."""
    sandbox.add_faults("ok", "cut_body:last", "refusal:Something else")
    result = sync()
    assert {row["CallDate"] for row in result.records} == {"2026-11-05"}
    assert len(result.records) == len(expected(sandbox, OLDEST))
    assert set(result.bookmarks) == {"2026-11-05"}
    assert result.error is not None
    assert "2026-11-06: the API answered 'Something else' (HTTP 200)" in result.error


def test_a_cut_response_is_requested_again_and_doubles_nothing(
    sandbox: Sandbox, sync: Sync
) -> None:
    """Every record of the day comes once."""
    sandbox.add_faults("cut_body:last")
    result = sync(start_date="2026-11-19", end_date="2026-11-19")
    assert days_asked(sandbox) == ["2026-11-19", "2026-11-19"]
    assert result.records == expected(sandbox, YESTERDAY)
