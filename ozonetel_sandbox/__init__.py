"""The Ozonetel CDR API on loopback, with synthetic calls and named faults, for tests and demos."""

from __future__ import annotations

from ozonetel_sandbox.api import Request
from ozonetel_sandbox.sandbox import Sandbox

__all__ = ["Request", "Sandbox"]
