from __future__ import annotations

import logging
import resource
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.api.client import Client, DayAnswers
from tap_ozonetel_cdr.clock import Clock
from tap_ozonetel_cdr.errors import LocalError, RefusedError, TapError, UnavailableError
from tap_ozonetel_cdr.settings import CONFIG_JSONSCHEMA, Settings

if TYPE_CHECKING:
    from ozonetel_sandbox.api import Request

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=timezone.utc)
TODAY = date(2026, 11, 20)
DAYS = [TODAY - timedelta(days=n) for n in range(15, -1, -1)]
DAY, NEXT, THIRD = DAYS[10:13]


class PassingClock(Clock):
    """Time that passes, on the calendar as well, only where somebody waits."""

    def __init__(self, begin: datetime = NOON) -> None:
        """Begin at an instant."""
        self.begin = begin
        self.passed = 0.0

    def now(self) -> datetime:
        """Return the instant it is."""
        return self.begin + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Return the seconds waited."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Wait without waiting; as with any clock, a moment longer than asked for."""
        self.passed += seconds + 0.001


@pytest.fixture
def clock() -> PassingClock:
    """Begin at noon in India."""
    return PassingClock()


def serve(clock: PassingClock, **options: Any) -> Sandbox:  # noqa: ANN401  the sandbox's own
    """Return a sandbox on the same clock, whose limit does not bite unless it is given."""
    options = {"rate_limit": (1000, 1), "records_per_day": lambda _: 3, **options}
    return Sandbox(now=clock.now, monotonic=clock.monotonic, **options)


def client_for(sandbox: Sandbox, clock: PassingClock, **settings: object) -> Client:
    """Return a client of the sandbox's account."""
    requests, period = sandbox.rate_limit
    config = {
        "api_url": sandbox.url,
        "user_name": sandbox.user_name,
        "api_key": sandbox.api_key,
        "auth_method": sandbox.auth_method,
        "rate_limit_requests": requests,
        "rate_limit_period": period,
        **settings,
    }
    run = Settings.from_config(config, now=clock.now())
    return Client(run, clock=clock, logger=logging.getLogger("test"))


def fetch(client: Client, *days: date) -> list[int]:
    """Fetch days, and return how many records each has."""
    counts = []
    for day in days:
        answers: DayAnswers = client.fetch_day(day)
        counts.append(answers.count)
        answers.close()
    return counts


def sent(sandbox: Sandbox, method: str = "GET") -> list[Request]:
    """Return the requests for records, or with POST those for tokens."""
    return [request for request in sandbox.requests if request.method == method]


def windows(sandbox: Sandbox, day: date) -> list[str]:
    """Return the times asked for of a day."""
    return [
        f"{r.from_date[11:]} {r.to_date[11:]}" for r in sent(sandbox) if str(day) in r.from_date
    ]


def test_the_default_limit_is_the_vendors() -> None:
    """2 requests in 60 seconds [doc]."""
    properties = CONFIG_JSONSCHEMA["properties"]
    assert properties["rate_limit_requests"]["default"] == 2
    assert properties["rate_limit_period"]["default"] == 60


