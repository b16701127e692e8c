"""Every response has one meaning, whatever status code it comes under."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from tap_ozonetel_cdr.api.body import read_envelope
from tap_ozonetel_cdr.api.quote import quote
from tap_ozonetel_cdr.api.responses import (
    NOT_AUTHENTICATED,
    REFUSALS,
    TOKENS_USED_UP,
    UNKNOWN_REFUSAL,
    Action,
    Refusal,
    Verdict,
    judge,
    judge_failure,
    judge_token,
)

SUCCESS = {"details": [{"UCID": "1"}], "message": "success", "status": "success"}


def envelope(body: Any) -> Any:  # noqa: ANN401  # any JSON
    """Read a body as it comes over the wire."""
    text = body if isinstance(body, str) else json.dumps(body)
    return read_envelope(io.BytesIO(text.encode()))


def judged(http_status: int, body: Any, **context: Any) -> Verdict:  # noqa: ANN401  # any JSON
    """Judge a response of fetchCDRDetails."""
    return judge(http_status, envelope(body), **context)


def judged_token(http_status: int, body: Any, **context: Any) -> Verdict:  # noqa: ANN401  # any JSON
    """Judge a response of generateToken."""
    return judge_token(http_status, envelope(body), **context)


DATES = [
    "Missing fromDate and toDate",
    "Invalid fromDate format. Please pass the date in the format yyyy-MM-dd HH:mm:ss",
    "Invalid toDate format",
    "fromDate and toDate should not be future dates",
    "fromDate and toDate should be same date",
]
MEANINGS = [
    ("Token Expired", Action.TOKEN_EXPIRED),
    ("token  expired.", Action.TOKEN_EXPIRED),
    ("Your token has expired", Action.TOKEN_EXPIRED),
    ("EXPIRED TOKEN", Action.TOKEN_EXPIRED),
    ("API rate limit has been exceeded", Action.WAIT),
    ("Api Rate Limit has been exceeded...", Action.WAIT),
    ("Exceeded: the API rate-limit", Action.WAIT),
    ("Max limit exceeded", Action.WAIT),
    (" MAX  LIMIT EXCEEDED. ", Action.WAIT),
    ("Limit exceeded (max 2)", Action.WAIT),
    ("Maximum limit has been exceeded", Action.WAIT),
    ("Missing userName or apiKey", Action.NOT_LET_IN),
    ("missing username or apikey.", Action.NOT_LET_IN),
    ("apiKey or userName missing", Action.NOT_LET_IN),
    ("Missing User Name or API Key", Action.NOT_LET_IN),
    ("Missing api_key", Action.NOT_LET_IN),
    ("userName or apiKey is Invalid", Action.WRONG_CREDENTIALS),
    ("Invalid userName or apiKey", Action.WRONG_CREDENTIALS),
    ("INVALID APIKEY OR USERNAME.", Action.WRONG_CREDENTIALS),
    ("Invalid user name or API key...", Action.WRONG_CREDENTIALS),
    ("invaliduserNameorapiKey", Action.WRONG_CREDENTIALS),
    ("UserName is null", Action.WRONG_CREDENTIALS),
    ("username is NULL.", Action.WRONG_CREDENTIALS),
    ("Null userName", Action.WRONG_CREDENTIALS),
    ("apiKey is null", Action.WRONG_CREDENTIALS),
    ("Unauthorized", Action.NOT_LET_IN),
    ("You are not authorised", Action.NOT_LET_IN),
    ("Authentication failed", Action.NOT_LET_IN),
    ("Invalid Token", Action.NOT_LET_IN),
    ("Access Denied", Action.NOT_LET_IN),
    ("Forbidden", Action.NOT_LET_IN),
    *((words, Action.STOP) for words in DATES),
    *((words.upper() + " ..", Action.STOP) for words in DATES),
    ("Invalid Json Pass Valid Json", Action.STOP),
    ("Invalid campaignName", Action.STOP),
    ("campaignName is invalid", Action.STOP),
]


@pytest.mark.parametrize("http_status", [200, 400, 401, 403, 500, 503])
@pytest.mark.parametrize("status", ["false", "fail", "error", False, "true", None])
@pytest.mark.parametrize(("message", "action"), MEANINGS)
def test_refusals_mean_the_same_under_every_status_code(
    http_status: int,
    status: object,
    message: str,
    action: Action,
) -> None:
    """The API's words decide, not the status code or the word for failure they come with."""
    verdict = judged(http_status, {"status": status, "message": message})
    gateway = action is Action.NOT_LET_IN and "issing" not in message
    assert verdict.action is (Action.RETRY if gateway and http_status >= 500 else action)
    assert verdict.reason == f"'{' '.join(message.split())}' (HTTP {http_status})"
    assert verdict.denied is (http_status in {401, 403})


