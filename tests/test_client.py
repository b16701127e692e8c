"""A day is asked for within the limit, until its response is complete, or the run ends."""

from __future__ import annotations

import logging
import resource
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from api_server import (
    DAY,
    DAYS,
    EDGE,
    EXPIRED,
    INVALID,
    KEY,
    LIMIT,
    MISSING,
    NEXT,
    THIRD,
    TODAY,
    Api,
    Asked,
    PassingClock,
    Reply,
    client_of,
    fetch,
    refusal,
    success,
)

from tap_ozonetel_cdr.api.client import DayResponse, MissingDay
from tap_ozonetel_cdr.errors import LocalError, RefusedError, TapError, UnavailableError
from tap_ozonetel_cdr.settings import CONFIG_JSONSCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> PassingClock:
    """Begin at noon in India."""
    return PassingClock()


@pytest.fixture
def api(clock: PassingClock) -> Iterator[Api]:
    """An account that takes either way."""
    with Api(clock) as running:
        yield running


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    """Catch what a user sees."""
    caplog.set_level("INFO", "tap")


def times(api: Api, day: date) -> list[str]:
    """Return the times asked for of a day."""
    return [asked.times for asked in api.records_asked() if asked.day == day]


# The limit

USED_UP = "the account's limit is used up by another client or an earlier run"


def test_the_default_limit_is_the_vendors() -> None:
    """2 requests in 60 seconds [doc]."""
    properties = CONFIG_JSONSCHEMA["properties"]
    assert properties["rate_limit_requests"]["default"] == 2
    assert properties["rate_limit_period"]["default"] == 60


def test_sixteen_days_take_seven_periods(api: Api, clock: PassingClock) -> None:
    """At the vendor's limit no request waits longer than it must."""
    assert fetch(client_of(api), *DAYS) == [3] * 16
    assert [round(asked.at) for asked in api.records_asked()] == [n // 2 * 60 for n in range(16)]
    assert 420 <= clock.passed < 421


def test_the_limit_counts_from_the_response(api: Api) -> None:
    """The API may count from any moment between a request and its response."""
    slow = Reply(200, success().body, takes=20)
    api.says = [slow, slow]
    fetch(client_of(api), DAY, NEXT, THIRD)
    assert [round(asked.at) for asked in api.records_asked()] == [0, 20, 80]


@pytest.mark.parametrize(
    "limit",
    [
        refusal(LIMIT, 200, "error"),
        refusal(LIMIT, 429, "error"),
        refusal("Max limit exceeded", 200, "error"),
        refusal("Slow down", 429, "error"),
        refusal(None, 429),
    ],
)
def test_a_second_run_at_once_waits_one_period(
    api: Api, clock: PassingClock, caplog: pytest.LogCaptureFixture, limit: Reply
) -> None:
    """It meets one refusal, says so in one calm line, and succeeds."""
    api.says = [limit]
    assert fetch(client_of(api), DAY) == [3]
    assert 60 <= clock.passed < 61
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"{DAY}: {USED_UP}; retrying in 60 s")
    ]


def test_a_limit_that_others_use_up_is_said_to_be_so(api: Api) -> None:
    """A run that meets nothing but the limit ends with what to look for."""
    api.says = [refusal(LIMIT, 200, "error")] * 40
    with pytest.raises(UnavailableError) as unavailable:
        fetch(client_of(api), DAY)
    assert unavailable.value.line == (
        f"{DAY}: no complete response within 900 s (retry_timeout). Last failure: '{LIMIT}' (HTTP "
        "200). Look for another client that uses up the account's limit. Nothing was lost: the "
        "next run continues from the bookmark"
    )


# Retrying


@pytest.mark.parametrize(
    "reply",
    [Reply(503, b"", {"Retry-After": "7"}), Reply(429, b"", {"Retry-After": "67"})],
    ids=["503", "429"],
)
def test_retry_after_is_kept(api: Api, clock: PassingClock, reply: Reply) -> None:
    """The server's own wait is waited, also where the period is shorter."""
    api.says = [reply]
    assert fetch(client_of(api), DAY) == [3]
    wait = int(reply.headers["Retry-After"])
    assert wait <= clock.passed < wait + 1.1


