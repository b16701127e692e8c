"""The API on loopback: files from disk, and a record of when they were asked for.

It costs little and has no limit, so that what is measured is the client. It has a process of its
own, which ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bodies
from server import Request


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    requests: list[Request]

    def do_POST(self) -> None:
        """Answer generateToken."""
        arrived = time.monotonic()
        self._asked()
        body = b'{"token": "a-token", "message": "success", "status": "success"}'
        self._send_head(len(body))
        self.wfile.write(body)
        self._note(arrived)

    def do_GET(self) -> None:
        """Answer fetchCDRDetails."""
        arrived = time.monotonic()
        asked = self._asked()
        day = date.fromisoformat(asked["fromDate"][:10])
        file = bodies.path(self.folder, asked["userName"], day)
        with file.open("rb") as body:
            self._send_head(file.stat().st_size)
            self.connection.sendfile(body)
        self._note(arrived)

    def _asked(self) -> dict[str, str]:
        asked: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return asked

    def _send_head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _note(self, arrived: float) -> None:
        self.requests.append(Request(self.path, arrived, time.monotonic()))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _HTTPServer(ThreadingHTTPServer):
    # Stopping waits for the responses under way, so that the record is complete.
    daemon_threads = False


def serve(folder: Path) -> None:
    """Serve the bodies below ``folder`` until standard input ends; then print what was asked."""
    _Handler.folder = folder
    _Handler.requests = []
    with _HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        sys.stdin.read()
        server.shutdown()
        thread.join()
    requests = sorted(_Handler.requests, key=lambda request: request.arrived)
    print(json.dumps([asdict(request) for request in requests]))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
