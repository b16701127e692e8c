"""The command line of ``ozonetel-sandbox probe``."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ozonetel_sandbox.probe import WARNING, Probe
from ozonetel_sandbox.probe_account import Clock, Target
from ozonetel_sandbox.probe_visit import Options
from ozonetel_sandbox.probe_ways import NoWayInError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "TAP_OZONETEL_CDR_"
_EPILOG = f"""\
The account is taken from the environment, as the tap takes it, and never from an argument:
  {_PREFIX}USER_NAME, {_PREFIX}API_KEY   required
  {_PREFIX}API_URL     default: https://in1-ccaas-api.ozonetel.com
  {_PREFIX}TIMEZONE    default: Asia/Kolkata

The table goes to stdout, a line about each request to stderr. Run it a second time a day later, in
the same folder: it then compares keys with those of the first run. To try it without an account:
ozonetel-sandbox run -- ozonetel-sandbox probe --yes"""

#: Requests for records that a run needs, those at the end that wait for the limit included.
_REQUESTS, _MINUTES_OF_LIMIT = 20, 2


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``ozonetel-sandbox``."""
    parser = actions.add_parser(
        "probe",
        help="ask a real account what nobody could check here",
        description="Asks the real API, slowly, what docs/api.md marks [open] or [field], and "
        "prints a table: the fact, what we take for granted, what was seen. Forms only.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--yes", action="store_true", help="do not ask before the first request")
    add(
        "--keys",
        type=Path,
        default=Path("ozonetel-probe.json"),
        metavar="FILE",
        help="hashes of keys, left for a second run (default: %(default)s)",
    )
    add("--wrong-keys", action="store_true", help="also try a wrong key and a wrong account")
    add(
        "--tokens",
        action="store_true",
        help="also wait for a token to end, then use up the account's ten tokens of an hour: more "
        "than two hours, in which other clients get none",
    )


def run(options: argparse.Namespace, *, clock: Clock | None = None) -> int:
    """Ask, once somebody has agreed, and print the table.

    Returns:
        The exit code: 0, or 1 where nothing lets in or nobody agrees.

    Raises:
        ValueError: A variable of the environment or the file of keys cannot be used.
        OSError: The file of keys cannot be written.
    """
    target = target_from(os.environ)
    chosen = Options(options.keys, wrong_keys=options.wrong_keys, tokens=options.tokens)
    probe = Probe(target, chosen, clock=clock or Clock(), say=_say)
    _say(warning(target, chosen))
    if not options.yes and not _agreed():
        _say("Nothing was asked.")
        return 1
    try:
        probe.run()
    except NoWayInError as error:
        _say(f"ozonetel-sandbox probe: {error}")
        return 1
    finally:
        if probe.facts:
            sys.stdout.write(f"{probe}\n")
    return 0


def warning(target: Target, options: Options) -> str:
    """Return what has to be said before the first request."""
    minutes = _REQUESTS / target.requests * target.period / 60 + _MINUTES_OF_LIMIT
    return WARNING.format(
        minutes="more than two hours" if options.tokens else f"about {minutes:.0f} minutes",
        tokens="all ten tokens that the account has an hour" if options.tokens else "two tokens",
        limit=f"{target.requests} requests in {target.period:g} s",
        wrong="tries wrong keys and a wrong account (--wrong-keys)."
        if options.wrong_keys
        else "tries no wrong keys (--wrong-keys would).",
        keys=options.keys,
    )


def target_from(environment: Mapping[str, str]) -> Target:
    """Return whom the environment names.

    Raises:
        ValueError: What is needed is missing, or cannot be.
    """

    def setting(name: str, default: str = "") -> str:
        return environment.get(_PREFIX + name) or default

    for name in ("USER_NAME", "API_KEY"):
        if not setting(name):
            raise ValueError(f"{_PREFIX}{name} has to be set")
    url = setting("API_URL", "https://in1-ccaas-api.ozonetel.com").rstrip("/")
    if "://" not in url:
        url = f"https://{url}"
    if not (url.startswith("https://") or (url.startswith("http://") and _is_loopback(url))):
        raise ValueError(f"{_PREFIX}API_URL has to begin with https://")
    try:
        zone = ZoneInfo(setting("TIMEZONE", "Asia/Kolkata"))
        requests = int(setting("RATE_LIMIT_REQUESTS", "2"))
        period = float(setting("RATE_LIMIT_PERIOD", "60"))
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(f"{_PREFIX}TIMEZONE or {_PREFIX}RATE_LIMIT_... cannot be used") from None
    if requests < 1 or period <= 0:
        raise ValueError(f"{_PREFIX}RATE_LIMIT_... has to be above 0")
    return Target(url, setting("USER_NAME"), setting("API_KEY"), zone, requests, period)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _agreed() -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        _say("Nobody is at a terminal to agree: --yes agrees.")
        return False
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
