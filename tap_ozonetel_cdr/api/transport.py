"""One request: sent, and the whole of its response in a file, before its time is over."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import logging
import os
import socket
import ssl
import threading
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import select_proxy

from tap_ozonetel_cdr.api import background, headers, spool
from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from requests import PreparedRequest
    from requests.auth import AuthBase

_CONNECT_TIMEOUT = 30.0
_PIECE = 2**18
# How long the thread of a request that is given up may take to give its space back.
_GRACE = 0.5

# Records of calls shrink by gzip to a tenth, in the best of trials to a fiftieth. A million of them
# take 1.2 GB [measured].
_LARGEST_GROWTH = 100
LARGEST_SURE = 2**30
"""Bytes of a body that are read however little of them came over the wire."""


class BodyError(Exception):
    """A body that nobody reads on, for what it is; its text is fit for a log line."""


@dataclass(frozen=True, slots=True)
class Received:
    """A response: its body lies in a file that the receiver closes.

    It is whole under 200. A body is empty under a redirect, and ends after a megabyte under any
    other status: neither holds records, and words are short.
    """

    http_status: int
    body: BinaryIO
    location: str | None
    """The host that a redirect names."""
    retry_after: str | None
    """The header as it came."""
    date: datetime | None
    """When the response was made, by the server's own clock."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No response came, or not the whole of it."""

    error: Exception
    """What requests, urllib3 or what lies under them raised."""
    http_status: int | None
    """The status code, where that much has come."""
    proxy: str | None
    """The environment variable that names the proxy, where one is used."""


class Transport:
    """Sends requests to one API, each over a connection of its own."""

    def __init__(
        self, api_url: str, user_agent: str, timeout: float, monotonic: Callable[[], float]
    ) -> None:
        """Send to ``api_url``, and give a request ``timeout`` seconds to its last byte.

        Raises:
            LocalError: What the environment names for it cannot be used: the directory for bodies,
                or the file of authorities.
        """
        spool.check_directory()
        if api_url.startswith("https:"):
            _check_authorities()
        _keep_silent("urllib3")
        self._api_url = api_url
        self._headers = {
            "User-Agent": user_agent,
            "Accept-Encoding": headers.GZIP,
            # Between two requests lies half a minute: a kept connection would mostly be stale.
            "Connection": "close",
        }
        self._timeout = timeout
        self._monotonic = monotonic

    def send(
        self, method: str, path: str, content: Mapping[str, str], auth: AuthBase
    ) -> Received | Failed:
        """Send one request with a body of JSON, and wait for the whole of its response.

        It takes the time that a request is given, and never more than half a second longer, however
        slowly the response comes, and whatever part of it.

        Raises:
            LocalError: The disk is full, or there are no more threads.
        """
        deadline = self._monotonic() + self._timeout
        request = _Request(method, self._api_url + path, self._headers, content, auth)
        # Time-outs of sockets begin anew with every byte. So one thread works, and one waits.
        work = background.start(partial(request.exchange, self._timeout), "request")
        try:
            concurrent.futures.wait([work], self._timeout)
            if work.done() and self._monotonic() <= deadline:
                return work.result()
            late = request.late()
        finally:
            request.cut()
        work.add_done_callback(_discard)
        concurrent.futures.wait([work], _GRACE)
        return late


class _Request:
    """One request under way, which another thread may cut short."""

    def __init__(
        self,
        method: str,
        url: str,
        header: Mapping[str, str],
        content: Mapping[str, str],
        auth: AuthBase,
    ) -> None:
        self._request = requests.Request(method, url, header, json=content, auth=auth)
        self._lock = threading.Lock()
        self._is_cut = False
        self._wires: list[socket.socket] = []
        self._http_status: int | None = None
        self._proxy: str | None = None

    def exchange(self, timeout: float) -> Received | Failed:
        """Send it, and return what comes of it.

        Raises:
            LocalError: The disk is full.
        """
        try:
            # For what the environment says. A session's own way to send would read the body of a
            # redirect into memory, to look for the next request.
            with (
                requests.Session() as session,
                closing(_Adapter(self.connected, self.tunnelled)) as adapter,
            ):
                prepared = session.prepare_request(self._request)
                url = str(prepared.url)
                surroundings: dict[str, Any] = dict(
                    session.merge_environment_settings(url, {}, True, None, None)
                )
                self._proxy = _variable_of(url, select_proxy(url, surroundings["proxies"]))
                with adapter.send(
                    prepared, timeout=(min(_CONNECT_TIMEOUT, timeout), timeout), **surroundings
                ) as response:
                    self._http_status = response.status_code
                    return Received(
                        response.status_code,
                        _body_of(response),
                        headers.host_of(response.headers.get("Location")),
                        response.headers.get("Retry-After"),
                        headers.instant_of(response.headers.get("Date")),
                    )
        except (
            BodyError,
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
        ) as error:
            _forget_frames(error)
            return Failed(error, self._http_status, self._proxy)

    def connected(self, wire: socket.socket) -> None:
        """Take note of a connection.

        Raises:
            TimeoutError: It comes too late.
        """
        with self._lock:
            if self._is_cut:
                wire.close()
                raise TimeoutError
            # TLS takes the object over, but both stand for the same connection.
            self._wires.append(wire.dup())

    def tunnelled(self) -> None:
        """Go no further where a proxy's word has ended with the connection: it passes for whole.

        Raises:
            TimeoutError: It is cut.
        """
        if self._is_cut:
            raise TimeoutError

    def cut(self) -> None:
        """End the connection, whatever is under way there."""
        with self._lock:
            self._is_cut = True
            for wire in self._wires:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)
                wire.close()
            self._wires.clear()

    def late(self) -> Failed:
        """Return what is said of it when its time is over."""
        error = requests.ReadTimeout() if self._wires else requests.ConnectTimeout()
        return Failed(error, self._http_status, self._proxy)


