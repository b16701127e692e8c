"""Whatever goes wrong, a run ends in one line that says what to do, and nothing that is secret."""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

import pytest
import requests
from api_server import DAY, KEY, NEXT, THIRD, Api, PassingClock, Reply, client_of, fetch, refusal
from hypothesis import given
from hypothesis import strategies as st
from raw_server import answering, raw, response

from tap_ozonetel_cdr.api.auth import ApiKeyAuth
from tap_ozonetel_cdr.api.body import read_envelope
from tap_ozonetel_cdr.api.headers import host_of, instant_of, seconds_of
from tap_ozonetel_cdr.api.quote import quote, quote_id
from tap_ozonetel_cdr.api.responses import Action, Verdict, judge, judge_failure, judge_token
from tap_ozonetel_cdr.api.transport import Failed, Received, Transport
from tap_ozonetel_cdr.errors import LocalError, RefusedError, TapError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

TAP = str(Path(sys.executable).with_name("tap-ozonetel-cdr"))
SECRET = "k3y-0f/acme+secret"  # noqa: S105  # a secret of the tests
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl"  # noqa: S105
PHONES = ["9876543210", "98765 43210", "98765-43210", "+91 98765 43210", "(098765) 43210"]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that names nothing."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Iterator[Api]:
    """An account that takes either way."""
    with Api(PassingClock()) as running:
        yield running


def verdict_of(url: str) -> Verdict:
    """Send one request, and judge what does not come."""
    transport = Transport(url, "test", 5, time.monotonic)
    outcome = transport.send("GET", "/", {}, ApiKeyAuth(SECRET))
    assert isinstance(outcome, Failed)
    return judge_failure(outcome.error, 5, outcome.proxy)


# Text of the API


@pytest.mark.parametrize(
    "said",
    [
        *PHONES,
        *("+919876543210", "+91-98765-43210", "98765.43210", "987 654 3210", "98 76 54 32 10"),
        *("(022) 2345 6789", "98765\u00a043210", "98765\u201343210", "98765_43210", "98765  43210"),
        *("98765\n43210", "98765\u200b43210", "98765\x1b[0m43210", "%2B91%2098765%2043210"),
        *("९८७६५४३२१०", "98765\u202e43210", "tel:+91-98765-43210", "9876543210@x"),
    ],
)
def test_phone_numbers_are_masked_as_people_write_them(said: str) -> None:
    """With blanks, hyphens, dots, brackets, a country's code, or marks that nobody sees."""
    for text in (said, f"No {said} today", f"2026-11-20 {said}", f"10:20:30 {said}.", f"7 {said}"):
        shown = quote(text)
        assert "***" in shown
        assert not any(part in shown for part in ("98765", "43210", "2345", "6789", "654", "९८"))


