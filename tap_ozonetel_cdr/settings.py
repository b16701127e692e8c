"""The settings: their JSON schema, and one frozen, validated object made from them."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import re
import reprlib
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from singer_sdk import typing as th
from singer_sdk.configuration._dict_config import parse_environment_config

from tap_ozonetel_cdr import plan
from tap_ozonetel_cdr.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime

CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "user_name",
        th.StringType,
        required=True,
        title="User name",
        description="Name of the CloudAgent account.",
    ),
    th.Property(
        "api_key",
        th.StringType,
        required=True,
        secret=True,
        title="API key",
        description="API key from the account's administration page.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://in1-ccaas-api.ozonetel.com",
        title="API address",
        description=(
            "https://in1-ccaas-api.ozonetel.com (India), https://api.ccaas.ozonetel.com "
            "(international), or a partner's own. A bare domain gets https://. Plain http is "
            "accepted for loopback addresses only."
        ),
    ),
    th.Property(
        "auth_method",
        th.StringType,
        default="auto",
        allowed_values=["auto", "token", "api_key"],
        title="Authentication method",
        description=(
            "How to authenticate. auto tries the header apiKey first and a token if the "
            "header is refused. api_key (the header alone) and token (a bearer token, "
            "generated once per run) skip the trying."
        ),
    ),
    th.Property(
        "start_date",
        th.DateType,
        title="Start date",
        description=(
            "First day to read. A date-time counts as the date it is written with. Default: "
            "the oldest day that the API still has."
        ),
        examples=["2026-11-01"],
    ),
    th.Property(
        "end_date",
        th.DateType,
        title="End date",
        description=(
            "Last day to read, inclusive. A date-time counts as the date it is written with. "
            "Default: today."
        ),
        examples=["2026-11-08"],
    ),
    th.Property(
        "timezone",
        th.StringType,
        default="Asia/Kolkata",
        title="Time zone",
        description=(
            "The account's time zone as an IANA name. It decides what today is, and when the "
            "local times of the records were."
        ),
    ),
    th.Property(
        "lookback_days",
        th.IntegerType,
        default=1,
        minimum=0,
        maximum=3650,
        title="Lookback days",
        description=(
            "How many finished days to read again in every run, for dispositions and "
            "recordings that change late."
        ),
    ),
    th.Property(
        "settling_hours",
        th.IntegerType,
        default=4,
        minimum=0,
        maximum=23,
        title="Settling hours",
        description=(
            "How many hours after midnight a finished day may still be empty or incomplete at "
            "the API. What was read before then is read again by the next run; 0 turns that "
            "off. The API moves finished days until 03:00 IST, so raise it for accounts east "
            "of UTC+06:30 (6 at UTC+08:00)."
        ),
    ),
    th.Property(
        "retention_days",
        th.IntegerType,
        default=15,
        minimum=1,
        maximum=3650,
        title="Retention days",
        description=(
            "How many days back the API answers. Values above 15 log a warning: for older "
            "days the API returns an empty list."
        ),
    ),
    th.Property(
        "on_gap",
        th.StringType,
        default="warn",
        allowed_values=["warn", "fail"],
        title="On a gap",
        description=(
            "What to do when days between the bookmark and the oldest day of the API are gone "
            "for good: warn and go on, or fail before the first request."
        ),
    ),
    th.Property(
        "campaign_name",
        th.StringType,
        title="Campaign name",
        description="Only records of this campaign (the API's filter campaignName).",
    ),
    th.Property(
        "call_type",
        th.StringType,
        title="Call type",
        description=("Only records of this type, such as Progressive (the API's filter callType)."),
    ),
    th.Property(
        "status",
        th.StringType,
        title="Status",
        description=(
            "Only records with this status, such as NotAnswered (the API's filter status)."
        ),
    ),
    th.Property(
        "ucid",
        th.StringType,
        title="UCID",
        description="Only the record with this id (the API's filter ucid).",
    ),
    th.Property(
        "monitor_ucid",
        th.StringType,
        title="Monitor UCID",
        description="Only records of the call with this id (the API's filter monitorUCID).",
    ),
    th.Property(
        "rate_limit_requests",
        th.IntegerType,
        default=2,
        minimum=1,
        maximum=1_000_000,
        title="Rate limit: requests",
        description=("How many requests for records the account may make per rate_limit_period."),
    ),
    th.Property(
        "rate_limit_period",
        th.NumberType,
        default=60,
        minimum=0.001,
        maximum=86400,
        title="Rate limit: period",
        description="Period of the account's rate limit, in seconds.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType,
        default=300,
        minimum=0.001,
        maximum=86400,
        title="Request timeout",
        description=(
            "Longest time for one request, up to the last byte of its response, in seconds."
        ),
    ),
    th.Property(
        "retry_timeout",
        th.NumberType,
        default=900,
        minimum=0.001,
        maximum=86400,
        title="Retry timeout",
        description=("Longest time without a complete response, in seconds. Then the run ends."),
    ),
    th.Property(
        "include_account",
        th.BooleanType,
        default=False,
        title="Include the account",
        description=(
            "Put the account into every record (UserName) and first into the key, so that "
            "several accounts can share a table."
        ),
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="The User-Agent header. Default: tap-ozonetel-cdr and its version.",
    ),
).to_dict()
"""Every setting of this tap. ``Settings.from_config`` reads defaults and limits from here."""

_PROPERTIES: Mapping[str, dict[str, Any]] = CONFIG_JSONSCHEMA["properties"]

# The request's own names for the filters [doc].
_FILTERS = {
    "campaign_name": "campaignName",
    "call_type": "callType",
    "status": "status",
    "ucid": "ucid",
    "monitor_ucid": "monitorUCID",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one run, each validated.

    Attributes:
        api_url: Scheme and host, with a port or path where one was given, no slash at the end.
        filters: The filters that are set, under the API's own names.
        rate_limit_period: Seconds, as are ``request_timeout`` and ``retry_timeout``.
    """

    user_name: str
    api_key: str = field(repr=False)
    api_url: str
    auth_method: str
    start_date: date | None
    end_date: date | None
    timezone: ZoneInfo
    lookback_days: int
    settling_hours: int
    retention_days: int
    on_gap: str
    filters: Mapping[str, str]
    rate_limit_requests: int
    rate_limit_period: float
    request_timeout: float
    retry_timeout: float
    include_account: bool
    user_agent: str

    @property
    def filter_names(self) -> str:
        """The settings of the filters that are set, as a line names them: ``status, ucid``."""
        return ", ".join(name for name, api_name in _FILTERS.items() if api_name in self.filters)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, now: datetime) -> Settings:
        """Validate this tap's own settings; others, such as the SDK's, are not looked at.

        Null and blank text count as not set, and text counts as the number or boolean it spells:
        that is what environment variables give.

        Args:
            config: The settings by name.
            now: The present, with a time zone.

        Raises:
            SettingsError: Its line names every wrong setting and what would be right. No secret
                is in it.
        """
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for name in _READERS:
            try:
                values[name] = _read(config, name)
            except SettingsError as error:  # noqa: PERF203  each setting is judged by itself
                wrong.append(error.line)
        wrong += _impossible_dates(values, now)
        if wrong:
            raise SettingsError("; ".join(wrong))

        filters = {api_name: values.pop(name) for name, api_name in _FILTERS.items()}
        values["filters"] = MappingProxyType({k: v for k, v in filters.items() if v is not None})
        if values["user_agent"] is None:
            values["user_agent"] = f"tap-ozonetel-cdr/{metadata.version('tap-ozonetel-cdr')}"
        return cls(**values)


