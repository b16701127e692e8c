"""A pytest plugin, and a command: the tap and the sandbox without what Windows does not have."""

from __future__ import annotations

import os
import signal
import sys

_POSIX = {
    signal: (
        *("pthread_sigmask", "SIG_BLOCK", "SIGALRM", "ITIMER_REAL", "alarm", "setitimer"),
        *("SIGKILL", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGUSR1", "sigwait", "pthread_kill"),
    ),
    os: ("fstatvfs", "statvfs"),
}


class _Sys:
    """The module ``sys`` as Windows has it, for modules of this project alone."""

    platform = "win32"

    def __getattr__(self, name: str) -> object:
        return getattr(sys, name)


def take_away() -> None:
    """Take away what Windows does not have from what is imported."""
    for module, names in _POSIX.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name, module in list(sys.modules.items()):
        if name.startswith(("tap_ozonetel_cdr", "ozonetel_sandbox")) and hasattr(module, "sys"):
            module.sys = _Sys()  # type: ignore[attr-defined]  # a stand-in


def pytest_collection_finish() -> None:
    """Take it away before the first test."""
    take_away()


if __name__ == "__main__":
    from tap_ozonetel_cdr import tap

    take_away()
    tap.main()
