"""What some tests need of the machine. Where it is missing they are skipped, and say so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

meltano = pytest.mark.skipif(
    sys.platform == "linux" and not Path("/proc/self").exists(),
    reason="needs /proc: without it, Meltano does not start",
)