@pytest.mark.parametrize(("message", "action"), MEANINGS)
def test_refusals_within_json_strings_are_unwrapped(message: str, action: Action) -> None:
    """The page shows Token Expired as a JSON string that holds JSON; all forms count."""
    body = json.dumps({"status": "false", "message": message, "data": None})
    for wrapped in (json.dumps(body), json.dumps(json.dumps(body)), json.dumps(message)):
        assert judged(200, wrapped).action is action


@pytest.mark.parametrize(
    ("http_status", "action"),
    [
        (200, Action.ACCEPT),
        (400, Action.ACCEPT),
        (404, Action.ACCEPT),
        (401, Action.NOT_LET_IN),
        (403, Action.NOT_LET_IN),
        (429, Action.WAIT),
        (500, Action.RETRY),
        (503, Action.RETRY),
    ],
)
def test_an_empty_day_is_none_where_the_status_says_otherwise(
    http_status: int, action: Action
) -> None:
    """The words that mean an empty day count under the statuses of an answer alone."""
    verdict = judged(http_status, {"status": "error", "message": "No Data Found"})
    assert verdict.action is action


@pytest.mark.parametrize(("message", "action"), MEANINGS)
def test_refusals_may_stand_under_status(message: str, action: Action) -> None:
    """Where there is no message, the words of the status count."""
    assert judged(200, {"status": message}).action is action
    assert judged(200, {"status": message, "message": ""}).action is action


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("No Data Found", Action.ACCEPT),
        ("no data found.", Action.ACCEPT),
        ("No Data Found for the day", Action.STOP),
        ("No data found yet, try again later", Action.STOP),
        ("There is No Data Found", Action.STOP),
        ("No Data", Action.STOP),
        ("Found no data", Action.STOP),
        ("The moon is full", Action.STOP),
        ("Maximum date range limit of 15 days exceeded", Action.STOP),
        ("limit", Action.STOP),
        ("token", Action.STOP),
        ("userName or apiKey", Action.STOP),
    ],
)
def test_words_that_are_only_like_those(message: str, action: Action) -> None:
    """An empty day is one only by its own words, and unknown words are not guessed at."""
    for http_status in (200, 400):
        verdict = judged(http_status, {"status": "fail", "message": message})
        assert verdict.action is action
    if action is Action.STOP:
        assert verdict.advice == UNKNOWN_REFUSAL.advice


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.words)
def test_every_refusal_that_may_end_a_run_says_what_to_check(row: Refusal) -> None:
    """A row's advice comes with its verdict, and none ends a run without it."""
    verdict = judged(200, {"status": "fail", "message": row.words})
    assert (verdict.action, verdict.advice) == (row.action, row.advice)
    assert bool(row.advice) is (row.action in {Action.STOP, *NOT_AUTHENTICATED})


@pytest.mark.parametrize("http_status", [200, 400, 404])
def test_what_may_be_said_of_a_day_that_is_gone(http_status: int) -> None:
    """Words of the dates, unknown ones, and a status code that nobody explains."""
    gone = [*DATES, "The moon is full", "Unauthorized"]
    known = ["Token Expired", "Invalid campaignName", "Missing userName or apiKey", "UserName null"]
    for message in gone + known:
        verdict = judged(http_status, {"status": "fail", "message": message})
        assert verdict.may_mean_gone is (message in gone)
    bare = {400: True, 401: True, 404: True, 429: False, 500: False, 503: False, 302: False}
    assert {status: judged(status, "").may_mean_gone for status in bare} == bare
    assert judged(503, {"message": "The moon is full"}).may_mean_gone
    assert not judged(429, {"message": "The moon is full"}).may_mean_gone


