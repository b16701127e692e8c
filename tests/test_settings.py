from __future__ import annotations

import copy
import os
from datetime import date, datetime, timezone
from decimal import Decimal
from importlib import metadata
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from singer_sdk import Tap

from tap_ozonetel_cdr.errors import SettingsError
from tap_ozonetel_cdr.settings import (
    CONFIG_JSONSCHEMA,
    Settings,
    check_log_level,
    from_environment,
    includes_account,
    parsed,
    problems,
)

KEY = "KK0123456789abcdef"
NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
REQUIRED: dict[str, Any] = {"user_name": "demo", "api_key": KEY}

DEFAULTS: dict[str, Any] = {
    "user_name": "demo",
    "api_key": KEY,
    "api_url": "https://in1-ccaas-api.ozonetel.com",
    "auth_method": "auto",
    "start_date": None,
    "end_date": None,
    "timezone": ZoneInfo("Asia/Kolkata"),
    "lookback_days": 1,
    "settling_hours": 4,
    "retention_days": 15,
    "on_gap": "warn",
    "filters": {},
    "rate_limit_requests": 2,
    "rate_limit_period": 60,
    "request_timeout": 300,
    "retry_timeout": 900,
    "include_account": False,
    "user_agent": f"tap-ozonetel-cdr/{metadata.version('tap-ozonetel-cdr')}",
}


def schema_of_the_sdk() -> dict[str, Any]:
    """Return the schema as the SDK makes it: ours and its own settings."""
    schema = copy.deepcopy(CONFIG_JSONSCHEMA)
    Tap.append_builtin_config(schema)
    return schema


