from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from ozonetel_sandbox.api import CDR_PATH, TOKEN_PATH, Api, Question, Settings

KOLKATA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=KOLKATA)
TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)
WHOLE = {"fromDate": "2026-11-19 00:00:00", "toDate": "2026-11-19 23:59:59"}
HERS = {"userName": "acme"}


class Client:
    """Asks an API whose clocks stand still until a test moves them."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever Settings takes
        """Make the API; its accounts are acme and other, with 40 calls a day."""
        chosen = {"accounts": {"acme": "secret", "other": "hidden"}, "calls_per_day": lambda _: 40}
        self.now = NOON
        self.seconds = 1000.0
        self.api = Api(
            Settings(**{**chosen, **settings}),
            now=lambda: self.now,
            monotonic=lambda: self.seconds,
        )
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, content: object) -> tuple[int, Any]:
        """Return the status and the JSON (or text) of an answer."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer, _ = self.api.answer(Question(method, path, self.headers, body))
        if answer.content_type != "application/json":
            return answer.status, answer.body.decode()
        return answer.status, json.loads(answer.body)

    def token(self, api_key: str = "secret", **fields: object) -> tuple[int, Any]:
        """Ask for a token and use it from now on."""
        self.headers = {"apikey": api_key}
        status, content = self.ask("POST", TOKEN_PATH, {**HERS, **fields})
        token = content.get("token", "none") if isinstance(content, dict) else "none"
        self.headers = {"authorization": f"Bearer {token}"}
        return status, content

    def cdr(self, **fields: object) -> tuple[int, Any]:
        """Ask for yesterday's calls, or for what ``fields`` say; None leaves a field out."""
        content = {**HERS, **WHOLE, **fields}
        return self.ask(
            "GET", CDR_PATH, {key: value for key, value in content.items() if value is not None}
        )

    def message(self, **fields: object) -> str:
        """Return the message of an answer."""
        return str(self.cdr(**fields)[1]["message"])


@pytest.fixture
def client() -> Client:
    """Return a client with a token and no limit in its way."""
    client = Client(rate_limit=(1000, 60))
    client.token()
    return client


def test_a_day_is_answered_whole(client: Client) -> None:
    """The success envelope holds the truth."""
    assert client.cdr() == (
        200,
        {"details": client.api.calls("acme", YESTERDAY), "message": "success", "status": "success"},
    )
    assert len(client.api.calls("acme", YESTERDAY)) == 40


@pytest.mark.parametrize(
    ("fields", "status", "refusal"),
    [
        (
            {"userName": None},
            401,
            {"status": "false", "message": "Missing userName or apiKey"},
        ),
        ({"userName": ""}, 401, {"status": "false", "message": "Missing userName or apiKey"}),
        (
            {"userName": "nobody"},
            401,
            {"status": "false", "message": "userName or apiKey is Invalid"},
        ),
        *(
            (
                {field: missing},
                200,
                {"message": "Missing fromDate and toDate", "status": "fail"},
            )
            for field in ("fromDate", "toDate")
            for missing in (None, "")
        ),
        *(
            (
                {field: wrong},
                200,
                {
                    "message": "Invalid fromDate format. Please pass the date in the format "
                    "yyyy-MM-dd HH:mm:ss",
                    "status": "fail",
                },
            )
            for field in ("fromDate", "toDate")
            for wrong in (
                "2026-11-19",
                "19-11-2026 00:00:00",
                "2026-11-31 00:00:00",
                "2026-11-19T00:00:00",
                "2026-11-19 24:00:00",
                20261119,
            )
        ),
        *(
            (
                {"campaignName": unknown},
                200,
                {"message": "Invalid campaignName", "status": "fail"},
            )
            for unknown in ("No_Such", 7, ["Support_Inbound"])
        ),
        *(
            (
                {"fromDate": first, "toDate": last},
                200,
                {"message": "fromDate and toDate should not be future dates", "status": "fail"},
            )
            for first, last in (
                ("2026-11-20 00:00:00", "2026-11-20 12:00:01"),
                ("2026-11-20 00:00:00", "2026-11-20 23:59:59"),
                ("2026-11-20 12:00:01", "2026-11-20 00:00:00"),
                ("2026-11-21 00:00:00", "2026-11-21 23:59:59"),
            )
        ),
        (
            {"fromDate": "2026-11-18 00:00:00"},
            200,
            {"message": "fromDate and toDate should be same date", "status": "fail"},
        ),
    ],
)
def test_each_documented_refusal(
    client: Client, fields: dict[str, object], status: int, refusal: dict[str, str]
) -> None:
    """A refusal has the exact body of the vendor's page, its keys in the same order."""
    answered = client.cdr(**fields)
    assert answered == (status, refusal)
    assert list(answered[1]) == list(refusal)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"null", b"fromDate=2026-11-19", b"[" * 100_000]
)
@pytest.mark.parametrize(("method", "path"), [("GET", CDR_PATH), ("POST", TOKEN_PATH)])
def test_a_body_that_is_no_json_object_is_refused(
    client: Client, method: str, path: str, body: bytes
) -> None:
    """So are the same fields in the query: there is no body then."""
    assert client.ask(method, path, body) == (
        200,
        {"status": "false", "message": "Invalid Json Pass Valid Json"},
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", CDR_PATH, 405),
        ("PUT", CDR_PATH, 405),
        ("GET", TOKEN_PATH, 405),
        ("GET", "/", 404),
        ("POST", "/ca_reports/summary", 404),
    ],
)
def test_other_methods_and_paths(client: Client, method: str, path: str, status: int) -> None:
    """Only GET asks for calls and only POST for tokens."""
    assert client.ask(method, path, {**HERS, **WHOLE})[0] == status


