from __future__ import annotations

import json
import threading
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ozonetel_sandbox import Sandbox
from ozonetel_sandbox.api import CDR_PATH, TOKEN_PATH
from ozonetel_sandbox.faults import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY = date(2026, 11, 19)
LIMITED = {"message": "API rate limit has been exceeded", "status": "error"}
EXPIRED = {"status": "false", "message": "Token Expired", "data": None}
MISSING = {"status": "false", "message": "Missing userName or apiKey"}
INVALID = {"status": "false", "message": "userName or apiKey is Invalid"}
MAX_LIMIT = {"message": "Max limit exceeded", "status": "error"}


class Client:
    """Asks a running sandbox over HTTP."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        """Use ``session`` for all requests."""
        self.sandbox = sandbox
        self.session = session

    def cdr(self, fault: str | None = None) -> requests.Response:
        """Ask for a day's records, met by ``fault``."""
        self.sandbox.add_faults(fault)
        return self.session.get(
            self.sandbox.url + CDR_PATH,
            json={
                "userName": self.sandbox.user_name,
                "fromDate": f"{DAY} 00:00:00",
                "toDate": f"{DAY} 23:59:59",
            },
            headers={"apiKey": self.sandbox.api_key},
            timeout=5,
            allow_redirects=False,
        )

    def token(self, fault: str | None = None) -> requests.Response:
        """Ask for a token, met by ``fault``."""
        if fault:
            self.sandbox.add_faults(fault)
        return self.session.post(
            self.sandbox.url + TOKEN_PATH,
            json={"userName": self.sandbox.user_name},
            headers={"apiKey": self.sandbox.api_key},
            timeout=5,
            allow_redirects=False,
        )


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Return a client of a sandbox without limits, with 30 records a day."""
    with (
        Sandbox(
            records_per_day=lambda _: 30,
            rate_limit=(10_000, 1),
            tokens_per_hour=10_000,
            now=lambda: datetime(2026, 11, 20, 12, tzinfo=timezone.utc),
        ) as sandbox,
        requests.Session() as session,
    ):
        yield Client(sandbox, session)


@pytest.fixture(scope="module")
def truth(client: Client) -> list[dict[str, Any]]:
    """Return the records of the day."""
    return client.sandbox.records(DAY)


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        ("rate_limited", 200, LIMITED),
        ("rate_limited_429", 429, LIMITED),
        ("expired_token", 401, EXPIRED),
        ("expired_token:200", 200, EXPIRED),
        ("expired_token_json_string", 200, json.dumps(EXPIRED)),
        ("max_limit", 200, MAX_LIMIT),
        ("max_limit:429", 429, MAX_LIMIT),
        ("ended_token", 401, {"message": "Unauthorized", "status": "error"}),
        ("ended_token:401:Missing userName or apiKey", 401, MISSING),
        ("ended_token:403:Who?", 403, {"message": "Who?", "status": "error"}),
        ("ended_token:Token Expired", 200, EXPIRED),
        ("missing_credentials", 401, MISSING),
        ("missing_credentials:200", 200, MISSING),
        ("invalid_credentials", 401, INVALID),
        ("refusal", 200, {"message": "Something unknown", "status": "error"}),
        (
            "refusal:Invalid campaignName",
            200,
            {"message": "Invalid campaignName", "status": "fail"},
        ),
        ("refusal:400:Odd: really", 400, {"message": "Odd: really", "status": "error"}),
        ("refusal:Odd: really", 200, {"message": "Odd: really", "status": "error"}),
        ("no_data_found", 200, {"message": "No Data Found", "status": "error"}),
        ("empty_day", 200, {"details": [], "message": "success", "status": "success"}),
        ("details_null", 200, {"details": None, "message": "success", "status": "success"}),
        ("details_text", 200, {"details": "none", "message": "success", "status": "success"}),
        ("details_numbers", 200, {"details": [1, 2, 3], "message": "success", "status": "success"}),
        ("success_without_details", 200, {"message": "success", "status": "success"}),
        ("json_list", 200, []),
        ("json_number", 200, 5),
        ("json_null", 200, None),
        ("json_empty_object", 200, {}),
    ],
)
def test_responses_that_do_not_depend_on_the_day(
    client: Client, fault: str, status: int, content: object
) -> None:
    """Each is JSON under its own status."""
    response = client.cdr(fault)
    assert (response.status_code, response.json()) == (status, content)


@pytest.mark.parametrize(
    ("fault", "status", "kind", "body"),
    [
        ("http_500", 500, "text/plain", "Internal Server Error"),
        ("http_502", 502, "text/plain", "Bad Gateway"),
        ("http_503", 503, "text/plain", "Service Unavailable"),
        ("http_504", 504, "text/plain", "Gateway Timeout"),
        ("empty_body", 200, "application/json", ""),
        ("redirect", 302, "text/plain", "Found"),
    ],
)
def test_responses_that_are_no_json(
    client: Client, fault: str, status: int, kind: str, body: str
) -> None:
    """A proxy's words, or none."""
    response = client.cdr(fault)
    assert (response.status_code, response.headers["Content-Type"]) == (status, kind)
    assert response.text == body


