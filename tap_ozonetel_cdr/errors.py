"""What ends a run on purpose: exit code 1, and one line with what happened and what to check."""

from __future__ import annotations

NOTHING_LOST = "Nothing was lost: the next run continues where the bookmark stands"
"""How the line of an error ends that can come in the middle of a run."""


class TapError(SystemExit):
    """Ends the run with exit code 1; its text is the one line that the user sees.

    A ``SystemExit``, because the SDK logs every ``Exception`` of a sync as unhandled and prints it
    again as a traceback. Python itself exits with 1 and prints the text of a ``SystemExit`` that
    nobody catches.
    """

    def __init__(self, line: str) -> None:
        """Keep ``line``: what happened, what to check, and that nothing was lost."""
        super().__init__(line)
        self.line = line


class SettingsError(TapError):
    """A setting is wrong; the line names it and says what would be right."""


class StateError(TapError):
    """The state that was handed in cannot be continued from."""


class RefusedError(TapError):
    """The API refused in a way that asking again cannot mend."""


class UnavailableError(TapError):
    """No complete answer came within ``retry_timeout``."""


class LocalError(TapError):
    """This machine failed: a full disk, a clock set back, a pipe that the target closed."""