@pytest.mark.parametrize(
    ("http_status", "body", "expected"),
    [
        (200, SUCCESS, Verdict(Action.ACCEPT, "1 records")),
        (200, {**SUCCESS, "details": []}, Verdict(Action.ACCEPT, "0 records")),
        (200, {**SUCCESS, "details": None}, Verdict(Action.ACCEPT, "0 records")),
        (200, {"details": [], "message": "success"}, Verdict(Action.ACCEPT, "0 records")),
        (200, {**SUCCESS, "message": "2 calls"}, Verdict(Action.ACCEPT, "1 records")),
        (200, json.dumps(SUCCESS), Verdict(Action.ACCEPT, "1 records")),
        *(
            (200, {**SUCCESS, "status": true}, Verdict(Action.ACCEPT, "1 records"))
            for true in (True, "true", "True", " TRUE ")
        ),
        (200, {"status": True, "details": []}, Verdict(Action.ACCEPT, "0 records")),
        (200, {**SUCCESS, "status": "Success."}, Verdict(Action.ACCEPT, "1 records")),
        (
            200,
            {"status": True, "message": "success"},
            Verdict(Action.RETRY, "a success without details"),
        ),
        (
            200,
            {"status": "success", "message": "success"},
            Verdict(Action.RETRY, "a success without details"),
        ),
        (200, {"details": []}, Verdict(Action.RETRY, "JSON that is not a response")),
        (200, "[]", Verdict(Action.RETRY, "JSON that is not a response")),
        (200, "5", Verdict(Action.RETRY, "JSON that is not a response")),
        (200, "null", Verdict(Action.RETRY, "JSON that is not a response")),
        (200, "{}", Verdict(Action.RETRY, "JSON that is not a response")),
        (200, '"hello"', Verdict(Action.RETRY, "JSON that is not a response")),
        (
            200,
            {**SUCCESS, "details": "none"},
            Verdict(Action.RETRY, "JSON that is not a response"),
        ),
        (200, {**SUCCESS, "details": [1]}, Verdict(Action.RETRY, "JSON that is not a response")),
        (200, "", Verdict(Action.RETRY, "a body that is not one whole JSON value")),
        (
            200,
            '{"details": [{"UCID"',
            Verdict(Action.RETRY, "a body that is not one whole JSON value"),
        ),
        (
            200,
            "<html>Sorry</html>",
            Verdict(Action.RETRY, "a body that is not one whole JSON value"),
        ),
        (408, "", Verdict(Action.RETRY, "HTTP 408")),
        (429, "slow down", Verdict(Action.WAIT, "HTTP 429")),
        (500, "", Verdict(Action.RETRY, "HTTP 500", too_large=True)),
        (502, "<html>", Verdict(Action.RETRY, "HTTP 502")),
        (503, "", Verdict(Action.RETRY, "HTTP 503")),
        (504, "", Verdict(Action.RETRY, "HTTP 504", too_large=True)),
        (
            500,
            {"message": "java.lang"},
            Verdict(
                Action.RETRY,
                "'java.lang' (HTTP 500)",
                too_large=True,
                words="javalang",
                may_mean_gone=True,
            ),
        ),
        *(
            (
                status,
                body,
                Verdict(
                    Action.STOP,
                    f"HTTP {status}",
                    "Check api_url, user_name and api_key",
                    may_mean_gone=True,
                ),
            )
            for status, body in ((404, "<html>"), (405, ""), (201, SUCCESS))
        ),
        *(
            (
                status,
                body,
                Verdict(
                    Action.NOT_LET_IN,
                    f"HTTP {status}",
                    "Check user_name and api_key",
                    words=f"http{status}",
                    denied=True,
                    may_mean_gone=True,
                ),
            )
            for status in (401, 403)
            for body in ("", "<html>", SUCCESS)
        ),
    ],
)
def test_what_is_no_refusal_is_judged_by_code_and_body(
    http_status: int, body: object, expected: Verdict
) -> None:
    """A response is complete, retried, or final; nothing strange is an empty day."""
    assert judged(http_status, body) == expected


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("Token Expired", Action.TOKEN_EXPIRED),
        ("userName or apiKey is Invalid", Action.WRONG_CREDENTIALS),
        ("No Data Found", Action.RETRY),
        ("The moon is full", Action.RETRY),
    ],
)
def test_known_words_count_beside_strange_details(message: str, action: Action) -> None:
    """A refusal with details as text is still one, but never an empty day."""
    assert judged(200, {"status": "fail", "message": message, "details": ""}).action is action


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status": "fail"}, "fail"),
        ({"status": ""}, ""),
        ({"message": "The moon is full"}, "The moon is full"),
        ({**SUCCESS, "status": "fail"}, "success"),
    ],
    ids=str,
)
def test_what_says_no_success_is_a_refusal(body: dict[str, Any], said: str) -> None:
    """One of the two words is enough for a refusal, and the status is the one that counts."""
    verdict = judged(200, body)
    assert (verdict.action, verdict.reason) == (Action.STOP, f"'{said}' (HTTP 200)")
    assert verdict.advice == UNKNOWN_REFUSAL.advice