def test_a_failure_is_retried_and_said(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The line says what came, and when there is another try."""
    api.says = [Reply(503, b"", {"Retry-After": "7"})]
    fetch(client_of(api), DAY)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"{DAY}: HTTP 503; retrying in 7 s, giving up in 900 s")
    ]


@pytest.mark.parametrize("broken", [Reply(200, b"<html>"), Reply(200, success().body, cut=9)])
def test_what_is_not_whole_is_retried(api: Api, broken: Reply) -> None:
    """A strange or cut body is no day."""
    api.says = [broken]
    assert fetch(client_of(api), DAY) == [3]
    assert len(api.asked) == 2


def test_no_complete_response_in_time_ends_the_run(api: Api, clock: PassingClock) -> None:
    """It goes on trying for retry_timeout, and says what came at last."""
    api.says = [Reply(503, b"")] * 1000
    with pytest.raises(UnavailableError) as caught:
        fetch(client_of(api, retry_timeout=20), DAY)
    assert len(api.asked) > 1
    assert caught.value.line == (
        f"{DAY}: no complete response within 20 s (retry_timeout). Last failure: HTTP 503. Check "
        "the network, api_url and Ozonetel's service. Nothing was lost: the next run continues "
        "from the bookmark"
    )
    assert clock.passed <= 20


def test_each_complete_response_starts_the_time_anew(api: Api, clock: PassingClock) -> None:
    """retry_timeout is the longest time without one, not that of a run."""
    api.says = [Reply(503, b"", {"Retry-After": "800"}), None] * 3
    assert fetch(client_of(api), DAY, NEXT, THIRD) == [3, 3, 3]
    assert clock.passed > 2400


def test_a_redirect_names_the_host(api: Api) -> None:
    """The key does not follow it."""
    api.says = [Reply(302, b"", {"Location": "http://elsewhere.invalid/x"})]
    with pytest.raises(RefusedError, match="a redirect to elsewhere\\.invalid\\. Credentials are"):
        fetch(client_of(api), DAY)


def test_a_full_disk_is_named(api: Api) -> None:
    """The line says how much is needed, and where."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    client = client_of(api)
    api.says = [success(50_000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, hard))
    try:
        with pytest.raises(LocalError) as caught:
            fetch(client, DAY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large. The response needs " in caught.value.line
    assert "set TMPDIR to a larger directory. Nothing was lost" in caught.value.line


# Spans


def test_a_day_too_large_is_asked_for_in_spans(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Halved until one comes back; the next day begins at that size, the one after at twice it."""
    six_hours = ["00:00:00 05:59:59", "06:00:00 11:59:59", "12:00:00 17:59:59", "18:00:00 23:59:59"]
    twelve_hours = ["00:00:00 11:59:59"]

    def at_most_six_hours(asked: Asked) -> Reply | None:
        return None if asked.times in six_hours else Reply(504, b"")

    api.says_of_days = dict.fromkeys((DAY, NEXT, THIRD), at_most_six_hours)
    client = client_of(api, rate_limit_requests=1000)
    assert fetch(client, DAY, NEXT, THIRD) == [12, 12, 12]
    assert times(api, DAY) == ["00:00:00 23:59:59"] * 2 + twelve_hours * 2 + six_hours
    assert times(api, NEXT) == six_hours
    assert times(api, THIRD) == twelve_hours * 2 + six_hours
    assert (
        f"{DAY}: no response in time; the day is now read in spans of 12 hours" in caplog.messages
    )


def test_the_spans_of_a_day_are_its_bodies(api: Api) -> None:
    """Each response is kept, in order."""
    api.says = [Reply(504, b"")] * 2
    found = client_of(api).fetch_day(DAY)
    assert isinstance(found, DayResponse)
    assert (found.day, [body.count for body in found.bodies], found.count) == (DAY, [3, 3], 6)
    assert found.seconds > 0
    found.close()
    assert all(response.file.closed for response in found.responses)


def test_a_day_that_ends_under_way_is_asked_to_its_end(clock: PassingClock) -> None:
    """Today is asked for up to now less a margin; once more past midnight, to its last second."""
    clock.begin = datetime(2026, 11, 20, 18, 29, 50, tzinfo=timezone.utc)
    with Api(clock) as api:
        api.says = [Reply(503, b"", {"Retry-After": "20"})]
        fetch(client_of(api), TODAY)
        assert times(api, TODAY) == ["00:00:00 23:59:40", "00:00:00 23:59:59"]


def test_filters_are_passed_through(api: Api) -> None:
    """Those that are set, under the API's names."""
    fetch(client_of(api, campaign_name="Sales", ucid="5", monitor_ucid="6", status="x"), DAY)
    assert api.asked[0].content == {
        "fromDate": f"{DAY} 00:00:00",
        "toDate": f"{DAY} 23:59:59",
        "userName": "acme",
        "campaignName": "Sales",
        "ucid": "5",
        "monitorUCID": "6",
        "status": "x",
    }


# How far a client is


def test_the_standing_says_how_far_it_is(api: Api) -> None:
    """What was read before stays as it was; requests and tokens are counted apart."""
    api.takes = "token"
    client = client_of(api)
    before = client.standing
    assert (before.requests, before.tokens, before.days) == (0, 0, 0)
    assert client.least_wait(16) == 420
    fetch(client, DAY)
    assert (before.requests, client.standing.requests) == (0, 2)
    assert (client.standing.tokens, client.standing.days) == (1, 1)
    assert round(client.least_wait()) == 60
    assert before.limiter.delay(0) == 0


# The edge of the days that the API has

OLD = "Data is available for the last 15 days only"
DATES = [
    "Invalid fromDate format. Please pass the date in the format yyyy-MM-dd HH:mm:ss",
    "fromDate and toDate should be same date",
    "fromDate and toDate should not be future dates",
    "Missing fromDate and toDate",
]


def always(reply: Reply) -> Callable[[Asked], Reply]:
    """Give a day always the same response."""
    return lambda _: reply


@pytest.mark.parametrize("method", ["auto", "api_key", "token"])
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        *((refusal(OLD, s, "fail"), f"'{OLD}' (HTTP {s})") for s in (200, 400, 404, 409)),
        *((refusal(words, 200, "fail"), f"'{words}' (HTTP 200)") for words in DATES),
        (refusal(None, 404), "HTTP 404"),
        (Reply(400, b""), "HTTP 400"),
    ],
)
def test_a_refusal_on_the_edge_passes_the_day_over(
    api: Api, method: str, reply: Reply, reason: str
) -> None:
    """Nobody knows what the API says of a day that it no longer has: the next day is fetched."""
    api.says_of_days = {EDGE: always(reply)}
    client = client_of(api, auth_method=method)
    assert fetch(client, EDGE, DAYS[1]) == [MissingDay(EDGE, f"the API answered {reason}"), 3]
    assert [asked.day for asked in api.records_asked()] == [EDGE, DAYS[1]]
    assert client.standing.days == 2


@pytest.mark.parametrize("method", ["auto", "api_key", "token"])
@pytest.mark.parametrize("status", [200, 401])
def test_the_next_day_decides(api: Api, method: str, status: int) -> None:
    """If it is refused in the same way, the run ends."""
    api.says_of_days = dict.fromkeys(DAYS, always(refusal(OLD, status, "fail")))
    client = client_of(api, auth_method=method)
    [missing] = fetch(client, EDGE)
    assert isinstance(missing, MissingDay)
    with pytest.raises(RefusedError) as caught:
        fetch(client, DAYS[1])
    assert caught.value.line.startswith(f"{DAYS[1]}: the API answered '{OLD}' (HTTP {status})")
    assert len(api.tokens) <= 1


@pytest.mark.parametrize("method", ["auto", "api_key"])
@pytest.mark.parametrize("message", ["Invalid campaignName", "Invalid Json Pass Valid Json"])
def test_other_known_words_end_the_run_on_the_edge_too(api: Api, method: str, message: str) -> None:
    """They are of no day."""
    api.says_of_days = {EDGE: always(refusal(message, 400, "fail"))}
    with pytest.raises(RefusedError, match=message):
        fetch(client_of(api, auth_method=method), EDGE)


@pytest.mark.parametrize("day", [DAYS[1], DAY])
def test_the_edge_is_one_day(api: Api, day: date) -> None:
    """Any other day that is refused ends the run."""
    api.says_of_days = {day: always(refusal(OLD, 400, "fail"))}
    with pytest.raises(RefusedError, match=OLD):
        fetch(client_of(api), day)


def test_the_edge_is_retention_days_before_the_accounts_date(api: Api, clock: PassingClock) -> None:
    """It counts by the account's date at sending, and by the setting."""
    clock.begin = datetime(2026, 11, 20, 19, 0, tzinfo=timezone.utc)  # the 21st in India
    reply = refusal(OLD, 400, "fail")
    api.says_of_days = dict.fromkeys(DAYS, always(reply))
    missing = MissingDay(DAYS[1], f"the API answered '{OLD}' (HTTP 400)")
    assert fetch(client_of(api), DAYS[1]) == [missing]
    five = date(2026, 11, 16)
    missing = MissingDay(five, f"the API answered '{OLD}' (HTTP 400)")
    assert fetch(client_of(api, retention_days=5), five) == [missing]


@pytest.mark.parametrize("message", [MISSING, OLD, "Unauthorized", None])
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("takes", ["api_key", "token", "api_key+token"])
def test_both_ways_refused_on_the_edge_in_the_same_words(
    api: Api, takes: str, status: int, message: str | None
) -> None:
    """The next day decides which way is in, and one token serves for both days."""
    api.takes = takes
    api.says_of_days = {EDGE: always(refusal(message, status))}
    client = client_of(api)
    said = f"'{message}' (HTTP {status})" if message else f"HTTP {status}"
    reason = f"the API answered {said} to the header apiKey, and {said} to a new token"
    assert fetch(client, EDGE, DAYS[1], DAYS[2]) == [MissingDay(EDGE, reason), 3, 3]
    assert client.standing.way_in == takes.partition("+")[0]
    assert len(api.tokens) == 1


def test_both_ways_refused_on_the_edge_and_on_the_next_day(api: Api) -> None:
    """The run ends with both refusals, and has made one token."""
    api.takes = "none"
    client = client_of(api)
    [missing] = fetch(client, EDGE)
    assert isinstance(missing, MissingDay)
    with pytest.raises(RefusedError, match=r"to the header apiKey, and .* to a new token"):
        fetch(client, DAYS[1])
    assert [asked.way for asked in api.records_asked()] == [
        *("api_key", "token", "token"),
        *("api_key", "token"),
    ]
    assert len(api.tokens) == 1


def test_unknown_words_to_one_way_are_no_proof_against_it(api: Api) -> None:
    """The header is refused for the day, the token for its way: the next day decides."""
    api.takes = "api_key"

    def too_old(asked: Asked) -> Reply:
        return refusal(OLD if asked.way == "api_key" else MISSING)

    api.says_of_days = {EDGE: too_old}
    client = client_of(api)
    [missing, three] = fetch(client, EDGE, DAYS[1])
    assert (isinstance(missing, MissingDay), three) == (True, 3)
    assert client.standing.way_in == "api_key"


def test_the_token_is_kept_to_where_only_the_header_is_out(api: Api) -> None:
    """A token that is refused for the day alone is in; the header costs no second request."""
    api.takes = "token"

    def too_old(asked: Asked) -> Reply:
        return refusal(MISSING) if asked.way == "api_key" else refusal(OLD, 400, "fail")

    api.says_of_days = {EDGE: too_old}
    client = client_of(api)
    assert fetch(client, EDGE, DAYS[1])[1] == 3
    assert [asked.way for asked in api.records_asked()] == ["api_key", "token", "token"]


def test_the_header_is_not_settled_by_a_refusal_on_the_edge(api: Api) -> None:
    """An API may look at the dates first, and ask who it is only then."""
    api.takes = "token"
    api.says_of_days = {EDGE: always(refusal(OLD, 400, "fail"))}
    client = client_of(api)
    assert fetch(client, EDGE, DAYS[1])[1] == 3
    assert client.standing.way_in == "token"


@pytest.mark.parametrize("method", ["auto", "api_key", "token"])
@pytest.mark.parametrize("message", [INVALID, "UserName is null"])
def test_wrong_credentials_end_the_run_on_the_edge_too(api: Api, method: str, message: str) -> None:
    """They are of no day."""
    api.says_of_days = {EDGE: always(refusal(message))}
    with pytest.raises(RefusedError, match="Check user_name and api_key"):
        fetch(client_of(api, auth_method=method), EDGE)


def test_no_token_either_on_the_edge(api: Api) -> None:
    """Where generateToken is not there for an account, the header's next day decides."""
    api.says_of_days = {EDGE: always(refusal(OLD))}
    api.says_of_tokens = [refusal("API authentication is off", 404)]
    client = client_of(api)
    assert fetch(client, EDGE, DAYS[1])[1] == 3
    assert client.standing.way_in == "api_key"


def test_words_under_a_servers_error_do_not_block_the_days_after_the_edge(api: Api) -> None:
    """It is retried as long as any other, then passed over; without words the run ends."""
    api.says_of_days = {EDGE: always(refusal("No such table", 503))}
    client = client_of(api)
    reason = "the API answered 'No such table' (HTTP 503)"
    assert fetch(client, EDGE, DAYS[1]) == [MissingDay(EDGE, reason), 3]
    api.says_of_days = {EDGE: always(refusal(None, 503))}
    api.clock.passed = 0
    with pytest.raises(UnavailableError):
        fetch(client_of(api), EDGE)


def test_a_limit_on_the_edge_is_a_limit(api: Api) -> None:
    """It is none of the day, whatever its words."""
    api.says_of_days = {EDGE: always(refusal("Slow down", 429))}
    with pytest.raises(UnavailableError, match="uses up the account's limit"):
        fetch(client_of(api), EDGE)


def test_an_expired_token_on_the_edge_is_renewed(api: Api) -> None:
    """Known words of the token are of no day."""
    api.says = [refusal(EXPIRED)] * 5
    client = client_of(api, auth_method="token", rate_limit_requests=1000)
    assert fetch(client, EDGE) == [3]
    assert len(api.tokens) == 2


GONE = "while the run waited, it left the 15 days that the API keeps"


def test_a_day_that_left_while_the_run_waited_is_not_asked_for(clock: PassingClock) -> None:
    """Its empty list would pass for a day without records."""
    clock.begin = datetime(2026, 11, 20, 18, 29, 50, tzinfo=timezone.utc)
    with Api(clock) as api:
        client = client_of(api, rate_limit_requests=1)
        fetch(client, DAY)
        assert fetch(client, EDGE, DAYS[1]) == [MissingDay(EDGE, GONE), 3]
        assert [asked.day for asked in api.records_asked()] == [DAY, DAYS[1]]
        assert client.standing.days == 3


def test_a_day_that_leaves_between_two_tries_is_gone(clock: PassingClock) -> None:
    """Also where a part of it has come."""
    clock.begin = datetime(2026, 11, 20, 18, 27, 30, tzinfo=timezone.utc)
    with Api(clock) as api:
        api.says = [Reply(504, b""), Reply(504, b"")]
        assert fetch(client_of(api, rate_limit_requests=1), EDGE) == [MissingDay(EDGE, GONE)]
        assert times(api, EDGE) == ["00:00:00 23:59:59"] * 2 + ["00:00:00 11:59:59"]


@pytest.mark.parametrize(("count", "is_gone"), [(0, True), (3, False)])
def test_an_empty_day_that_left_under_way_is_gone(
    clock: PassingClock, count: int, is_gone: bool
) -> None:
    """Nobody can know whether it had no records, or was no longer there."""
    clock.begin = datetime(2026, 11, 20, 18, 29, 50, tzinfo=timezone.utc)
    with Api(clock) as api:
        api.says = [Reply(200, success(count).body, takes=20)]
        client = client_of(api)
        assert fetch(client, EDGE) == [MissingDay(EDGE, GONE) if is_gone else 3]
        assert (client.standing.requests, client.standing.way_in) == (1, "api_key")


# What no log may hold


def test_no_secret_and_no_person_is_in_a_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """At no level, nor in the line at the end: no key, no token, no phone number, no name."""
    caplog.set_level(logging.DEBUG)
    people = [{"CallID": "1", "UCID": "2", "CallerID": "09876543210", "AgentName": "Asha Rao"}]
    body = {"details": people, "message": "success", "status": "success"}
    api.takes = "token"
    api.says = [
        *(None, Reply(200, body), Reply(503, body), refusal(EXPIRED)),
        *(Reply(200, body, cut=30), Reply(200, b"<html>09876543210"), Reply(200, body)),
    ]
    client = client_of(api, rate_limit_requests=1000)
    fetch(client, DAY, NEXT)
    held = [token for token, _ in api.tokens]
    assert len(held) == 2
    api.says = [refusal(f"No +919876543210 for {KEY} and {held[0]}", 400)]
    with pytest.raises(TapError) as caught:
        fetch(client, THIRD)
    told = caplog.text + caught.value.line
    for hidden in (KEY, *held, "9876543210", "Asha"):
        assert hidden not in told
    assert "'No +*** for *** and ***' (HTTP 400)" in caught.value.line


def test_days_run_from_the_edge_to_today() -> None:
    """The helper's days are those of a first run."""
    assert (DAYS[0], DAYS[-1], len(DAYS)) == (TODAY - timedelta(days=15), TODAY, 16)