@pytest.mark.parametrize(
    "said",
    [
        *("2026-11-20", "2026-11-20 10:20:30", "2026-11-20T10:20:30.123456Z", "20/11/2026 10:20"),
        *("2026-11-20 00:00:00 to 2026-11-20 23:59:59", "15 2026-11-20", "2026-11-20 15"),
        *("HTTP 429", "(HTTP 200) (HTTP 503)", "2 requests in 60 seconds", "10 tokens an hour"),
        *("fromDate and toDate should be same date", "code 12345", "192.168.100.200", "1.2.3"),
        *("Invalid fromDate format. Please pass the date in the format yyyy-MM-dd HH:mm:ss",),
        *("API rate limit has been exceeded", "Token Expired", "Missing userName or apiKey"),
        *("No Data Found", "UserName is null", "Ünïcödé हाँ 😀", "max 100, 200, 300"),
    ],
)
def test_dates_times_and_the_apis_own_words_are_spared(said: str) -> None:
    """They are what a reader looks for."""
    assert quote(said, [SECRET]) == said


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET.upper(),
        percent(SECRET, safe=""),
        percent(SECRET, safe="").lower(),
        json.dumps({"key": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(f"acme:{SECRET}".encode()).decode(),
        base64.b64encode(f"a:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        SECRET[:10] + "...",
        "..." + SECRET[-10:],
        SECRET.replace("/", "\u200b/"),
        f"\x1b[1m{SECRET}\x1b[0m",
    ],
)
def test_secrets_are_masked_in_the_forms_that_servers_say_them_in(form: str) -> None:
    """Encoded, in another case, or cut."""
    shown = quote(f"No {form} here", [SECRET])
    assert "***" in shown
    assert not any(part in shown.lower() for part in (SECRET[:8], SECRET[-8:], "acme", "6b3379"))
    assert base64.b64encode(SECRET.encode()).decode()[4:16] not in shown


def test_what_looks_like_a_token_is_masked() -> None:
    """A refusal may quote one that is not this run's."""
    assert quote(f"Bearer {TOKEN}: ended") == "Bearer ***: ended"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a\r\nb\x00c\x85d\u2028e\u2029f", "a b c d e f"),
        ("\x1b[31mred\x1b[0m \x9b1mbold \x1b]0;title\x07x \x1bcy", "red bold x y"),
        ("\u202eabc\u2066\u200b\u200d\ufeffd\u00ade\u115f\u3164\ufe0f", "abcde"),
        ("a\ud800b\udfff", "ab"),
        ("x" * 5000, "x" * 199 + "…"),
        ("ab " * 5000, "ab " * 66 + "a…"),
        ("1" * 5000, "***"),
    ],
)
def test_a_log_line_is_one_line_of_printable_characters(said: str, shown: str) -> None:
    """No line ends, terminal sequences, direction marks or what has no width."""
    assert quote(said).rstrip("…") == shown.rstrip("…")


@given(st.text(st.characters()), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_is_fit_for_a_log(said: str, secrets: list[str]) -> None:
    """Whatever comes in whatever way."""
    shown = quote(said, secrets)
    assert len(shown) <= 200
    assert shown.isprintable()
    assert not any(secret in shown for secret in secrets if len(secret) > 3 and secret.isalnum())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("31733467784618213", "31733467784618213"),
        ("173346778461821", "173346778461821"),
        ("9876543210", "***"),
        ("919876543210", "***"),
        ("317334677846182131", "***"),
        ("a\x1b[31m\n9876543210", "a ***"),
    ],
)
def test_ids_are_shown_where_they_have_the_form_of_one(said: str, shown: str) -> None:
    """A reader has to find the record; what else stands there is text like any other."""
    assert quote_id(said) == shown


