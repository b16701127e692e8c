"""How rows leave: as RECORD lines, through the SDK's stream maps, or in batch files.

Each writer takes rows as they come, and ends a day with what has to stand in front of its STATE.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import shutil
import tempfile
from typing import IO, TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from singer_sdk.batch import Batcher
from singer_sdk.helpers._batch import BatchConfig, SDKBatchMessage
from singer_sdk.singerlib.json import serialize_json

from tap_ozonetel_cdr.errors import NOTHING_LOST, LocalError, SettingsError, TapError
from tap_ozonetel_cdr.records.lines import record_lines, row_lines
from tap_ozonetel_cdr.records.rows import as_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from singer_sdk.singerlib import Message, RecordMessage

    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.output import Output
    from tap_ozonetel_cdr.records.rows import Row

# Level 9, Python's default, takes 25 times as long for files a sixth smaller.
_GZIP_LEVEL = 1
_IN_MEMORY = 2**20
_FORMATS = ("jsonl", "parquet")


class Writer(Protocol):
    """Takes the rows of one day after the other."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, or keep them for the end of their day."""

    def end_day(self) -> None:
        """Write what is still kept of the day."""


class Lines:
    """RECORD lines, many at once: where nothing changes a record."""

    def __init__(self, stream: str, output: Output, clock: Clock) -> None:
        """Write records of ``stream`` to ``output``."""
        self._stream = stream
        self._output = output
        self._clock = clock

    def write(self, rows: Sequence[Row]) -> None:
        """Write a line for each row."""
        self._output.write(record_lines(self._stream, rows, self._clock.now()))

    def end_day(self) -> None:
        """Nothing is kept."""


class Mapped:
    """RECORD messages as the SDK makes them: stream maps and flattening apply."""

    def __init__(
        self,
        messages: Callable[[dict[str, Any]], Iterable[RecordMessage]],
        write_message: Callable[[Message], None],
    ) -> None:
        """Write what ``messages`` makes of each record."""
        self._messages = messages
        self._write_message = write_message

    def write(self, rows: Sequence[Row]) -> None:
        """Write the messages of each row.

        Raises:
            SettingsError: An expression of ``stream_maps`` failed on a record.
        """
        for row in rows:
            for message in _mapped(self._messages, row):
                self._write_message(message)

    def end_day(self) -> None:
        """Nothing is kept."""


class Batches:
    """Batch files, and one BATCH message a day for each stream: what changes records applies."""

    def __init__(
        self,
        config: BatchConfig,
        name: str,
        stream: str,
        messages: Callable[[dict[str, Any]], Iterable[RecordMessage]] | None,
        write_message: Callable[[Message], None],
    ) -> None:
        """Write files named after the tap (``name``) and ``stream``.

        ``messages`` makes a row's records, each under the name of its stream; None where nothing
        changes them.
        """
        self._config = config
        self._name = name
        self._stream = stream
        self._messages = messages
        self._write_message = write_message
        self._files: dict[str, _JsonLines | _OtherFiles] = {}

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows to files.

        Raises:
            SettingsError: An expression of ``stream_maps`` failed on a record, or the storage needs
                what is not installed.
            LocalError: A file cannot be written.
        """
        with _failures_named():
            files = self._files_of(self._stream) if self._messages is None else None
            if isinstance(files, _JsonLines):
                files.add(rows, row_lines)
                return
            records: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                if self._messages is None:
                    records.setdefault(self._stream, []).append(as_record(row))
                    continue
                for message in _mapped(self._messages, row):
                    records.setdefault(message.stream, []).append(message.record)
            for stream, some in records.items():
                self._files_of(stream).add(some, _record_lines)

    def end_day(self) -> None:
        """Close the day's files and write a BATCH message for each stream that has any."""
        for stream, files in self._files.items():
            with _failures_named():
                manifest = files.close()
            self._write_message(SDKBatchMessage(stream, self._config.encoding, manifest))
        self._files = {}

    def _files_of(self, stream: str) -> _JsonLines | _OtherFiles:
        if stream not in self._files:
            kind = _JsonLines if self._config.encoding.format == "jsonl" else _OtherFiles
            self._files[stream] = kind(self._config, self._name, stream)
        return self._files[stream]


def batch_config(config: Mapping[str, Any]) -> BatchConfig | None:
    """Return ``batch_config`` as the SDK has it, or None without one.

    Raises:
        SettingsError: It is incomplete, or needs what is not installed.
    """
    raw = config.get("batch_config")
    if not raw:
        return None
    for place, name in (("encoding", "format"), ("storage", "root")):
        inner = raw.get(place)
        if not isinstance(inner, dict) or not inner.get(name):
            raise SettingsError(f"batch_config.{place}.{name}: is required")
    try:
        found = BatchConfig.from_dict(raw)
        if found.encoding.format not in _FORMATS:  # newer SDKs know more of them
            raise ValueError(found.encoding.format)  # noqa: TRY301  # said below, without it
        size = int(found.batch_size)
    except (TypeError, ValueError):
        raise SettingsError(
            "batch_config: takes encoding (format: jsonl or parquet, compression: gzip or none), "
            "storage (root, prefix, params) and batch_size (a whole number)"
        ) from None
    if size < 1:
        raise SettingsError("batch_config.batch_size: must be a whole number from 1")
    found.batch_size = size
    if found.encoding.format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise SettingsError("batch_config.encoding.format: parquet needs the package pyarrow")
    return found


