"""The tap: its name, its settings, discovery, and how a run ends."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import json
import logging
import os
import signal
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import Catalog

from tap_ozonetel_cdr import catalog as catalogs
from tap_ozonetel_cdr import maps, settings
from tap_ozonetel_cdr.clock import Clock
from tap_ozonetel_cdr.errors import NOTHING_LOST, CatalogError, SettingsError, TapError
from tap_ozonetel_cdr.output import Output, Stopped
from tap_ozonetel_cdr.records import columns
from tap_ozonetel_cdr.state import understood
from tap_ozonetel_cdr.streams import NAME, REPLICATION_KEY, CdrStream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib.encoding.simple import Message


class LineWriter(SingerWriter):
    """Writes the SDK's messages as whole lines, through the same output as the fast path."""

    def __init__(self) -> None:
        """Start with nothing written."""
        super().__init__()
        self.output = Output()

    def write_message(self, message: Message) -> None:
        """Write one message."""
        self.output.write(f"{self.format_message(message)}\n".encode())


class TapOzonetelCDR(Tap):
    """Singer tap for Ozonetel CloudAgent call detail records."""

    name = "tap-ozonetel-cdr"
    # The SDK adds settings of its own to this object.
    config_jsonschema = copy.deepcopy(settings.CONFIG_JSONSCHEMA)
    # By value, because newer SDKs have moved some of them. Left out are activate-version, on which
    # a target drops what a run did not bring: every record older than the API's memory; and
    # start-date, which Meltano 4.4 does not know.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        c for c in Tap.capabilities if c.value not in {"activate-version", "start-date"}
    ]
    message_writer_class = LineWriter
    message_writer: LineWriter
    clock: ClassVar[Clock] = Clock()

    def discover_streams(self) -> Sequence[CdrStream]:
        """Return the one stream; its columns depend on ``include_account`` alone."""
        return [CdrStream(self, clock=self.clock, output=self.message_writer.output)]

    @functools.cached_property
    def input_catalog(self) -> Catalog | None:
        """The catalog that was handed in, put right where the stream could not follow it."""
        catalog = super().input_catalog
        if catalog is None:
            return None
        include_account = settings.includes_account(self.config)
        put_right, lines = catalogs.put_right(
            catalog,
            NAME,
            columns.schema(include_account=include_account)["properties"],
            keys=columns.key_properties(include_account=include_account),
            replication_key=REPLICATION_KEY,
        )
        for line in lines:
            self.logger.warning("%s", line)
        return put_right

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over the state that was handed in.

        Raises:
            StateError: It may hold a bookmark that nobody would find.
        """
        super().load_state(understood(state, NAME, REPLICATION_KEY))

    def setup_mapper(self) -> None:
        """Prepare stream maps and flattening.

        Raises:
            SettingsError: ``stream_maps``, or what belongs to it, cannot be used.
        """
        for line in maps.check(self.config, NAME, columns.NAMES):
            self.logger.warning("%s", line)
        try:
            super().setup_mapper()
        except TapError:
            raise
        except Exception as error:  # noqa: BLE001  # the SDK raises many kinds
            raise SettingsError(maps.problem(error)) from None

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the files of ``--config``.

        Raises:
            SettingsError: One of them cannot be read, or does not hold an object of JSON.
        """
        config: dict[str, Any] = {}
        for name in value:
            if name != "ENV":
                config |= _read_config(name)
        given = super().cb_config(ctx, param, ("ENV",) if "ENV" in value else ())
        given.config |= config
        return given

    @classmethod
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **options: Any,  # noqa: ANN401  # the SDK's other options, handed on
    ) -> None:
        """Run the tap.

        Raises:
            SettingsError: The file of ``--state`` or ``--catalog`` does not hold an object of JSON.
            CatalogError: That of ``--catalog`` is no catalog.
        """
        state_text, catalog_text = _checked("--state", state), _checked("--catalog", catalog)
        if catalog_text:
            _refuse_no_catalog(catalog_text.getvalue())
            for line in catalogs.without_effect(json.loads(catalog_text.getvalue()), NAME):
                cls.logger.warning("%s", line)
        super().invoke(state=state_text, catalog=catalog_text, **options)

    # The SDK's private hooks

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """Read the environment without the SDK's bare errors for text that is no integer."""
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return settings.from_environment(cls._env_var_prefix, schema, os.environ)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Validate in one line: the SDK's own validation quotes the values of secrets."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        self._config = settings.parsed(self._config, schema)
        if raise_errors:
            wrong = settings.problems(self.config, schema)
            try:
                settings.Settings.from_config(self.config, now=self.clock.now())
            except SettingsError as error:
                wrong.insert(0, error.line)
            if wrong:
                raise SettingsError("; ".join(wrong))
        for name in sorted(self.config.keys() - schema["properties"].keys()):
            self.logger.warning("unknown setting %s ignored", name)
        return []

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End with the signal's exit code: after the SDK's 0 an orchestrator would go on."""
        self.message_writer.output.stop(signum)


def _read_config(name: str) -> dict[str, Any]:
    """Return the settings of one file.

    Raises:
        SettingsError: It cannot be read, or does not hold an object of JSON.
    """
    try:
        with open(name, encoding="utf-8-sig") as file:  # noqa: PTH123  # "-" and pipes are fine
            return _object(file.read(), f"--config {name}")
    except OSError as error:
        raise SettingsError(
            f"--config {name}: cannot be read ({error.strerror}). ENV, in capitals, stands for "
            "the environment"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"--config {name}: must be UTF-8") from None


def _checked(option: str, file: IO[str] | None) -> io.StringIO | None:
    """Return a file's text once it is known to be what the SDK takes it for."""
    if file is None:
        return None
    try:
        text = file.buffer.read().decode("utf-8-sig")  # type: ignore[attr-defined]
    except UnicodeDecodeError:
        raise SettingsError(f"{option}: must name a file in UTF-8") from None
    _object(text, option)
    return io.StringIO(text)


