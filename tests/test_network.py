"""What lies between the tap and the API: certificates, proxies, and what must not be sent."""

from __future__ import annotations

import contextlib
import http.client
import logging
import ssl
import threading
from datetime import date, datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme
from runs import NOW, StillClock

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.api.client import Client
from tap_ozonetel_cdr.errors import RefusedError, UnavailableError
from tap_ozonetel_cdr.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = date(2026, 11, 19)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose calendar stands still."""
    with Sandbox(now=lambda: NOW, rate_limit=(1000, 1)) as running:
        yield running


def client_of(sandbox: Sandbox, logger: logging.Logger, url: str | None = None) -> Client:
    """Return a client of the sandbox, or of what stands in front of it."""
    config = {
        "user_name": sandbox.user_name,
        "api_key": sandbox.api_key,
        "api_url": url or sandbox.url,
    }
    now = datetime.now(timezone.utc)
    return Client(Settings.from_config(config, now=now), clock=StillClock(), logger=logger)


def count(client: Client) -> int:
    """Return how many records a day's answer holds."""
    with contextlib.closing(client.fetch_day(DAY)) as answers:
        return answers.count


class Forward(BaseHTTPRequestHandler):
    """Hands a request on to the sandbox, and its answer back."""

    sandbox: Sandbox
    asked: list[str]

    def do_GET(self) -> None:
        """Hand it on."""
        self.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        there = http.client.HTTPConnection(urlsplit(self.sandbox.url).netloc)
        there.request(self.command, urlsplit(self.path).path, body, dict(self.headers))
        answer = there.getresponse()
        content = answer.read()
        there.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815  # the standard library's name

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextlib.contextmanager
def in_front_of(
    sandbox: Sandbox, certificate: trustme.LeafCert | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Serve in front of the sandbox; give the port, and what was asked there."""
    asked: list[str] = []
    handler = type("Handler", (Forward,), {"sandbox": sandbox, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def logger_of(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    """Return a logger whose lines are caught."""
    caplog.set_level(logging.DEBUG)
    return logging.getLogger("tap")


def test_a_certificate_of_unknown_origin_ends_the_run(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is verified, and the line says what to check when that fails."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with in_front_of(sandbox, certificate) as (port, asked):
        client = client_of(sandbox, logger_of(caplog), f"https://127.0.0.1:{port}")
        with pytest.raises(RefusedError) as refused:
            client.fetch_day(DAY)
    assert refused.value.line == (
        "generateToken: the API answered with a certificate that this machine does not trust. "
        "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic. Nothing was "
        "lost: the next run continues where the bookmark stands"
    )
    assert asked == []


def test_an_authority_of_ones_own_is_trusted_through_requests_ca_bundle(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """REQUESTS_CA_BUNDLE names the authorities that are trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with in_front_of(sandbox, authority.issue_cert("127.0.0.1")) as (port, asked):
        client = client_of(sandbox, logger_of(caplog), f"https://127.0.0.1:{port}")
        assert count(client) == len(sandbox.records(DAY))
    assert asked == ["/ca_apis/CAToken/generateToken", "/ca_reports/fetchCDRDetails"]


def test_a_proxy_from_the_environment_is_used(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is honoured, as every data engineer expects."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with in_front_of(sandbox) as (port, asked):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert count(client_of(sandbox, logger_of(caplog))) == len(sandbox.records(DAY))
    assert asked == [
        f"{sandbox.url}/ca_apis/CAToken/generateToken",
        f"{sandbox.url}/ca_reports/fetchCDRDetails",
    ]


def test_a_netrc_entry_does_not_replace_the_credentials(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What .netrc says of the host stays at home."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert count(client_of(sandbox, logger_of(caplog))) == len(sandbox.records(DAY))
    headers = [request.headers for request in sandbox.requests]
    assert [h["authorization"][:7] for h in headers if "authorization" in h] == ["Bearer "]


def test_nothing_listening_is_waited_for_and_then_said(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused connection is an outage: tried again within retry_timeout, then one line."""
    with Sandbox() as gone:
        url = gone.url
    client = client_of(sandbox, logger_of(caplog), url)
    with pytest.raises(UnavailableError) as unavailable:
        client.fetch_day(DAY)
    assert unavailable.value.line == (
        "generateToken: no complete answer within 900 s (retry_timeout), at last no whole answer "
        "(Connection refused). Check the network, api_url and Ozonetel's service. Nothing was "
        "lost: the next run continues where the bookmark stands"
    )
    assert len(caplog.messages) > 10
    assert sandbox.api_key not in caplog.text


def test_a_limit_that_others_use_up_is_said_to_be_so(caplog: pytest.LogCaptureFixture) -> None:
    """A run that meets nothing but the limit ends with what to look for."""
    with Sandbox(now=lambda: NOW, faults=["rate_limited"] * 40) as sandbox:
        client = client_of(sandbox, logger_of(caplog))
        with pytest.raises(UnavailableError) as unavailable:
            client.fetch_day(DAY)
    assert unavailable.value.line == (
        "2026-11-19: no complete answer within 900 s (retry_timeout), at last 'API rate limit has "
        "been exceeded' (HTTP 200). Look for another client that uses up the account's limit. "
        "Nothing was lost: the next run continues where the bookmark stands"
    )
