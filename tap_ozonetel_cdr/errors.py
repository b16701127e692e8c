"""What ends a run on purpose: one line with what happened and what to check, and exit code 1."""

from __future__ import annotations

NOTHING_LOST = "Nothing was lost: the next run continues from the bookmark"
"""How the line of an error ends that can come in the middle of a run."""


class TapError(Exception):
    """Ends the run; ``line`` is the one line that the user sees. The command exits with code 1."""

    def __init__(self, line: str) -> None:
        """Keep ``line``: what happened, what to check, and whether anything was lost."""
        super().__init__(line)
        self.line = line


class SettingsError(TapError):
    """A setting is wrong; the line names it and says what would be right."""


class StateError(TapError):
    """The state that was handed in cannot be continued from."""


class CatalogError(TapError):
    """The catalog that was handed in cannot be used."""


class RefusedError(TapError):
    """The API refused in a way that a retry cannot mend."""


class UnavailableError(TapError):
    """No complete response came within ``retry_timeout``."""


class LocalError(TapError):
    """This machine failed: a full disk, a clock set back, a pipe that the target closed."""
