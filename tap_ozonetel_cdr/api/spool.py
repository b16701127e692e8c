"""Where bodies lie until their records are written: in memory if small, else in unnamed files."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_MEMORY = 2**20
"""Bytes of a body that need no file."""

# What a run leaves free for all else that writes to the same file system: this much, or so large a
# part of a small one.
_RESERVE = 2**27
_RESERVED_PART = 20


def directory(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the directory that the user names, or that of the system; None where there is none.

    Bodies hold calls. So the user's own is never replaced by another, as Python itself would.
    """
    for name in ("TMPDIR", "TEMP", "TMP"):
        if environment.get(name):
            return os.path.abspath(environment[name])  # noqa: PTH100  # Path.resolve follows links
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return None


def check_directory() -> None:
    """Make sure that the directory which the user names can be used.

    Raises:
        LocalError: It cannot.
    """
    named = next((name for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)), None)
    if named is None:
        return
    try:
        with tempfile.TemporaryFile(dir=directory()) as file:
            file.write(b"x")
            file.flush()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise LocalError(
            f"{named}: {directory()} cannot be used ({reason}). Responses are kept there until "
            "their records are written: name a directory that this user can write to, or unset it. "
            f"Nothing was requested. {NOTHING_LOST}"
        ) from None


def write(file: BinaryIO, piece: bytes, needed: int = 0) -> BinaryIO:
    """Write at a body's end, through to the disk; return the file that holds the body now.

    A body begins in memory, and goes to a file that has no name and ends with the process. On the
    disk a reserve is left: 128 MiB, or a twentieth if that is less.

    Args:
        file: A ``BytesIO`` of the body's beginning, or what the last call returned. The caller
            closes it, also where this raises.
        piece: What is written.
        needed: How many bytes the body will have at its end, if that is known.

    Raises:
        LocalError: It cannot be written.
    """
    written = file.tell()
    if isinstance(file, BytesIO) and written + len(piece) <= IN_MEMORY:
        file.write(piece)
        return file
    try:
        on_disk = _moved(file) if isinstance(file, BytesIO) else file
        try:
            _keep_reserve(on_disk, len(piece))
            on_disk.write(piece)
            on_disk.flush()
        except OSError:
            close(on_disk)
            raise
    except OSError as error:
        at_least = f"{needed}" if needed > written else f"more than {written}"
        raise LocalError(
            f"Cannot write to {directory() or 'a temporary directory'}: "
            f"{error.strerror or type(error).__name__}. The response needs {at_least} bytes there; "
            f"free some, or set TMPDIR to a larger directory. {NOTHING_LOST}"
        ) from None
    return on_disk


def close(file: BinaryIO) -> None:
    """Give a body's space back, also where its last bytes cannot be written."""
    with contextlib.suppress(OSError):
        file.close()


def _moved(file: BytesIO) -> BinaryIO:
    """Move what lies in memory to a file without a name.

    Raises:
        OSError: There is no directory for it, or it is full.
    """
    on_disk = cast("BinaryIO", tempfile.TemporaryFile(dir=directory()))  # noqa: SIM115  # handed on
    try:
        on_disk.write(file.getbuffer())
        on_disk.flush()
    except OSError:
        close(on_disk)
        raise
    file.close()
    return on_disk


def _keep_reserve(file: BinaryIO, more: int) -> None:
    """Refuse to write ``more`` bytes that would leave too few.

    Raises:
        OSError: They would.
    """
    if sys.platform != "win32":  # there, a file does not tell how full its disk is
        disk = os.fstatvfs(file.fileno())
        reserve = min(_RESERVE, disk.f_blocks * disk.f_frsize // _RESERVED_PART)
        free = disk.f_bavail * disk.f_frsize
        if free - more < reserve:
            raise OSError(
                errno.ENOSPC,
                f"only {free >> 20} MiB are free, and {reserve >> 20} MiB stay free for others",
            )
