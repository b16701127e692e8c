"""The probe, against the sandbox with each of its options: each difference is found."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozonetel_sandbox import Sandbox, probe_command, probe_records
from ozonetel_sandbox.cli import main
from ozonetel_sandbox.probe import Probe
from ozonetel_sandbox.probe_account import Clock, Target
from ozonetel_sandbox.probe_facts import table, words
from ozonetel_sandbox.probe_keys import Hashes
from ozonetel_sandbox.probe_visit import Options
from ozonetel_sandbox.probe_ways import NoWayInError
from ozonetel_sandbox.settings import Settings
from ozonetel_sandbox.spelling import DOCUMENTED_FIELDS, FURTHER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ozonetel_sandbox.probe_facts import Fact
    from ozonetel_sandbox.probe_records import Which

KOLKATA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=KOLKATA)
#: The sandbox as one account was measured, but for small days.
MEASURED: dict[str, Any] = {"remarks": "plain", "records_per_day": lambda _: 120}


class PassingClock(Clock):
    """Time that passes only where somebody waits."""

    def __init__(self, begin: datetime = NOON) -> None:
        """Begin at an instant."""
        self.begin = begin
        self.passed = 1000.0

    def now(self) -> datetime:
        """Return the instant it is."""
        return self.begin + timedelta(seconds=self.passed - 1000)

    def monotonic(self) -> float:
        """Return the seconds that passed."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.passed += seconds + 0.001


class Probed:
    """A probe's run: its facts by name, its report, and what the sandbox was asked."""

    def __init__(
        self,
        folder: Path,
        *,
        begin: datetime = NOON,
        zone: ZoneInfo = KOLKATA,
        options: dict[str, bool] | None = None,
        **settings: Any,  # noqa: ANN401 - whatever the sandbox takes
    ) -> None:
        """Run a probe against a sandbox with these settings, a minute passing in no time."""
        clock = PassingClock(begin)
        self.log: list[str] = []
        chosen = Options(folder / "keys.json", **(options or {}))
        with Sandbox(
            **{**MEASURED, **settings}, now=clock.now, monotonic=clock.monotonic
        ) as sandbox:
            target = Target(sandbox.url, sandbox.user_name, sandbox.api_key, zone)
            probe = Probe(target, chosen, clock=clock, say=self.log.append)
            self.error = ""
            try:
                probe.run()
            except NoWayInError as error:
                self.error = str(error)
            self.requests = sandbox.requests
            self.records = [
                record
                for days in range(17)
                for record in sandbox.records((begin - timedelta(days=days)).date(), at=begin)
            ]
            self.secrets = [sandbox.user_name, sandbox.api_key]
        self.report = str(probe)
        self.minutes = (clock.passed - 1000) / 60
        self.facts: dict[str, Fact] = {fact.name: fact for fact in probe.facts}
        assert len(self.facts) == len(probe.facts), "two facts have one name"

    def results(self, result: str) -> set[str]:
        """Return the names of facts with a result."""
        return {fact.name for fact in self.facts.values() if fact.result == result}

    def changed_from(self, other: Probed) -> dict[str, str]:
        """Return what was seen otherwise than in another run."""
        return {
            name: fact.seen
            for name, fact in self.facts.items()
            if name not in other.facts or other.facts[name].seen != fact.seen
        }


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """Return the run against an account as it was measured."""
    return Probed(tmp_path_factory.mktemp("usual"), options={"wrong_keys": True})


