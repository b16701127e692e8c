"""No response takes more memory than a chunk of it, nor the last of the disk."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from raw_server import Raw, answering, raw, response

from tap_ozonetel_cdr.api import spool, transport
from tap_ozonetel_cdr.api.auth import ApiKeyAuth
from tap_ozonetel_cdr.api.body import Details, Reading, read_envelope
from tap_ozonetel_cdr.api.responses import Action, judge, judge_failure
from tap_ozonetel_cdr.api.transport import Failed, Received, Transport
from tap_ozonetel_cdr.errors import LocalError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

MOST = 90_000
"""Kilobytes that a run may take."""

RUN = """
import sys
from tap_ozonetel_cdr.tap import main
sys.argv[1:] = ["--config=ENV"]
try:
    main()
finally:
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print("PEAK", line.split()[1], file=sys.stderr)
"""


def run(server: Raw, **settings: str) -> tuple[int, str, int, int]:
    """Run the tap; return its exit code, its log, how many lines it wrote, its peak in kB."""
    chosen = {
        "api_url": f"http://127.0.0.1:{server.port}",
        "user_name": "acme",
        "api_key": "k3y-0f-acme",
        "auth_method": "api_key",
        "retry_timeout": "0.1",
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "COVERAGE"))},
            **{f"TAP_OZONETEL_CDR_{name.upper()}": value for name, value in chosen.items()},
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    log = done.stderr.decode()
    return done.returncode, log, done.stdout.count(b"\n"), int(log.rpartition("PEAK ")[2])


def send(server: Raw) -> Received | Failed:
    """Send one request."""
    url = f"http://127.0.0.1:{server.port}"
    return Transport(url, "test", 20, time.monotonic).send("GET", "/", {}, ApiKeyAuth("k3y"))


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def bomb(size: int) -> bytes:
    """Return so many zeros, in gzip: a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    million = bytes(2**20)
    return b"".join(packer.compress(million) for _ in range(size >> 20)) + packer.flush()


@pytest.mark.parametrize("status", ["302 Found", "300 Choices", "404 Not Found", "503 Sorry"])
def test_a_bomb_under_any_status_takes_no_memory(status: str) -> None:
    """No status makes a body be read at once, nor to its end where nothing in it counts."""
    headers = ["Content-Encoding: gzip", "Location: https://elsewhere.invalid/login"]
    with raw(answering(response(bomb(2**29), status, *headers))) as server:
        code, log, lines, peak = run(server)
    assert (code, peak < MOST) == (1, True), peak
    assert lines <= 1
    said = "a redirect to elsewhere.invalid. " if status[0] == "3" else f"HTTP {status[:3]}"
    assert said in log
    assert "Traceback" not in log


def test_a_bomb_of_records_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What grows beyond all that records can is not read on, and its space is given back."""
    monkeypatch.setattr(transport, "LARGEST_SURE", 2**22)
    before = open_files()
    with raw(answering(response(bomb(2**28), "200 OK", "Content-Encoding: gzip"))) as server:
        outcome = send(server)
    assert isinstance(outcome, Failed)
    verdict = judge_failure(outcome.error, 20)
    assert verdict.action is Action.STOP
    assert verdict.reason.startswith("a body that unpacks from ")
    assert verdict.reason.endswith(" MiB")
    del outcome
    assert open_files() == before


def test_records_shrink_as_far_as_they_like(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal records shrink as much as a bomb, but nobody has as many."""
    monkeypatch.setattr(transport, "LARGEST_SURE", 2**24)
    whole = b'{"details":[%b]}' % b",".join([b'{"CallID":"1","UCID":"2"}'] * 500_000)
    with raw(answering(response(gzip.compress(whole), "200 OK", "Content-Encoding: gzip"))) as it:
        outcome = send(it)
    assert isinstance(outcome, Received)
    with outcome.body as file:
        assert file.read() == whole


