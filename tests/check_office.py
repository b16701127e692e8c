"""The set-up behind a company's certificate: `make demo` and `make test` in a root of their own.

The root is a minimal Debian with git, make, python3 and pip, without /dev/pts and with a
/dev/shm that is closed to users. It has a network of its own, with loopback alone. There every name
leads to a server that passes TLS on re-signed, as many companies do, by an authority that only the
root's system trusts. The commands run on a clone of the last commit, as an ordinary user whose
environment holds nothing but PATH.

It runs as root and needs debootstrap, and the network that this machine has:

    make setup
    .venv/bin/python tests/check_office.py FOLDER [COMMAND...]

FOLDER keeps the root for the next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = Path(__file__).parent.parent
PACKAGES = "ca-certificates,git,make,python3,python3-pip"
USER = "stranger"
COMMANDS = ("make demo", "make test", ".venv/bin/meltano install")


def check(folder: Path, commands: Sequence[str]) -> int:
    """Run the commands on a fresh clone in the root, and return the exit code of the last one."""
    root = folder.resolve() / "root"
    if not root.is_dir():
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", root)
        run("chroot", root, "useradd", "--create-home", USER)
    authority = trustme.CA(organization_name="The office")
    trusted = root / "usr/local/share/ca-certificates/office.crt"
    authority.cert_pem.write_to_path(str(trusted))
    run("chroot", root, "update-ca-certificates")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n", "utf-8")
    shutil.rmtree(root / "project", ignore_errors=True)
    run("git", "clone", "--quiet", PROJECT, root / "project")
    run("chroot", root, "chown", "--recursive", USER, "/project")

    ours, theirs = socket.socketpair()
    apart = ["unshare", "--net", "--pid", "--fork", f"--mount-proc={root / 'proc'}"]
    inside = [*apart, sys.executable, __file__, "--inside"]
    with subprocess.Popen(
        [*inside, str(theirs.fileno()), root, *commands],
        pass_fds=[theirs.fileno()],
    ) as process:
        theirs.close()
        # Sockets stay in the network in which they were opened: these listen in the root's. What
        # is passed on leaves from this one.
        _, (web, names), _, _ = socket.recv_fds(ours, 1, 2)
        serve = serve_resigned(socket.socket(fileno=web), authority)
        threading.Thread(target=asyncio.run, args=[serve], daemon=True).start()
        answer = threading.Thread(target=answer_names, args=[socket.socket(fileno=names)])
        answer.daemon = True
        answer.start()
    return process.returncode


def inside(channel: int, root: str, commands: Sequence[str]) -> int:
    """Run the commands in the root until one fails, in a network that has loopback alone."""
    run("ip", "link", "set", "lo", "up")
    web = socket.create_server(("127.0.0.1", 443))
    names = socket.socket(type=socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    with socket.socket(fileno=channel) as parent:
        socket.send_fds(parent, [b" "], [web.fileno(), names.fileno()])
    web.close()
    names.close()
    for command in commands:
        print(f"$ {command}", flush=True)
        code = subprocess.run(
            [
                "/usr/sbin/chroot",
                f"--userspec={USER}",
                root,
                "sh",
                "-c",
                f"cd project && {command}",
            ],
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
        print(f"[exit code {code}]", flush=True)
        if code:
            return code
    return 0


def answer_names(names: socket.socket) -> None:
    """Answer every question for an IPv4 address with 127.0.0.1, and others with none."""
    while True:
        question, sender = names.recvfrom(512)
        end = question.index(b"\0", 12) + 5
        found = question[end - 4 : end - 2] == b"\0\1"
        head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if found else b""
        names.sendto(head + question[12:end] + record, sender)


async def serve_resigned(listener: socket.socket, authority: trustme.CA) -> None:
    """Pass every connection on to the host it names, with a certificate of the authority's."""
    signed: dict[str, ssl.SSLContext] = {}
    asked: dict[ssl.SSLContext, str] = {}

    def sign(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is None:
            return
        if name not in signed:
            context = signed[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(context)
            asked[context] = name
        connection.context = signed[name]

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = asked[writer.get_extra_info("ssl_object").context]
        there = await asyncio.open_connection(name, 443, ssl=ssl.create_default_context())
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                sink.write(piece)
                await sink.drain()
        sink.close()

    first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("office.invalid").configure_cert(first)
    first.sni_callback = sign
    async with await asyncio.start_server(pass_on, sock=listener, ssl=first) as server:
        await server.serve_forever()


def run(*command: str | Path) -> None:
    """Run a command that has to succeed, without its output."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(inside(int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
    sys.exit(check(Path(sys.argv[1]), sys.argv[2:] or COMMANDS))
