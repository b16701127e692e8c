"""The tap: its name, its settings, discovery, and how a run ends."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import signal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import TapCapabilities
from singer_sdk.io_base import SingerWriter

from tap_ozonetel_cdr import settings
from tap_ozonetel_cdr.clock import Clock
from tap_ozonetel_cdr.errors import SettingsError, TapError
from tap_ozonetel_cdr.output import Output, Stopped
from tap_ozonetel_cdr.streams import CdrStream

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
    # All of the SDK's but ACTIVATE_VERSION: on it a target drops what a run did not bring, and that
    # would be every call older than the API's memory.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        c for c in Tap.capabilities if c is not TapCapabilities.ACTIVATE_VERSION
    ]
    message_writer_class = LineWriter
    message_writer: LineWriter
    clock: ClassVar[Clock] = Clock()

    def discover_streams(self) -> Sequence[CdrStream]:
        """Return the one stream; its columns depend on ``include_account`` alone."""
        return [CdrStream(self)]

    def run_settings(self) -> settings.Settings:
        """Return the settings of this run, validated.

        Raises:
            SettingsError: A setting is missing or wrong.
        """
        return settings.Settings.from_config(self.config, now=self.clock.now())

    def write_lines(self, lines: bytes) -> None:
        """Write whole lines of Singer messages."""
        self.message_writer.output.write(lines)

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the files of ``--config``.

        Raises:
            SettingsError: One of them cannot be read, or does not hold an object of JSON.
        """
        try:
            return super().cb_config(ctx, param, value)
        except OSError:
            names = [name for name in value if name != "ENV" and not Path(name).is_file()] or value
            raise SettingsError(
                f"--config: cannot read {', '.join(names)}. ENV, in capitals, stands for the "
                "environment"
            ) from None
        except (ValueError, TypeError):
            raise SettingsError("--config: must name files with one JSON object each") from None

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
        """
        super().invoke(
            state=_checked("--state", state), catalog=_checked("--catalog", catalog), **options
        )

    # The SDK's private hooks

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """Read the environment without the SDK's bare errors for text that is no integer."""
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return settings.from_environment(cls._env_var_prefix, schema)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Validate in one line: the SDK's own validation quotes the values of secrets."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        if raise_errors:
            wrong = settings.problems(self.config, schema)
            try:
                self.run_settings()
            except SettingsError as error:
                wrong.insert(0, error.line)
            if wrong:
                raise SettingsError("; ".join(wrong))
        for name in sorted(self.config.keys() - schema["properties"].keys()):
            self.logger.warning("%s is no setting of this tap, and is ignored", name)
        return []

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End with the signal's exit code: after the SDK's 0 an orchestrator would go on."""
        self.message_writer.output.stop(signum)


def _checked(option: str, file: IO[str] | None) -> IO[str] | None:
    """Return a file's text once it is known to be what the SDK takes it for."""
    if file is None:
        return None
    text = file.read()
    with contextlib.suppress(ValueError):
        if isinstance(json.loads(text), dict):
            return io.StringIO(text)
    raise SettingsError(f"{option}: must name a file with one JSON object")


def main() -> None:
    """Run the tap's command; every way to end on purpose is one line and an exit code."""
    try:
        TapOzonetelCDR.cli()
    except TapError as error:
        TapOzonetelCDR.logger.critical("%s", error.line)
        raise SystemExit(1) from None
    except Stopped as stopped:
        TapOzonetelCDR.logger.warning(
            "Stopped by %s; nothing was lost: the next run continues from the last state",
            stopped.signal_name,
        )
        raise
    finally:
        # The exit code is settled: a signal during Python's own end would only print a traceback.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)
