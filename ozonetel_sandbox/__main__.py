"""``python -m ozonetel_sandbox`` is ``ozonetel-sandbox``."""

from __future__ import annotations

import sys

from ozonetel_sandbox.cli import main

sys.exit(main())