def line(config: dict[str, Any], now: datetime = NOW) -> str:
    """Return the line that refuses a configuration."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_config(config, now=now)
    return refused.value.line


def values(settings: Settings) -> dict[str, Any]:
    """Return the settings by name."""
    return {name: getattr(settings, name) for name in DEFAULTS}


def test_account_and_key_are_enough() -> None:
    """Account and key are enough; two requests in 60 s are what an account may make."""
    settings = Settings.from_config(REQUIRED, now=NOW)
    assert values(settings) == DEFAULTS
    assert (settings.rate_limit_requests, settings.rate_limit_period) == (2, 60)


@pytest.mark.parametrize("blank", [None, "", "  ", "\t\n"], ids=["null", "empty", "spaces", "tab"])
def test_blank_is_not_set(blank: str | None) -> None:
    """A setting that is null or blank counts as not set, whatever its type."""
    optional = [name for name in CONFIG_JSONSCHEMA["properties"] if name not in REQUIRED]
    config = {**dict.fromkeys(optional, blank), **REQUIRED}
    assert values(Settings.from_config(config, now=NOW)) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("user_name", "डेमो account", "डेमो account"),
        ("user_name", 12345, "12345"),
        ("api_key", 31733467784618213, "31733467784618213"),
        ("api_key", "a b~!", "a b~!"),
        ("api_url", "api.ccaas.ozonetel.com", "https://api.ccaas.ozonetel.com"),
        ("api_url", "api.ccaas.ozonetel.com:8443/", "https://api.ccaas.ozonetel.com:8443"),
        ("api_url", "HTTPS://API.Partner.example/CDR//", "https://api.partner.example/CDR"),
        ("api_url", "https://partner.example:0443", "https://partner.example:443"),
        ("api_url", "http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("api_url", "http://localhost", "http://localhost"),
        ("api_url", "http://[::1]:8080", "http://[::1]:8080"),
        ("api_url", "https://[2001:DB8::1]/x/", "https://[2001:db8::1]/x"),
        ("auth_method", "api_key", "api_key"),
        ("start_date", "2026-11-01", date(2026, 11, 1)),
        ("start_date", "2026-11-01T23:30:00-11:00", date(2026, 11, 1)),
        ("start_date", "2026-11-01 00:00:00+05:30", date(2026, 11, 1)),
        ("start_date", date(2026, 11, 1), date(2026, 11, 1)),
        ("start_date", datetime(2026, 11, 1, 23, tzinfo=timezone.utc), date(2026, 11, 1)),
        ("end_date", "2026-11-01T00:00:00Z", date(2026, 11, 1)),
        ("end_date", "2030-01-01", date(2030, 1, 1)),
        ("timezone", "Pacific/Kiritimati", ZoneInfo("Pacific/Kiritimati")),
        ("lookback_days", 0, 0),
        ("lookback_days", "2", 2),
        ("lookback_days", 3.0, 3),
        ("retention_days", 16, 16),
        ("retention_days", "3650", 3650),
        ("on_gap", "fail", "fail"),
        ("rate_limit_requests", Decimal("4.0"), 4),
        ("rate_limit_period", "0.5", 0.5),
        ("rate_limit_period", Decimal("0.25"), 0.25),
        ("request_timeout", 86400, 86400),
        ("retry_timeout", 1.5, 1.5),
        ("include_account", True, True),
        ("include_account", "true", True),
        ("include_account", "True", True),
        ("include_account", "false", False),
        ("user_agent", "reports/2 (team@example.com)", "reports/2 (team@example.com)"),
    ],
    ids=repr,
)
def test_right_values_are_read_in_any_form(name: str, value: object, expected: object) -> None:
    """A value may come as its own type, as the text of a variable, or as YAML reads it."""
    settings = Settings.from_config({**REQUIRED, name: value}, now=NOW)
    assert values(settings) == {**DEFAULTS, name: expected}
    assert type(getattr(settings, name)) in {type(expected), float}


def test_whole_numbers_are_integers() -> None:
    """A count is an integer also where a variable or a decimal point gave it."""
    given_as = {"lookback_days": "2", "retention_days": 15.0, "rate_limit_requests": Decimal(4)}
    settings = Settings.from_config({**REQUIRED, **given_as}, now=NOW)
    counts = [settings.lookback_days, settings.retention_days, settings.rate_limit_requests]
    assert [(count, type(count)) for count in counts] == [(2, int), (15, int), (4, int)]


def test_filters_go_by_the_apis_names() -> None:
    """Filters that are set go by the API's own names; ids keep all their 17 digits."""
    config = {
        **REQUIRED,
        "campaign_name": " Sales ",
        "call_type": "Progressive",
        "status": "NotAnswered",
        "ucid": 31733467784618213,
        "monitor_ucid": "31733467784618214",
    }
    filters = Settings.from_config(config, now=NOW).filters
    assert filters == {
        "campaignName": " Sales ",
        "callType": "Progressive",
        "status": "NotAnswered",
        "ucid": "31733467784618213",
        "monitorUCID": "31733467784618214",
    }
    assert Settings.from_config({**config, "status": ""}, now=NOW).filters.keys() == {
        "campaignName",
        "callType",
        "ucid",
        "monitorUCID",
    }


