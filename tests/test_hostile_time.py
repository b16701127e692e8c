"""A request ends in time, whatever part of its response does not come to an end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import trustme
from raw_server import Raw, answering, raw, response

from tap_ozonetel_cdr.api.auth import ApiKeyAuth
from tap_ozonetel_cdr.api.transport import Failed, Received, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 0.5
"""Seconds that a request has here."""

BOUND = 2.0
"""Seconds that it may take longer."""

TAP = str(Path(sys.executable).with_name("tap-ozonetel-cdr"))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach loopback directly, but where a test says otherwise."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def send(url: str) -> tuple[Received | Failed, float]:
    """Send a request; return what came of it, and how long it took."""
    transport = Transport(url, "test", TIMEOUT, time.monotonic)
    started = time.monotonic()
    outcome = transport.send("GET", "/", {"a": "b"}, ApiKeyAuth("k3y"))
    return outcome, time.monotonic() - started


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
STAGES = {
    "nothing": answering(forever=b""),
    "status line": answering(b"HTTP/1.1 200 ", forever=b"O"),
    "header": answering(b"HTTP/1.1 200 OK\r\nX: ", forever=b"y"),
    "continue": answering(forever=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "continue's header": answering(b"HTTP/1.1 100 Continue\r\nX: ", forever=b"y"),
    "early hints": answering(forever=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "early hint's header": answering(b"HTTP/1.1 103 Early Hints\r\nLink: ", forever=b"a"),
    "body": answering(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", forever=b" "),
    "body without an end": answering(b"HTTP/1.1 200 OK\r\n\r\n", forever=b" "),
    "body in gzip": answering(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x10" + bytes(6),
        forever=b"a",  # the name of a file
    ),
    "size of a chunk": answering(CHUNKED, forever=b"0"),
    "extension of a chunk": answering(CHUNKED + b"5;x=", forever=b"y"),
    "chunk": answering(CHUNKED + b"fffff\r\n", forever=b" "),
    "chunks": answering(CHUNKED, forever=b"1\r\n \r\n"),
    "end of a chunk": answering(CHUNKED + b"1\r\n ", forever=b""),
    "trailer": answering(CHUNKED + b"1\r\n \r\n0\r\nX: ", forever=b"y"),
    "trailers": answering(CHUNKED + b"1\r\n \r\n0\r\n", forever=b"X: y\r\n"),
    "refusal": answering(b"HTTP/1.1 403 Forbidden\r\n\r\n", forever=b" "),
}


def hang(server: Raw, connection: socket.socket) -> None:
    """Take a request, and say nothing."""
    server.read_request(connection)
    connection.settimeout(None)
    if not connection.recv(1):
        raise ConnectionResetError


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_response_that_drips_is_cut_short(stage: str) -> None:
    """Whatever part of it never ends, the request does, and so does its connection."""
    behave = hang if stage == "nothing" else STAGES[stage]
    with raw(behave) as server:
        outcome, seconds = send(f"http://127.0.0.1:{server.port}")
        assert server.dropped.wait(BOUND) or stage == "end of a chunk"
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, requests.Timeout) or stage == "end of a chunk"
    assert seconds < TIMEOUT + BOUND


def test_a_redirects_body_is_not_waited_for() -> None:
    """Nothing that it says matters, but for the host."""
    start = b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/x\r\n\r\n"
    with raw(answering(start, forever=b" ")) as server:
        outcome, seconds = send(f"http://127.0.0.1:{server.port}")
        assert server.dropped.wait(BOUND)
    assert isinstance(outcome, Received)
    assert (outcome.location, outcome.body.read()) == ("elsewhere.invalid", b"")
    assert seconds < TIMEOUT


def test_a_connection_that_nobody_takes_is_given_up() -> None:
    """A listener whose queue is full lets nobody in."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        outcome, seconds = send(f"http://127.0.0.1:{listener.getsockname()[1]}")
        for one in waiting:
            one.close()
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, requests.ConnectTimeout)
    assert seconds < TIMEOUT + BOUND


def test_a_name_that_nobody_resolves_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs cannot be interrupted; the request ends all the same."""
    released = threading.Event()

    def resolve(*_: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome, seconds = send("http://api.invalid")
    released.set()
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, requests.ConnectTimeout)
    assert seconds < TIMEOUT + BOUND


def handshake(server: Raw, connection: socket.socket) -> None:
    """Begin a handshake of TLS, and drip the rest of its first record."""
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    server.drip(connection, b"\x00")


def test_a_handshake_that_drips_is_cut_short() -> None:
    """TLS is part of the request's time."""
    with raw(handshake) as server:
        outcome, seconds = send(f"https://127.0.0.1:{server.port}")
        assert server.dropped.wait(BOUND)
    assert isinstance(outcome, Failed)
    assert seconds < TIMEOUT + BOUND