@pytest.mark.parametrize("details", [{}, {"details": None}, {"details": []}])
@pytest.mark.parametrize("status", ["success", True, "true"])
def test_a_refusal_with_a_status_of_success_is_no_empty_day(
    details: dict[str, Any], status: object
) -> None:
    """Known words count where there is no record to hold against them."""
    body = {"status": status, "message": "API rate limit has been exceeded", **details}
    assert judged(200, body).action is Action.WAIT
    with_records = {**body, "details": [{"UCID": "1"}]}
    assert judged(200, with_records).action is Action.ACCEPT


@pytest.mark.parametrize("http_status", [300, 302, 399])
@pytest.mark.parametrize(
    ("location", "named"),
    [("elsewhere.example", "elsewhere.example"), (None, "an unnamed host")],
)
def test_a_redirect_is_final_and_names_the_host(
    http_status: int, location: str | None, named: str
) -> None:
    """Credentials are not carried to another host."""
    assert judged(http_status, SUCCESS, location=location) == Verdict(
        Action.STOP,
        f"a redirect to {named}",
        "Credentials are never sent to another host: check api_url",
    )


def test_the_servers_own_wait_is_passed_on() -> None:
    """What Retry-After asks for reaches the one who waits."""
    assert judged(429, "", retry_after=7.0).retry_after == 7.0
    assert judged(503, "", retry_after=7.0).retry_after == 7.0
    limited = {"status": "fail", "message": "API rate limit has been exceeded"}
    assert judged(200, limited, retry_after=7.0).retry_after == 7.0


TOKEN_MEANINGS = [
    (200, {"token": "t", "message": ""}, Action.ACCEPT),
    (200, {"token": "t"}, Action.ACCEPT),
    (200, {"token": "t", "status": "error", "message": "Max limit exceeded"}, Action.ACCEPT),
    (429, {"token": "t", "message": "Max limit exceeded"}, Action.WAIT),
    (401, {"token": "t", "message": "Invalid userName or apiKey"}, Action.WRONG_CREDENTIALS),
    (201, {"token": "t"}, Action.NOT_LET_IN),
    (200, {"message": ""}, Action.RETRY),
    (200, {"status": "", "message": " "}, Action.RETRY),
    (200, {"status": True}, Action.RETRY),
    (200, {"status": "success", "details": []}, Action.RETRY),
    (200, {"message": "No Data Found"}, Action.RETRY),
    (200, "", Action.RETRY),
    (200, "<html>", Action.RETRY),
    (
        200,
        {"token": None, "status": "success", "message": "UserName is null"},
        Action.WRONG_CREDENTIALS,
    ),
    (200, {"status": "fail"}, Action.NOT_LET_IN),
    (200, {"message": "The moon is full"}, Action.NOT_LET_IN),
    (400, {"message": "The moon is full"}, Action.NOT_LET_IN),
    (404, "<html>", Action.NOT_LET_IN),
    (401, "", Action.NOT_LET_IN),
    (200, {"message": "Max limit exceeded"}, Action.WAIT),
    (200, {"message": "API rate limit has been exceeded"}, Action.WAIT),
    (429, "", Action.WAIT),
    (500, {"message": "The moon is full"}, Action.RETRY),
    (503, "", Action.RETRY),
    (302, "", Action.STOP),
    (400, {"message": "Invalid Json Pass Valid Json"}, Action.STOP),
]


@pytest.mark.parametrize(("http_status", "body", "action"), TOKEN_MEANINGS)
def test_what_generate_token_means(http_status: int, body: object, action: Action) -> None:
    """A text under ``token`` is a success under 200, and nothing else is."""
    assert judged_token(http_status, body).action is action
    assert judged_token(http_status, json.dumps(body)).action is action


