from __future__ import annotations

import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from oracle import FIELDS

BENCH = Path(__file__).parent.parent / "benchmarks" / "bench.py"


def test_the_plain_tap_has_the_fields_of_the_api() -> None:
    """It leaves out none, which would spare it work, and has no others."""
    stream = runpy.run_path(str(BENCH.with_name("plain_tap.py")))["CallsStream"]
    assert set(stream.schema["properties"]) == {*FIELDS}


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path: Path) -> None:
    """On a tiny day every case runs to its table, the picture is drawn, and a page is renewed."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- from make bench -->\nold\n<!-- to here -->\nafter\n", "utf-8")
    options = "--sizes 60 --rounds 1 --kinds number --starts 1 --period 0.1"
    files = {"folder": tmp_path / "bench", "publish": page, "picture": tmp_path / "picture.svg"}
    found = subprocess.run(
        [sys.executable, BENCH, *options.split(), *(f"--{n}={f}" for n, f in files.items())],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = found.splitlines()
    assert sum(line.startswith("| ---") for line in lines) == 6
    for row in (
        "| 60 (0 MB) | floor |",
        "| `DID` as a number, in every record | plain SDK tap |",
        "| 5,000 records/s |",
        "| first request |",
    ):
        assert sum(line.startswith(row) for line in lines) == 1, row
    assert page.read_text("utf-8") == (
        f"before\n<!-- from make bench -->\n\n{found}<!-- to here -->\nafter\n"
    )
    picture = ET.parse(files["picture"])  # noqa: S314  drawn just now
    assert [
        len(list(picture.iter(f"{{http://www.w3.org/2000/svg}}{name}")))
        for name in ("polyline", "circle")
    ] == [6, 6]
