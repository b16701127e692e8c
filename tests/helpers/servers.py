"""PostgreSQL servers of the tests' own, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from commands import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["environment"]  # handed on

NO_POSTGRESQL = "needs PostgreSQL's server programs (on Debian: apt-get install postgresql)"


def find_initdb() -> Path | None:
    """Return the newest ``initdb`` of this machine, None where there is none."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    on_path = shutil.which("initdb")
    return newest or (Path(on_path) if on_path else None)


@contextmanager
def postgresql(initdb: Path) -> Iterator[str]:
    """Run a server on loopback, its time zone UTC; yield its address, without a database."""
    # The server refuses to run as root. pytest's own folders are closed to other users.
    root = os.geteuid() == 0
    user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if root else {}
    folder = Path(tempfile.mkdtemp(prefix="tap-ozonetel-cdr-"))

    def run(program: str, *options: str | Path) -> None:
        command = [str(initdb.with_name(program)), "-D", str(folder / "data"), *map(str, options)]
        with (folder / "out").open("a") as out:
            # To a file: the server keeps a pipe open.
            subprocess.run(
                command, **user, cwd=folder, env=environment(), stdout=out, stderr=out, check=True
            )

    try:
        if root:
            shutil.chown(folder, "postgres", "postgres")
        run("initdb", "--auth=trust", "--username=tester", "--encoding=UTF8", "--locale=C", "-N")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "timezone": "UTC",
            "fsync": "off",
        }
        given = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        run("pg_ctl", "--wait", "--log", folder / "log", "-o", given, "start")
        try:
            yield f"postgresql://tester@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "--wait", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def a_server() -> Iterator[str]:
    """Yield the address of a PostgreSQL server; say plainly where there is none to start."""
    initdb = find_initdb()
    if not initdb:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_POSTGRESQL)
        pytest.skip(NO_POSTGRESQL)
    with postgresql(initdb) as address:
        yield address


def database(server: str, name: str, options: str = "") -> str:
    """Make an empty database and return its address."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        if options:
            connection.execute(f"ALTER DATABASE {name} {options}".encode())
    return f"{server}/{name}"