@pytest.mark.parametrize(
    ("fault", "header", "value"),
    [
        ("rate_limited_429:30", "Retry-After", "30"),
        ("http_503:7", "Retry-After", "7"),
        ("rate_limited_429", "Retry-After", None),
        ("http_503", "Retry-After", None),
        ("redirect", "Location", "http://elsewhere.invalid/elsewhere"),
        ("redirect:http://127.0.0.1:9", "Location", "http://127.0.0.1:9/elsewhere"),
        ("gzip", "Content-Encoding", "gzip"),
        ("chunked", "Content-Length", None),
        ("until_close", "Content-Length", None),
        ("html_page", "Content-Type", "text/html; charset=utf-8"),
    ],
)
def test_headers_of_faulty_responses(
    client: Client, fault: str, header: str, value: str | None
) -> None:
    """The argument is where it belongs."""
    assert client.cdr(fault).headers.get(header) == value


@pytest.mark.parametrize(
    "fault", [None, "ok", "chunked", "until_close", "gzip", "slow:0.01", "slow_body:0.01"]
)
def test_other_ways_to_send_the_same(
    client: Client, truth: list[dict[str, Any]], fault: str | None
) -> None:
    """The day is whole."""
    assert client.cdr(fault).json()["details"] == truth


def test_the_envelope_in_other_forms(client: Client, truth: list[dict[str, Any]]) -> None:
    """The records are the same, around them is what the name says."""
    first = client.cdr("status_first").json()
    assert (list(first), first["details"]) == (["status", "message", "details"], truth)
    assert json.loads(client.cdr("envelope_in_string").json())["details"] == truth
    assert client.cdr("failure_after_details").json() == {"details": truth, **LIMITED}
    marked = client.cdr("bom").content
    assert marked.startswith(b"\xef\xbb\xbf{")
    assert json.loads(marked.decode("utf-8-sig"))["details"] == truth


@pytest.mark.parametrize("fault", ["cut_body", "cut_chunked"])
@pytest.mark.parametrize("where", ["0", "1", "0.5", "-1", "last"])
def test_a_cut_response_breaks_off(client: Client, fault: str, where: str) -> None:
    """The client sees that something is missing."""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.cdr(f"{fault}:{where}")


@pytest.mark.parametrize("fault", ["truncated_json", "cut_until_close"])
@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("0", lambda _: 0),
        ("100", lambda _: 100),
        ("-1", lambda size: size - 1),
        ("0.25", lambda size: size // 4),
        ("0.5", lambda size: size // 2),
        ("1000000000", lambda size: size),
    ],
)
def test_where_a_response_ends_early(
    client: Client, fault: str, where: str, kept: Callable[[int], int]
) -> None:
    """Bytes count from the start or the end; a fraction is one of the body."""
    whole = client.cdr().content
    assert client.cdr(f"{fault}:{where}").content == whole[: kept(len(whole))]


def test_a_response_ends_between_the_last_two_records(
    client: Client, truth: list[dict[str, Any]]
) -> None:
    """What is left ends with a whole record."""
    body = client.cdr("truncated_json:last").content
    assert json.loads(body + b"]}")["details"] == truth[:-1]


