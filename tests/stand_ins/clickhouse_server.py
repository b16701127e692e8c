"""ClickHouse over HTTP on loopback, made of chdb: `clickhouse_server.py PORT FOLDER`."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

FORMAT = "TabSeparatedWithNamesAndTypes"  # where the query names none
SESSION = Session(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    """Answers each POST with what its query returns."""

    def do_POST(self) -> None:
        """Run the query of the address or the body."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        try:
            status, answer = 200, SESSION.query(f"{query} {body}", FORMAT).bytes() or b""
        except RuntimeError as error:
            status, answer = 500, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        """Say that it is there."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
