from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from clocks import NOW, StillClock
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from oracle import expected_row
from runs import Run, days_from, expected, run, sandbox_on

from ozonetel_sandbox import Sandbox
from ozonetel_sandbox.faults import FAULTS, parse
from ozonetel_sandbox.responses import Response
from tap_ozonetel_cdr.api.body import read_envelope
from tap_ozonetel_cdr.api.responses import Action, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ozonetel_sandbox import Sandbox

FIRST = date(2026, 11, 17)
DAYS = days_from(FIRST)
START = {"start_date": str(FIRST)}

SEQUENCES = int(os.environ.get("FAULT_SEQUENCES", "150"))
"""How many sequences of faults are tried; ``make soak`` tries more."""

# How a run goes in: the tap's setting, and what the account takes.
WAYS: dict[str, tuple[str, Literal["api_key", "token"]]] = {
    "header": ("api_key", "api_key"),
    "token": ("token", "token"),
    "auto, header": ("auto", "api_key"),
    "auto, token": ("auto", "token"),
}
# Each ends the run at once, whatever the way.
FATAL = {
    "refusal": "the API answered 'Something unknown' (HTTP 200). These words are not known",
    "redirect": "the API answered a redirect to elsewhere.invalid. Credentials are never",
}
# Each ends a run that goes by the header; one that goes by a token makes another.
FATAL_TO_THE_HEADER = {
    "expired_token": "'Token Expired' (HTTP 401)",
    "expired_token_json_string": "'Token Expired' (HTTP 200)",
    "ended_token": "'Unauthorized' (HTTP 401)",
    "missing_credentials": "'Missing userName or apiKey' (HTTP 401)",
    "invalid_credentials": "'userName or apiKey is Invalid' (HTTP 401)",
}
# Each ends a run that needs a token before its first day.
FATAL_TO_THE_TOKEN = {
    "invalid_credentials": "'userName or apiKey is Invalid' (HTTP 401) to the token",
    "token_refused": "'Invalid userName or apiKey' (HTTP 401)",
    "token_no_user": "'UserName is null' (HTTP 401)",
    "token_refusal": "'Something unknown' (HTTP 200)",
    "token_redirect": "a redirect to elsewhere.invalid",
}


def fatal(fault: str, way: str, position: int) -> str | None:
    """Return a piece of the line that a fault ends the run with, None where it is survived.

    In a run that finds the way by trying, a header that is refused before the first response leads
    to a token, which the account does not take either.
    """
    if fault in FATAL:
        return FATAL[fault]
    if WAYS[way][1] == "api_key":
        return FATAL_TO_THE_HEADER.get(fault)
    if fault.startswith("token_") or not position:
        return FATAL_TO_THE_TOKEN.get(fault)
    return None


# The API says that there were no records, and there is nothing to hold against it.
EMPTY = {"empty_day", "details_null", "no_data_found"}
# The API's records are others, and are looked at below.
ODD = {
    *("late_change", "new_field", "twins", "repeated_record", "missing_id", "other_types"),
    *("bad_utf8", "lone_surrogate", "nul", "control_character", "nan"),
}
# What the sandbox waits for is real time.
SHORT = {"slow": "slow:0.01", "slow_body": "slow_body:0.01"}
HANGING = {"hang", "stall", "token_hang"}


def few(day: date) -> int:
    """Return how many calls a day has: few, and on some days none."""
    return (day.day * 5) % 9


