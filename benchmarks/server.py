"""The server as an object: its process, for the time of one run, and what it was asked."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_SERVE: Final = Path(__file__).with_name("serve.py")


@dataclass(frozen=True)
class Request:
    """A request, with its times in seconds of the machine's monotonic clock."""

    path: str
    arrived: float
    ended: float
    """When the last byte of the response was handed to the system."""

    @property
    def is_for_calls(self) -> bool:
        """Whether it was not for a token."""
        return self.path.endswith("/fetchCDRDetails")


class Server:
    """The server's process, for the time of one run."""

    def __init__(self, folder: Path) -> None:
        """Start it for the bodies below ``folder``; returns when it listens."""
        self._process = subprocess.Popen(
            [sys.executable, _SERVE, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = next(iter(self._process.stdout or ())).strip()
        self.requests: list[Request] = []
        """What was asked, in order of arrival; known once the server has stopped."""

    def __enter__(self) -> Self:
        """Serve until the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; when nothing failed, learn what was asked."""
        said, _ = self._process.communicate()
        if error is None:
            self.requests = [Request(**request) for request in json.loads(said)]
