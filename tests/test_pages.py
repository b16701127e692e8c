"""What pages say is so: the lines of real runs, the words they keep, the SQL that they show."""

from __future__ import annotations

import re
import runpy
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from commands import tap

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.errors import NOTHING_LOST

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
PREFIX = "TAP_OZONETEL_CDR_"
LINE = re.compile(r"[-\d]+ [:,\d]+ \| (?P<level>\w+) +\| (?P<logger>[\w.-]+) +\| (?P<text>.*)")
SDKS = re.compile(r"tap-ozonetel-cdr v|Skipping |Parsing env")
TODAY = datetime.now(ZoneInfo("Asia/Kolkata")).date()


class Provoked(NamedTuple):
    """How to provoke lines, words of the one it is about, and the exit code."""

    words: str
    settings: Mapping[str, str]
    sandbox: Mapping[str, Any] = {}
    arguments: tuple[str, ...] = ()
    state: str = ""
    code: int = 1


LATE = {"START_DATE": (TODAY - timedelta(days=3)).isoformat()}
PROVOKED = (
    Provoked("Done: ", LATE, code=0),
    Provoked("auth_method: token would save", LATE, {"auth_method": "token"}, code=0),
    Provoked("the account's limit is used up by", LATE, {"faults": ["rate_limited"]}, code=0),
    Provoked("no complete response (", LATE, {"faults": ["reset", "cut_body"]}, code=0),
    Provoked("a body that is not one whole JSON", LATE, {"faults": ["html_page"]}, code=0),
    Provoked("asks to wait 3600 s", LATE, {"faults": ["ok", "http_503:3600"]}),
    Provoked("a redirect to", LATE, {"faults": ["redirect"]}),
    Provoked("not known to this tap", LATE, {"faults": ["ok", "refusal:Quota over"]}),
    Provoked("to generateToken. Check", {"API_KEY": "wrong"}),
    Provoked("or try auth_method: token", {"API_KEY": "wrong", "AUTH_METHOD": "api_key"}),
    Provoked("or try auth_method: api_key", {"API_KEY": "wrong", "AUTH_METHOD": "token"}),
    Provoked("unknown field", LATE, {"faults": ["new_field", "twins", "missing_id"]}, code=0),
    Provoked("became U+FFFD", LATE, {"faults": ["nul", "bad_utf8", "nan"]}, code=0),
    Provoked("The filters leave nothing", LATE | {"CALL_TYPE": "Wrong"}, code=0),
    Provoked("ids of the records say", {"TIMEZONE": "Asia/Dubai"}, arguments=("--test",), code=0),
    Provoked("reads", {}, arguments=("--test",), code=0),
    Provoked("filters leave none", {"STATUS": "Wrong"}, arguments=("--test",), code=0),
    Provoked("can no longer be read", {}, state='{"cdr": "2020-01-01"}', code=0),
    Provoked("(on_gap: fail)", {"ON_GAP": "fail"}, state='{"cdr": "2020-01-01"}'),
    Provoked("is in the future", {}, state='{"cdr": "2999-01-01"}'),
    Provoked("cannot be read: it has no", {}, state='{"bookmark": {}}'),
    Provoked("must be a date", {"START_DATE": "yesterday", "AUTH_METHOD": "basic"}),
    Provoked("does not parse", {"STREAM_MAPS": '{"cdr": {"CallerID": "md5("}}'}),
    Provoked("failed on a record", {"STREAM_MAPS": '{"cdr": {"X": "1/0"}}'}),
    Provoked("root: is required", {"BATCH_CONFIG": '{"encoding": {"format": "jsonl"}}'}),
)


def quoted(page: str) -> list[re.Pattern[str]]:
    """Return what the page quotes as lines, or as the beginning of some, with any values."""
    spans = re.findall(r"`([^`\n]{12,})`", page)
    return [re.compile(re.escape(span).replace("…", ".+"), re.DOTALL) for span in spans]


QUOTED = quoted((ROOT / "docs/troubleshooting.md").read_text("utf-8"))