def includes_account(config: Mapping[str, Any]) -> bool:
    """Return ``include_account``, which shapes the catalog, while others may still be missing.

    Raises:
        SettingsError: It is no boolean.
    """
    return bool(_read(config, "include_account"))


def problems(config: Mapping[str, Any], jsonschema: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the settings that are not this tap's own, such as ``stream_maps``.

    Args:
        config: The settings by name.
        jsonschema: The schema of all settings, with what the SDK has added to it.

    Returns:
        One text for each problem: the setting and what would be right, never its value.
    """
    found = []
    for name, schema in jsonschema["properties"].items():
        if name in _READERS or name not in config:
            continue
        validator = th.DEFAULT_JSONSCHEMA_VALIDATOR({"properties": {name: schema}})
        try:
            found += [_problem(error) for error in validator.iter_errors(dict(config))]
        except AttributeError:  # some of the SDK's own schemas hold what is none (0.54.9)
            found.append(f"{name}: does not have the form that `--about` describes")
    return found


def parsed(config: Mapping[str, Any], jsonschema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the text of those that are not this tap's own as their values.

    Meltano hands booleans, numbers and objects over as text. What does not parse stays text, for
    ``problems`` to name.

    Args:
        config: The settings by name.
        jsonschema: The schema of all settings, with what the SDK has added to it.
    """
    result = dict(config)
    for name, schema in jsonschema["properties"].items():
        value = result.get(name)
        if name in _READERS or not isinstance(value, str) or "string" in schema.get("type", []):
            continue
        if not value.strip():
            del result[name]
            continue
        with contextlib.suppress(ValueError):
            result[name] = json.loads(value.strip().lower() if _is_flag(schema) else value)
    return result


def check_log_level(environment: Mapping[str, str]) -> None:
    """See that the SDK can set its log level.

    Raises:
        SettingsError: The variable holds no level.
    """
    for name in ("TAP_OZONETEL_CDR_LOGLEVEL", "LOGLEVEL"):
        if level := environment.get(name):
            if not isinstance(logging.getLevelName(level.upper()), int):
                raise SettingsError(f"{name}: must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
            return


def _is_flag(schema: Mapping[str, Any]) -> bool:
    return "boolean" in schema.get("type", [])


def _problem(error: Any) -> str:  # noqa: ANN401  # jsonschema's, which has no types
    setting = ".".join(map(str, error.absolute_path))
    if error.validator == "type":
        return f"{setting}: must be {_kinds(error.schema)}"
    if error.validator == "enum":
        return f"{setting}: must be {_choices(error.schema)}"
    return f"{setting}: does not have the form that `--about` describes"


def from_environment(
    prefix: str, jsonschema: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings that stand in the environment (or a ``.env`` file), as text.

    The SDK's own parsing fails on text that is no integer without naming the setting, and takes any
    text that does not say true for false. Blank ones are left out. Variables that begin as settings
    do, and are none, come along, so that a misspelt one is named.

    Args:
        prefix: What the names of the variables begin with: ``TAP_OZONETEL_CDR_``.
        jsonschema: The schema of all settings, with what the SDK has added to it.
        environment: The variables.
    """
    as_text = {name: {"type": "string"} for name in jsonschema["properties"]}
    texts = parse_environment_config({"properties": as_text}, prefix)
    known = {f"{prefix}{name}".upper() for name in as_text} | {f"{prefix}LOGLEVEL"}
    misspelt = {
        name.removeprefix(prefix).lower(): text
        for name, text in environment.items()
        # Meltano has variables of its own with two underscores there.
        if name.startswith(prefix) and name not in known and not name.startswith(f"{prefix}_")
    }
    return {name: text for name, text in (misspelt | texts).items() if text.strip()}


def _read(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  each setting has its type
    """Return one setting's validated value, its default, or None."""
    value = config.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        value = _PROPERTIES[name].get("default")
    if value is None:
        if name in CONFIG_JSONSCHEMA["required"]:
            meaning = _PROPERTIES[name]["description"].rstrip(".")
            raise SettingsError(f"{name}: is required ({meaning})")
        return None
    if isinstance(value, Decimal):  # how the SDK reads a number with a decimal point from a file
        value = float(value)
    return _READERS[name](name, value)


def _text(name: str, value: object) -> str:
    # A name or key of digits alone is a number to YAML and to `meltano config set`.
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise SettingsError(f"{name}: must be text (in quotes where it looks like something else)")
    return str(value)


def _one_line(name: str, value: object) -> str:
    text = _text(name, value)
    if text != text.strip() or not text.isprintable():
        raise SettingsError(f"{name}: must be one line of text without spaces around it")
    return text


def _header(name: str, value: object) -> str:
    text = _text(name, value)
    if text != text.strip() or not (text.isascii() and text.isprintable()):
        raise SettingsError(
            f"{name}: must be one line of ASCII letters, digits and signs, without spaces around it"
        )
    return text


def _url(name: str, value: object) -> str:
    """Normalise an address; what stands in it is not quoted, for it may hold a password."""
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not re.fullmatch(r"[!-~]+", text) or not re.fullmatch(r"[\w.-]+|[\da-f:.]+", host, re.ASCII):
        raise SettingsError(f"{name}: must be an address such as {_PROPERTIES[name]['default']}")
    if parts.scheme not in {"http", "https"}:
        raise SettingsError(f"{name}: must begin with https://")
    if "@" in parts.netloc:
        raise SettingsError(f"{name}: must not hold a user name or password")
    if "?" in text or "#" in text:
        raise SettingsError(f"{name}: must end with the domain or a path, without ? or #")
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(f"{name}: must begin with https:// (http:// is for loopback only)")
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _choice(name: str, value: object) -> str:
    schema = _PROPERTIES[name]
    if value not in schema["enum"]:
        raise SettingsError(f"{name}: must be {_choices(schema)}, not {reprlib.repr(value)}")
    return str(value)


def _date(name: str, value: object) -> date:
    try:
        return plan.parse_date(value)
    except ValueError:
        raise SettingsError(
            f"{name}: must be a date that exists, such as 2026-11-01, not {reprlib.repr(value)}"
        ) from None


def _zone(name: str, value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(name, value))
    except (KeyError, ValueError, OSError):  # not found, not a name at all, a directory
        raise SettingsError(
            f"{name}: must be an IANA name such as Asia/Kolkata, not {reprlib.repr(value)}"
        ) from None


def _number(name: str, value: Any, kind: str = "number of seconds") -> float:  # noqa: ANN401  float() is the judge
    schema = _PROPERTIES[name]
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not schema["minimum"] <= number <= schema["maximum"] or (
        "integer" in schema["type"] and not number.is_integer()
    ):
        limits = f"from {schema['minimum']} to {schema['maximum']}"
        raise SettingsError(f"{name}: must be a {kind} {limits}, not {reprlib.repr(value)}")
    return number


def _whole_number(name: str, value: object) -> int:
    return int(_number(name, value, "whole number"))


def _boolean(name: str, value: object) -> bool:
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise SettingsError(f"{name}: must be true or false, not {reprlib.repr(value)}")
    return text == "true"


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "user_name": _one_line,
    "api_key": _header,
    "api_url": _url,
    "auth_method": _choice,
    "start_date": _date,
    "end_date": _date,
    "timezone": _zone,
    "lookback_days": _whole_number,
    "settling_hours": _whole_number,
    "retention_days": _whole_number,
    "on_gap": _choice,
    **dict.fromkeys(_FILTERS, _text),
    "rate_limit_requests": _whole_number,
    "rate_limit_period": _number,
    "request_timeout": _number,
    "retry_timeout": _number,
    "include_account": _boolean,
    "user_agent": _header,
}


def _impossible_dates(values: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Say what is wrong with dates that exist; what is wrong by itself is not in ``values``."""
    start, end, zone = (values.get(name) for name in ("start_date", "end_date", "timezone"))
    if start and zone and start > (today := now.astimezone(zone).date()):
        yield f"start_date: must not be after today ({today} in {zone.key}), not {start}"
    if start and end and end < start:
        yield f"end_date: must not be before start_date ({start}), not {end}"


def _kinds(schema: Mapping[str, Any]) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return "of type " + " or ".join(kind for kind in kinds if kind != "null")


def _choices(schema: Mapping[str, Any]) -> str:
    *others, last = map(str, schema["enum"])
    return f"{', '.join(others)} or {last}"
