"""What is refused: in which words, under which status codes, in which envelopes."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from ozonetel_sandbox.probe_facts import Fact, judged, learned, share, words
from ozonetel_sandbox.probe_visit import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ozonetel_sandbox.probe_visit import Visit

_CODES = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}


def refused_requests(visit: Visit) -> Iterator[Fact]:
    """Give what is said of requests that no client means."""
    tomorrow = visit.today + timedelta(days=1)
    little = visit.little
    for name, granted, fields in (
        ("no dates", "Missing fromDate and toDate", {"fromDate": None, "toDate": None}),
        (
            "dates in another form",
            "Invalid fromDate format",
            {name: str(value)[:10] for name, value in little.items()},
        ),
        (
            "two dates",
            "fromDate and toDate should be same date",
            {**little, "toDate": at(visit.past + timedelta(days=1))},
        ),
        (
            "tomorrow",
            "fromDate and toDate should not be future dates",
            {"fromDate": at(tomorrow), "toDate": at(tomorrow, "00:00:59")},
        ),
        (
            "a campaignName that is none",
            "Invalid campaignName",
            {**little, "campaignName": "no such campaign"},
        ),
    ):
        reply = visit.account.ask(name, fields)
        visit.refusals[name] = reply
        yield judged(name, "doc", granted, str(reply), expected=reply.message.startswith(granted))
    granted = "Invalid Json Pass Valid Json"
    reply = visit.account.ask("fields in the address", little, in_address=True)
    visit.refusals["fields in the address"] = reply
    yield judged(
        "fields in the address", "field", granted, str(reply), expected=reply.says(granted)
    )
    reply = visit.account.ask("POST", little, method="POST")
    yield judged(
        "POST",
        "field",
        "HTTP 405",
        str(reply),
        expected=reply.status == HTTPStatus.METHOD_NOT_ALLOWED,
    )


def refusals_alike(visit: Visit) -> Iterator[Fact]:
    """Give what refusals have in common."""
    refused = {
        name: one for name, one in visit.refusals.items() if one.envelope and not one.is_success
    }
    codes: dict[int, list[str]] = {}
    for name, reply in refused.items():
        codes.setdefault(reply.status or 0, []).append(name)
    yield judged(
        "status codes of refusals",
        "open",
        "200, 400 or 401: the words decide",
        "; ".join(f"{code}: {', '.join(names)}" for code, names in sorted(codes.items())),
        expected=codes.keys() <= _CODES,
    )
    said = sorted({words(str(one.envelope.get("status", "absent"))) for one in refused.values()})
    yield judged(
        "status of refusals",
        "doc",
        "false, fail or error",
        ", ".join(said),
        expected={*said} <= {"false", "fail", "error"},
    )
    forms = {", ".join(sorted(map(str, one.envelope))) for one in refused.values()}
    in_string = sum(one.in_string for one in refused.values())
    shown = "; ".join(sorted(" and ".join(sorted(map(words, form.split(", ")))) for form in forms))
    yield learned(
        "the envelope of refusals",
        "doc",
        "message and status; some also data, some in a JSON string",
        f"{shown}; in a JSON string: {share(in_string, len(refused)) if refused else 'none'}",
    )