def test_the_status_of_refusals_is_a_setting() -> None:
    """Nobody knows them, so each group can have another."""
    client = Client(request_status=400, credentials_status=403, limit_status=429)
    assert client.cdr()[0] == 403
    client.token()
    assert [client.cdr(toDate=None)[0] for _ in range(3)] == [400, 400, 429]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"apikey": "secret"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YWNtZTpzZWNyZXQ="},
    ],
)
def test_a_token_account_wants_a_bearer_token(headers: dict[str, str]) -> None:
    """A key alone reads as missing credentials."""
    client = Client()
    client.headers = headers
    assert client.message() == "Missing userName or apiKey"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"apikey": "secret"}, "success"),
        ({"apikey": "hidden"}, "userName or apiKey is Invalid"),
        ({}, "Missing userName or apiKey"),
        ({"authorization": "Bearer token"}, "Missing userName or apiKey"),
        ({"apikey": "secret", "authorization": "Bearer token"}, "Missing userName or apiKey"),
    ],
)
def test_a_key_account_wants_the_key_alone(headers: dict[str, str], message: str) -> None:
    """A Bearer token is refused as missing credentials."""
    client = Client(auth_method="api_key")
    client.headers = headers
    assert client.message() == message


@pytest.mark.parametrize(
    ("api_key", "fields", "message"),
    [
        ("secret", {}, "success"),
        ("hidden", {}, "userName or apiKey is Invalid"),
        ("", {}, "Missing userName or apiKey"),
        ("secret", {"userName": "nobody"}, "userName or apiKey is Invalid"),
        ("secret", {"userName": ""}, "Missing userName or apiKey"),
    ],
)
def test_a_token_is_made_for_the_right_credentials(
    api_key: str, fields: dict[str, object], message: str
) -> None:
    """A wrong key gets no token."""
    _, content = Client().token(api_key, **fields)
    assert content["message"] == message
    assert ("token" in content) == (message == "success")


def test_a_token_lives_for_its_lifetime() -> None:
    """It works until its last second and is expired then."""
    client = Client(rate_limit=(9, 1))
    client.token()
    client.seconds += 3599
    assert client.message() == "success"
    client.seconds += 1
    assert client.cdr() == (401, {"status": "false", "message": "Token Expired", "data": None})


def test_a_new_token_ends_the_one_before() -> None:
    """Another client of the account can so end ours; other accounts are not touched."""
    client = Client(rate_limit=(9, 1))
    client.token()
    old = client.headers
    client.token("hidden", userName="other")
    client.headers = old
    assert client.message() == "success"
    client.token()
    assert client.message() == "success"
    client.headers = old
    assert client.message() == "Token Expired"
    assert client.message(userName="other") == "Token Expired"


