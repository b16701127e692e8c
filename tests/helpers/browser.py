"""A headless Chromium of the tests' own, spoken to in WebDriver's words.

Plain requests do here what a driver's library would: that library would come with a manager that
looks for browsers in the network.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_BROWSER = "needs Chromium and its driver (on Debian: apt-get install chromium chromium-driver)"
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)


class Browser:
    """One window."""

    def __init__(self, session: str) -> None:
        """Use the session at this address of the driver."""
        self._session = session

    def _ask(self, path: str, **body: Any) -> Any:  # noqa: ANN401
        answer = requests.post(f"{self._session}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()["value"]

    def devtools(self, command: str, **parameters: object) -> Any:  # noqa: ANN401
        """Run a command of Chromium's developer tools."""
        return self._ask("goog/cdp/execute", cmd=command, params=parameters)

    def open(self, page: Path, width: int = 1400, *, scheme: str = "light") -> None:
        """Open a file as a window of this width shows it, in the light or in the dark."""
        mobile = {"mobile": width < 800, "deviceScaleFactor": 1}
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, **mobile)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.devtools("Emulation.setEmulatedMedia", features=[feature])
        self._ask("url", url=page.as_uri())

    def run(self, script: str) -> Any:  # noqa: ANN401
        """Return what a script in the page returns."""
        return self._ask("execute/sync", script=script, args=[])

    def console(self) -> list[str]:
        """Return what was written to the console since the last time."""
        return [entry["message"] for entry in self._ask("se/log", type="browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        entries = self._ask("se/log", type="performance")
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, file: Path) -> None:
        """Write a picture of the whole page."""
        options = {"format": "png", "captureBeyondViewport": True}
        file.write_bytes(
            base64.b64decode(self.devtools("Page.captureScreenshot", **options)["data"])
        )


@contextmanager
def a_browser(folder: Path) -> Iterator[Browser]:
    """Yield a browser whose own files are in ``folder``; say plainly where there is none."""
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "driver.log").open("w") as log:
        process = subprocess.Popen([driver, f"--port={port}"], stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "binary": chromium,
                    "args": [*QUIET, f"--user-data-dir={folder / 'profile'}"],
                },
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
            body = {"capabilities": {"alwaysMatch": wanted}}
            deadline = time.monotonic() + 30
            while True:
                try:
                    made = requests.post(f"{address}/session", json=body, timeout=60)
                    break
                except requests.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            made.raise_for_status()
            session = f"{address}/session/{made.json()['value']['sessionId']}"
            try:
                browser = Browser(session)
                # Away from the browser's own page, and what that asked for.
                browser.devtools("Page.navigate", url="about:blank")
                browser.requests()
                yield browser
            finally:
                requests.delete(session, timeout=60)
        finally:
            process.terminate()
            process.wait()