@pytest.mark.parametrize("one", PROVOKED, ids=lambda one: one.words)
def test_troubleshooting_has_the_lines_of_real_runs(tmp_path: Path, one: Provoked) -> None:
    """Whatever a run logs stands there as a whole line, and one of them is the one provoked."""
    arguments = ["--config", "ENV", *one.arguments]
    if one.state:
        state = re.sub(
            r'"cdr": (".*")', r'"bookmarks": {"cdr": {"replication_key_value": \1}}', one.state
        )
        (tmp_path / "state.json").write_text(state, "utf-8")
        arguments += ["--state", str(tmp_path / "state.json")]
    with Sandbox(records_per_day=20, **{"rate_limit": (100, 1), **one.sandbox}) as sandbox:
        settings = {f"{PREFIX}{name}": value for name, value in one.settings.items()}
        done = tap(*arguments, **{**sandbox.environment(), **settings})
    assert done.returncode == one.code, done.stderr
    logged = filter(None, map(LINE.fullmatch, done.stderr.splitlines()))
    said = [
        line["text"].removesuffix(f". {NOTHING_LOST}")
        for line in logged
        if line["logger"].startswith("tap-ozonetel-cdr") and not SDKS.match(line["text"])
    ]
    assert any(one.words in line for line in said), said
    lines = [piece for line in said for piece in line.split("; " if "must be" in line else "\0")]
    assert [line for line in lines if not any(q.fullmatch(line) for q in QUOTED)] == []


WORDS = runpy.run_path(str(ROOT / "docs/words.py"))


@pytest.mark.parametrize(
    "text",
    [
        "The whole answer is read.",
        "It asks again.",
        "The day is asked for.",
        "two windows",
        "a leg of a call",
        "It has a twin.",
        "Above 15 is warned of.",
        "It is no setting of this tap.",
        "and at last HTTP 503",
        "no whole response",
        "It doubles nothing.",
        "Behind them stands uv.",
        "A field bears a name.",
    ],
)
def test_words_with_a_better_one_are_found(text: str) -> None:
    """In prose and in what a module says, with the line; not where they are quoted."""
    found_in, said_by = WORDS["found_in"], WORDS["said_by"]
    assert [number for number, _, _ in found_in(f"First.\n{text}\n")] == [2]
    assert [number for number, _, _ in found_in(said_by(f'x = 1\nsay(f"{{x}} {text}")\n'))] == [2]
    assert not list(found_in(said_by(f'"""{text}"""\n# {text}\n')))
    assert not list(found_in(f"`{text}`\n```\n{text}\n```\n"))


def test_every_word_is_tried() -> None:
    """Each row of the words has a sentence above."""
    tried = [mark for mark in test_words_with_a_better_one_are_found.pytestmark if mark.args]  # type: ignore[attr-defined]
    assert len(tried[0].args[1]) == len(WORDS["BETTER"])


def test_the_sql_of_the_page_on_history_runs(tmp_path: Path, monkeypatch: Any) -> None:  # noqa: ANN401
    """On a made report of two events, of which the stream has one."""
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    Path("report.csv").write_text(
        "UCID,Call ID,Call Date\n4011,4010,24-11-2026\n17200,17200,01-11-2026\n", "utf-8"
    )
    blocks = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs/history.md").read_text("utf-8"), re.DOTALL
    )
    with duckdb.connect() as connection:
        connection.execute(
            """create table cdr as
            select '4010' as "CallID", '4011' as "UCID", date '2026-11-24' as "CallDate" """
        )
        spoilt, load, joined, keys = blocks
        assert connection.execute(spoilt).fetchall() == [(2, 1)]
        connection.execute(load)
        connection.execute(
            """create table call_details_report_converted as
            select strptime("Call Date", '%d-%m-%Y')::date as call_date, "Call ID"
            from call_details_report"""
        )
        found = connection.execute(joined).fetchall()
        assert sorted(call for _, call in found) == ["17200", "4010"]
        assert connection.execute(keys).fetchall() == [(1, 1)]
