from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from ozonetel_sandbox.api import CDR_PATH, TOKEN_PATH, Api, Received
from ozonetel_sandbox.settings import Settings

KOLKATA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=KOLKATA)
TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)
WHOLE = {"fromDate": "2026-11-19 00:00:00", "toDate": "2026-11-19 23:59:59"}
HERS = {"userName": "acme"}
LIMITED = {"message": "API rate limit has been exceeded", "status": "error"}


class Client:
    """Asks an API whose clocks stand still until a test moves them."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever Settings takes
        """Make the API; its accounts are acme and other, with 40 calls a day."""
        chosen = {
            "accounts": {"acme": "secret", "other": "hidden"},
            "records_per_day": lambda _: 40,
        }
        self.now = NOON
        self.seconds = 1000.0
        self.api = Api(
            Settings(**{**chosen, **settings}),
            now=lambda: self.now,
            monotonic=lambda: self.seconds,
        )
        self.headers = {"apikey": "secret"}

    def ask(self, method: str, path: str, content: object) -> tuple[int, Any]:
        """Return the status and the JSON (or text) of a response."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        response, _ = self.api.respond(Received(method, path, self.headers, body))
        if response.content_type != "application/json":
            return response.status, response.body.decode()
        return response.status, json.loads(response.body)

    def token(self, api_key: str = "secret", **fields: object) -> tuple[int, Any]:
        """Ask for a token and use it from now on."""
        self.headers = {"apikey": api_key}
        status, content = self.ask("POST", TOKEN_PATH, {**HERS, **fields})
        token = content.get("token", "none") if isinstance(content, dict) else "none"
        self.headers = {"authorization": f"Bearer {token}"}
        return status, content

    def cdr(self, **fields: object) -> tuple[int, Any]:
        """Ask for yesterday's records, or for what ``fields`` say; None leaves a field out."""
        content = {**HERS, **WHOLE, **fields}
        return self.ask(
            "GET", CDR_PATH, {key: value for key, value in content.items() if value is not None}
        )

    def message(self, **fields: object) -> str:
        """Return the message of a response."""
        return str(self.cdr(**fields)[1]["message"])


@pytest.fixture
def client() -> Client:
    """Return a client without a limit in its way."""
    return Client(rate_limit=(1000, 60))