@pytest.fixture(scope="module")
def at_night(tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """Return such a run before a day settles."""
    return Probed(tmp_path_factory.mktemp("night"), begin=NIGHT, options={"wrong_keys": True})


NIGHT = NOON.replace(hour=1, minute=30)


def test_an_account_as_it_was_measured_differs_in_nothing(usual: Probed) -> None:
    """Every row is as expected, learned, or says why it was not seen."""
    assert usual.results("differs") == set()
    assert usual.results("not seen") == {
        "a new token",
        "a day without records",
        "keys, when a day changes its spelling",
        "how long a token lives",
        "more than ten tokens an hour",
    }
    assert usual.facts["today's records: calls under way"].result == "learned"


def test_it_keeps_within_the_limit_but_for_the_question_of_the_limit(usual: Probed) -> None:
    """Three requests are refused for the limit, all of them at its end; no other is."""
    limited = [n for n, r in enumerate(usual.requests) if "rate limit" in r.outcome]
    last = len(usual.requests) - 1
    assert limited == [last - 3, last - 2, last - 1]
    assert 11 < usual.minutes < 13, "as the warning and the page say"


PAST, TODAY = "a past day's records: ", "today's records: "
RARE = "what the measured account did not have"
CODES = "status codes of refusals"
LIMIT = ("the limit's refusal", "the limit's status code")

#: An option of the sandbox, what else it needs, and the facts that differ, with a piece of each.
CASES: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"auth_method": "token"},
        {
            "the header apiKey alone": "status false: Missing userName or apiKey",
            "a Bearer token alone": "a success",
            "a new token": "let in at once",
            "a token that a newer one has ended": "HTTP 401, status false: Token Expired",
            "records by a wrong key": "Token Expired",
            CODES: "an ended token",
            "the envelope of refusals": "data and message and status",
        },
    ),
    (
        {"auth_method": "either"},
        {
            "a Bearer token alone": "a success",
            "a new token": "let in at once",
            "a token that a newer one has ended": "Token Expired",
            CODES: "an ended token",
            "the envelope of refusals": "data and message and status",
        },
    ),
    ({"token_form": "alone"}, {"generateToken's success": "HTTP 200, token: text"}),
    (
        {"token_form": "string"},
        {"generateToken's success": "HTTP 200, token: text in a JSON string"},
    ),
    (
        {"token_delay": 3, "auth_method": "token"},
        {"a new token": "refused at once (HTTP 401, status false: Token Expired), let in"},
    ),
    (
        {"token_delay": 3, "token_delay_words": "403:Not yet", "auth_method": "token"},
        {"a new token": "refused at once (HTTP 403, status error: Not yet), let in"},
    ),
    (
        {"rate_limit": (1, 60)},
        {
            "2 requests in 60 s are let in": "refused",
            "the limit": "1 in a row were let in",
        },
    ),
    ({"rate_limit": (5, 60)}, {"the limit": "5 in a row were let in, and none refused"}),
    (
        {"rate_limit": (2, 150)},
        {
            "2 requests in 60 s are let in": "refused",
            "whether a refused request counts": "yes, or the period is longer",
        },
    ),
    ({"count_refused": True}, {"whether a refused request counts": "yes, or the period is longer"}),
    ({"limit_words": "Max limit exceeded"}, {"the limit's refusal": "Max limit exceeded"}),
    (
        {"limit_words": "429:Too many requests"},
        {
            "the limit's refusal": "HTTP 429, status error: Too many requests",
            "the limit's status code": "429, without Retry-After",
        },
    ),
    (
        {"limit_status": 429},
        {"the limit's refusal": "HTTP 429", "the limit's status code": "429, without"},
    ),
    ({"limit_bears_token": True}, {"the limit's refusal": "a token beside it"}),
    ({"request_status": 400}, {"no dates": "HTTP 400", CODES: "400: no dates"}),
    (
        {"credentials_status": 200},
        {
            "no credentials": "HTTP 200",
            "a Bearer token alone": "HTTP 200",
            CODES: "200: a token alone",
        },
    ),
    (
        {"too_old": "Data is not available"},
        {"16 days back": "HTTP 200, status error: Data is not available"},
    ),
    ({"too_old": "400:No Data Found"}, {"16 days back": "HTTP 400, status error: No Data Found"}),
    ({"edge": "empty"}, {"15 days back": "an empty list under success; the day after it: records"}),
    ({"edge": "partial"}, {"15 days back": "records from hour 12 to hour"}),
    (
        {"edge": "400:Only the last 15 days"},
        {"15 days back": "HTTP 400, status error: Only the last 15 days;"},
    ),
    ({"future_to_date": "accepted"}, {"a toDate later than now, today": "a success with records"}),
    ({"largest_span": 400}, {"a whole day in one request": "no: 6 h are answered"}),
    (
        {"largest_span": 100, "too_large": "http_500"},
        {"a whole day in one request": "no: 1 h are answered"},
    ),
    ({"remarks": "rich"}, {PAST + RARE: "characters beyond ASCII"}),
    (
        {"extras": True},
        {
            PAST + RARE: "ratings",
            PAST + "nulls in other fields": "Location",
            PAST + "forms of Rating": "digits",
        },
    ),
    (
        {"dial_count": True},
        {PAST + "fields": "47; new: DialCount", TODAY + "fields": "47; new: DialCount"},
    ),
    (
        {"current_kinds": "all"},
        {TODAY + "words of Type": "Progressive", TODAY + "words of Event": "Customer Dials"},
    ),
    ({"switch_hour": 23}, {"yesterday's spelling": "of the current day"}),
    ({"timezone": "Asia/Dubai"}, {PAST + "UCID holds the time of its start": "at UTC+04:00"}),
]
#: What happens before a finished day settles, at half past one.
AT_NIGHT: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"settling": "empty"},
        {"yesterday is whole": "an empty list under success; the day before it: records"},
    ),
    (
        {"settling": "partial"},
        {"yesterday is whole": "records from hour 2 to hour 12; the day before it"},
    ),
    ({"settling": "empty", "settling_hour": 1}, {}),
    ({"switch_hour": 5}, {"yesterday's spelling": "of the current day"}),
]
#: What one response is changed into, which one, and the facts that differ.
FAULTS: list[tuple[str, str, dict[str, str]]] = [
    ("new_field:Mood", "the day before yesterday", {PAST + "fields": "47; new: Mood"}),
    ("new_field:Mood of 98 765", "the day before yesterday", {PAST + "fields": "no identifier"}),
    (
        "twins",
        "the day before yesterday",
        {
            PAST + "CallID and UCID tell records apart": "no: less than 1 % repeat another's",
            PAST + "order": "another",
        },
    ),
    (
        "other_types",
        "the day before yesterday",
        {PAST + "CallerID": "none", PAST + "nulls in other fields": "DID"},
    ),
    ("success_is:true", "the day before yesterday", {"the envelope of a success": "status: True"}),
    (
        "envelope_in_string",
        "the day before yesterday",
        {"the envelope of a success": "in a JSON string"},
    ),
    ("details_null", "yesterday", {"a day without records": "details: null"}),
    ("no_data_found", "yesterday", {"a day without records": "No Data Found"}),
    ("html_page", "14 days back", {"15 days back": "HTTP 200, text/html, no JSON"}),
    ("http_500", "today", {}),
    ("rate_limited", "today", {"2 requests in 60 s are let in": "refused 1 times"}),
]