def _object(text: str, option: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    raise SettingsError(f"{option}: must name a file with one JSON object")


def _refuse_no_catalog(text: str) -> None:
    """Raise unless a file is a catalog.

    Raises:
        CatalogError: It is none.
    """
    try:
        Catalog.from_dict(json.loads(text))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise CatalogError(
            "--catalog: must name a Singer catalog, as --discover writes it: an object whose "
            "'streams' each have a 'tap_stream_id', a 'schema' and 'metadata'"
        ) from None


def main() -> None:
    """Run the tap's command; every way to end on purpose is one line and an exit code."""
    logger = TapOzonetelCDR.logger
    try:
        settings.check_log_level(os.environ)
        TapOzonetelCDR.cli()
    except TapError as error:
        _say(logger, error.line)
        raise SystemExit(1) from None
    except Stopped as stopped:
        logger.warning(
            "Stopped by %s; nothing was lost: the next run continues from the last state",
            stopped.signal_name,
        )
        raise
    except Exception as error:  # noqa: BLE001  # its text may hold what stands in a record
        _say(logger, _unexpected(error))
        raise SystemExit(1) from None
    finally:
        # The exit code is settled: a signal during Python's own end would only print a traceback.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)


def _say(logger: logging.Logger, line: str) -> None:
    if not logger.hasHandlers():  # the SDK has not set up the log yet
        logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    logger.critical("%s", line)


def _unexpected(error: Exception) -> str:
    """Return the line about a bug of this tap: its kind and its place, and nothing it says."""
    place = ""
    traceback = error.__traceback__
    while traceback:
        code = traceback.tb_frame.f_code
        if "tap_ozonetel_cdr" in code.co_filename:
            place = f" at {code.co_qualname if hasattr(code, 'co_qualname') else code.co_name}"
            place += f", line {traceback.tb_lineno} of {os.path.basename(code.co_filename)}"  # noqa: PTH119
        traceback = traceback.tb_next
    return (
        f"A bug in this tap: {type(error).__name__}{place}. Please report this line. {NOTHING_LOST}"
    )