def test_nothing_secret_is_in_any_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, in words, headers, redirects and encodings: no key, token, number or escape."""
    caplog.set_level(logging.DEBUG)
    api.takes = "token"
    lines = []
    hostile = f"\x1b[31m{PHONES[0]} {PHONES[1]} {PHONES[2]} {PHONES[3]} {KEY} {TOKEN}"
    host = f"{KEY}.{PHONES[0]}.example"
    replies = [
        refusal(hostile, 400),
        refusal(hostile, 200, hostile),
        Reply(302, b"", {"Location": f"https://{host}/{TOKEN}"}),
        Reply(200, b"x", {"Content-Encoding": hostile.replace("\x1b", "\x9b")}),
        Reply(503, {"status": hostile, "message": None}, {"Retry-After": PHONES[0]}),
        Reply(200, b"x", {"X-Key" + "\x01" + KEY: KEY, f"broken {KEY} {PHONES[0]}": "\x1b[31m"}),
    ]
    for reply in replies:
        for says in (api.says, api.says_of_tokens):
            says[:] = [reply] * 20
            client = client_of(api, auth_method="token", retry_timeout=0.01)
            with pytest.raises(TapError) as caught:
                fetch(client, DAY, NEXT, THIRD)
            lines.append(caught.value.line)
            says.clear()
    told = caplog.text + "\n".join(lines)
    for hidden in (KEY, TOKEN, *PHONES, "98765", "43210", "\x1b", "\x9b"):
        assert hidden not in told
    assert not [one.name for one in caplog.records if one.name.startswith(("urllib3", "requests"))]


def test_a_malformed_header_is_no_warning_of_a_library(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """urllib3 quotes the headers behind it, and a server may echo the key there."""
    caplog.set_level(logging.DEBUG)
    answer = b"HTTP/1.1 200 OK\r\nbroken\r\nX-Key: %b\r\n\r\n[]" % SECRET.encode()
    with raw(answering(answer)) as server:
        transport = Transport(f"http://127.0.0.1:{server.port}", "t", 5, time.monotonic)
        outcome = transport.send("GET", "/", {}, ApiKeyAuth(SECRET))
    assert isinstance(outcome, Received)
    outcome.body.close()
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


# Headers


@pytest.mark.parametrize(
    "location",
    [
        *("http://[bad", "http://[::1", "//[", "http://a:99999999/", "http://\ud800", ""),
        *("http://a\u2100b/", "https:///x", "\x00", "http://" + "a" * 10_000, "ht!tp://[v1.x]"),
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "302 Found", "403 No", "503 Sorry"])
def test_a_strange_location_breaks_nothing(location: str, status: str) -> None:
    """Under any status: it is looked at under all, and counts under some."""
    header = f"Location: {location.encode('utf-8', 'replace').decode('latin-1')}"
    with raw(answering(response(b"[]", status, header))) as server:
        transport = Transport(f"http://127.0.0.1:{server.port}", "t", 5, time.monotonic)
        outcome = transport.send("GET", "/", {}, ApiKeyAuth(SECRET))
    assert isinstance(outcome, Received)
    with outcome.body as body:
        verdict = judge(outcome.http_status, read_envelope(body), location=outcome.location)
    assert len(verdict.reason) < 250
    assert verdict.reason.isprintable()


@given(st.text())
def test_no_header_raises(text: str) -> None:
    """Whatever a server sends."""
    host_of(text)
    found = instant_of(text)
    assert found is None or found.utcoffset() is not None
    seconds = seconds_of(text, PassingClock().now())
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "header",
    [
        *("-5", "1e9", "7.5", "+7", "٣", "²", "0x10", "1_0", "", " ", "soon", "NaN", "inf"),
        *("Fri, 99 Nov 2026 06:30:42 GMT", "Fri, 20 Nov 99999 06:30:42 GMT", "0 Jan 0000 0:0:0 Z"),
        *("Fri, 20 Nov 2026 06:30:42 +9999", "Fri, 20 Nov 2026 06:30:42 -99999999999999999999"),
        *("Fri, 20 Nov 2026 99:99:99 GMT", "1 1 1 1 1", "a, b c d e f", "Fri, 20 Nov 2026 1e9"),
        *("Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359"),
    ],
)
def test_an_absurd_retry_after_asks_for_nothing(api: Api, header: str) -> None:
    """The run goes on as without it."""
    api.says = [Reply(503, b"", {"Retry-After": header.encode().decode("latin-1")})]
    assert fetch(client_of(api), DAY) == [3]
    assert api.clock.passed < 2 or "9999 23:59:59" in header


@pytest.mark.parametrize("header", ["315360000", "9" * 400, "Thu, 20 Nov 2036 06:30:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_retry_timeout_is_said(api: Api, header: str, status: int) -> None:
    """The line says how long, and nobody waits for it."""
    api.says = [Reply(status, b"", {"Retry-After": header})]
    with pytest.raises(UnavailableError) as caught:
        fetch(client_of(api), DAY)
    assert caught.value.line.startswith(f"{DAY}: the API answered HTTP {status}, and asks to wait ")
    assert " days (Retry-After), longer than retry_timeout (900 s) leaves. Run it again" in (
        caught.value.line
    )
    assert "no complete response" not in caught.value.line
    assert api.clock.passed < 1


def test_a_wait_that_is_not_waited_holds_up_no_other_day(api: Api) -> None:
    """Where a day on the edge is passed over, the next is asked for."""
    edge = api.clock.now().date()
    client = client_of(api, retention_days=1)
    yesterday = edge.fromordinal(edge.toordinal() - 1)
    reply = Reply(500, {"status": "error", "message": "Odd"}, {"Retry-After": "315360000"})
    api.says = [reply]
    fetch(client, yesterday, edge)
    assert api.clock.passed < 100


@pytest.mark.parametrize("retry_timeout", [30, 900])
def test_a_retry_timeout_below_the_period_is_warned_of(
    api: Api, caplog: pytest.LogCaptureFixture, retry_timeout: float
) -> None:
    """A request that meets the limit cannot be retried within it."""
    client_of(api, retry_timeout=retry_timeout)
    assert caplog.messages == (
        []
        if retry_timeout == 900
        else [
            (
                "retry_timeout (30 s) is shorter than rate_limit_period (60 s): a request that "
                "meets the account's limit is not retried"
            )
        ]
    )


# Tokens


@pytest.mark.parametrize(
    "token", ["eyJ\nabc", "eyJ\r\nX: y", "eyJ\x00", "eyJ\u0928", "eyJ😀", "eyJ\u2028x", "eyJ\ud800"]
)
def test_a_token_that_no_header_can_bear_ends_the_run(token: str) -> None:
    """In one line without it."""
    body = json.dumps({"token": token, "message": ""}).encode()
    with Api(PassingClock()) as api:
        api.says_of_tokens = [Reply(200, body)]
        with pytest.raises(RefusedError) as caught:
            fetch(client_of(api, auth_method="token"), DAY)
    assert "the API answered a token that does not fit into a header. " in caught.value.line
    assert "eyJ" not in caught.value.line


@pytest.mark.parametrize("token", ["eyJabc", " eyJabc ", "\n\teyJabc\r\n", "\u00a0eyJabc\u2003"])
def test_blanks_and_line_ends_around_a_token_are_cut(token: str) -> None:
    """They were pasted along."""
    envelope = read_envelope(BytesIO(json.dumps({"token": token}).encode()))
    assert envelope.token == "eyJabc"  # noqa: S105
    assert judge_token(200, envelope).action is Action.ACCEPT


# The network, proxies and files of this machine


def test_a_name_that_does_not_exist_is_an_outage() -> None:
    """It may be the resolver's."""
    verdict = verdict_of("http://no-such-host.invalid")
    assert verdict.action is Action.RETRY
    assert verdict.reason.startswith("no complete response (")