@pytest.mark.parametrize(
    ("named", "quoted"),
    [
        ("gzip, gzip", "gzip, gzip"),
        ("gzip,identity,x-gzip", "gzip, x-gzip"),
        ("br", "br"),
        (", ".join(["gzip"] * 300), "gzip, gzip"),
        ("\x1b[31m9876543210", "***"),
    ],
)
def test_an_encoding_that_was_not_asked_for_ends_the_run(named: str, quoted: str) -> None:
    """Gzip within gzip multiplies what grows; the rest nobody can read."""
    with raw(answering(response(b"xyz", "200 OK", f"Content-Encoding: {named}"))) as server:
        outcome = send(server)
    assert b"Accept-Encoding: gzip\r\n" in server.asked[0]
    assert isinstance(outcome, Failed)
    verdict = judge_failure(outcome.error, 20)
    assert verdict.action is Action.STOP
    assert verdict.reason.startswith(f"a body encoded as '{quoted}")
    assert len(verdict.reason) <= 200


def test_what_is_no_gzip_is_asked_for_again() -> None:
    """It may be a response cut on its way."""
    with raw(answering(response(b"xyz", "200 OK", "Content-Encoding: gzip"))) as server:
        outcome = send(server)
    assert isinstance(outcome, Failed)
    verdict = judge_failure(outcome.error, 20)
    assert (verdict.action, verdict.reason) == (
        Action.RETRY,
        "a body that is not what its Content-Encoding says",
    )