def test_a_day_comes_whole(client: Client) -> None:
    """The success envelope holds the truth."""
    assert client.cdr() == (
        200,
        {
            "details": client.api.records("acme", YESTERDAY),
            "message": "success",
            "status": "success",
        },
    )
    assert len(client.api.records("acme", YESTERDAY)) == 40


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
def test_each_documented_refusal_has_its_exact_body(
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
    assert client.cdr(userName="nobody")[0] == 403
    assert client.token("hidden")[0] == 403
    client.headers = KEY
    assert [client.cdr(toDate=None)[0] for _ in range(3)] == [400, 400, 429]


KEY, OTHER_KEY, BEARER = {"apikey": "secret"}, {"apikey": "hidden"}, {"authorization": "Bearer x"}
MISSING, INVALID, EXPIRED = (
    "Missing userName or apiKey",
    "userName or apiKey is Invalid",
    "Token Expired",
)


@pytest.mark.parametrize(
    ("auth_method", "headers", "message"),
    [
        ("api_key", KEY, "success"),
        ("api_key", OTHER_KEY, INVALID),
        ("api_key", {}, MISSING),
        ("api_key", BEARER, MISSING),
        ("api_key", {**KEY, **BEARER}, "success"),
        ("api_key", {**OTHER_KEY, **BEARER}, INVALID),
        ("token", KEY, MISSING),
        ("token", {}, MISSING),
        ("token", {"authorization": "Bearer "}, MISSING),
        ("token", {"authorization": "Basic YWNtZTpzZWNyZXQ="}, MISSING),
        ("token", BEARER, EXPIRED),
        ("token", {**KEY, **BEARER}, EXPIRED),
        ("either", KEY, "success"),
        ("either", OTHER_KEY, INVALID),
        ("either", {}, MISSING),
        ("either", BEARER, EXPIRED),
        ("either", {**KEY, **BEARER}, "success"),
        ("either", {**OTHER_KEY, **BEARER}, EXPIRED),
    ],
)
def test_what_lets_in_without_a_good_token(
    auth_method: str, headers: dict[str, str], message: str
) -> None:
    """The key's header alone works by default; a way that does not work reads as missing."""
    client = Client(auth_method=auth_method)
    client.headers = headers
    assert client.message() == message
    assert client.cdr()[0] == (200 if message == "success" else 401)


@pytest.mark.parametrize(
    ("auth_method", "message"), [("api_key", MISSING), ("token", "success"), ("either", "success")]
)
@pytest.mark.parametrize("beside", [{}, KEY, OTHER_KEY])
def test_what_a_good_token_does(auth_method: str, message: str, beside: dict[str, str]) -> None:
    """It is made for any account, and lets into some; a header beside it does no harm there."""
    client = Client(auth_method=auth_method)
    assert client.token()[0] == 200
    client.headers |= beside
    if auth_method == "api_key" and beside:
        message = {"secret": "success", "hidden": INVALID}[beside["apikey"]]
    assert client.message() == message


def test_the_header_alone_is_the_default() -> None:
    """As on every account whose code or notes were found, also on one that is set to tokens."""
    assert Settings().auth_method == "api_key"


@pytest.mark.parametrize(
    ("api_key", "fields", "message"),
    [
        ("hidden", {}, "Invalid userName or apiKey"),
        ("", {}, "Invalid userName or apiKey"),
        ("secret", {"userName": "nobody"}, "Invalid userName or apiKey"),
        ("secret", {"userName": ""}, "UserName is null"),
        ("secret", {"userName": None}, "UserName is null"),
    ],
)
def test_a_token_is_made_for_the_right_credentials_only(
    api_key: str, fields: dict[str, object], message: str
) -> None:
    """Its refusals have other words than those of the records."""
    status, content = Client().token(api_key, **fields)
    assert (status, content) == (401, {"message": message, "status": "error"})


def test_a_token_comes_without_a_status() -> None:
    """And with an empty message."""
    status, content = Client().token()
    assert (status, content) == (200, {"token": content["token"], "message": ""})
    assert content["token"].startswith("eyJ")


def test_a_token_in_other_forms() -> None:
    """Alone, or within a JSON string."""
    _, alone = Client(token_form="alone").token()  # noqa: S106 - a form
    assert list(alone) == ["token"]
    _, text = Client(token_form="string").token()  # noqa: S106 - a form
    assert list(json.loads(text)) == ["token"]


def test_an_account_can_have_several_keys() -> None:
    """They share its limit, and its token."""
    client = Client(accounts={"acme": ("secret", "second")}, auth_method="either")
    assert client.api.credentials == {"acme": "secret"}
    messages = []
    for client.headers in (KEY, {"apikey": "second"}, KEY, {"apikey": "third"}):
        messages.append(client.message())
    assert messages == ["success", "success", LIMITED["message"], INVALID]
    client.seconds += 60
    client.token()
    old = client.headers
    client.token("second")
    client.headers = old
    assert client.message() == EXPIRED


def test_a_new_token_can_be_refused_for_some_seconds() -> None:
    """In any words; then it works."""
    client = Client(auth_method="token", token_delay=3)
    client.token()
    client.seconds += 2.9
    assert client.cdr() == (401, {"status": "false", "message": EXPIRED, "data": None})
    client.seconds += 0.1
    assert client.message() == "success"
    client = Client(
        auth_method="token",
        token_delay=3,
        token_delay_words="403:No",  # noqa: S106 - words
    )
    client.token()
    assert client.cdr() == (403, {"message": "No", "status": "error"})


def test_a_token_lives_for_its_lifetime() -> None:
    """It works until its last second and is expired then."""
    client = Client(rate_limit=(9, 1), auth_method="token")
    client.token()
    client.seconds += 3599
    assert client.message() == "success"
    client.seconds += 1
    assert client.cdr() == (401, {"status": "false", "message": "Token Expired", "data": None})


def test_a_new_token_ends_the_one_before() -> None:
    """Another client of the account can so end ours; other accounts are not touched."""
    client = Client(rate_limit=(9, 1), auth_method="token")
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
        assert client.token()[0] == 200
        assert client.token("hidden")[0] == 401
        client.seconds += 60
    assert client.token() == (200, {"message": "Max limit exceeded", "status": "error"})
    assert client.token("hidden", userName="other")[0] == 200
    client.seconds += 3000
    assert "token" in client.token()[1]


def test_two_requests_a_minute_for_an_account() -> None:
    """The period slides over the times of receipt; a refused request does not count."""
    client = Client()
    assert client.message() == "success"
    client.seconds += 30
    assert client.message() == "success"
    client.seconds += 29.9
    assert client.cdr() == (200, LIMITED)
    client.seconds += 0.1
    assert client.message() == "success"
    assert client.cdr() == (200, LIMITED)
    client.headers = {"apikey": "hidden"}
    assert client.message(userName="other") == "success"


@pytest.mark.parametrize(
    ("settings", "status", "message", "bears_token"),
    [
        ({"limit_status": 429}, 429, LIMITED["message"], False),
        ({"limit_words": "Max limit exceeded"}, 200, "Max limit exceeded", False),
        ({"limit_words": "Later, please"}, 200, "Later, please", False),
        ({"limit_bears_token": True}, 200, LIMITED["message"], True),
        ({"limit_bears_token": True, "limit_status": 429}, 429, LIMITED["message"], False),
    ],
)
def test_other_forms_of_the_limits_refusal(
    settings: dict[str, Any], status: int, message: str, bears_token: bool
) -> None:
    """The token beside it lets nobody in, and ends none."""
    client = Client(auth_method="token", rate_limit=(1, 60), **settings)
    client.token()
    client.cdr()
    answered, content = client.cdr()
    assert (answered, content["message"], "token" in content) == (status, message, bears_token)
    client.seconds += 60
    assert client.message() == "success"
    if bears_token:
        client.headers = {"authorization": f"Bearer {content['token']}"}
        assert client.message() == EXPIRED


def test_refused_requests_can_count() -> None:
    """A client that keeps asking is then never let in."""
    client = Client(count_refused=True, rate_limit=(1, 60))
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
    client.headers = {}
    for _ in range(5):
        client.message()
    client.headers = KEY
    assert [client.message() for _ in range(2)] == ["success", "success"]


def whole(age: int) -> dict[str, str]:
    """Return what asks for a day so many days ago."""
    day = TODAY - timedelta(days=age)
    return {"fromDate": f"{day} 00:00:00", "toDate": f"{day} 23:59:59"}


@pytest.mark.parametrize(("age", "count"), [(1, 40), (15, 40), (16, 0), (400, 0)])
def test_days_older_than_fifteen_are_empty(client: Client, age: int, count: int) -> None:
    """Not an error: the records are gone in silence."""
    status, content = client.cdr(**whole(age))
    assert (status, content["status"], len(content["details"])) == (200, "success", count)


DATES = "fromDate and toDate should be within 15 days"


@pytest.mark.parametrize(
    ("settings", "age", "status", "said"),
    [
        ({"too_old": DATES}, 16, 200, DATES),
        ({"too_old": f"400:{DATES}"}, 400, 400, DATES),
        ({"too_old": DATES, "request_status": 400}, 16, 400, DATES),
        ({"too_old": DATES}, 15, 200, 40),
        ({"edge": "empty"}, 15, 200, 0),
        ({"edge": "empty"}, 14, 200, 40),
        ({"edge": DATES}, 15, 200, DATES),
        ({"edge": DATES}, 16, 200, 0),
        ({"edge": DATES}, 14, 200, 40),
        ({"edge": "200:fromDate and toDate should not be future dates"}, 15, 200, "fromDate and "),
    ],
)
def test_words_for_days_that_are_too_old(
    settings: dict[str, str], age: int, status: int, said: str | int
) -> None:
    """For all of them, or for the 15th day back; the truth has none of theirs."""
    client = Client(**settings)
    answered, content = client.cdr(**whole(age))
    assert answered == status
    if isinstance(said, str):
        assert content["message"].startswith(said)
        assert client.api.records("acme", TODAY - timedelta(days=age)) == []
    else:
        assert len(content["details"]) == said


def test_known_words_have_their_own_envelope() -> None:
    """Others have the limit's."""
    future = "fromDate and toDate should not be future dates"
    assert Client(edge=future).cdr(**whole(15))[1] == {"message": future, "status": "fail"}
    assert Client(edge=DATES).cdr(**whole(15))[1] == {"message": DATES, "status": "error"}


def test_the_fifteenth_day_back_can_be_partial() -> None:
    """What began more than fifteen days ago, to the second, is gone."""
    truth = Client().api.records("acme", TODAY - timedelta(days=15))
    kept = Client(edge="partial").cdr(**whole(15))[1]["details"]
    assert kept == [record for record in truth if record["StartTime"] >= "12:00:00"]
    assert 0 < len(kept) < 40


@pytest.mark.parametrize(
    ("settings", "time", "count"),
    [
        ({"settling": "whole"}, "00:05", 40),
        ({"settling": "empty"}, "00:05", 0),
        ({"settling": "empty"}, "02:59", 0),
        ({"settling": "empty"}, "03:00", 40),
        ({"settling": "partial"}, "02:59", 20),
        ({"settling": "partial"}, "03:00", 40),
        ({"settling": "empty", "settling_hour": 5.5}, "05:29", 0),
        ({"settling": "empty", "settling_hour": 5.5}, "05:30", 40),
    ],
)
def test_a_finished_day_can_settle_in_the_night(
    settings: dict[str, Any], time: str, count: int
) -> None:
    """By the account's clock; only the last day does, and it is whole afterwards."""
    client = Client(**settings)
    client.now = datetime.fromisoformat(f"{TODAY} {time}").replace(tzinfo=KOLKATA)
    assert len(client.cdr(**whole(1))[1]["details"]) == count
    assert len(client.cdr(**whole(2))[1]["details"]) == 40
    assert len(client.api.records("acme", YESTERDAY)) == count


def test_a_partial_day_lacks_its_newest_records() -> None:
    """Those that are there are the same."""
    client = Client(settling="partial")
    truth = client.api.records("acme", YESTERDAY)
    client.now = datetime(2026, 11, 20, 1, 30, tzinfo=KOLKATA)
    assert client.cdr(**whole(1))[1]["details"] == truth[20:]


@pytest.mark.parametrize(
    ("settings", "time", "is_past"),
    [
        ({}, "00:00", True),
        ({"switch_hour": 3}, "00:00", False),
        ({"switch_hour": 3}, "02:59", False),
        ({"switch_hour": 3}, "03:00", True),
        ({"switch_hour": 9.5}, "09:29", False),
        ({"switch_hour": 9.5}, "09:30", True),
    ],
)
def test_a_day_changes_its_spelling(settings: dict[str, Any], time: str, is_past: bool) -> None:
    """At an hour of the next one; today always has the current spelling."""
    client = Client(**settings)
    client.now = datetime.fromisoformat(f"{TODAY} {time}").replace(tzinfo=KOLKATA)
    records = client.api.records("acme", YESTERDAY)
    assert {type(record["UCID"]) for record in records} == {str if is_past else int}
    assert {record["Rating"] for record in records} == {"" if is_past else 0}
    assert not any(isinstance(r["UCID"], str) for r in client.api.records("acme", TODAY))


def test_a_to_date_later_today_can_be_accepted() -> None:
    """Some accounts take 23:59:59; a later day stays refused, and a later start."""
    today = {"fromDate": "2026-11-20 00:00:00", "toDate": "2026-11-20 23:59:59"}
    refused, accepted = Client(), Client(future_to_date="accepted", rate_limit=(9, 60))
    assert refused.message(**today) == "fromDate and toDate should not be future dates"
    assert accepted.cdr(**today)[1]["details"] == accepted.api.records("acme", TODAY) != []
    for first, last in (("20 12:00:01", "20 23:59:59"), ("21 00:00:00", "21 23:59:59")):
        message = accepted.message(fromDate=f"2026-11-{first}", toDate=f"2026-11-{last}")
        assert message == "fromDate and toDate should not be future dates"


def test_agents_are_renamed_with_time() -> None:
    """The same day, read a day later; unless that is turned off."""
    for renaming in (True, False):
        client = Client(renaming=renaming)
        before = client.api.records("acme", YESTERDAY)
        client.now += timedelta(days=1)
        after = client.api.records("acme", YESTERDAY)
        names = [[record.pop("AgentName") for record in records] for records in (before, after)]
        assert before == after
        assert (names[0] != names[1]) == renaming


def test_the_truth_of_calls() -> None:
    """It holds all of a day's records, also of one that is under way; late changes too."""
    client = Client()
    for day in (YESTERDAY, TODAY):
        events = [event for call in client.api.truth("acme", day) for event in call.events]
        assert len(events) == 40
    ids = {event.ucid for call in client.api.truth("acme", YESTERDAY) for event in call.events}
    assert ids == {record["UCID"] for record in client.api.records("acme", YESTERDAY)}
    client.api.change_late()
    noted = {event.disposition for call in client.api.truth("acme", TODAY) for event in call.events}
    assert "Changed late :1" in noted


def test_an_answered_call_grows_from_one_reading_to_the_next() -> None:
    """It is the same record, and then minutes long."""
    client = Client(records_per_day=lambda _: 5000)
    first = {record["UCID"]: record for record in client.api.records("acme", TODAY)}
    client.now += timedelta(hours=2)
    then = {record["UCID"]: record for record in client.api.records("acme", TODAY)}
    assert set(first) < set(then)
    running = [record for record in first.values() if record["TalkTime"] == "00:00:01"]
    assert running
    assert all(then[record["UCID"]]["TalkTime"] > "00:00:01" for record in running)


def test_today_lists_what_has_happened(client: Client) -> None:
    """Up to this second can be asked."""
    today = {"fromDate": "2026-11-20 00:00:00", "toDate": "2026-11-20 12:00:00"}
    early = client.cdr(**today)[1]["details"]
    assert 0 < len(early) < 40
    assert {record["StartTime"] < "12:00:00" for record in early} == {True}
    client.now += timedelta(hours=1)
    later = client.cdr(**today)[1]["details"]
    assert len(early) <= len(later) < 40
    assert client.api.records("acme", TODAY, NOON) == early


def test_the_day_is_the_accounts_own() -> None:
    """What is today in Kiritimati is still to come in Pago Pago."""
    at = datetime(2026, 11, 20, 10, 59, tzinfo=timezone.utc)
    days = {}
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        client = Client(timezone=zone, records_per_day=lambda _: 5000)
        client.now = at
        days[zone] = [bool(client.api.records("acme", date(2026, 11, day))) for day in (20, 21)]
    assert days == {
        "Pacific/Kiritimati": [True, True],
        "Pacific/Pago_Pago": [False, False],
    }


def test_a_span_gives_the_records_that_start_in_it(client: Client) -> None:
    """Both ends are inclusive, to the second."""
    times = [record["StartTime"] for record in client.api.records("acme", YESTERDAY)]
    first, last = sorted(times)[3], sorted(times)[9]
    details = client.cdr(fromDate=f"{YESTERDAY} {first}", toDate=f"{YESTERDAY} {last}")[1][
        "details"
    ]
    assert [record["StartTime"] for record in details] == [
        time for time in times if first <= time <= last
    ]
    assert client.cdr(fromDate=WHOLE["toDate"], toDate=WHOLE["fromDate"])[1]["details"] == []


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("campaignName", "CampaignName", "Support_Inbound"),
        ("callType", "Type", "Inbound"),
        ("callType", "Type", "InBound"),
        ("callType", "Type", "Manual"),
        ("status", "Status", "Answered"),
        ("status", "Status", "NotAnswered"),
        ("status", "Status", "Unanswered"),
    ],
)
def test_filters_take_a_word_of_either_spelling(
    client: Client, name: str, field: str, value: str
) -> None:
    """A word is the same in both spellings, and ``NotAnswered`` is the filter's own."""
    stands = {"InBound": "Inbound", "NotAnswered": "Unanswered"}.get(value, value)
    truth = client.api.records("acme", YESTERDAY)
    expected = [record for record in truth if record[field] == stands]
    assert 0 < len(expected) < 40
    assert client.cdr(**{name: value})[1]["details"] == expected
    assert client.cdr(**{name: ""})[1]["details"] == truth


