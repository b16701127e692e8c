"""Servers that answer with any bytes, at any pace."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAUSE = 0.02
"""Seconds between two bytes that drip."""


class Raw:
    """A server on loopback; what each of its connections does is handed in."""

    def __init__(self, behave: Callable[[Raw, socket.socket], None]) -> None:
        """Listen."""
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self.asked: list[bytes] = []
        """What each connection received before it was answered."""
        self.dropped = threading.Event()
        """Whether the other side has closed a connection that was still being answered."""
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._handle, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _handle(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection:
            try:
                self._behave(self, connection)
            except OSError:
                self.dropped.set()

    def read_request(self, connection: socket.socket) -> bytes:
        """Read one request with its body."""
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionResetError
            received += piece
        header, _, body = received.partition(b"\r\n\r\n")
        lengths = [line[15:] for line in header.lower().splitlines() if b"content-length" in line]
        while len(body) < (int(lengths[0]) if lengths else 0):
            body += connection.recv(65536)
        self.asked.append(header + b"\r\n\r\n" + body)
        return self.asked[-1]

    def drip(self, connection: socket.socket, unit: bytes) -> None:
        """Send the same over and over until the other side has enough, or the test has."""
        while not self.over.is_set():
            connection.sendall(unit)
            time.sleep(PAUSE)

    def close(self) -> None:
        """Stop, and wait for all connections to end."""
        self.over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@contextlib.contextmanager
def raw(behave: Callable[[Raw, socket.socket], None]) -> Iterator[Raw]:
    """Serve."""
    server = Raw(behave)
    try:
        yield server
    finally:
        server.close()


def answering(*parts: bytes, forever: bytes = b"") -> Callable[[Raw, socket.socket], None]:
    """Return what answers each request with bytes as they are, then drips until nobody listens."""

    def behave(server: Raw, connection: socket.socket) -> None:
        server.read_request(connection)
        for part in parts:
            connection.sendall(part)
        if forever:
            server.drip(connection, forever)
        else:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    return behave


def response(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    """Return a whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