MUST_BE_ADDRESS = "api_url: must be an address such as https://in1-ccaas-api.ozonetel.com"
MUST_BE_TEXT = "must be text (in quotes where it looks like something else)"
MUST_BE_LINE = "user_name: must be one line of text without spaces around it"
MUST_BE_KEY = (
    "api_key: must be one line of ASCII letters, digits and signs, without spaces around it"
)
MUST_BE_LOOKBACK = "lookback_days: must be a whole number from 0 to 3650, not"
MUST_BE_PERIOD = "rate_limit_period: must be a number of seconds from 0.001 to 86400, not"
MUST_BE_DATE = "start_date: must be a date that exists, such as 2026-11-01, not"
MUST_BE_ZONE = "timezone: must be an IANA name such as Asia/Kolkata, not"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("user_name", None, "user_name: is required (Name of the CloudAgent account)"),
        ("user_name", " ", "user_name: is required (Name of the CloudAgent account)"),
        ("user_name", "demo\n", MUST_BE_LINE),
        ("user_name", "de\nmo", MUST_BE_LINE),
        ("user_name", 1.5, f"user_name: {MUST_BE_TEXT}"),
        ("user_name", True, f"user_name: {MUST_BE_TEXT}"),
        ("user_name", ["demo"], f"user_name: {MUST_BE_TEXT}"),
        (
            "api_key",
            None,
            "api_key: is required (API key from the account's administration page)",
        ),
        ("api_key", f"{KEY}\n", MUST_BE_KEY),
        ("api_key", f"{KEY[:9]}\r\nX-Evil: {KEY[9:]}", MUST_BE_KEY),
        ("api_key", f" {KEY}", MUST_BE_KEY),
        ("api_key", f"{KEY}é", MUST_BE_KEY),
        ("api_key", f"{KEY}कुंजी", MUST_BE_KEY),
        ("api_key", f"{KEY}\0", MUST_BE_KEY),
        ("api_key", {"key": KEY}, f"api_key: {MUST_BE_TEXT}"),
        ("api_key", Decimal("12E+5"), f"api_key: {MUST_BE_TEXT}"),
        ("api_url", "ftp://host", "api_url: must begin with https://"),
        ("api_url", "mailto:x", MUST_BE_ADDRESS),
        ("api_url", "https://", MUST_BE_ADDRESS),
        ("api_url", "//host", MUST_BE_ADDRESS),
        ("api_url", "https://host name", MUST_BE_ADDRESS),
        ("api_url", "https://host\n.example", MUST_BE_ADDRESS),
        ("api_url", "https://höst.example", MUST_BE_ADDRESS),
        ("api_url", "https://host\\.example", MUST_BE_ADDRESS),
        ("api_url", "https://host:99999", MUST_BE_ADDRESS),
        ("api_url", "https://[::1", MUST_BE_ADDRESS),
        ("api_url", 5, MUST_BE_ADDRESS),
        ("api_url", True, MUST_BE_ADDRESS),
        (
            "api_url",
            f"https://demo:{KEY}@host",
            "api_url: must not hold a user name or password",
        ),
        ("api_url", f"{KEY}@host", "api_url: must not hold a user name or password"),
        (
            "api_url",
            f"https://host/?apiKey={KEY}",
            "api_url: must end with the domain or a path, without ? or #",
        ),
        ("api_url", "https://host?", "api_url: must end with the domain or a path, without ? or #"),
        (
            "api_url",
            "https://host#a",
            "api_url: must end with the domain or a path, without ? or #",
        ),
        (
            "api_url",
            "http://in1-ccaas-api.ozonetel.com",
            "api_url: must begin with https:// (http:// is for loopback only)",
        ),
        (
            "api_url",
            "http://localhost.evil.example",
            "api_url: must begin with https:// (http:// is for loopback only)",
        ),
        (
            "api_url",
            "http://192.168.0.1",
            "api_url: must begin with https:// (http:// is for loopback only)",
        ),
        ("auth_method", "basic", "auth_method: must be auto, token or api_key, not 'basic'"),
        ("auth_method", "Token", "auth_method: must be auto, token or api_key, not 'Token'"),
        ("auth_method", [], "auth_method: must be auto, token or api_key, not []"),
        ("start_date", "2026-02-30", f"{MUST_BE_DATE} '2026-02-30'"),
        ("start_date", "01/11/2026", f"{MUST_BE_DATE} '01/11/2026'"),
        ("start_date", "yesterday", f"{MUST_BE_DATE} 'yesterday'"),
        ("start_date", 20261101, f"{MUST_BE_DATE} 20261101"),
        ("start_date", "2026-11-01\n", f"{MUST_BE_DATE} '2026-11-01\\n'"),
        ("start_date", "9" * 999, f"{MUST_BE_DATE} '{'9' * 12}...{'9' * 13}'"),
        (
            "start_date",
            "2026-11-24",
            "start_date: must not be after today (2026-11-23 in Asia/Kolkata), not 2026-11-24",
        ),
        (
            "end_date",
            "2026-06-31",
            "end_date: must be a date that exists, such as 2026-11-01, not '2026-06-31'",
        ),
        ("timezone", "Asia/Colcata", f"{MUST_BE_ZONE} 'Asia/Colcata'"),
        ("timezone", "Asia", f"{MUST_BE_ZONE} 'Asia'"),
        ("timezone", "/etc/passwd", f"{MUST_BE_ZONE} '/etc/passwd'"),
        ("timezone", "../UTC", f"{MUST_BE_ZONE} '../UTC'"),
        ("timezone", "+05:30", f"{MUST_BE_ZONE} '+05:30'"),
        ("timezone", "UTC\0", f"{MUST_BE_ZONE} 'UTC\\x00'"),
        ("timezone", Decimal("5.5"), f"timezone: {MUST_BE_TEXT}"),
        ("lookback_days", -1, f"{MUST_BE_LOOKBACK} -1"),
        ("lookback_days", "-1", f"{MUST_BE_LOOKBACK} '-1'"),
        ("lookback_days", 1.5, f"{MUST_BE_LOOKBACK} 1.5"),
        ("lookback_days", Decimal("1.5"), f"{MUST_BE_LOOKBACK} 1.5"),
        ("lookback_days", "two", f"{MUST_BE_LOOKBACK} 'two'"),
        ("lookback_days", True, f"{MUST_BE_LOOKBACK} True"),
        ("lookback_days", 3651, f"{MUST_BE_LOOKBACK} 3651"),
        ("lookback_days", 10**400, f"{MUST_BE_LOOKBACK} {'1' + '0' * 17}...{'0' * 19}"),
        ("lookback_days", {}, f"{MUST_BE_LOOKBACK} {{}}"),
        (
            "retention_days",
            0,
            "retention_days: must be a whole number from 1 to 3650, not 0",
        ),
        ("on_gap", "stop", "on_gap: must be warn or fail, not 'stop'"),
        ("campaign_name", True, f"campaign_name: {MUST_BE_TEXT}"),
        ("call_type", ["a"], f"call_type: {MUST_BE_TEXT}"),
        ("status", {}, f"status: {MUST_BE_TEXT}"),
        ("ucid", 3.1733467784618212e16, f"ucid: {MUST_BE_TEXT}"),
        ("monitor_ucid", Decimal("1.5"), f"monitor_ucid: {MUST_BE_TEXT}"),
        (
            "rate_limit_requests",
            0,
            "rate_limit_requests: must be a whole number from 1 to 1000000, not 0",
        ),
        ("rate_limit_period", 0, f"{MUST_BE_PERIOD} 0"),
        ("rate_limit_period", -60, f"{MUST_BE_PERIOD} -60"),
        ("rate_limit_period", float("nan"), f"{MUST_BE_PERIOD} nan"),
        ("rate_limit_period", float("inf"), f"{MUST_BE_PERIOD} inf"),
        ("rate_limit_period", "nan", f"{MUST_BE_PERIOD} 'nan'"),
        ("rate_limit_period", Decimal("1E+400"), f"{MUST_BE_PERIOD} inf"),
        ("rate_limit_period", "60 s", f"{MUST_BE_PERIOD} '60 s'"),
        (
            "request_timeout",
            False,
            "request_timeout: must be a number of seconds from 0.001 to 86400, not False",
        ),
        (
            "retry_timeout",
            86401,
            "retry_timeout: must be a number of seconds from 0.001 to 86400, not 86401",
        ),
        ("include_account", "maybe", "include_account: must be true or false, not 'maybe'"),
        ("include_account", 1, "include_account: must be true or false, not 1"),
        (
            "user_agent",
            "a\r\nX-Evil: b",
            MUST_BE_KEY.replace("api_key", "user_agent"),
        ),
    ],
)
def test_a_wrong_value_is_one_line(name: str, value: object, expected: str) -> None:
    """A wrong value is refused in one line that names the setting and says what is right."""
    actual = line({**REQUIRED, name: value})
    assert actual == expected
    assert KEY not in actual


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(
            {},
            "user_name: is required (Name of the CloudAgent account); "
            "api_key: is required (API key from the account's administration page)",
            id="nothing set",
        ),
        pytest.param(
            {**REQUIRED, "timezone": "Moon", "lookback_days": -1, "start_date": "2026-12-01"},
            f"{MUST_BE_ZONE} 'Moon'; {MUST_BE_LOOKBACK} -1",
            id="a future start is not judged without a zone",
        ),
        pytest.param(
            {**REQUIRED, "start_date": "2026-11-10", "end_date": "2026-11-09"},
            "end_date: must not be before start_date (2026-11-10), not 2026-11-09",
            id="the end before the start",
        ),
        pytest.param(
            {**REQUIRED, "start_date": "2026-11-25", "end_date": "2026-11-24"},
            "start_date: must not be after today (2026-11-23 in Asia/Kolkata), not 2026-11-25; "
            "end_date: must not be before start_date (2026-11-25), not 2026-11-24",
            id="both",
        ),
    ],
)
def test_several_problems_are_said_at_once(config: dict[str, Any], expected: str) -> None:
    """Everything that is wrong is said at once, in one line."""
    assert line(config) == expected