def tunnel(server: Raw, connection: socket.socket) -> None:
    """Open a tunnel, and drip a handshake through it."""
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    handshake(server, connection)


@pytest.mark.parametrize(
    "behave",
    [
        answering(b"HTTP/1.1 200 ", forever=b"O"),
        answering(b"HTTP/1.1 200 OK\r\n", forever=b"X: y\r\n"),
        hang,
        tunnel,
    ],
    ids=["status line", "headers", "nothing", "handshake"],
)
def test_a_proxy_that_drips_is_cut_short(
    behave: Callable[[Raw, socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONNECT, and all that goes through it, are part of the request's time."""
    with raw(behave) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
        outcome, seconds = send("https://api.invalid")
        assert server.dropped.wait(BOUND)
    assert server.asked[0].startswith(b"CONNECT api.invalid:443 ")
    assert isinstance(outcome, Failed)
    assert outcome.proxy == "https_proxy"
    assert seconds < TIMEOUT + BOUND


def test_tls_that_drips_within_is_cut_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So is a response of which TLS delivers a byte at a time."""
    import ssl  # noqa: PLC0415

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def behave(server: Raw, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            answering(b"HTTP/1.1 200 OK\r\nX: ", forever=b"y")(server, secure)

    with raw(behave) as server:
        outcome, seconds = send(f"https://127.0.0.1:{server.port}")
        assert server.dropped.wait(BOUND)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, requests.Timeout)
    assert seconds < TIMEOUT + BOUND


def test_no_thread_is_left_behind() -> None:
    """What is given up ends: a run may give up hundreds of times."""
    with raw(answering(b"HTTP/1.1 200 OK\r\nX: ", forever=b"y")) as server:
        for _ in range(3):
            send(f"http://127.0.0.1:{server.port}")
        assert [one.name for one in threading.enumerate() if one.name == "request"] == []


@pytest.mark.parametrize("method", ["api_key", "token"])
@pytest.mark.parametrize("stage", ["status line", "continue", "trailers"])
def test_the_whole_run_ends_in_time_or_by_a_signal(stage: str, method: str) -> None:
    """The request for a token has the same bound; a signal ends either within seconds."""
    with raw(STAGES[stage]) as server:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TAP_")},
            "TAP_OZONETEL_CDR_API_URL": f"http://127.0.0.1:{server.port}",
            "TAP_OZONETEL_CDR_USER_NAME": "acme",
            "TAP_OZONETEL_CDR_API_KEY": "k3y-0f-acme",
            "TAP_OZONETEL_CDR_AUTH_METHOD": method,
            "TAP_OZONETEL_CDR_REQUEST_TIMEOUT": str(TIMEOUT),
            "TAP_OZONETEL_CDR_RETRY_TIMEOUT": "0.1",
        }
        done = subprocess.run(
            [TAP, "--config=ENV"], env=environment, capture_output=True, timeout=30, check=False
        )
        assert done.returncode == 1
        assert b"at last no whole response within 0.5 s (request_timeout)" in done.stderr
        assert b"Traceback" not in done.stderr
        environment["TAP_OZONETEL_CDR_REQUEST_TIMEOUT"] = "60"
        asked = len(server.asked)
        with subprocess.Popen(
            [TAP, "--config=ENV"], env=environment, stderr=subprocess.PIPE
        ) as process:
            while len(server.asked) == asked:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            sent = time.monotonic()
            process.communicate(timeout=30)
        assert (process.returncode, time.monotonic() - sent < BOUND) == (143, True)


def test_informational_responses_are_stepped_over() -> None:
    """103 Early Hints and its like come before the response, not for it."""
    hints = b"".join(
        f"HTTP/1.1 {status} X\r\nLink: </a>\r\n\r\n".encode() for status in (100, 102, 103, 103)
    )
    with raw(answering(hints + response(b"[]", "200 OK", "Date: x"))) as server:
        outcome, _ = send(f"http://127.0.0.1:{server.port}")
    assert isinstance(outcome, Received)
    assert (outcome.http_status, outcome.body.read()) == (200, b"[]")