class _FinalResponse(http.client.HTTPResponse):
    """Steps over all informational responses; Python does so with ``100 Continue`` alone."""

    def begin(self) -> None:
        """Read the status and the headers."""
        super().begin()
        while HTTPStatus.CONTINUE <= self.status < HTTPStatus.OK:
            self.headers = self.msg = None  # type: ignore[assignment]  # what it begins anew for
            super().begin()


class _Connection:
    """What a connection of urllib3 does besides."""

    connected: Callable[[socket.socket], None]
    tunnelled: Callable[[], None]
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        wire: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's
        self.connected(wire)
        return wire

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]  # the standard library's
        self.tunnelled()


class _Adapter(HTTPAdapter):
    """Sends one request, and tells of its connection."""

    def __init__(
        self, connected: Callable[[socket.socket], None], tunnelled: Callable[[], None]
    ) -> None:
        super().__init__()
        self._pools: list[Any] = []
        self._more = {
            "connected": staticmethod(connected),
            "tunnelled": staticmethod(tunnelled),
        }

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as requests has it
        """Return a pool whose connections tell of themselves."""
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        pool.ConnectionCls = type("_", (_Connection, pool.ConnectionCls), self._more)
        self._pools.append(pool)
        return pool

    def close(self) -> None:
        """Close the connection, which a pool would keep until somebody collects it."""
        super().close()
        for pool in self._pools:
            pool.close()

    def build_response(
        self, req: PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        """Return the response without cookies, which nobody wants."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        response.request = req
        return response


def _body_of(response: requests.Response) -> BinaryIO:
    """Return what is to be read of a body, in memory or on the disk.

    Raises:
        BodyError: It is not read to its end.
        LocalError: The disk is full.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
        return BytesIO()
    has_records = response.status_code == HTTPStatus.OK
    encodings = headers.encodings_of(response.headers)
    if encodings not in ([], [headers.GZIP], [f"x-{headers.GZIP}"]):
        if not has_records:
            return BytesIO()
        raise BodyError(f"a body encoded as '{', '.join(encodings)}', where gzip was requested")
    needed = headers.length_of(response.headers)
    file: BinaryIO = BytesIO()
    try:
        while piece := response.raw.read1(_PIECE, decode_content=True):
            if not has_records and file.tell() + len(piece) > spool.IN_MEMORY:
                break
            file = spool.write(file, piece, needed)
            _refuse_bomb(file.tell(), response.raw.tell())
        file.seek(0)
    except BaseException:
        spool.close(file)
        raise
    return file


def _refuse_bomb(written: int, received: int) -> None:
    """Refuse to read on what grows beyond all that records can.

    Raises:
        BodyError: It does.
    """
    if written > LARGEST_SURE and written > received * _LARGEST_GROWTH:
        raise BodyError(
            f"a body that unpacks from {received >> 10} KiB to more than {written >> 20} MiB"
        )


def _forget_frames(error: BaseException) -> None:
    """Let go of what an error keeps alive: the connection, and what was sent, with its secrets."""
    cause: BaseException | None = error
    while cause:
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__


def _discard(work: Future[Received | Failed]) -> None:
    """Give back what came too late."""
    if not work.exception():
        late = work.result()
        if isinstance(late, Received):
            spool.close(late.body)


def _variable_of(url: str, proxy: str | None) -> str | None:
    """Return the name of the environment variable that names a proxy."""
    if proxy is None:
        return None
    names = (f"{url.partition(':')[0]}_proxy", "all_proxy")
    variables = (variable for name in names for variable in (name, name.upper()))
    found = (variable for variable in variables if os.environ.get(variable) == proxy)
    return next(found, "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY")


def _check_authorities() -> None:
    """Make sure that the authorities can be read which the environment names, as requests does.

    Raises:
        LocalError: They cannot.
    """
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        return
    path = os.environ[name]
    try:
        if os.path.isdir(path):  # noqa: PTH112  # as requests decides
            os.scandir(path).close()
        else:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
        raise LocalError(
            f"{name}: {path} cannot be read as certificates ({reason or type(error).__name__}). "
            "Name a file with the authorities that this machine trusts, or unset it. Nothing was "
            f"requested. {NOTHING_LOST}"
        ) from None


def _keep_silent(library: str) -> None:
    """Keep what a library says of its own out of the log: it quotes headers, with secrets in them.

    What matters of it the tap says itself.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == library:
            logger = logging.getLogger(name)
            if _nothing not in logger.filters:
                logger.addFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