def names(case: tuple[dict[str, Any], dict[str, str]]) -> str:
    """Return a name for a case."""
    return ",".join(f"{name}={value}" for name, value in case[0].items())


def check(found: Probed, other: Probed, expected: dict[str, str]) -> None:
    """See that what differs is found, and that the other run did not say the same."""
    changed = found.changed_from(other)
    for name, piece in expected.items():
        assert name in changed, f"{name} is as it was; changed: {changed}"
        assert piece in changed[name]


@pytest.mark.parametrize("case", CASES, ids=names)
def test_each_option_is_found(
    case: tuple[dict[str, Any], dict[str, str]], usual: Probed, tmp_path: Path
) -> None:
    """What the sandbox does otherwise stands in the row that speaks of it."""
    options, expected = case
    check(Probed(tmp_path, options={"wrong_keys": True}, **options), usual, expected)


@pytest.mark.parametrize("case", AT_NIGHT, ids=names)
def test_a_day_that_is_not_settled_is_found(
    case: tuple[dict[str, Any], dict[str, str]], at_night: Probed, tmp_path: Path
) -> None:
    """Also a day that has not yet changed its spelling."""
    options, expected = case
    found = Probed(tmp_path, begin=NIGHT, options={"wrong_keys": True}, **options)
    check(found, at_night, expected)
    if not expected:
        assert found.changed_from(at_night) == {}