def by_key(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in the order of their keys: a day that comes in parts comes in another order."""
    return sorted(rows, key=lambda row: (row["CallID"], row["UCID"]))


def check(result: Run, account: Sandbox, days: Sequence[date]) -> None:
    """Check that a run wrote whole days from the first on, each once, and a STATE behind each."""
    truth = [by_key(expected(account, day)) for day in days[: len(result.days)]]
    assert [by_key(rows) for rows in result.days] == truth
    assert result.bookmarks == [str(day) for day in days[: len(result.days)]]
    assert result.rest == []
    assert (result.error is None) == (len(result.days) == len(days))


def odd_day(account: Sandbox, fault: str, position: int) -> list[dict[str, Any]]:
    """Return the rows that a day's records have to become once a fault has made them odd."""
    day = DAYS[position]
    listed = Response(json.dumps({"details": account.records(day, at=NOW)}).encode())
    body = parse(fault).change(listed).body.decode("utf-8", "replace")
    sent = json.loads(body, strict=False, parse_float=Decimal, parse_constant=Decimal)
    return [expected_row(record, day, ZoneInfo(account.timezone)) for record in sent["details"]]


ALONE = [
    (fault, way, position)
    for fault in sorted(FAULTS)
    for way in WAYS
    for position in (0, 1, 3)
    # A token is asked for once, and only where the account takes no header.
    if not fault.startswith("token_") or (WAYS[way][1] == "token" and position == 0)
]


@pytest.mark.parametrize(("fault", "way", "position"), ALONE)
def test_a_fault_alone_is_survived_or_ends_the_run_behind_a_whole_day(
    fault: str, way: str, position: int
) -> None:
    """It is survived, or ends the run behind the last whole day; then the next run goes on."""
    clock = StillClock()
    method, auth_method = WAYS[way]
    faults = [*["ok"] * position, SHORT.get(fault, fault)]
    own = {**START, "auth_method": method}
    timeout = {"request_timeout": 0.1} if fault in HANGING else {}
    with sandbox_on(
        clock, faults=faults, records_per_day=lambda _: 4, auth_method=auth_method
    ) as account:
        before = [expected(account, day) for day in DAYS]
        result = run(account, clock, **own, **timeout)
        if line := fatal(fault, way, position):
            assert len(result.days) == position
            check(result, account, DAYS)
            assert line in str(result.error)
            clock.sleep(60)
            result = run(account, clock, result.states[-1] if position else None, **own)
            check(result, account, DAYS[max(position - 1, 0) :])
        elif fault in EMPTY:
            assert result.error is None
            assert result.days == [*before[:position], [], *before[position + 1 :]]
            assert result.bookmarks == [str(day) for day in DAYS]
        elif fault in ODD:
            assert result.error is None
            behind = [expected(account, day) for day in DAYS[position + 1 :]]
            assert result.days == [*before[:position], odd_day(account, fault, position), *behind]
            assert result.bookmarks == [str(day) for day in DAYS]
        else:
            check(result, account, DAYS)
            assert result.error is None


def cut_offsets(body: bytes) -> list[int]:
    """Return places of every kind: the beginning, the end, between records, around tokens."""
    between = body.rfind(b'}, {"')
    places = {*range(40), *range(len(body) - 60, len(body)), *range(between - 12, between + 24)}
    places.update(n for n, char in enumerate(body) if char in b'{}[]",:' and n % 3 == 0)
    return sorted(places)


@pytest.mark.parametrize("kind", ["cut_body", "cut_chunked", "cut_until_close", "truncated_json"])
def test_a_response_cut_anywhere_is_requested_again(kind: str) -> None:
    """No offset makes an empty day, half a day, or a day twice."""
    clock = StillClock()
    with sandbox_on(clock, records_per_day=lambda _: 2) as account:
        day = DAYS[-2]
        envelope = {"details": account.records(day), "message": "success", "status": "success"}
        offsets = cut_offsets(json.dumps(envelope).encode())
        account.add_faults(*(f"{kind}:{offset}" for offset in offsets))
        only = {"start_date": str(day), "end_date": str(day)}
        result = run(account, clock, **only, retry_timeout=86400)
        check(result, account, [day])
        assert result.error is None
        assert sum(bool(request.fault) for request in account.requests) == len(offsets) > 250


TRANSIENT = st.sampled_from(
    [
        *("rate_limited", "rate_limited_429", "rate_limited_429:5", "other_client", "http_500"),
        *("http_500", "http_502", "http_503", "http_503:7", "http_504", "http_504", "html_page"),
        *("empty_body", "reset", "details_text", "details_numbers", "success_without_details"),
        *("failure_after_details", "json_list", "json_number", "json_null", "json_empty_object"),
        *("chunked", "until_close", "gzip", "bom", "status_first", "envelope_in_string"),
    ]
)
CUT = st.builds(
    "{}:{}".format,
    st.sampled_from(["cut_body", "cut_chunked", "cut_until_close", "truncated_json"]),
    st.sampled_from(["last", "0.5", "0.99"]) | st.integers(-60, -1) | st.integers(0, 6000),
)
# What may end a run.
HARD = st.sampled_from(
    [
        *("expired_token", "expired_token:200", "expired_token_json_string", "refusal"),
        *("refusal:403:userName or apiKey is Invalid", "refusal:Invalid campaignName", "redirect"),
        *("token_http_500", "token_reset", "token_empty_body", "token_cut_body", "token_missing"),
        *("token_limit", "token_refused", "token_html_page"),
    ]
)
RULES = st.fixed_dictionaries(
    {
        "way": st.sampled_from(list(WAYS)),
        "largest_span": st.sampled_from([None, None, None, 800, 200, 50]),
        "too_large": st.sampled_from(["http_504", "http_500"]),
        "credentials_status": st.sampled_from([200, 400, 401, 403]),
        "limit_status": st.sampled_from([200, 429]),
        "count_refused": st.booleans(),
    }
)


@settings(deadline=None, max_examples=SEQUENCES, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.lists(st.just("ok") | TRANSIENT | CUT | HARD, max_size=14),
    rules=RULES,
    retry_timeout=st.sampled_from([20, 900, 86400]),
)
def test_any_sequence_of_faults_loses_and_doubles_nothing(
    faults: list[str], rules: dict[str, Any], retry_timeout: int
) -> None:
    """A run that succeeds has every record once; one that fails has whole days: the next goes on.

    Faults that a run did not come to meet the next one, until they are used up.
    """
    clock = StillClock()
    if rules["largest_span"]:
        # A day that is never answered whole takes more time than the shortest.
        retry_timeout = max(retry_timeout, 900)
    method, rules["auth_method"] = WAYS[rules.pop("way")]
    own = {**START, "auth_method": method, "retry_timeout": retry_timeout}
    with sandbox_on(clock, faults=faults, records_per_day=few, **rules) as account:
        days, state, got = DAYS, None, dict[str, list[dict[str, Any]]]()
        for _ in range(len(faults) + 1):
            result = run(account, clock, state, **own)
            check(result, account, days)
            got.update(zip(result.bookmarks, map(by_key, result.days), strict=True))
            if result.error is None:
                break
            state = result.states[-1] if result.states else state
            if result.bookmarks:
                # The bookmark's own day is read again, and at least the day before today.
                days = days_from(min(date.fromisoformat(result.bookmarks[-1]), DAYS[-2]))
            clock.sleep(3600)
        assert result.error is None
        assert got == {str(day): by_key(expected(account, day)) for day in DAYS}
        met = [request for request in account.requests if request.fault]
    event(f"faults met: {min(len(met), 10)}")


@settings(deadline=None, max_examples=SEQUENCES // 3, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.lists(st.just("ok") | TRANSIENT | CUT, max_size=10), way=st.sampled_from(list(WAYS))
)
def test_what_can_be_waited_out_is_waited_out(faults: list[str], way: str) -> None:
    """With time enough one run survives any sequence of it, and never goes over the limit."""
    clock = StillClock()
    method, auth_method = WAYS[way]
    with sandbox_on(clock, faults=faults, records_per_day=few, auth_method=auth_method) as account:
        result = run(account, clock, auth_method=method, retry_timeout=86400, **START)
        check(result, account, DAYS)
        assert result.error is None
        refused = [one for one in account.requests if one.outcome.startswith("API rate limit")]
        assert len(refused) <= faults.count("other_client")


WORDS = st.sampled_from(["success", " SUCCESS ", "error", "false", "Token Expired", "", None, 5])
DETAILS = st.none() | st.lists(st.sampled_from([{}, {"CallID": 1}, 5, None]), max_size=3) | WORDS
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "status": WORDS,
        "message": WORDS | st.sampled_from(["No Data Found", "API rate limit has been exceeded"]),
        "details": DETAILS,
        "data": st.none(),
    },
)


