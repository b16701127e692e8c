from __future__ import annotations

from typing import Any

import pytest

from tap_ozonetel_cdr.errors import LocalError, SettingsError, TapError
from tap_ozonetel_cdr.writers import Batches, batch_config

JSONL = {"format": "jsonl", "compression": "gzip"}


def config(root: str = "file:///somewhere", **other: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return settings with batches."""
    return {"batch_config": {"encoding": JSONL, "storage": {"root": root}, **other}}


@pytest.mark.parametrize("given", [{}, {"batch_config": None}, {"batch_config": {}}])
def test_no_batches_without_the_setting(given: dict[str, Any]) -> None:
    """Without the setting there are none."""
    assert batch_config(given) is None


@pytest.mark.parametrize("size", [1, "7", 10_000])
def test_the_batch_size_is_a_whole_number(size: object) -> None:
    """It is a whole number, also as the text that Meltano hands over."""
    found = batch_config(config(batch_size=size))
    assert found
    assert found.batch_size == int(str(size))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"encoding": JSONL}, "batch_config.storage.root: is required"),
        ({"encoding": JSONL, "storage": {}}, "batch_config.storage.root: is required"),
        ({"storage": {"root": "/x"}}, "batch_config.encoding.format: is required"),
        (
            {"encoding": {"format": "secret"}, "storage": {"root": "/x"}},
            "batch_config: takes encoding (",
        ),
        (
            {"encoding": {"format": "arrow"}, "storage": {"root": "/x"}},
            "batch_config: takes encoding (",
        ),
        (
            {"encoding": JSONL, "storage": {"root": "/x", "secret": 1}},
            "batch_config: takes encoding (",
        ),
        (
            {"encoding": JSONL, "storage": {"root": "/x"}, "batch_size": "secret"},
            "batch_config: takes encoding (",
        ),
        (
            {"encoding": JSONL, "storage": {"root": "/x"}, "batch_size": 0},
            "batch_config.batch_size: must be a whole number from 1",
        ),
        (
            {"encoding": {"format": "parquet"}, "storage": {"root": "/x"}},
            "batch_config.encoding.format: parquet needs the package pyarrow",
        ),
    ],
    ids=str,
)
def test_an_incomplete_batch_config_is_one_line(given: dict[str, Any], line: str) -> None:
    """It names what is missing, and quotes nothing."""
    with pytest.raises(SettingsError) as refused:
        batch_config({"batch_config": given})
    assert refused.value.line.startswith(line)
    assert "secret" not in refused.value.line


class UnreachableError(Exception):
    """A kind of a storage's own."""


@pytest.mark.parametrize(
    ("raised", "kind", "line"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            LocalError,
            "Cannot write a batch file below batch_config.storage.root: Connection refused. ",
        ),
        (
            UnreachableError("secret"),
            SettingsError,
            "batch_config.storage: cannot be used (UnreachableError)",
        ),
        (ValueError("secret"), SettingsError, "batch_config.storage: cannot be used (ValueError)"),
    ],
    ids=repr,
)
def test_a_storage_that_fails_is_one_line(
    raised: Exception, kind: type[TapError], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its library raises; the root is not quoted, for a password may stand in it."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("singer_sdk.helpers._batch.StorageTarget.open", fail)
    found = batch_config(config("ftp://user:secret@127.0.0.1/x"))
    assert found
    batches = Batches(found, "tap", "cdr", None, lambda _: None)
    batches.write([{"CallID": "1"}])
    with pytest.raises(kind) as ended:
        batches.end_day()
    assert ended.value.line.startswith(line)
    assert "secret" not in ended.value.line