def test_every_option_has_a_case() -> None:
    """An option that the sandbox gets needs one; these change no form."""
    without = {"accounts", "seed", "records_per_day"}
    elsewhere = {"token_lifetime", "tokens_per_hour", "renaming"}
    cases = {name for options, _ in CASES + AT_NIGHT for name in options}
    assert cases - {"faults"} | without | elsewhere == {
        field.name for field in dataclasses.fields(Settings)
    }


@pytest.mark.parametrize(("fault", "meets", "expected"), FAULTS, ids=lambda value: str(value)[:20])
def test_odd_responses_are_found(
    fault: str, meets: str, expected: dict[str, str], usual: Probed, tmp_path: Path
) -> None:
    """A response of another form changes its row, and ends nothing."""
    admitted = [
        line.partition(":")[0]
        for line, request in zip(usual.log, usual.requests, strict=True)
        if request.count is not None
        or request.outcome.startswith(("Invalid c", "Missing f"))
        or "Date" in request.outcome
        or "date" in request.outcome
    ]
    ahead = admitted.index(meets)
    found = Probed(tmp_path, options={"wrong_keys": True}, faults=["ok"] * ahead + [fault])
    check(found, usual, expected)
    if not expected:
        assert found.results("differs") == set()


def test_tokens_are_waited_for_and_used_up(tmp_path: Path) -> None:
    """With --tokens the life of one and the number of them in an hour are seen."""
    tokens = {"tokens": True}
    vendor = Probed(tmp_path, options=tokens, auth_method="either")
    life, many = "how long a token lives", "more than ten tokens an hour"
    assert vendor.facts[life].result == vendor.facts[many].result == "as expected"
    assert "Max limit exceeded" in vendor.facts[many].seen
    other = Probed(
        tmp_path, options=tokens, auth_method="token", token_lifetime=1800, tokens_per_hour=7
    )
    assert {life, many} <= other.results("differs")
    assert "after 59 minutes: HTTP 401, status false: Token Expired" in other.facts[life].seen
    header_only = Probed(tmp_path, options=tokens)
    assert header_only.facts[life].seen == "a token alone does not let in"


def test_wrong_keys_are_not_tried_unless_told_to(tmp_path: Path) -> None:
    """Each request bears the account's own name, and its own key or a token of it, or none."""
    found = Probed(tmp_path)
    assert {r.fields.get("userName") for r in found.requests} <= {found.secrets[0], None}
    assert {r.headers.get("apikey") for r in found.requests} <= {found.secrets[1], None}
    assert found.facts["records by a wrong key"].result == "not seen"


def test_where_nothing_lets_in_it_says_what_each_way_said(tmp_path: Path) -> None:
    """The facts until then stand in the report."""
    found = Probed(
        tmp_path,
        faults=[],
        accounts={"acme": "key"},
        auth_method="token",
        token_delay=500,
        token_delay_words="403:Not for you",  # noqa: S106 - words,
    )
    assert found.error.startswith("Nothing lets in: the header apiKey alone: HTTP 401")
    assert "a token alone: HTTP 403, status error: Not for you" in found.error
    assert "generateToken's success" in found.facts
    assert not (tmp_path / "keys.json").exists()


# A second run

TOMORROW = NOON + timedelta(days=1)
KEYS = "keys of a current day, read again (today to past spelling)"
NEW = "keys that a current day did not have before"
RENAMED = "names of agents in records of a current day, read again"


def test_a_day_later_keys_are_compared(tmp_path: Path) -> None:
    """Those of yesterday, which has changed its spelling, and of the day before it."""
    Probed(tmp_path)
    second = Probed(tmp_path, begin=TOMORROW)
    assert second.facts[KEYS].seen == "all"
    assert second.facts[KEYS].result == "as expected"
    assert second.facts[NEW].seen.endswith("%")
    assert second.facts["keys that a past day did not have before"].seen == "none"
    assert re.fullmatch(r"\d+ % changed", second.facts[RENAMED].seen)
    later = Probed(tmp_path, begin=TOMORROW + timedelta(days=3))
    assert later.facts[KEYS].seen == "all"