def test_today_is_the_accounts() -> None:
    """A start is in the future by the date of the account's zone, not by that of the machine."""
    start = {**REQUIRED, "start_date": "2026-11-24"}
    ahead = Settings.from_config({**start, "timezone": "Pacific/Kiritimati"}, now=NOW)
    assert ahead.start_date == date(2026, 11, 24)
    assert line({**start, "timezone": "Pacific/Pago_Pago"}) == (
        "start_date: must not be after today (2026-11-23 in Pacific/Pago_Pago), not 2026-11-24"
    )


def test_secrets_are_not_shown() -> None:
    """The object's own text leaves the key out."""
    shown = repr(Settings.from_config(REQUIRED, now=NOW))
    assert "user_name='demo'" in shown
    assert KEY not in shown


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text()
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@hypothesis_settings(deadline=None, max_examples=100)
@given(name=st.sampled_from(list(CONFIG_JSONSCHEMA["properties"])), value=anything)
def test_any_value_is_accepted_or_refused_in_one_line(name: str, value: object) -> None:
    """Whatever a setting holds, it is accepted, or refused in one line that names it."""
    refusal = f"{name}: "
    try:
        Settings.from_config({**REQUIRED, name: value}, now=NOW)
    except SettingsError as refused:
        refusal = refused.line
    assert refusal.startswith(f"{name}: ")
    assert refusal.isprintable()


