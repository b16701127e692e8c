"""One request: sent, and the whole of its response in a file."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

import requests
import urllib3

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from requests.auth import AuthBase

_CONNECT_TIMEOUT = 30.0
_IN_MEMORY = 2**20
_PIECE = 2**18


@dataclass(frozen=True, slots=True)
class Received:
    """A response: its body is whole, and lies in a file that the receiver closes."""

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
    """What requests or urllib3 raised."""
    http_status: int | None
    """The status code, where that much has come."""


class Transport:
    """Sends requests to one API, each over a connection of its own."""

    def __init__(
        self, api_url: str, user_agent: str, timeout: float, monotonic: Callable[[], float]
    ) -> None:
        """Send to ``api_url``, and give a request ``timeout`` seconds to its last byte."""
        self._api_url = api_url
        # Between two requests lies half a minute: a kept connection would mostly be a stale one.
        self._headers = {"User-Agent": user_agent, "Connection": "close"}
        self._timeout = timeout
        self._monotonic = monotonic

    def send(
        self, method: str, path: str, content: Mapping[str, str], auth: AuthBase
    ) -> Received | Failed:
        """Send one request with a body of JSON, and wait for the whole of its response.

        Raises:
            LocalError: The disk is full.
        """
        deadline = self._monotonic() + self._timeout
        http_status: int | None = None
        try:
            # No session: it would keep a connection that the server is about to close.
            with requests.request(
                method,
                self._api_url + path,
                headers=self._headers,
                json=content,
                auth=auth,
                # requests would send the header apiKey along to another host.
                allow_redirects=False,
                stream=True,
                timeout=(min(_CONNECT_TIMEOUT, self._timeout), self._timeout),
            ) as response:
                http_status = response.status_code
                return Received(
                    http_status,
                    self._download(response, deadline),
                    urlsplit(response.headers.get("Location", "")).hostname,
                    response.headers.get("Retry-After"),
                    _instant_of(response.headers.get("Date")),
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return Failed(error, http_status)

    def _download(self, response: requests.Response, deadline: float) -> BinaryIO:
        """Return the whole body in a temporary file that has no name and goes with the process.

        Raises:
            requests.ReadTimeout: The body was not whole by ``deadline``.
            LocalError: The disk is full.
        """
        with contextlib.ExitStack() as on_failure:
            file = on_failure.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            while piece := response.raw.read1(_PIECE, decode_content=True):
                _write(file, piece, response)
                if self._monotonic() > deadline:
                    raise requests.ReadTimeout
            file.seek(0)
            on_failure.pop_all()  # it is now the caller's to close
        return cast("BinaryIO", file)


def _instant_of(header: str | None) -> datetime | None:
    """Return the instant that a header ``Date`` names, aware; None where it names none."""
    with contextlib.suppress(TypeError, ValueError):
        instant = parsedate_to_datetime(header or "")
        return instant if instant.tzinfo else None
    return None


def _write(
    file: tempfile.SpooledTemporaryFile[bytes], piece: bytes, response: requests.Response
) -> None:
    """Write a piece of a body through to the disk.

    Raises:
        LocalError: The disk is full.
    """
    try:
        file.write(piece)
        file.flush()
    except OSError as error:
        needed = response.headers.get("Content-Length", "more than it has free")
        raise LocalError(
            f"Cannot write to {tempfile.gettempdir()}: {error.strerror}. The response needs "
            f"{needed} bytes there; free some, or set TMPDIR to a larger directory. {NOTHING_LOST}"
        ) from None
