"""What lies between the tap and the API: certificates, proxies, and what must not be sent."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme
from api_server import DAY, KEY, Api, PassingClock, client_of, fetch

from tap_ozonetel_cdr.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_ozonetel_cdr.api.client import Client


@pytest.fixture
def api() -> Iterator[Api]:
    """An account that takes the token alone, so that both requests are made."""
    with Api(PassingClock()) as running:
        running.takes = "token"
        yield running


def client(api: Api, url: str | None = None) -> Client:
    """Return a client of the account, or of what stands in front of it."""
    return client_of(api, auth_method="token", **({"api_url": url} if url else {}))


class Forward(BaseHTTPRequestHandler):
    """Hands a request on to the API, and its response back."""

    there: str
    asked: list[str]

    def do_GET(self) -> None:
        """Hand it on."""
        self.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        there = http.client.HTTPConnection(urlsplit(self.there).netloc)
        there.request(self.command, urlsplit(self.path).path, body, dict(self.headers))
        response = there.getresponse()
        content = response.read()
        there.close()
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815  # the standard library's name

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextlib.contextmanager
def in_front_of(
    api: Api, certificate: trustme.LeafCert | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Serve in front of the API; give the port, and what was asked there."""
    asked: list[str] = []
    handler = type("Handler", (Forward,), {"there": api.url, "asked": asked})
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


def test_a_certificate_of_unknown_origin_ends_the_run(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is verified, and the line says what to check when that fails."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with in_front_of(api, certificate) as (port, asked), pytest.raises(RefusedError) as refused:
        fetch(client(api, f"https://127.0.0.1:{port}"), DAY)
    assert refused.value.line == (
        "generateToken: this machine does not trust the server's certificate. "
        "Check api_url, and REQUESTS_CA_BUNDLE if a proxy of yours re-signs traffic. Nothing was "
        "lost: the next run continues from the bookmark"
    )
    assert asked == []


def test_an_authority_of_ones_own_is_trusted_through_requests_ca_bundle(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """REQUESTS_CA_BUNDLE names the authorities that are trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with in_front_of(api, authority.issue_cert("127.0.0.1")) as (port, asked):
        assert fetch(client(api, f"https://127.0.0.1:{port}"), DAY) == [3]
    assert asked == ["/ca_apis/CAToken/generateToken", "/ca_reports/fetchCDRDetails"]


def test_a_proxy_from_the_environment_is_used(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is honoured, as every data engineer expects."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with in_front_of(api) as (port, asked):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert fetch(client(api), DAY) == [3]
    assert asked == [
        f"{api.url}/ca_apis/CAToken/generateToken",
        f"{api.url}/ca_reports/fetchCDRDetails",
    ]


def test_a_netrc_entry_does_not_replace_the_credentials(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What .netrc says of the host stays at home."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert fetch(client(api), DAY) == [3]
    assert [asked.way for asked in api.asked] == ["api_key", "token"]
    assert api.asked[1].token == api.tokens[0][0]


@pytest.mark.parametrize(
    ("method", "what"), [("token", "generateToken"), ("auto", str(DAY)), ("api_key", str(DAY))]
)
def test_nothing_listening_is_waited_for_and_then_said(
    api: Api, caplog: pytest.LogCaptureFixture, method: str, what: str
) -> None:
    """A refused connection is an outage: tried again within retry_timeout, then one line."""
    with Api(PassingClock()) as gone:
        url = gone.url
    with pytest.raises(UnavailableError) as unavailable:
        fetch(client_of(api, api_url=url, auth_method=method), DAY)
    assert unavailable.value.line == (
        f"{what}: no complete response within 900 s (retry_timeout). Last failure: no complete "
        "response (Connection refused). Check the network, api_url and Ozonetel's service. Nothing "
        "was lost: the next run continues from the bookmark"
    )
    assert len(caplog.messages) > 10
    assert KEY not in caplog.text
