"""The Ozonetel CDR API on loopback, with made-up calls and named faults, for tests and demos."""

from __future__ import annotations

from ozonetel_sandbox.api import Request
from ozonetel_sandbox.sandbox import Sandbox
from ozonetel_sandbox.truth import MadeCall, MadeEvent

__all__ = ["MadeCall", "MadeEvent", "Request", "Sandbox"]