def test_no_tls_is_an_outage_with_its_reason() -> None:
    """As where a captive portal answers."""
    with raw(lambda _, connection: connection.sendall(response(b"x", "400 Bad"))) as server:
        verdict = verdict_of(f"https://127.0.0.1:{server.port}")
    assert verdict.action is Action.RETRY
    assert "no complete response (" in verdict.reason


WRONG_PROXIES = [
    "http://",
    "http://host:port",
    "http://[bad",
    "ftp://host",
    "socks5://host:1",
    "::",
]


@pytest.mark.parametrize("proxy", WRONG_PROXIES)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_wrong_proxy_is_named(monkeypatch: pytest.MonkeyPatch, name: str, proxy: str) -> None:
    """Its variable, not api_url, and not its value, which may hold a password."""
    monkeypatch.setenv(name, proxy)
    verdict = verdict_of("https://api.invalid")
    assert verdict.advice == f"Check the proxy that {name} names"
    assert proxy not in verdict.reason


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an outage, and not of the API."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{percent(SECRET, safe='')}@127.0.0.1:{port}")
    assert verdict_of("https://api.invalid") == Verdict(
        Action.RETRY,
        "no way through the proxy (Connection refused)",
        "Check the proxy that HTTPS_PROXY names",
    )


@pytest.mark.parametrize(
    ("status", "action"), [(407, Action.STOP), (403, Action.STOP), (502, Action.RETRY)]
)
def test_a_proxy_that_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch, status: int, action: Action
) -> None:
    """With its status, and none of its words."""
    answer = f"HTTP/1.1 {status} {SECRET} {PHONES[0]}\r\n\r\n".encode()
    with raw(answering(answer)) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        verdict = verdict_of("https://api.invalid")
    assert verdict == Verdict(
        action,
        f"the proxy refused to connect (HTTP {status})",
        "Check the proxy that HTTPS_PROXY names, its user and password, and whether it lets this "
        "machine through",
        answered=False,
    )