def test_ten_tokens_an_hour() -> None:
    """The eleventh is refused until the first is an hour old; wrong keys do not count."""
    client = Client()
    for _ in range(10):
        assert client.token()[1]["message"] == "success"
        assert client.token("hidden")[1]["message"] == "userName or apiKey is Invalid"
        client.seconds += 60
    assert client.token()[1]["message"] == "API rate limit has been exceeded"
    assert client.token("hidden", userName="other")[1]["message"] == "success"
    client.seconds += 3000
    assert client.token()[1]["message"] == "success"


def test_two_requests_a_minute_for_an_account() -> None:
    """The window slides over the times of receipt; a refused request does not count."""
    client = Client(auth_method="api_key")
    client.headers = {"apikey": "secret"}
    limited = (200, {"message": "API rate limit has been exceeded", "status": "error"})
    assert client.message() == "success"
    client.seconds += 30
    assert client.message() == "success"
    client.seconds += 29.9
    assert client.cdr() == limited
    client.seconds += 0.1
    assert client.message() == "success"
    assert client.cdr() == limited
    client.headers = {"apikey": "hidden"}
    assert client.message(userName="other") == "success"


def test_refused_requests_can_count() -> None:
    """A client that keeps asking is then never let in."""
    client = Client(auth_method="api_key", count_refused=True, rate_limit=(1, 60))
    client.headers = {"apikey": "secret"}
    messages = []
    for _ in range(4):
        messages.append(client.message())
        client.seconds += 59
    assert messages == ["success", *["API rate limit has been exceeded"] * 3]
    client.seconds += 1
    assert client.message() == "success"


def test_requests_without_credentials_do_not_use_up_the_limit() -> None:
    """Nobody knows whose they are."""
    client = Client()
    for _ in range(5):
        client.message()
    client.token()
    assert [client.message() for _ in range(2)] == ["success", "success"]


@pytest.mark.parametrize(("age", "count"), [(1, 40), (15, 40), (16, 0), (400, 0)])
def test_days_older_than_fifteen_are_empty(client: Client, age: int, count: int) -> None:
    """Not an error: the calls are gone in silence."""
    day = TODAY - timedelta(days=age)
    status, content = client.cdr(fromDate=f"{day} 00:00:00", toDate=f"{day} 23:59:59")
    assert (status, content["status"], len(content["details"])) == (200, "success", count)


def test_today_lists_the_calls_that_have_ended(client: Client) -> None:
    """Up to this second can be asked; what ended just now is not there yet."""
    today = {"fromDate": "2026-11-20 00:00:00", "toDate": "2026-11-20 12:00:00"}
    early = client.cdr(**today)[1]["details"]
    assert 0 < len(early) < 40
    assert {record["StartTime"] < "12:00:00" for record in early} == {True}
    client.now += timedelta(hours=1)
    later = client.cdr(**today)[1]["details"]
    assert len(early) <= len(later) < 40
    assert client.api.calls("acme", TODAY, NOON) == early


def test_the_day_is_the_accounts_own() -> None:
    """What is today in Kiritimati is still to come in Pago Pago."""
    at = datetime(2026, 11, 20, 10, 59, tzinfo=timezone.utc)
    days = {}
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        client = Client(timezone=zone, calls_per_day=lambda _: 5000)
        client.now = at
        days[zone] = [bool(client.api.calls("acme", date(2026, 11, day))) for day in (20, 21)]
    assert days == {
        "Pacific/Kiritimati": [True, True],
        "Pacific/Pago_Pago": [False, False],
    }