def test_keys_that_change_are_found(tmp_path: Path) -> None:
    """Another seed has other calls under other keys."""
    Probed(tmp_path)
    second = Probed(tmp_path, begin=TOMORROW, seed=2)
    assert second.facts[KEYS].seen != "all"
    assert second.facts[KEYS].result == "differs"


def test_agents_who_keep_their_names_are_found(tmp_path: Path) -> None:
    """The other way the sandbox has: nobody is renamed."""
    Probed(tmp_path, renaming=False)
    second = Probed(tmp_path, begin=TOMORROW, renaming=False)
    assert second.facts[RENAMED].seen == "none changed"


def test_a_day_that_was_partial_is_found_the_day_after(tmp_path: Path) -> None:
    """What came later into a day that was over are its new keys."""
    Probed(tmp_path, begin=NIGHT, settling="partial")
    second = Probed(tmp_path, begin=NIGHT + timedelta(days=1), settling="partial")
    assert second.facts["keys that a past day did not have before"].result == "differs"


def test_a_file_of_another_key_or_kind_is_refused(tmp_path: Path) -> None:
    """Before anything is asked."""
    Probed(tmp_path)
    with pytest.raises(ValueError, match="made under another API key"):
        Probed(tmp_path, accounts={"acme": "another"})
    (tmp_path / "keys.json").write_text("[]")
    with pytest.raises(ValueError, match="no file of an earlier probe"):
        Probed(tmp_path)


# Forms only


def values_of(records: list[dict[str, Any]]) -> set[str]:
    """Return the texts of records that belong to somebody: names, numbers, ids, remarks."""
    fields = {
        *("AgentID", "AgentName", "CallAudio", "CallID", "UCID", "CallerID", "E164", "DID"),
        *("CampaignName", "Comments", "DialedNumber", "Disposition", "Location", "Skill", "UUI"),
    }
    return {
        str(record[field]) for record in records for field in fields if len(str(record[field])) > 3
    }


def test_neither_output_nor_file_hold_what_is_somebodys(tmp_path: Path) -> None:
    """No name, number, id, account, key or text of a record; and no more digits than a date has."""
    first = Probed(tmp_path, options={"wrong_keys": True}, remarks="rich", extras=True)
    second = Probed(tmp_path, begin=TOMORROW, remarks="rich", extras=True)
    file = (tmp_path / "keys.json").read_text("utf-8")
    somebodys = values_of(first.records) | values_of(second.records) | {*first.secrets}
    assert len(somebodys) > 1000
    for text in (first.report, second.report, file, *first.log, *second.log):
        assert [value for value in somebodys if value in text] == []
    for report in (first.report, second.report):
        assert re.findall(r"\d{5,}", report) == []
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_the_files_hashes_need_the_api_key(tmp_path: Path) -> None:
    """The same keys under another API key have other hashes, though the salt is the same."""
    Probed(tmp_path)
    content = json.loads((tmp_path / "keys.json").read_text())
    record = [{"CallID": 1, "UCID": "2", "AgentName": "A"}]
    one, other = (Hashes(content["salt"], key).of(record) for key in ("k1", "k2"))
    assert one != other
    assert one.keys() == Hashes(content["salt"], "k1").of([{**record[0], "CallID": "1"}]).keys()