# The disk


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Let the disk have another size, and so much free."""
    real = os.fstatvfs

    def fake(descriptor: int, size: int, free: int) -> os.statvfs_result:
        found = list(real(descriptor))
        found[0:2], found[2:5] = [1, 1], [size, free, free]
        return os.statvfs_result(found)

    def set_to(size: int, free: int) -> None:
        monkeypatch.setattr(os, "fstatvfs", lambda descriptor: fake(descriptor, size, free))

    return set_to


@pytest.mark.parametrize(
    ("size", "free", "free_mib", "left_mib"),
    [(2**40, 2**27 + 2**17, 128, 128), (2**27, 2**22 + 2**21, 6, 6)],
)
@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_disk_keeps_a_reserve(  # two tables and a fixture
    small_disk: Callable[[int, int], None],
    size: int,
    free: int,
    free_mib: int,
    left_mib: int,
    encoding: str | None,
) -> None:
    """128 MiB, or a twentieth of a small one; the bytes needed are right, or a bound."""
    small_disk(size, free)
    before = open_files()
    content = json.dumps("x" * 4_000_000).encode()
    headers = ["Content-Encoding: gzip"] if encoding else []
    packed = gzip.compress(content) if encoding else content
    with (
        raw(answering(response(packed, "200 OK", *headers))) as server,
        pytest.raises(LocalError) as caught,
    ):
        send(server)
    reserve = f"only {free_mib} MiB are free, and {left_mib} MiB stay free for others"
    assert reserve in caught.value.line
    needs = caught.value.line.partition("The response needs ")[2].partition(" bytes")[0]
    if encoding:
        assert needs.startswith("more than 1")
        assert int(needs.removeprefix("more than ")) <= len(content)
    else:
        assert needs == str(len(content))
    assert open_files() == before


def test_what_stands_within_a_string_needs_the_disk_too(
    small_disk: Callable[[int, int], None],
) -> None:
    """A response is unpacked beside itself, within the same limits."""
    small_disk(2**40, 2**20)
    before = open_files()
    with pytest.raises(LocalError, match="The response needs more than 1"):
        read_envelope(BytesIO(json.dumps('{"a": "' + "x" * 3_000_000).encode()))
    assert open_files() == before


def test_a_disk_that_fails_at_the_close_is_no_second_fault() -> None:
    """The line has been said by then."""

    class Full(BytesIO):
        def close(self) -> None:
            super().close()
            raise OSError

    spool.close(Full())


# Within a string


def record(n: int) -> bytes:
    """Return a record of 1.2 kB within a JSON string."""
    fields = {"CallID": str(10**16 + n), "UCID": str(n), "Comments": 'say "हाँ" 😀 ' + "x" * 1100}
    return json.dumps(json.dumps(fields))[1:-1].encode()


def within_a_string(count: int) -> Callable[[Raw, socket.socket], None]:
    """Return what answers so many records within a JSON string."""
    record_of_all = record(0)
    parts = [(b"," + record_of_all) * 100 for _ in range(count // 100)]
    return answering(
        b'HTTP/1.1 200 OK\r\n\r\n"{\\"status\\":\\"success\\",\\"details\\":[' + record_of_all,
        *parts,
        b']}"',
    )


def test_100_000_records_within_a_string_take_no_memory() -> None:
    """126 MB are unpacked a piece at a time."""
    day = {"start_date": "2026-11-20", "end_date": "2026-11-20"}
    with raw(within_a_string(100_000)) as server:
        code, log, lines, peak = run(server, retention_days="3650", **day)
    assert (code, peak < MOST) == (0, True), (log, peak)
    assert lines > 100_000


TEXT = json.dumps({"details": [{"a": '\ud83d\ude00\u0928 " \\ \n \ud800x'}], "status": "success"})
ODD = TEXT.replace("\\\\", "\\\\\\\\") + " " * 7


@pytest.mark.parametrize("chunk", range(1, 60))
@pytest.mark.parametrize("ascii_only", [True, False])
def test_wherever_a_string_is_cut_its_text_is_the_same(chunk: int, *, ascii_only: bool) -> None:
    """Escapes, halves of pairs and bytes of a character may lie in two pieces."""
    inner = (
        TEXT
        if ascii_only
        else json.dumps(
            {"details": [{"a": '😀न " \\ \n'}], "status": "success"}, ensure_ascii=False
        )
    )
    for text in (inner, ODD):
        held = json.dumps(text, ensure_ascii=ascii_only).encode()
        with read_envelope(BytesIO(held), chunk=chunk).file as unpacked:
            unpacked.seek(0)
            assert unpacked.read().decode("utf-8", "surrogatepass") == text
        assert read_envelope(BytesIO(held + b"x"), chunk=chunk).reading is Reading.NOT_WHOLE
    envelope = read_envelope(BytesIO(json.dumps(inner).encode()), chunk=chunk)
    assert (envelope.reading, envelope.details, envelope.count) == (
        Reading.RESPONSE,
        Details.LIST,
        1,
    )


@pytest.mark.parametrize(
    "broken", [b'"abc', b'"ab\\', b'"ab\\u12', b'"\\x"', b'"\\u12g4"', b'"a" "b"', b'"{}" x']
)
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_string_that_is_none_is_not_whole(broken: bytes, chunk: int) -> None:
    """It may be cut anywhere, or hold an escape that is none."""
    assert read_envelope(BytesIO(broken), chunk=chunk).reading is Reading.NOT_WHOLE


# Single values


@pytest.mark.parametrize(
    "huge",
    [
        b'{"details":[{"a":"%b"}],"status":"success"}',
        b'{"details":"%b","status":"success"}',
        b'{"status":"%b"}',
        b'{"%b":1}',
        b'{"details":[[%b]],"status":"success"}'.replace(b"%b", b"1,%b1"),
    ],
    ids=["record", "details", "status", "key", "list in a list"],
)
def test_a_value_beyond_reason_is_refused_in_a_line(huge: bytes) -> None:
    """Decoded it would take thirty times its size."""
    filler = b"1," if b"[[" in huge else b"xx"
    envelope = read_envelope(BytesIO(huge % (filler * 10_000_000)))
    assert envelope.reading is Reading.TOO_LARGE
    verdict = judge(200, envelope)
    assert (verdict.action, verdict.reason) == (
        Action.STOP,
        "a body with a record, or another single value, of more than 8 MB",
    )
    assert judge(500, envelope).reason == "HTTP 500"


def test_long_words_are_words_still() -> None:
    """A refusal with a novel behind it is one."""
    said = {"status": "error", "message": "Token Expired " + "x" * 1_000_000}
    verdict = judge(200, read_envelope(BytesIO(json.dumps(said).encode())))
    assert verdict.action is Action.TOKEN_EXPIRED
    assert len(verdict.reason) < 250


def test_a_body_without_a_directory_stays_in_memory_while_it_is_small(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pod that is read-only reads small days, and says what is missing for others."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    nowhere = str(tmp_path / "no")
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [nowhere])
    file = spool.write(BytesIO(), bytes(spool.IN_MEMORY))
    assert isinstance(file, BytesIO)
    with pytest.raises(LocalError) as caught:
        spool.write(file, b"x")
    assert caught.value.line == (
        "Cannot write to a temporary directory: No usable temporary directory found in "
        f"['{nowhere}']. The response needs more than {spool.IN_MEMORY} bytes there; free some, or "
        "set TMPDIR to a larger directory. Nothing was lost: the next run continues from the "
        "bookmark"
    )