def test_each_setting_is_described_and_only_the_key_is_secret() -> None:
    """Each setting has a title, a description and a type; only the key is a secret."""
    assert CONFIG_JSONSCHEMA["required"] == ["user_name", "api_key"]
    properties = CONFIG_JSONSCHEMA["properties"]
    assert list(properties) == [
        "user_name",
        "api_key",
        "api_url",
        "auth_method",
        "start_date",
        "end_date",
        "timezone",
        "lookback_days",
        "settling_hours",
        "retention_days",
        "on_gap",
        "campaign_name",
        "call_type",
        "status",
        "ucid",
        "monitor_ucid",
        "rate_limit_requests",
        "rate_limit_period",
        "request_timeout",
        "retry_timeout",
        "include_account",
        "user_agent",
    ]
    assert all(
        {"title", "description", "type"} <= setting.keys() for setting in properties.values()
    )
    secrets = {name for name, setting in properties.items() if setting.get("secret")}
    assert secrets == {"api_key"}
    assert properties["api_key"]["writeOnly"] is True
    assert properties["auth_method"]["enum"] == ["auto", "token", "api_key"]
    assert properties["on_gap"]["enum"] == ["warn", "fail"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, False),
        ({"include_account": ""}, False),
        ({"include_account": "true"}, True),
        ({"include_account": True, "api_key": None, "lookback_days": "wrong"}, True),
    ],
)
def test_include_account_is_read_without_the_others(config: dict[str, Any], expected: bool) -> None:
    """The one setting that shapes the catalog is read without the others."""
    assert includes_account(config) is expected


