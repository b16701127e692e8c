"""The command ``ozonetel-sandbox``: serve the API, or run a command against it."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ozonetel_sandbox import probe_command
from ozonetel_sandbox.faults import FAULTS, parse
from ozonetel_sandbox.responses import said
from ozonetel_sandbox.sandbox import Sandbox
from ozonetel_sandbox.settings import CHOICES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

#: Where the facts come from.
MEASURED = (
    "Measured in one account in India, in early 2026, in 37,279 records, and imitated by default:",
    "- The two spellings of the current day and of past days, and the 46 fields of both.",
    "- Records as events of calls: their kinds, sequences and shares; which fields each kind has.",
    "- Durations that agree, and their blanks; pick-ups that are none; ids with their time.",
    "- Calls under way, records three seconds after the end, wrap-up and notes that come later.",
    "- Agents who get other names, in old records too. How many and when is made up.",
    "From the vendor's pages: limits, retention, refusals, generateToken. From people who run an",
    "integration: the key's header is let in everywhere, and an old day is empty, not an error.",
    "Made up: names, numbers, campaigns, dispositions, how long things take (measured on average),",
    "remarks beyond ASCII, and the HTTP status of every refusal.",
    "Telephone numbers belong to nobody: India has no range for fiction, so these begin with 0,",
    "as no Indian number does: +910555...",
    "Open, and so an option: --settling, --edge, --too-old, --future-to-date, --token-delay,",
    "--limit-words, --limit-bears-token, --count-refused, the --...-status options.",
)

#: What a client must not learn from the sandbox.
NOT_IMITATED = (
    "It serves plain HTTP on 127.0.0.1: no TLS, no certificates, no host names.",
    "It has the CDR details and the token endpoints, and no other of the vendor's.",
    "The order of the checks is not known; here it is JSON, credentials, limit, dates, campaign.",
    "The envelope around generateToken's refusals is not known; here it is the limit's.",
    "How a current day spells Progressive calls, changes of skill and dials out was never seen.",
    "The minute of the limit slides here; the vendor's may begin on the clock.",
    "All records of a call start on one day; the vendor's may go on after midnight.",
    "Calls know nothing of each other: an agent may be in two at once.",
    "Speed: it responds as fast as it can, unless a fault says otherwise.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    own, command = _split(sys.argv[1:] if arguments is None else list(arguments))
    parser = _parser()
    options = parser.parse_args(own)
    if (options.action == "run") != bool(command):
        parser.error(f"run takes a command after --, {options.action} takes none")
    if options.action == "probe":
        try:
            return probe_command.run(options)
        except (ValueError, OSError) as error:
            parser.error(str(error))
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
    try:
        sandbox = _sandbox(options)
        sandbox.start()
    except (ValueError, OverflowError, OSError) as error:
        parser.error(str(error))
    try:
        return _run(sandbox, command) if command else _serve(sandbox)
    finally:
        sandbox.close()


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before the first ``--`` and after it."""
    if "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    limits = "\n".join(
        (
            "What is true and what is made up:",
            *MEASURED,
            "",
            "It does not imitate everything:",
            *(f"- {line}" for line in NOT_IMITATED),
        )
    )
    faults = "faults:\n" + "\n".join(_fault_help())
    options = argparse.ArgumentParser(add_help=False)
    add_options(options)
    parser = argparse.ArgumentParser(
        prog="ozonetel-sandbox",
        description="The Ozonetel CDR API on loopback, with made-up calls: no account needed.",
        epilog=limits,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="serve|run|probe")
    for action, usage, what in (
        ("serve", "%(prog)s [options]", "serve until interrupted"),
        ("run", "%(prog)s [options] -- COMMAND ...", "run a command against it, then stop"),
    ):
        actions.add_parser(
            action,
            usage=usage,
            help=what,
            description=f"{what.capitalize()}.",
            parents=[options],
            epilog=f"{faults}\n\n{limits}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    probe_command.add_to(actions)
    return parser


def _fault_help() -> list[str]:
    lines = []
    for fault in FAULTS.values():
        name = f"{fault.name}[:...]" if fault.argument else fault.name
        meaning = fault.meaning.replace("`", "")
        default = f" Default: {fault.default}." if fault.default else ""
        takes = f" Takes {fault.argument}.{default}" if fault.argument else ""
        lines.append(f"  {name:<32} {meaning}{takes}")
    return lines


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``serve`` and ``run`` share. A default of None leaves the sandbox's own."""
    _add_accounts(parser)
    _add_records(parser.add_argument_group("records"))
    _add_times(parser.add_argument_group("what changes with the time (hours after midnight)"))
    _add_limits(parser.add_argument_group("getting in, and limits"))
    add = parser.add_argument_group("the rest").add_argument
    add(
        "--fault",
        dest="faults",
        action="append",
        type=_fault,
        metavar="NAME[:ARGUMENT]",
        help='what the next request meets; repeat for the ones after it; "ok" for none',
    )
    add("--port", type=int, help="port on 127.0.0.1 (default: a free one)")
    add("--quiet", action="store_true", help="do not log each request on stderr")


def _add_accounts(parser: argparse.ArgumentParser) -> None:
    accounts = parser.add_mutually_exclusive_group()
    accounts.add_argument("--accounts", type=int, metavar="N", help="demo accounts (default: 1)")
    accounts.add_argument(
        "--account",
        dest="named",
        action="append",
        type=_account,
        metavar="NAME:KEY",
        help="an account of your own; may be repeated, also with a second key for the same name",
    )
    parser.add_argument(
        "--timezone", type=_zone, metavar="NAME", help="of the accounts (default: Asia/Kolkata)"
    )


def _add_records(parser: argparse._ArgumentGroup) -> None:
    add = parser.add_argument
    add(
        "--records-per-day",
        type=_count,
        metavar="N",
        help="about this many on a working day, half of it on Saturdays, a tenth on Sundays "
        "(default: 200)",
    )
    add("--exact", action="store_true", help="exactly this many, on every day")
    add("--seed", type=int, metavar="N", help="another seed makes other calls (default: 1)")
    _add_choice(
        parser,
        "remarks",
        "remarks and names: rich (the default) has quotes, braces and other scripts, plain is "
        "ASCII, as measured",
    )
    add(
        "--extras",
        action="store_true",
        help="add ratings, holds, conferences and nulls, which the measured account did not have",
    )
    add(
        "--dial-count",
        action="store_true",
        help="add the field DialCount, which came to other accounts later",
    )
    _add_choice(
        parser,
        "current_kinds",
        "what a current day lists: measured (the default) is without Progressive calls, changes "
        "of skill and dials out, which come when the spelling changes; all has them",
    )
    add(
        "--no-renaming",
        dest="renaming",
        action="store_false",
        default=None,
        help="agents keep their names (otherwise each gets another one every seven days)",
    )


def _add_times(parser: argparse._ArgumentGroup) -> None:
    add = parser.add_argument
    add(
        "--switch-hour",
        type=_hour,
        metavar="HOUR",
        help="when a finished day takes on the spelling of past days (default: 0, at midnight; "
        "measured: some time until 9.5)",
    )
    _add_choice(
        parser,
        "settling",
        "what a finished day has until the settling hour (default: whole)",
    )
    add("--settling-hour", type=_hour, metavar="HOUR", help="default: 3")
    add(
        "--too-old",
        type=_words,
        metavar="WORDS",
        help="days older than 15 days: empty (the default), or the words of a refusal, "
        "MESSAGE or STATUS:MESSAGE",
    )
    add(
        "--edge",
        type=_words,
        metavar="WORDS",
        help="the 15th day back: whole (the default), empty, partial, or the words of a refusal",
    )
    _add_choice(parser, "future_to_date", "a toDate later than now today (default: refused)")


def _add_limits(parser: argparse._ArgumentGroup) -> None:
    add = parser.add_argument
    add(
        "--auth",
        "--auth-method",
        dest="auth_method",
        choices=CHOICES["auth_method"],
        help="what the account takes: the key's header alone (the default), a Bearer token alone, "
        "or either",
    )
    _add_choice(
        parser,
        "token_form",
        "generateToken's success: with an empty message (the default), the token alone, or all "
        "of it within a JSON string",
    )
    add("--token-lifetime", type=_positive, metavar="SECONDS", help="default: 3600")
    add("--tokens-per-hour", type=_count, metavar="N", help="default: 10")
    add(
        "--token-delay",
        type=_positive,
        metavar="SECONDS",
        help="how long a new token is refused (default: not at all)",
    )
    add(
        "--token-delay-words",
        type=_words,
        metavar="WORDS",
        help="the words of that refusal (default: 401:Token Expired)",
    )
    add(
        "--rate-limit",
        type=_rate_limit,
        metavar="N/SECONDS",
        help="requests for records of an account, whatever its key (default: 2/60)",
    )
    add(
        "--count-refused",
        action="store_true",
        help="let requests refused for the limit count against it",
    )
    add(
        "--limit-words",
        type=_words,
        metavar="WORDS",
        help="the limit's refusal (default: API rate limit has been exceeded)",
    )
    add(
        "--limit-bears-token",
        action="store_true",
        help="put a token beside the limit's refusal under HTTP 200",
    )
    add(
        "--largest-span",
        type=_positive,
        metavar="MINUTES",
        help="no request for a longer span gets a response in time",
    )
    add(
        "--too-large",
        type=_fault,
        metavar="FAULT",
        help="what such a request meets instead (default: http_504)",
    )
    for group, default in (("request", 200), ("credentials", 401), ("limit", 200)):
        add(
            f"--{group}-status",
            type=int,
            metavar="CODE",
            help=f"HTTP status of refusals for the {group} (default: {default})",
        )


def _add_choice(parser: argparse._ArgumentGroup, name: str, text: str) -> None:
    parser.add_argument(f"--{name.replace('_', '-')}", choices=CHOICES[name], help=text)


def _sandbox(options: argparse.Namespace) -> Sandbox:
    chosen = {
        name: value
        for name, value in vars(options).items()
        if value is not None and name not in {"action", "named", "exact", "quiet"}
    }
    if options.named:
        keys: dict[str, list[str]] = {}
        for name, key in options.named:
            keys.setdefault(name, []).append(key)
        chosen["accounts"] = keys
    if options.exact:
        exactly = options.records_per_day if options.records_per_day is not None else 200
        chosen["records_per_day"] = lambda _: exactly
    if not options.quiet:
        chosen["log"] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: T201 - a log
    return Sandbox(**chosen)


def _serve(sandbox: Sandbox) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    write = sys.stdout.write
    write("The Ozonetel CDR API, with made-up calls. Ctrl-C stops it. To point the tap at it:\n\n")
    for user_name in sandbox.credentials:
        for name, value in sandbox.environment(user_name).items():
            write(f"export {name}={value}\n")
        write("\n")
    sys.stdout.flush()
    stop.wait()
    return 0


def _run(sandbox: Sandbox, command: list[str]) -> int:
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and sys.stdin and sys.stdin.isatty():
            return  # Typed at the terminal, which has told the command as well.
        if process:
            process.send_signal(number)
        else:
            early.append(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command, env={**os.environ, **sandbox.environment()}
        )
    except OSError as error:
        sys.stderr.write(f"ozonetel-sandbox: {command[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126
    for number in early:
        process.send_signal(number)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _account(text: str) -> tuple[str, str]:
    name, separator, key = text.partition(":")
    if not (name and separator and key):
        raise argparse.ArgumentTypeError("an account is NAME:KEY")
    return name, key


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _rate_limit(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    try:
        limit = int(requests), _positive(seconds)
    except (ValueError, argparse.ArgumentTypeError):
        limit = 0, 0
    if limit[0] <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not N/SECONDS, such as 2/60")
    return limit


def _positive(text: str) -> float:
    try:
        number = int(text) if text.isdecimal() else float(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _hour(text: str) -> float:
    try:
        hour = float(text)
    except ValueError:
        hour = -1
    if not 0 <= hour <= _HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not an hour from 0 to {_HOURS}")
    return hour


_HOURS = 24


def _words(text: str) -> str:
    try:
        said(text, HTTPStatus.OK)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise argparse.ArgumentTypeError(f"there is no time zone {text!r}") from None
    return text


def _fault(text: str) -> str:
    if text != "ok":
        try:
            parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return text