@pytest.mark.parametrize("place", ["no dates", "16 days back", "both headers"])
def test_numbers_and_names_within_the_apis_words_are_masked(place: str, tmp_path: Path) -> None:
    """Whatever a message quotes: a phone number in any writing, a name, the account, a key."""
    said = "Invalid request of Priya Sharma at +91 98765-43210 98 76 54 32 for demo_account x1"
    admitted = {"both headers": 1, "no dates": 2, "16 days back": 14}[place]
    found = Probed(tmp_path, faults=["ok"] * admitted + [f"refusal:400:{said}"])
    seen = found.facts[place].seen
    assert seen == "HTTP 400, status error: Invalid request of … at … for …"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Data is available for the last 15 days only.",
            "Data is available for the last 15 days only.",
        ),
        (
            "pass the date in the format yyyy-MM-dd HH:mm:ss",
            "pass the date in the format yyyy-MM-dd HH:mm:ss",
        ),
        ("fromDate and toDate", "fromDate and toDate"),
        ("call 9 8 7 6 5 4 3 2 1 0", "call …"),
        ("call 98-76-54-32-10", "call …"),
        ("call (98)(76)(54)", "call …"),
        ("call \u0967\u0968\u0969", "call …"),
        ("userName priya@example.com Invalid", "userName … Invalid"),
        ("Müller not found", "… not found"),
        ("agentPriya not found", "… not found"),
        ("error 98765", "error …"),
        ("a|b", "…"),
        ("", ""),
    ],
)
def test_only_usual_words_are_shown(said: str, shown: str) -> None:
    """All else could be somebody's, however it is written."""
    assert words(said) == shown


SOMEBODYS = st.text("ZQXzqx", min_size=4) | st.text("0123456789", min_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=10**5)
    | st.floats(allow_nan=False)
    | SOMEBODYS
    | st.sampled_from(["", "00:00:00", "23:59:59", "2026-11-18", "InBound", "Agent Dials"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SOMEBODYS, inner, max_size=2),
    max_leaves=3,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from((*DOCUMENTED_FIELDS, *FURTHER_FIELDS)), VALUES), max_size=4
)


@given(records=RECORDS, which=st.sampled_from(["today", "past"]))
@settings(max_examples=200)
def test_whatever_a_record_holds_ends_nothing_and_is_not_shown(
    records: list[dict[str, Any]], which: Which
) -> None:
    """Of any values, in any field, the table has forms and the API's own words."""
    day = (NOON - timedelta(days=2)).date()
    shown = table(probe_records.facts(records, which, day, KOLKATA))
    assert re.search(r"[zqx]{4}|\d{5}", shown, re.IGNORECASE) is None
    assert Hashes("salt", "key").of(records) is not None


# The command


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """Serve a sandbox that the environment names, in a folder of its own."""
    clock = PassingClock()
    with Sandbox(**MEASURED, now=clock.now, monotonic=clock.monotonic) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(probe_command, "Clock", lambda: clock)
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.chdir(tmp_path)
        yield sandbox


def test_the_command_prints_the_table(
    served: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The table goes to stdout, what it is doing to stderr, and the hashes to the folder."""
    assert main(["probe", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "Probe of a host on loopback, begun on 2026-11-20 at 12:00 of the account"
    )
    assert "| fact | source | what we take for granted | what was seen | result |" in out
    assert err.startswith("This asks the real API for about 12 minutes")
    assert "the header apiKey alone: HTTP 200" in err
    assert served.api_key not in out + err
    assert (tmp_path / "ozonetel-probe.json").exists()


def test_nothing_is_asked_before_somebody_agrees(
    served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what it does to the account, and where nobody can agree it ends."""
    assert main(["probe"]) == 1
    said = capsys.readouterr().err
    assert "It generates two tokens. Each ends the one before it" in said
    assert "It uses the limit up, 2 requests in 60 s" in said
    assert "It tries no wrong keys" in said
    assert "--yes agrees" in said
    assert served.requests == []


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("API_KEY", "", "TAP_OZONETEL_CDR_API_KEY has to be set"),
        ("API_URL", "http://api.example.com", "has to begin with https://"),
        ("TIMEZONE", "Asia/Nowhere", "cannot be used"),
        ("RATE_LIMIT_PERIOD", "0", "has to be above 0"),
    ],
)
def test_an_environment_that_cannot_be_is_refused(
    variable: str,
    value: str,
    line: str,
    served: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With one line, and the exit code of a command that is wrong."""
    monkeypatch.setenv(f"TAP_OZONETEL_CDR_{variable}", value)
    with pytest.raises(SystemExit) as ended:
        main(["probe", "--yes"])
    assert ended.value.code == 2
    assert line in capsys.readouterr().err
    assert served.requests == []