def test_a_reset_connection_breaks_off(client: Client) -> None:
    """The connection is gone before a byte has come."""
    with pytest.raises(requests.ConnectionError, match="reset"):
        client.cdr("reset")


@pytest.mark.parametrize("fault", ["hang", "slow:60", "stall", "stall:0", "slow_body:60"])
def test_closing_does_not_wait_for_responses_that_never_come(fault: str) -> None:
    """A client that waits for one sees the connection end."""
    with Sandbox(faults=[fault], log=lambda _: asked.set()) as sandbox:
        asked = threading.Event()
        errors: list[Exception] = []

        def ask() -> None:
            with requests.Session() as session:
                try:
                    Client(sandbox, session).cdr()
                except requests.RequestException as error:
                    errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert asked.wait(5)
    thread.join(2)
    assert not thread.is_alive()
    assert len(errors) == 1


def test_a_new_field_stands_in_every_record(client: Client, truth: list[dict[str, Any]]) -> None:
    """Under the name that was asked for."""
    details = client.cdr("new_field:Mood").json()["details"]
    assert details == [{**record, "Mood": f"new {number}"} for number, record in enumerate(truth)]
    assert "CustomerMood" in client.cdr("new_field").json()["details"][0]


def test_twins_and_repeated_records(client: Client, truth: list[dict[str, Any]]) -> None:
    """Twins share their ids and differ; a repeated record does not."""
    *records, twin = client.cdr("twins").json()["details"]
    assert records == truth
    assert twin != truth[0]
    assert (twin["CallID"], twin["UCID"]) == (truth[0]["CallID"], truth[0]["UCID"])
    assert client.cdr("repeated_record").json()["details"] == [*truth, truth[0]]


def test_records_that_are_not_as_documented(client: Client, truth: list[dict[str, Any]]) -> None:
    """An id is missing, or values have other types."""
    missing = client.cdr("missing_id").json()["details"]
    assert "UCID" not in missing[0]
    assert missing[1:] == truth[1:]
    odd = {"CallerID": 5550100, "DID": None, "Rating": "4", "Skill": ["General"], "TalkTime": 56}
    assert client.cdr("other_types").json()["details"] == [{**record, **odd} for record in truth]


@pytest.mark.parametrize(
    ("fault", "raw"),
    [
        ("bad_utf8", b'"Comments": "caf\xe9 \xff\xfe"'),
        ("lone_surrogate", b'"Comments": "half \\ud83d of it"'),
        ("nul", b'"Comments": "a\\u0000b"'),
        ("control_character", b'"Comments": "a\n\x01b"'),
        ("nan", b'"Rating": NaN'),
        ("nan:1e999", b'"Rating": 1e999'),
    ],
)
def test_odd_text_in_a_record(client: Client, fault: str, raw: bytes) -> None:
    """The bytes stand once in the response, in the first record."""
    body = client.cdr(fault).content
    assert body.count(raw) == 1
    assert body.index(raw) < body.index(b'}, {"')


def test_faults_of_records_leave_an_empty_day_alone() -> None:
    """There is nothing to change."""
    names = ["new_field", "twins", "missing_id", "bad_utf8", "nan"]
    with (
        Sandbox(records_per_day=0, rate_limit=(9, 1)) as sandbox,
        requests.Session() as session,
    ):
        client = Client(sandbox, session)
        assert {client.cdr(name).content for name in names} == {client.cdr().content}


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("token_http_500", 500, "Internal Server Error"),
        ("token_http_503", 503, "Service Unavailable"),
        ("token_html_page", 200, "Maintenance"),
        ("token_empty_body", 200, ""),
        ("token_refused", 401, "Invalid userName or apiKey"),
        ("token_refused:200", 200, "Invalid userName or apiKey"),
        ("token_no_user", 401, "UserName is null"),
        ("token_limit", 200, "Max limit exceeded"),
        ("token_limit:429", 429, "Max limit exceeded"),
        ("token_refusal:400:Odd", 400, "Odd"),
        ("token_missing", 200, "message"),
        ("token_blank", 200, '"token": ""'),
        ("token_redirect", 302, "Found"),
    ],
)
def test_faults_of_tokens_meet_requests_for_tokens(
    client: Client, fault: str, status: int, text: str
) -> None:
    """They meet requests for tokens, never requests for records."""
    client.sandbox.add_faults(fault)
    assert "details" in client.cdr().json()
    response = client.token()
    assert response.status_code == status
    assert text in response.text
    assert "eyJ" not in response.text
    assert client.token().json()["token"].startswith("eyJ")