@pytest.mark.parametrize(("name", "field"), [("ucid", "UCID"), ("monitorUCID", "CallID")])
def test_filters_take_ids_as_text_or_numbers(client: Client, name: str, field: str) -> None:
    """Whether they come as text or as numbers."""
    truth = client.api.records("acme", YESTERDAY)
    value = truth[7][field]
    expected = [record for record in truth if record[field] == value]
    assert client.cdr(**{name: value})[1]["details"] == expected
    assert client.cdr(**{name: int(value)})[1]["details"] == expected


@pytest.mark.parametrize(
    ("last", "status"), [("00:44:59", 200), ("00:45:00", 504), ("23:59:59", 504)]
)
def test_a_span_beyond_the_largest_span_is_refused(last: str, status: int) -> None:
    """As on an account whose whole day never comes in time."""
    client = Client(largest_span=45)
    assert client.cdr(toDate=f"{YESTERDAY} {last}")[0] == status


def test_how_a_span_is_too_large_is_a_setting() -> None:
    """Any fault will do; a fault that is due comes first."""
    client = Client(largest_span=45, too_large="http_500")
    client.api.add_faults(["http_503"])
    assert [client.cdr()[0] for _ in range(2)] == [503, 500]


def test_what_was_asked_is_kept() -> None:
    """A test can see each request: when, by whom, for what, and what came of it."""
    client = Client()
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
    client.headers = KEY
    assert client.message(userName=None) == "Missing userName or apiKey"
    assert client.cdr()[0] == 500
    client.api.add_faults(["http_502"])
    assert client.message() == "API rate limit has been exceeded"
    client.seconds += 60
    assert client.cdr()[0] == 502


def test_late_changes_from_now_on() -> None:
    """The same day has other remarks afterwards, and the same records."""
    client = Client()
    before = client.api.records("acme", YESTERDAY)
    client.api.change_late()
    after = client.cdr()[1]["details"]
    assert after == client.api.records("acme", YESTERDAY) != before
    assert [record["UCID"] for record in after] == [record["UCID"] for record in before]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"accounts": 0}, ValueError),
        ({"accounts": {}}, ValueError),
        ({"accounts": {"acme": ()}}, ValueError),
        ({"too_large": "no_such"}, ValueError),
        ({"auth_method": "basic"}, ValueError),
        ({"settling": "soon"}, ValueError),
        ({"edge": ""}, ValueError),
        ({"too_old": "99:words"}, ValueError),
        ({"limit_words": "429:"}, ValueError),
        ({"timezone": "Nowhere/At_All"}, ZoneInfoNotFoundError),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], error: type[Exception]) -> None:
    """A sandbox says so when it is made."""
    with pytest.raises(error):
        Client(**settings)
