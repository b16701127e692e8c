"""``python -m tap_ozonetel_cdr`` is ``tap-ozonetel-cdr``."""

from __future__ import annotations

from tap_ozonetel_cdr.tap import main

main()
