"""Every answer has one meaning, whatever status code it comes under."""

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
from tap_ozonetel_cdr.api.responses import (
    REFUSALS,
    UNKNOWN_REFUSAL,
    Action,
    Refusal,
    Verdict,
    judge,
    judge_failure,
    quote,
)

SUCCESS = {"details": [{"UCID": "1"}], "message": "success", "status": "success"}


def judged(http_status: int, body: Any, **context: Any) -> Verdict:  # noqa: ANN401  # any JSON
    """Judge a body as it comes over the wire."""
    text = body if isinstance(body, str) else json.dumps(body)
    return judge(http_status, read_envelope(io.BytesIO(text.encode())), **context)


@pytest.mark.parametrize("http_status", [200, 400, 401, 403])
@pytest.mark.parametrize("status", ["false", "fail", "error"])
@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("Token Expired", Action.NEW_TOKEN),
        ("token  expired", Action.NEW_TOKEN),
        ("API rate limit has been exceeded", Action.WAIT),
        ("No Data Found", Action.ACCEPT),
        ("Missing userName or apiKey", Action.STOP),
        ("userName or apiKey is Invalid", Action.STOP),
        ("Missing fromDate and toDate", Action.STOP),
        (
            "Invalid fromDate format. Please pass the date in the format yyyy-MM-dd HH:mm:ss",
            Action.STOP,
        ),
        ("fromDate and toDate should not be future dates", Action.STOP),
        ("fromDate and toDate should be same date", Action.STOP),
        ("Invalid Json Pass Valid Json", Action.STOP),
        ("Invalid campaignName", Action.STOP),
        ("The moon is full", Action.STOP),
    ],
)
def test_refusals_mean_the_same_under_every_status_code(
    http_status: int, status: str, message: str, action: Action
) -> None:
    """The API's words decide, not the status code or the word for failure they come with."""
    verdict = judged(http_status, {"status": status, "message": message})
    assert verdict.action is action
    assert verdict.reason == f"'{message}' (HTTP {http_status})"


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.words)
def test_every_final_refusal_says_what_to_check(row: Refusal) -> None:
    """A row's advice comes with its verdict, and none ends a run without it."""
    assert judged(200, {"status": "fail", "message": row.words}).advice == row.advice
    assert bool(row.advice) is (row.action is Action.STOP)


@pytest.mark.parametrize(
    ("http_status", "body", "expected"),
    [
        (200, SUCCESS, Verdict(Action.ACCEPT, "1 calls")),
        (200, {**SUCCESS, "details": []}, Verdict(Action.ACCEPT, "0 calls")),
        (200, {**SUCCESS, "details": None}, Verdict(Action.ACCEPT, "0 calls")),
        (200, {"details": [], "message": "success"}, Verdict(Action.ACCEPT, "0 calls")),
        (200, {**SUCCESS, "message": "2 calls"}, Verdict(Action.ACCEPT, "1 calls")),
        (200, json.dumps(SUCCESS), Verdict(Action.ACCEPT, "1 calls")),
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
        (500, {"message": "java.lang"}, Verdict(Action.RETRY, "HTTP 500", too_large=True)),
        (404, "<html>", Verdict(Action.STOP, "HTTP 404", "Check api_url, user_name and api_key")),
        (405, "", Verdict(Action.STOP, "HTTP 405", "Check api_url, user_name and api_key")),
    ],
)
def test_what_is_no_refusal_is_judged_by_code_and_body(
    http_status: int, body: object, expected: Verdict
) -> None:
    """An answer is complete, asked for again, or final; nothing strange is an empty day."""
    assert judged(http_status, body) == expected


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("Token Expired", Action.NEW_TOKEN),
        ("userName or apiKey is Invalid", Action.STOP),
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


def test_known_words_count_under_a_server_error_too() -> None:
    """A refusal that the API is known to give is believed even under HTTP 500."""
    assert judged(500, {"status": "fail", "message": "Token Expired"}).action is Action.NEW_TOKEN


def test_a_refusal_inside_a_json_string_is_unwrapped() -> None:
    """The page shows Token Expired as a JSON string that holds JSON; both forms count."""
    body = json.dumps(json.dumps({"status": "false", "message": "Token Expired", "data": None}))
    assert judged(401, body).action is Action.NEW_TOKEN


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


def test_a_token_needs_no_details() -> None:
    """The success of generateToken is one without details."""
    body = {"token": "t", "message": "success", "status": "success"}
    assert judged(200, body, wants_details=False).action is Action.ACCEPT


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
            Verdict(Action.RETRY, "no whole answer within 2.5 s (request_timeout)", too_large=True),
        ),
        (
            urllib3.exceptions.ReadTimeoutError(
                urllib3.HTTPConnectionPool("api.example"), "/", "Read timed out."
            ),
            Verdict(Action.RETRY, "no whole answer within 2.5 s (request_timeout)", too_large=True),
        ),
        (
            requests.exceptions.InvalidURL("http://"),
            Verdict(Action.STOP, "nothing (InvalidURL)", "Check api_url"),
        ),
        (
            requests.JSONDecodeError("no JSON", "", 0),
            Verdict(Action.RETRY, "no whole answer (JSONDecodeError)"),
        ),
        (
            requests.ConnectionError("says more than a person wants to read"),
            Verdict(Action.RETRY, "no whole answer (ConnectionError)"),
        ),
        (
            urllib3.exceptions.ProtocolError("aborted"),
            Verdict(Action.RETRY, "no whole answer (ProtocolError)"),
        ),
        (
            raised(requests.ConnectionError("refused"), RESET),
            Verdict(Action.RETRY, "no whole answer (Connection reset by peer)"),
        ),
        (
            raised_while_handling(requests.ConnectionError("refused"), RESET),
            Verdict(Action.RETRY, "no whole answer (Connection reset by peer)"),
        ),
        (
            raised(
                requests.ConnectionError("retries"),
                raised_while_handling(urllib3.exceptions.ProtocolError("aborted"), RESET),
            ),
            Verdict(Action.RETRY, "no whole answer (Connection reset by peer)"),
        ),
        (
            raised(requests.ConnectionError("refused"), OSError("neither number nor words")),
            Verdict(Action.RETRY, "no whole answer (OSError)"),
        ),
        (
            requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            Verdict(
                Action.STOP,
                "with a certificate that this machine does not trust",
                "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic",
            ),
        ),
        (
            requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]"),
            Verdict(Action.RETRY, "no whole answer (SSLError)"),
        ),
    ],
)
def test_what_no_answer_means(error: Exception, expected: Verdict) -> None:
    """No answer is asked for again, but for what only a person can set right."""
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
def test_no_answer_is_beyond_judgement(http_status: int, body: bytes) -> None:
    """Whatever comes, there is a verdict, and arbitrary bytes are never a complete answer."""
    assert judge(http_status, read_envelope(io.BytesIO(body))).action is not Action.ACCEPT
