"""Singer tap for Ozonetel CloudAgent call detail records."""

from __future__ import annotations

import os

# The SDK imports joblib, which warns in two lines where /dev/shm is closed. Nothing here uses it.
os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