def test_tokens_in_other_forms(client: Client) -> None:
    """Each holds a token, and lets in."""
    alone = client.token("token_alone").json()
    assert list(alone) == ["token"]
    text = client.token("token_in_string").json()
    assert list(json.loads(text)) == ["token", "message"]
    beside = client.token("token_beside_words").json()
    assert beside.pop("token").startswith("eyJ")
    assert beside == {"message": "Invalid userName or apiKey", "status": "false"}
    said = client.token("token_beside_words:Made just now").json()
    assert said["message"] == "Made just now"


@pytest.mark.parametrize("fault", ["token_reset", "token_cut_body"])
def test_tokens_that_never_arrive(client: Client, fault: str) -> None:
    """The connection fails."""
    with pytest.raises(requests.RequestException):
        client.token(fault)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("expired_token", "Token Expired"),
        ("ended_token:401:Missing userName or apiKey", "Missing userName or apiKey"),
        ("ended_token:401:Odd", "Odd"),
    ],
)
def test_an_ended_token_is_ended_for_good(fault: str, said: str) -> None:
    """Only a new token helps, as with the real API; whatever was said, it is then expired."""
    with (
        Sandbox(auth_method="token", rate_limit=(9, 1), faults=[fault]) as sandbox,
        requests.Session() as session,
    ):
        client = Client(sandbox, session)

        def authorize() -> None:
            session.headers["Authorization"] = f"Bearer {client.token().json()['token']}"

        authorize()
        assert [client.cdr().json()["message"] for _ in range(2)] == [said, "Token Expired"]
        authorize()
        assert client.cdr().json()["message"] == "success"


def test_a_refusal_that_bears_a_token(client: Client) -> None:
    """The limit's, with a text that looks like one."""
    content = client.cdr("bearing_token").json()
    assert content.pop("token").startswith("eyJ")
    assert content == LIMITED


@pytest.mark.parametrize(("fault", "value"), [("success_is", True), ('success_is:"true"', "true")])
def test_other_words_for_a_success(
    client: Client, truth: list[dict[str, Any]], fault: str, value: object
) -> None:
    """The records are the same."""
    expected = {"details": truth, "message": "success", "status": value}
    assert client.cdr(fault).json() == expected


def test_another_client_uses_the_limit_up() -> None:
    """Every request is refused until the other's are a period old."""
    clock = [0.0]
    with (
        Sandbox(monotonic=lambda: clock[0]) as sandbox,
        requests.Session() as session,
    ):
        client = Client(sandbox, session)
        messages = [client.cdr("other_client").json()["message"]]
        for clock[0] in (59.9, 60.0):
            messages.append(client.cdr().json()["message"])
    assert messages == [LIMITED["message"], LIMITED["message"], "success"]


def test_a_late_change_stays() -> None:
    """The response that meets it and all later ones are changed, and so is the truth."""
    now = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    with (
        Sandbox(rate_limit=(9, 1), now=lambda: now) as sandbox,
        requests.Session() as session,
    ):
        client = Client(sandbox, session)
        before = client.cdr().json()["details"]
        after = client.cdr("late_change").json()["details"]
        assert after != before
        assert client.cdr().json()["details"] == after == sandbox.records(DAY)
        sandbox.change_late()
        assert client.cdr().json()["details"] == sandbox.records(DAY) != after


@pytest.mark.parametrize(
    "text",
    [
        *("", "no_such", "http_500:7", "slow:soon", "cut_body:middle", "expired_token:late"),
        *("expired_token:99", "ended_token:401:", "refusal:99:words", "success_is:yes"),
    ],
)
def test_faults_that_cannot_be(text: str) -> None:
    """A wrong name or argument is found before any request."""
    with pytest.raises(ValueError, match="fault"):
        parse(text)
