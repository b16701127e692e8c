"""Every answer has one meaning, whatever status code it comes under."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_ozonetel_cdr.decode import read_envelope
from tap_ozonetel_cdr.responses import REFUSALS, Action, Verdict, judge, quote

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


def test_every_final_refusal_says_what_to_check() -> None:
    """No row of the table ends a run without advice."""
    assert all(row.advice for row in REFUSALS if row.action is Action.STOP)


@pytest.mark.parametrize(
    ("http_status", "body", "expected"),
    [
        (200, SUCCESS, Verdict(Action.ACCEPT, "1 calls")),
        (200, {**SUCCESS, "details": []}, Verdict(Action.ACCEPT, "0 calls")),
        (200, {**SUCCESS, "details": None}, Verdict(Action.ACCEPT, "0 calls")),
        (200, {"details": [], "message": "success"}, Verdict(Action.ACCEPT, "0 calls")),
        (200, json.dumps(SUCCESS), Verdict(Action.ACCEPT, "1 calls")),
        (
            200,
            {"status": "success", "message": "success"},
            Verdict(Action.RETRY, "a success without details"),
        ),
        (200, {"details": []}, Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, "[]", Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, "5", Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, "null", Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, "{}", Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, '"hello"', Verdict(Action.RETRY, "JSON that is not an answer")),
        (
            200,
            {**SUCCESS, "details": "none"},
            Verdict(Action.RETRY, "JSON that is not an answer"),
        ),
        (200, {**SUCCESS, "details": [1]}, Verdict(Action.RETRY, "JSON that is not an answer")),
        (200, "", Verdict(Action.RETRY, "an empty body")),
        (200, '{"details": [{"UCID"', Verdict(Action.RETRY, "a body that ends early")),
        (200, "<html>Sorry</html>", Verdict(Action.RETRY, "a body that is not JSON")),
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


def test_known_words_count_under_a_server_error_too() -> None:
    """A refusal that the API is known to give is believed even under HTTP 500."""
    assert judged(500, {"status": "fail", "message": "Token Expired"}).action is Action.NEW_TOKEN


def test_a_refusal_inside_a_json_string_is_unwrapped() -> None:
    """The page shows Token Expired as a JSON string that holds JSON; both forms count."""
    body = json.dumps(json.dumps({"status": "false", "message": "Token Expired", "data": None}))
    assert judged(401, body).action is Action.NEW_TOKEN


def test_a_redirect_is_final_and_names_the_host() -> None:
    """Credentials are not carried to another host."""
    verdict = judged(302, "", location="elsewhere.example")
    assert verdict.action is Action.STOP
    assert verdict.reason == "a redirect to elsewhere.example"


def test_the_servers_own_wait_is_passed_on() -> None:
    """What Retry-After asks for reaches the one who waits."""
    assert judged(429, "", retry_after=7.0).retry_after == 7.0
    assert judged(503, "", retry_after=7.0).retry_after == 7.0


def test_a_token_needs_no_details() -> None:
    """The success of generateToken is one without details."""
    body = {"token": "t", "message": "success", "status": "success"}
    assert judged(200, body, wants_details=False).action is Action.ACCEPT


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Agent\n 9876543210  busy", "Agent *** busy"),
        ("code 12345", "code 12345"),
        ("key s3cr3t!", "key ***"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_quoted_words_are_masked(text: str, quoted: str) -> None:
    """A quotation is one line without secrets, long digit runs or length."""
    assert quote(text, ["s3cr3t!"]) == quoted


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_is_beyond_judgement(http_status: int, body: bytes) -> None:
    """Whatever comes, there is a verdict, and arbitrary bytes are never a complete answer."""
    assert judge(http_status, read_envelope(io.BytesIO(body))).action is not Action.ACCEPT