def test_a_window_answers_the_calls_that_start_in_it(client: Client) -> None:
    """Both ends are inclusive, to the second."""
    times = [record["StartTime"] for record in client.api.calls("acme", YESTERDAY)]
    first, last = sorted(times)[3], sorted(times)[9]
    details = client.cdr(fromDate=f"{YESTERDAY} {first}", toDate=f"{YESTERDAY} {last}")[1][
        "details"
    ]
    assert [record["StartTime"] for record in details] == [
        time for time in times if first <= time <= last
    ]
    assert client.cdr(fromDate=WHOLE["toDate"], toDate=WHOLE["fromDate"])[1]["details"] == []


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("campaignName", "CampaignName"),
        ("callType", "Type"),
        ("status", "Status"),
        ("ucid", "UCID"),
        ("monitorUCID", "CallID"),
    ],
)
def test_filters(client: Client, name: str, field: str) -> None:
    """A filter leaves the records with its value, whether it comes as text or as a number."""
    truth = client.api.calls("acme", YESTERDAY)
    value = truth[7][field]
    expected = [record for record in truth if record[field] == value]
    assert 0 < len(expected) < 40
    assert client.cdr(**{name: value})[1]["details"] == expected
    assert client.cdr(**{name: str(value)})[1]["details"] == expected
    assert client.cdr(**{name: ""})[1]["details"] == truth


@pytest.mark.parametrize(
    ("last", "status"), [("00:44:59", 200), ("00:45:00", 504), ("23:59:59", 504)]
)
def test_a_span_beyond_the_largest_window_is_not_answered(last: str, status: int) -> None:
    """As on an account whose whole day never comes in time."""
    client = Client(largest_window=45)
    client.token()
    assert client.cdr(toDate=f"{YESTERDAY} {last}")[0] == status


def test_how_a_span_is_too_large_is_a_setting() -> None:
    """Any fault will do; a fault that is due comes first."""
    client = Client(largest_window=45, too_large="http_500")
    client.token()
    client.api.add_faults(["http_503"])
    assert [client.cdr()[0] for _ in range(2)] == [503, 500]


def test_what_was_asked_is_kept() -> None:
    """A test can see each request: when, by whom, for what, and what came of it."""
    client = Client(auth_method="api_key")
    client.headers = {"apikey": "secret"}
    client.api.add_faults(["ok", "http_500"])
    client.cdr()
    client.seconds += 5
    client.cdr()
    client.cdr()
    client.cdr(userName="nobody")
    seen = [
        (request.received, request.account, request.status, request.outcome, request.count)
        for request in client.api.requests
    ]
    assert seen == [
        (1000, "acme", 200, "success", 40),
        (1005, "acme", 500, "success", 40),
        (1005, "acme", 200, "API rate limit has been exceeded", None),
        (1005, "", 401, "userName or apiKey is Invalid", None),
    ]
    first = client.api.requests[0]
    assert (first.method, first.path, first.now) == ("GET", CDR_PATH, NOON)
    assert (first.from_date, first.to_date) == (WHOLE["fromDate"], WHOLE["toDate"])
    assert (first.fields, first.headers) == ({**HERS, **WHOLE}, {"apikey": "secret"})
    assert [request.fault for request in client.api.requests] == ["", "http_500", "", ""]
    assert "secret" not in repr(client.api.requests)


def test_a_request_that_the_rules_turn_away_takes_no_fault() -> None:
    """Faults wait for the next request that gets past credentials and limit."""
    client = Client(rate_limit=(1, 60))
    client.api.add_faults(["http_500", "token_http_503"])
    assert client.token("hidden")[0] == 401
    assert client.token()[0] == 503
    assert client.token()[0] == 200
    assert client.message(userName=None) == "Missing userName or apiKey"
    assert client.cdr()[0] == 500
    client.api.add_faults(["http_502"])
    assert client.message() == "API rate limit has been exceeded"
    client.seconds += 60
    assert client.cdr()[0] == 502


def test_late_changes_from_now_on() -> None:
    """The same day has other remarks afterwards, and the same calls."""
    client = Client(auth_method="api_key")
    client.headers = {"apikey": "secret"}
    before = client.api.calls("acme", YESTERDAY)
    client.api.change_late()
    after = client.cdr()[1]["details"]
    assert after == client.api.calls("acme", YESTERDAY) != before
    assert [record["UCID"] for record in after] == [record["UCID"] for record in before]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"accounts": 0}, ValueError),
        ({"accounts": {}}, ValueError),
        ({"too_large": "no_such"}, ValueError),
        ({"timezone": "Nowhere/At_All"}, ZoneInfoNotFoundError),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], error: type[Exception]) -> None:
    """A sandbox says so when it is made."""
    with pytest.raises(error):
        Client(**settings)