class _JsonLines:
    """Files of JSON lines, each of at most ``batch_size`` records.

    A file is made whole on this machine before it goes to its storage, so that none is there in
    part, and the files of several streams can grow side by side.
    """

    def __init__(self, config: BatchConfig, name: str, stream: str) -> None:
        self._config = config
        self._is_zipped = config.encoding.compression == "gzip"
        self._name = f"{config.storage.prefix or ''}{name}--{stream}-{uuid4()}"
        self._manifest: list[str] = []
        self._file: IO[bytes] | None = None
        self._room = 0

    def add(self, items: Sequence[Any], encode: Callable[[Sequence[Any]], bytes]) -> None:
        while items:
            if not self._room:
                self._finish()
                self._room = self._config.batch_size
            if self._file is None:
                self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
            some, items = items[: self._room], items[self._room :]
            self._room -= len(some)
            lines = encode(some)
            # Members of gzip may stand one after the other.
            self._file.write(gzip.compress(lines, _GZIP_LEVEL) if self._is_zipped else lines)

    def close(self) -> list[str]:
        self._finish()
        return self._manifest

    def _finish(self) -> None:
        if self._file is None:
            return
        filename = f"{self._name}-{len(self._manifest) + 1}.json{'.gz' if self._is_zipped else ''}"
        with self._file, self._config.storage.open(filename, "wb") as stored:
            self._file.seek(0)
            shutil.copyfileobj(self._file, stored)
        self._manifest.append(self._config.storage.get_url(filename))
        self._file = None


class _OtherFiles:
    """Files of another encoding, as the SDK writes them."""

    def __init__(self, config: BatchConfig, name: str, stream: str) -> None:
        self._config = config
        batcher = Batcher.get_batcher(config.encoding.format)
        self._write = batcher(name, stream, config).get_batches
        self._manifest: list[str] = []
        self._kept: list[dict[str, Any]] = []

    def add(self, items: Sequence[Any], _: object) -> None:
        self._kept.extend(items)
        size = self._config.batch_size
        while len(self._kept) >= size:
            self._flush(self._kept[:size])
            self._kept = self._kept[size:]

    def close(self) -> list[str]:
        if self._kept:
            self._flush(self._kept)
            self._kept = []
        return self._manifest

    def _flush(self, records: list[dict[str, Any]]) -> None:
        for manifest in self._write(iter(records)):
            self._manifest += manifest


def _record_lines(records: Sequence[dict[str, Any]]) -> bytes:
    return "".join([f"{serialize_json(record)}\n" for record in records]).encode()


def _mapped(
    messages: Callable[[dict[str, Any]], Iterable[RecordMessage]], row: Row
) -> list[RecordMessage]:
    """Return what stream maps make of a row.

    Raises:
        SettingsError: An expression failed. The line names its column and never the value.
    """
    try:
        return list(messages(as_record(row)))
    except Exception as error:  # noqa: BLE001  # an expression can raise anything
        column = _failed_column(error.__traceback__)
        reason = type(error.__cause__ or error).__name__
        raise SettingsError(
            f"stream_maps: {column} failed on a record ({reason}). {_check(reason)}. {NOTHING_LOST}"
        ) from None


def _check(reason: str) -> str:
    if reason == "NameNotDefined":
        return "It reads a name that is neither a selected column nor a function"
    return "It has to handle every value that the columns can hold, also blank text and null"


def _failed_column(traceback: TracebackType | None) -> str:
    """Return which expression the SDK's mapper was working on when it failed."""
    column = "an expression"
    while traceback:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "_eval" and "property_name" in frame.f_locals:
            column = f"the expression for {frame.f_locals['property_name'] or '__filter__'}"
        traceback = traceback.tb_next
    return column


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    """Raise what a storage raises as one line.

    Raises:
        SettingsError: The storage needs what is not installed, or does not know its own settings.
        LocalError: A file cannot be written.
    """
    # The root is not quoted: a password may stand in it.
    try:
        yield
    except TapError:
        raise
    except OSError as error:
        raise LocalError(
            "Cannot write a batch file below batch_config.storage.root: "
            f"{error.strerror or type(error).__name__}. {NOTHING_LOST}"
        ) from None
    except Exception as error:  # noqa: BLE001  # each storage raises kinds of its own
        raise SettingsError(
            f"batch_config.storage: cannot be used ({type(error).__name__}). Check root and params,"
            f" and whether what this storage needs is installed. {NOTHING_LOST}"
        ) from None