def test_the_limit_of_tokens_is_told_from_the_limit_of_requests() -> None:
    """The words that a sister endpoint has for its limit are those of ten tokens an hour."""
    limits = {"max Limit exceeded.": TOKENS_USED_UP, "API rate limit has been exceeded": ""}
    assert {words: judged_token(200, {"message": words}).advice for words in limits} == limits
    assert judged(200, {"message": "Max limit exceeded"}).advice == ""


def test_a_token_is_masked_where_words_are_quoted() -> None:
    """A refusal may bear one, and say it as well; so may it say a secret."""
    body = {"status": "error", "message": "No eyJ.x for k3y", "token": "eyJ.x"}
    assert judged(200, body, secrets=["k3y"]).reason == "'No *** for ***' (HTTP 200)"
    assert judged_token(400, body, secrets=["k3y"]).reason == "'No *** for ***' (HTTP 400)"


def raised(error: Exception, cause: Exception) -> Exception:
    """Return an error as ``raise error from cause`` leaves it."""
    error.__cause__ = cause
    return error


def raised_while_handling(error: Exception, context: Exception) -> Exception:
    """Return an error as ``raise error`` leaves it where ``context`` is handled."""
    error.__context__ = context
    return error


RESET = ConnectionResetError(104, "Connection reset by peer")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectTimeout("connect"), Verdict(Action.RETRY, "no connection in time")),
        (
            requests.ReadTimeout(),
            Verdict(
                Action.RETRY, "no complete response within 2.5 s (request_timeout)", too_large=True
            ),
        ),
        (
            urllib3.exceptions.ReadTimeoutError(
                urllib3.HTTPConnectionPool("api.example"), "/", "Read timed out."
            ),
            Verdict(
                Action.RETRY, "no complete response within 2.5 s (request_timeout)", too_large=True
            ),
        ),
        (
            requests.exceptions.InvalidURL("http://"),
            Verdict(Action.STOP, "nothing was sent (InvalidURL)", "Check api_url", answered=False),
        ),
        (
            requests.JSONDecodeError("no JSON", "", 0),
            Verdict(Action.RETRY, "no complete response (JSONDecodeError)"),
        ),
        (
            requests.ConnectionError("says more than a person wants to read"),
            Verdict(Action.RETRY, "no complete response (ConnectionError)"),
        ),
        (
            urllib3.exceptions.ProtocolError("aborted"),
            Verdict(Action.RETRY, "no complete response (ProtocolError)"),
        ),
        (
            raised(requests.ConnectionError("refused"), RESET),
            Verdict(Action.RETRY, "no complete response (Connection reset by peer)"),
        ),
        (
            raised_while_handling(requests.ConnectionError("refused"), RESET),
            Verdict(Action.RETRY, "no complete response (Connection reset by peer)"),
        ),
        (
            raised(
                requests.ConnectionError("retries"),
                raised_while_handling(urllib3.exceptions.ProtocolError("aborted"), RESET),
            ),
            Verdict(Action.RETRY, "no complete response (Connection reset by peer)"),
        ),
        (
            raised(requests.ConnectionError("refused"), OSError("neither number nor words")),
            Verdict(Action.RETRY, "no complete response (OSError)"),
        ),
        (
            requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            Verdict(
                Action.STOP,
                "this machine does not trust the server's certificate",
                "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic",
                answered=False,
            ),
        ),
        (
            requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]"),
            Verdict(Action.RETRY, "no complete response (SSLError)"),
        ),
        (
            raised(
                requests.ConnectionError("retries"),
                urllib3.exceptions.InvalidHeader("Content-Length contained multiple values"),
            ),
            Verdict(Action.RETRY, "headers that contradict each other"),
        ),
    ],
)
def test_what_no_response_means(error: Exception, expected: Verdict) -> None:
    """No response is retried, but for what only a person can set right."""
    assert judge_failure(error, 2.5) == expected


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Agent\n 9876543210  busy", "Agent *** busy"),
        ("code 12345", "code 12345"),
        ("key s3cr3t!", "key ***"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
    ],
)
def test_quoted_words_are_masked(text: str, quoted: str) -> None:
    """A quotation is one line without secrets, long digit runs or length."""
    assert quote(text, ["s3cr3t!"]) == quoted


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_response_is_beyond_judgement(http_status: int, body: bytes) -> None:
    """Whatever comes, there is a verdict, and arbitrary bytes are never a complete response."""
    for judged_by in (judge, judge_token):
        found = judged_by(http_status, read_envelope(io.BytesIO(body)))
        assert found.action is not Action.ACCEPT
