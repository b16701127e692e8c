"""The SDK's standard tap suite against the sandbox, nothing excused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_tap_test_class

from ozonetel_sandbox import Sandbox
from tap_ozonetel_cdr.tap import TapOzonetelCDR

if TYPE_CHECKING:
    from collections.abc import Iterator

# Without a field that the schema does not know, and those that other accounts get, their columns
# would stay untested.
SANDBOX = Sandbox(rate_limit=(1000, 1), faults=["new_field"] * 100, extras=True, dial_count=True)
# The suite makes a tap while pytest collects; the port is known when the first test begins.
CONFIG: dict[str, object] = {
    "user_name": SANDBOX.user_name,
    "api_key": SANDBOX.api_key,
    "rate_limit_requests": 1000,
    "rate_limit_period": 1,
}


@pytest.fixture(scope="module", autouse=True)
def _serve() -> Iterator[None]:
    """Serve the sandbox while the suite runs."""
    with SANDBOX:
        CONFIG["api_url"] = SANDBOX.url
        yield


TestSuite = get_tap_test_class(TapOzonetelCDR, config=CONFIG, parse_env_config=False)