def test_a_proxy_that_wants_a_password_for_plain_http_is_named() -> None:
    """It answers in the API's place."""
    verdict = judge(407, read_envelope(BytesIO(b"")))
    assert "HTTPS_PROXY" in verdict.advice


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("kind", ["missing", "empty", "folder's", "no certificates"])
def test_authorities_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: str
) -> None:
    """Before any request."""
    path = tmp_path / "ca.pem"
    if kind == "empty":
        path.write_text("")
    elif kind == "no certificates":
        path.write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    elif kind == "folder's":
        path = path / "ca.pem"
    monkeypatch.setenv(name, str(path))
    with pytest.raises(LocalError) as caught:
        Transport("https://api.invalid", "t", 5, time.monotonic)
    assert caught.value.line.startswith(f"{name}: {path} cannot be read as certificates (")
    assert caught.value.line.endswith("Nothing was lost: the next run continues from the bookmark")


def test_a_key_log_that_cannot_be_written_is_named() -> None:
    """SSLKEYLOGFILE is opened for each connection, and no socket misses a file."""
    error = requests.ConnectionError("aborted")
    error.__context__ = FileNotFoundError(2, "No such file or directory", "/no/keys")
    verdict = judge_failure(error, 5)
    assert verdict.action is Action.STOP
    assert "SSLKEYLOGFILE" in verdict.advice
    assert "/no/keys" not in verdict.reason


def test_no_more_threads_is_a_line(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may have its limit."""

    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    client = client_of(api)
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(LocalError, match="no more threads"):
        client.fetch_day(DAY)


# The whole command


def run(api_url: str, *, script: str = '"$TAP" --config=ENV', **more: str) -> Any:  # noqa: ANN401
    """Run the tap in a shell; return what came of it."""
    return subprocess.run(
        ["bash", "-c", script],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("TAP_")},
            "TAP": TAP,
            "TAP_OZONETEL_CDR_API_URL": api_url,
            "TAP_OZONETEL_CDR_USER_NAME": "acme",
            "TAP_OZONETEL_CDR_API_KEY": SECRET,
            "TAP_OZONETEL_CDR_AUTH_METHOD": "api_key",
            "TAP_OZONETEL_CDR_RETRY_TIMEOUT": "0.1",
            **more,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


EMPTY = b'{"status":"success","message":"success","details":[]}'


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
@pytest.mark.parametrize("where", ["/no/such/folder", "/dev/null", "/proc"])
def test_a_directory_that_cannot_be_used_is_never_replaced(name: str, where: str) -> None:
    """The user may not want calls to lie in /tmp."""
    with raw(answering(response(EMPTY))) as server:
        done = run(f"http://127.0.0.1:{server.port}", **{name: where})
    assert done.returncode == 1
    assert "CRITICAL" in done.stderr
    assert f"{name}: {where} cannot be used (" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert server.asked == []


def test_a_closed_standard_output_is_a_line() -> None:
    """Nobody would get the records."""
    with raw(answering(response(EMPTY))) as server:
        done = run(f"http://127.0.0.1:{server.port}", script='"$TAP" --config=ENV >&-')
    assert done.returncode == 1
    assert "Standard output is closed, and records go there" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user's identity")
def test_a_file_of_settings_in_a_closed_folder_is_a_line(tmp_path: Path) -> None:
    """Its folder may belong to another user."""
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "config.json").write_text("{}")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"""
import os, sys
import tap_ozonetel_cdr.tap as tap
os.setuid(65534)
sys.argv[1:] = ["--config", {str(tmp_path / "closed" / "config.json")!r}]
tap.main()
""",
        ],
        # That user may not write what was covered.
        env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be read (Permission denied)" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
