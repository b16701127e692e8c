from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

import pytest
import requests

from ozonetel_sandbox import Sandbox
from ozonetel_sandbox.api import CDR_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
DAY = date(2026, 11, 19)
INVALID_JSON = {"status": "false", "message": "Invalid Json Pass Valid Json"}


def asked(sandbox: Sandbox, user_name: str | None = None) -> dict[str, str]:
    """Return the fields that ask for a day."""
    return {
        "userName": user_name or sandbox.user_name,
        "fromDate": f"{DAY} 00:00:00",
        "toDate": f"{DAY} 23:59:59",
    }


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a running sandbox without a limit in the way."""
    with Sandbox(
        accounts=3,
        records_per_day=lambda _: 30,
        rate_limit=(100, 1),
        now=lambda: NOW,
    ) as sandbox:
        yield sandbox


def test_the_environment_points_the_tap_at_an_account(sandbox: Sandbox) -> None:
    """The settings' names are the tap's; how to get in is left to it, unless asked for."""
    environment = sandbox.environment("demo_account_3")
    assert environment == {
        "TAP_OZONETEL_CDR_API_URL": sandbox.url,
        "TAP_OZONETEL_CDR_USER_NAME": "demo_account_3",
        "TAP_OZONETEL_CDR_API_KEY": sandbox.credentials["demo_account_3"],
        "TAP_OZONETEL_CDR_TIMEZONE": "Asia/Kolkata",
        "TAP_OZONETEL_CDR_RATE_LIMIT_REQUESTS": "100",
        "TAP_OZONETEL_CDR_RATE_LIMIT_PERIOD": "1",
    }
    asked_for = sandbox.environment(auth_method="token")
    assert asked_for["TAP_OZONETEL_CDR_AUTH_METHOD"] == "token"
    assert sandbox.environment()["TAP_OZONETEL_CDR_USER_NAME"] == sandbox.user_name
    assert sandbox.environment()["TAP_OZONETEL_CDR_API_KEY"] == sandbox.api_key


def test_each_account_has_records_of_its_own(sandbox: Sandbox) -> None:
    """What is served is the truth of the account that asks."""
    ids: set[str] = set()
    for user_name, api_key in sandbox.credentials.items():
        served = requests.get(
            sandbox.url + CDR_PATH,
            json=asked(sandbox, user_name),
            headers={"apiKey": api_key},
            timeout=5,
        ).json()["details"]
        assert served == sandbox.records(DAY, user_name)
        ids.update(record["UCID"] for record in served)
        calls = sandbox.truth(DAY, user_name)
        assert len(served) == sum(len(call.events) for call in calls)
    assert len(ids) == 90


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    """Also after a refusal."""
    with closing(http.client.HTTPConnection(sandbox.url.removeprefix("http://"))) as connection:
        headers = {"apiKey": sandbox.api_key}
        for body in ("{", json.dumps(asked(sandbox))):
            connection.request("GET", CDR_PATH, body, headers)
            before = connection.sock
            assert connection.getresponse().read()
            assert connection.sock is before
        assert [request.count for request in sandbox.requests] == [None, 30]


def test_query_parameters_are_not_read(sandbox: Sandbox) -> None:
    """The fields must be a JSON body, and the log keeps the path alone."""
    response = requests.get(
        sandbox.url + CDR_PATH,
        params={**asked(sandbox), "apiKey": sandbox.api_key},
        timeout=5,
    )
    assert response.json() == INVALID_JSON
    assert [request.path for request in sandbox.requests] == [CDR_PATH]


@pytest.mark.parametrize(
    "header", ["Content-Length: 2000000", "Content-Length: two", "Transfer-Encoding: chunked"]
)
def test_bodies_that_are_not_read(sandbox: Sandbox, header: str) -> None:
    """They are no JSON to the API, and the connection ends."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"GET {CDR_PATH} HTTP/1.1\r\n{header}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert answer.read().endswith(json.dumps(INVALID_JSON).encode())


def test_a_proxys_client_is_served(sandbox: Sandbox) -> None:
    """It sends the whole URL."""
    response = requests.get(
        f"http://in1-ccaas-api.ozonetel.invalid{CDR_PATH}",
        json=asked(sandbox),
        headers={"apiKey": sandbox.api_key},
        proxies={"http": sandbox.url},
        timeout=5,
    )
    assert len(response.json()["details"]) == 30


def test_a_client_that_goes_away_disturbs_nobody(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """No traceback, and the next one is served."""
    sandbox.add_faults("slow_body:0.05", None)
    body = json.dumps(asked(sandbox))
    head = f"GET {CDR_PATH} HTTP/1.1\r\napiKey: {sandbox.api_key}\r\nContent-Length: {len(body)}"
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"{head}\r\n\r\n{body}".encode())
        connection.recv(10)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"{head}\r\n\r\n{body}".encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
    sandbox.close()
    assert capfd.readouterr().err == ""


def test_many_clients_at_once_share_one_limit() -> None:
    """No race lets one more in."""
    with (
        Sandbox(rate_limit=(5, 60), now=lambda: NOW) as sandbox,
        ThreadPoolExecutor(20) as pool,
    ):

        def ask(_: int) -> str:
            response = requests.get(
                sandbox.url + CDR_PATH,
                json=asked(sandbox),
                headers={"apiKey": sandbox.api_key},
                timeout=5,
            )
            return str(response.json()["message"])

        messages = Counter(pool.map(ask, range(20)))
    assert messages == {"success": 5, "API rate limit has been exceeded": 15}


def test_closing_ends_open_connections_and_frees_the_port(sandbox: Sandbox) -> None:
    """A client sees the end of its idle connection; nobody listens any more."""
    address = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 404"
        sandbox.close()
        while connection.recv(1000):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address[0], int(address[1])), timeout=5)
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    sandbox.close()


def test_a_sandbox_can_start_again_on_its_port(sandbox: Sandbox) -> None:
    """As after an outage; what it remembers stays."""
    port = int(sandbox.url.rpartition(":")[2])
    requests.get(sandbox.url, timeout=5)
    sandbox.close()
    sandbox.port = port
    sandbox.start()
    assert sandbox.url.endswith(f":{port}")
    assert requests.get(sandbox.url, timeout=5).status_code == 404
    assert len(sandbox.requests) == 2


def test_a_line_about_each_request_holds_no_key() -> None:
    """Time, method, path, account, day, status, and how many records or what was refused."""
    lines: list[str] = []
    with Sandbox(now=lambda: NOW, records_per_day=lambda _: 3, log=lines.append) as sandbox:
        sandbox.add_faults("ok", "http_500")
        for _ in range(3):
            requests.get(
                sandbox.url + CDR_PATH,
                json=asked(sandbox),
                headers={"apiKey": sandbox.api_key},
                timeout=5,
            )
        requests.get(f"{sandbox.url}/?apiKey={sandbox.api_key}", timeout=5)
    asked_for = f"GET {CDR_PATH} demo_account 2026-11-19 00:00:00 to 23:59:59"
    assert lines == [
        f"17:30:00 {asked_for} 200 3 records",
        f"17:30:00 {asked_for} 500 fault http_500",
        f"17:30:00 {asked_for} 200 API rate limit has been exceeded",
        "17:30:00 GET / 404 Not Found",
    ]
