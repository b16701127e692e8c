"""Whether keys stay the same: a file of hashes that nobody can turn back, and a second run.

The hashes are HMACs under the account's API key, which stands in no file. So the file says nothing
to whoever finds it, and a run with another key cannot compare.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import os
import secrets
from datetime import date
from typing import TYPE_CHECKING, Any

from ozonetel_sandbox.probe_facts import Fact, judged, learned, share
from ozonetel_sandbox.probe_records import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_VERSION = 1
#: Hex digits of a hash: enough for a day's keys, and for one name.
_KEY_DIGITS, _NAME_DIGITS = 20, 6


@dataclasses.dataclass(frozen=True)
class Kept:
    """A day as an earlier run read it."""

    day: date
    #: The spelling it had, and whether it was still the current day.
    spelling: str
    was_current: bool
    #: Each key's hash, and that of the agent's name beside it.
    hashes: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Hashes:
    """Hashes of an account's keys."""

    salt: str
    api_key: str = dataclasses.field(repr=False)

    def of(self, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the hash of each record's key, with one of the agent's name."""
        found = {}
        for record in records:
            key = f"{record.get('CallID')} {record.get('UCID')}"
            # With the key in it, one name has another hash in each record.
            name = f"{key} {record.get('AgentName') or ''}"
            found[self._hash(key)[:_KEY_DIGITS]] = self._hash(name)[:_NAME_DIGITS]
        return found

    @property
    def proof(self) -> str:
        """What tells whether two files were made under the same key."""
        return self._hash("proof")[:_KEY_DIGITS]

    def _hash(self, text: str) -> str:
        secret = f"{self.salt} {self.api_key}".encode()
        return hmac.new(secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def load(path: Path, api_key: str) -> tuple[Hashes, list[Kept]]:
    """Return what an earlier run left in a file; nothing where there is none.

    Raises:
        ValueError: It is no such file, or was made under another key.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Hashes(secrets.token_hex(16), api_key), []
    except (OSError, ValueError):
        raise ValueError(f"{path} cannot be read, or is no file of an earlier probe") from None
    try:
        if content["version"] != _VERSION:
            raise ValueError  # noqa: TRY301 - as for all that it is not
        hashes = Hashes(content["salt"], api_key)
        kept = [
            Kept(date.fromisoformat(one["day"]), one["spelling"], one["current"], one["hashes"])
            for one in content["days"]
        ]
        proof = content["proof"]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is no file of an earlier probe") from None
    if proof != hashes.proof:
        raise ValueError(f"{path} was made under another API key: name another file with --keys")
    return hashes, kept


def save(path: Path, hashes: Hashes, readings: Mapping[date, Sequence[Any]], now: datetime) -> None:
    """Write the days of this run for the next one; nobody else on this machine may read them.

    Raises:
        OSError: The file cannot be written.
    """
    content = {
        "version": _VERSION,
        "about": "Hashes under the account's API key, of CallID with UCID and of AgentName",
        "salt": hashes.salt,
        "proof": hashes.proof,
        "days": [
            {
                "day": day.isoformat(),
                "spelling": spelled(records) or "",
                "current": day == now.date(),
                "hashes": hashes.of(records),
            }
            for day, records in sorted(readings.items())
        ],
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def facts(kept: Kept, records: Sequence[Mapping[str, Any]], hashes: Hashes) -> Iterator[Fact]:
    """Give what became of a day's keys and names since an earlier run."""
    now = hashes.of(records)
    there = kept.hashes.keys() & now.keys()
    spelling = spelled(records) or "none"
    changed = f"{kept.spelling or 'none'} to {spelling}"
    when = "a current day" if kept.was_current else "a past day"
    yield judged(
        f"keys of {when}, read again ({changed} spelling)",
        "open" if kept.was_current else "measured",
        "all are there again",
        share(len(there), len(kept.hashes)),
        expected=len(there) == len(kept.hashes),
    )
    new = len(now) - len(there)
    seen = share(new, len(now)) if now else "no records"
    if kept.was_current:
        yield learned(f"keys that {when} did not have before", "open", "whatever came later", seen)
    else:
        yield judged(
            f"keys that {when} did not have before",
            "measured",
            "none: after the day nothing comes",
            seen,
            expected=not new,
        )
    renamed = sum(kept.hashes[key] != now[key] for key in there)
    yield learned(
        f"names of agents in records of {when}, read again",
        "measured",
        "some change: 394 of 2,910 did from one day to the next",
        f"{share(renamed, len(there))} changed",
    )