def test_sixteen_days_take_seven_windows(clock: PassingClock) -> None:
    """At the vendor's limit no request is refused, and none waits longer than it must."""
    with serve(clock, rate_limit=(2, 60)) as sandbox:
        fetch(client_for(sandbox, clock), *DAYS)
        assert {request.outcome for request in sandbox.requests} == {"success"}
        assert [round(r.received) for r in sent(sandbox)] == [n // 2 * 60 for n in range(16)]
    assert 420 <= clock.passed < 421


def test_a_second_run_at_once_waits_one_window(
    clock: PassingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It meets one refusal, says so in one calm line, and succeeds."""
    caplog.set_level("INFO")
    with serve(clock, rate_limit=(2, 60)) as sandbox:
        fetch(client_for(sandbox, clock), DAY, NEXT)
        caplog.clear()
        fetch(client_for(sandbox, clock), DAY, NEXT)
        outcomes = [request.outcome for request in sent(sandbox)[2:]]
    assert outcomes == ["API rate limit has been exceeded", "success", "success"]
    assert 60 <= clock.passed < 121
    lines = [r for r in caplog.records if "limit is used up" in r.getMessage()]
    assert [record.levelname for record in lines] == ["INFO"]
    assert lines[0].getMessage().endswith("asking again in 60 s")
    assert {record.levelname for record in caplog.records} == {"INFO"}


@pytest.mark.parametrize("fault", ["http_503:7", "rate_limited_429:7"])
def test_retry_after_is_kept(clock: PassingClock, fault: str) -> None:
    """The server's own wait is waited."""
    with serve(clock, faults=[fault]) as sandbox:
        assert fetch(client_for(sandbox, clock), DAY) == [3]
        first, second = sent(sandbox)
    assert 7 <= second.received - first.received < 8.1


def test_one_token_serves_a_run(clock: PassingClock) -> None:
    """It is generated once, and sent with every request."""
    with serve(clock) as sandbox:
        fetch(client_for(sandbox, clock), *DAYS)
        [token] = sent(sandbox, "POST")
        assert token.headers["apikey"] == sandbox.api_key
        assert len({request.headers["authorization"] for request in sent(sandbox)}) == 1
        assert not [request for request in sent(sandbox) if "apikey" in request.headers]


@pytest.mark.parametrize("fault", ["expired_token", "expired_token_json_string"])
def test_a_refused_token_is_renewed_once(clock: PassingClock, fault: str) -> None:
    """The day is asked for again with another."""
    with serve(clock, faults=["ok", fault]) as sandbox:
        assert fetch(client_for(sandbox, clock), DAY, NEXT) == [3, 3]
        assert len(sent(sandbox, "POST")) == 2


def test_a_new_token_that_is_refused_ends_the_run(clock: PassingClock) -> None:
    """Tokens are not generated in a loop."""
    with serve(clock, faults=["expired_token"] * 3) as sandbox:
        with pytest.raises(RefusedError, match="'Token Expired' \\(HTTP 401\\) to a new token"):
            fetch(client_for(sandbox, clock), DAY)
        assert len(sent(sandbox, "POST")) == 2


def test_a_run_generates_eight_tokens_at_the_most(clock: PassingClock) -> None:
    """Then it says what ends them, and leaves the account the rest of its ten an hour."""
    with serve(clock, faults=["ok", "expired_token"] * 8) as sandbox:
        with pytest.raises(RefusedError, match="This run has generated 8 tokens, of the ten"):
            fetch(client_for(sandbox, clock), *DAYS)
        assert len(sent(sandbox, "POST")) == 8


def test_a_basic_account_gets_the_key_alone(clock: PassingClock) -> None:
    """No token is generated, and no Authorization is sent."""
    with serve(clock, auth_method="api_key") as sandbox:
        assert fetch(client_for(sandbox, clock), DAY) == [3]
        [request] = sandbox.requests
        assert request.headers["apikey"] == sandbox.api_key
        assert "authorization" not in request.headers


@pytest.mark.parametrize(("account", "setting"), [("token", "api_key"), ("api_key", "token")])
def test_a_wrong_authentication_method_is_named(
    clock: PassingClock, account: str, setting: str
) -> None:
    """The line says that auth_method may not fit."""
    with serve(clock, auth_method=account) as sandbox:
        with pytest.raises(RefusedError) as caught:
            fetch(client_for(sandbox, clock, auth_method=setting), DAY)
        assert len(sent(sandbox)) == 1
    assert "'Missing userName or apiKey' (HTTP 401)" in caught.value.line
    assert "auth_method" in caught.value.line


def test_no_complete_answer_in_time_ends_the_run(clock: PassingClock) -> None:
    """It goes on trying for retry_timeout, and says what came at last."""
    with serve(clock, faults=["http_503"] * 1000) as sandbox:
        with pytest.raises(UnavailableError) as caught:
            fetch(client_for(sandbox, clock, retry_timeout=20, rate_limit_period=60), DAY)
        assert len(sent(sandbox)) > 1
    assert caught.value.line.startswith(
        "2026-11-15: no complete answer within 20 s (retry_timeout), at last HTTP 503. "
    )
    assert clock.passed <= 20


def test_a_day_too_large_is_asked_for_in_parts(clock: PassingClock) -> None:
    """Halved until it is answered; the next day begins at that size, the one after at twice it."""
    six_hours = ["00:00:00 05:59:59", "06:00:00 11:59:59", "12:00:00 17:59:59", "18:00:00 23:59:59"]
    twelve_hours = ["00:00:00 11:59:59"]
    with serve(clock, largest_span=360, records_per_day=lambda _: 60) as sandbox:
        client = client_for(sandbox, clock)
        assert fetch(client, DAY, NEXT, THIRD) == [60, 60, 60]
        assert windows(sandbox, DAY) == ["00:00:00 23:59:59"] * 2 + twelve_hours * 2 + six_hours
        assert windows(sandbox, NEXT) == six_hours
        assert windows(sandbox, THIRD) == twelve_hours * 2 + six_hours


def test_a_redirect_names_the_host(clock: PassingClock) -> None:
    """The key does not follow it."""
    with (
        serve(clock, faults=["redirect:http://elsewhere.invalid"]) as sandbox,
        pytest.raises(RefusedError, match="a redirect to elsewhere\\.invalid\\. Credentials are"),
    ):
        fetch(client_for(sandbox, clock), DAY)


def test_a_day_that_ends_under_way_is_asked_to_its_end() -> None:
    """Today is asked for up to now; asked again past midnight, to its last second."""
    clock = PassingClock(datetime(2026, 11, 20, 18, 29, 50, tzinfo=timezone.utc))
    with serve(clock, faults=["http_503:20"]) as sandbox:
        fetch(client_for(sandbox, clock), TODAY)
        assert windows(sandbox, TODAY) == ["00:00:00 23:59:50", "00:00:00 23:59:59"]


def test_a_full_disk_is_named(clock: PassingClock) -> None:
    """The line says how much is needed, and where."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serve(clock, records_per_day=lambda _: 2000) as sandbox:
        client = client_for(sandbox, clock)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, hard))
        try:
            with pytest.raises(LocalError) as caught:
                fetch(client, DAY)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large. The answer needs " in caught.value.line
    assert "set TMPDIR to a larger directory. Nothing was lost" in caught.value.line


def test_no_secret_and_no_person_is_in_a_log(
    clock: PassingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level, nor in the line at the end: no key, no token, no phone number, no name."""
    caplog.set_level(logging.DEBUG)
    with serve(clock) as sandbox:
        people = sandbox.records(DAY) + sandbox.records(NEXT)
        numbers = {str(r[name]) for r in people for name in ("CallerID", "E164", "DialedNumber")}
        names = {str(record["AgentName"]) for record in people}
        quoted = f"refusal:No {next(iter(sorted(numbers)))} for {sandbox.api_key}"
        sandbox.add_faults("ok", "http_503", "expired_token", "cut_body:0.5", "html_page", quoted)
        with pytest.raises(TapError) as caught:
            fetch(client_for(sandbox, clock), DAY, NEXT)
        told = caplog.text + caught.value.line
        tokens = {r.headers["authorization"].split()[-1] for r in sent(sandbox)}
        assert len(tokens) == 2
        for hidden in {sandbox.api_key, *tokens, *numbers, *names} - {"", "None"}:
            assert hidden not in told
    assert "No +*** for ***" in caught.value.line
