"""The wire: HTTP on loopback, and responses that are slow, cut, stalled or never come."""

from __future__ import annotations

import math
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ozonetel_sandbox.api import Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from ozonetel_sandbox.responses import Response

_LARGEST_REQUEST = 1_000_000
_CHUNK = 65_536


class Server(ThreadingHTTPServer):
    """Serves what ``respond`` returns on loopback in threads of its own."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, respond: Callable[[Received], Response], port: int = 0) -> None:
        """Bind to ``port`` on loopback, or to a free one.

        Raises:
            OSError: The port is taken.
        """
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond = respond
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="ozonetel-sandbox", daemon=True)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop at once: hung responses and open connections end."""
        self.closing.set()
        with suppress(OSError):
            # A last connection wakes the thread, which would notice only with the next one.
            socket.create_connection(("127.0.0.1", self.server_port), timeout=1).close()
        self._thread.join()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        # The main thread waits for its command, and only a signal of its own wakes it.
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        while not self.closing.is_set():
            self.handle_request()

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection, to end it at closing."""
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._open_lock:
            self._open.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "OzonetelSandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        # A client that went away is no fault of the server's.
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing: the sandbox has its own log, which holds no keys."""

    def _respond(self) -> None:
        # A proxy's client sends a whole URL, others the path; keys in a query go nowhere.
        path = urlsplit(self.path).path
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, path, headers, self._body())
        self._send(self.server.respond(received))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _respond  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            return b""
        if int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        if self._wait(response.delay):
            return
        if response.reset:
            self._reset()
            return
        self._send_head(response)
        write = self._write_chunk if response.framing == "chunked" else self.wfile.write
        stop = len(response.body) if response.stop_at is None else response.stop_at
        write(response.body[:stop])
        if response.stop_at is not None:
            if response.pause is None or self._wait(response.pause):
                self.close_connection = True
                return
            write(response.body[stop:])
        if response.framing == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    def _send_head(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.framing == "length":
            self.send_header("Content-Length", str(len(response.body)))
        elif response.framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
        self.end_headers()

    def _write_chunk(self, data: bytes) -> None:
        for begin in range(0, len(data), _CHUNK):
            piece = data[begin : begin + _CHUNK]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def _wait(self, seconds: float) -> bool:
        """Wait; return True if the server closes meanwhile."""
        if not seconds:
            return False
        closing = self.server.closing.wait(None if math.isinf(seconds) else seconds)
        self.close_connection = self.close_connection or closing
        return closing

    def _reset(self) -> None:
        """Close without lingering: the client sees a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.connection.close()