@settings(deadline=None, max_examples=200)
@given(
    content=ENVELOPES | ENVELOPES.map(json.dumps) | DETAILS,
    status=st.sampled_from([200, 200, 200, 201, 302, 400, 401, 403, 404, 408, 429, 500, 503]),
)
def test_only_what_says_so_is_accepted(content: object, status: int) -> None:
    """A success needs HTTP 200 and a list of objects, or null; else only an empty day may count."""
    envelope = read_envelope(BytesIO(json.dumps(content).encode()))
    verdict = judge(status, envelope)
    said = json.loads(content) if isinstance(content, str) and "{" in content else content
    if verdict.action is Action.ACCEPT:
        assert isinstance(said, dict)
        details = said.get("details")
        assert details is None or all(isinstance(one, dict) for one in details)
        if said.get("message") != "No Data Found":
            assert (status, "details" in said) == (200, True)
            word = said["message"] if said.get("status") is None else said["status"]
            assert word.strip().lower() == "success"


@settings(deadline=None, max_examples=200)
@given(body=st.binary(max_size=80), status=st.integers(100, 599))
def test_no_bytes_pass_for_a_response(body: bytes, status: int) -> None:
    """Arbitrary bytes are never a day's records, nor do they raise anything."""
    assert judge(status, read_envelope(BytesIO(body))).action is not Action.ACCEPT


@pytest.mark.parametrize("fault", ["hang", "stall:0", "stall:last", "stall:-1"])
def test_a_day_that_hangs_twice_is_requested_in_spans(fault: str) -> None:
    """What comes of it is the same day."""
    clock = StillClock()
    with sandbox_on(clock, faults=["ok", fault, fault], records_per_day=lambda _: 9) as account:
        result = run(account, clock, request_timeout=0.15, **START)
        check(result, account, DAYS)
        asked = [one.to_date for one in account.requests if one.from_date.startswith("2026-11-18")]
    assert asked == [
        *["2026-11-18 23:59:59"] * 2,
        "2026-11-18 11:59:59",
        "2026-11-18 23:59:59",
    ]


def test_a_response_that_is_not_strict_json_is_read_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Bytes that are not UTF-8 block no account, and nothing is replaced in silence."""
    clock = StillClock()
    with sandbox_on(clock, faults=["bad_utf8"], records_per_day=5) as account:
        result = run(account, clock, start_date=str(DAYS[-2]))
    assert result.error is None
    assert "\ufffd" in json.dumps(result.days[0], ensure_ascii=False)
    said = [line for line in caplog.messages if "strict" in line]
    assert len(said) == 1
    assert said[0].startswith(f"{DAYS[-2]}: part of the response is not strict JSON; it is read")