def test_include_account_is_not_guessed_at() -> None:
    """A catalog is not guessed at."""
    with pytest.raises(SettingsError, match=r"^include_account: must be true or false, not 'x'$"):
        includes_account({"include_account": "x"})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({}, [], id="nothing set"),
        pytest.param(
            {"stream_maps": {"cdr": {"CallerID": "md5(CallerID)", "E164": None}}},
            [],
            id="a stream map",
        ),
        pytest.param({"api_key": 5, "lookback_days": "x", "other": 5}, [], id="not of the SDK"),
        pytest.param(
            {"flattening_max_depth": KEY},
            ["flattening_max_depth: must be of type integer"],
            id="type",
        ),
        pytest.param({"stream_maps": KEY}, ["stream_maps: must be of type object"], id="object"),
        pytest.param(
            {"batch_config": {"encoding": {"format": "jsonl", "compression": KEY}}},
            ["batch_config.encoding.compression: must be gzip or none"],
            id="enum",
        ),
        pytest.param(
            {"stream_maps": {"cdr": [KEY]}, "flattening_enabled": KEY},
            [
                "stream_maps.cdr: does not have the form that `--about` describes",
                "flattening_enabled: must be of type boolean",
            ],
            id="several",
        ),
        pytest.param(
            {"stream_maps": {"__else__": KEY}},
            ["stream_maps: does not have the form that `--about` describes"],
            id="where the SDK's schema is none",
        ),
    ],
)
def test_the_sdks_settings_are_judged_without_quoting_values(
    config: dict[str, Any], expected: list[str]
) -> None:
    """The SDK's settings are judged by its schema, and no value is quoted."""
    assert problems(config, schema_of_the_sdk()) == expected


PREFIX = "TAP_OZONETEL_CDR_"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("LOOKBACK_DAYS", "two", {"lookback_days": "two"}),
        ("LOOKBACK_DAYS", "2", {"lookback_days": "2"}),
        ("INCLUDE_ACCOUNT", "maybe", {"include_account": "maybe"}),
        ("API_KEY", "0123", {"api_key": "0123"}),
        ("API_KEY", " ", {}),
        ("FLATTENING_MAX_DEPTH", "2", {"flattening_max_depth": 2}),
        ("FLATTENING_MAX_DEPTH", "", {}),
        ("FLATTENING_ENABLED", "True", {"flattening_enabled": True}),
        ("FLATTENING_SEPARATOR", "2", {"flattening_separator": "2"}),
        ("STREAM_MAPS", '{"cdr": {"E164": null}}', {"stream_maps": {"cdr": {"E164": None}}}),
        ("NO_SETTING", "1", {"no_setting": "1"}),
        ("LOGLEVEL", "DEBUG", {}),
        ("_CATALOG", "x", {}),
    ],
)
def test_the_environment_is_read_as_text(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: dict[str, Any]
) -> None:
    """Our settings stay the text they are, the SDK's own are parsed; blank ones do not come."""
    monkeypatch.setenv(PREFIX + name, text)
    schema = schema_of_the_sdk()
    assert parsed(from_environment(PREFIX, schema, os.environ), schema) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"flattening_enabled": "true"}, {"flattening_enabled": True}),
        ({"flattening_enabled": " FALSE "}, {"flattening_enabled": False}),
        ({"flattening_enabled": "yes"}, {"flattening_enabled": "yes"}),
        ({"flattening_max_depth": "3"}, {"flattening_max_depth": 3}),
        ({"stream_maps": f"{{{KEY}"}, {"stream_maps": f"{{{KEY}"}),
        ({"batch_config": " "}, {}),
        ({"include_account": "true"}, {"include_account": "true"}),
        ({"unknown": "1"}, {"unknown": "1"}),
    ],
    ids=str,
)
def test_text_of_the_sdks_settings(config: dict[str, Any], expected: dict[str, Any]) -> None:
    """Meltano hands booleans, numbers and objects over as text; what does not parse stays."""
    assert parsed(config, schema_of_the_sdk()) == expected


@pytest.mark.parametrize(
    ("environment", "refused"),
    [
        ({}, None),
        ({"LOGLEVEL": "debug"}, None),
        ({"LOGLEVEL": ""}, None),
        ({"LOGLEVEL": "loud"}, "LOGLEVEL"),
        ({"TAP_OZONETEL_CDR_LOGLEVEL": "loud", "LOGLEVEL": "INFO"}, "TAP_OZONETEL_CDR_LOGLEVEL"),
        ({"TAP_OZONETEL_CDR_LOGLEVEL": "INFO", "LOGLEVEL": "loud"}, None),
    ],
    ids=str,
)
def test_a_wrong_log_level_is_named(environment: dict[str, str], refused: str | None) -> None:
    """A variable without a level is named; one that another wins over is not looked at."""
    if refused is None:
        check_log_level(environment)
        return
    with pytest.raises(SettingsError, match=f"^{refused}: must be DEBUG, INFO, "):
        check_log_level(environment)
