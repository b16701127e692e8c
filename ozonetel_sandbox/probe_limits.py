"""What is said past the limits: two requests a minute, ten tokens an hour, an hour of a token."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ozonetel_sandbox.probe_facts import Fact, judged, learned, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ozonetel_sandbox.probe_account import Reply
    from ozonetel_sandbox.probe_visit import Visit

_TOKEN_LIFE, _TOKENS_AN_HOUR, _HOUR = 60, 10, 3600


def limit(visit: Visit) -> Iterator[Fact]:
    """Give what happens past the limit."""
    account, target = visit.account, visit.target
    limit = f"{target.requests} requests in {target.period:g} s"
    yield judged(
        f"{limit} are let in",
        "doc",
        "always, where no other client asks",
        f"refused {account.crowded} times" if account.crowded else "always",
        expected=not account.crowded,
    )
    account.wait_until(visit.account.clock.monotonic() + target.period + 1)
    sent = [_at_once(visit, "at once") for _ in range(target.requests)]
    while not sent[-1].is_limited and len(sent) <= 2 * target.requests:
        sent.append(_at_once(visit, "one more at once"))
    let_in = [reply for reply in sent if not reply.is_limited]
    refusal = sent[-1] if sent[-1].is_limited else None
    yield judged(
        "the limit",
        "doc",
        f"{limit}",
        f"{len(let_in)} in a row were let in{'' if refusal else ', and none refused'}",
        expected=refusal is not None and len(let_in) == target.requests,
    )
    names = (
        ("the limit's refusal", "doc", "API rate limit has been exceeded"),
        ("the limit's status code", "open", "200 or 429"),
        (
            "whether a refused request counts",
            "open",
            "nobody knows: the next one waits a period",
        ),
    )
    if refusal is None:
        for name, source, granted in names:
            yield unseen(name, source, granted, "nothing was refused")
        return
    yield judged(*names[0], str(refusal), expected=refusal.says(names[0][2]))
    after = "with" if refusal.retry_after else "without"
    yield judged(
        *names[1],
        f"{refusal.status}, {after} Retry-After",
        expected=refusal.status in {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS},
    )
    yield learned(*names[2], _after_refusals(visit, let_in[-1].at if let_in else sent[-1].at))


def _after_refusals(visit: Visit, last: float) -> str:
    """Tell whether refused requests delay the next: some in mid-period, one when it is over."""
    target = visit.target
    visit.account.wait_until(last + target.period / 2)
    amid = [_at_once(visit, "amid the period") for _ in range(target.requests)]
    if not all(reply.is_limited for reply in amid):
        return f"let in again {target.period / 2:g} s after: the period does not slide"
    visit.account.wait_until(last + target.period + 1)
    if not _at_once(visit, "after the period").is_limited:
        return f"no: let in {target.period + 1:g} s after the last that was let in"
    return "yes, or the period is longer: refused when it was over"


def _at_once(visit: Visit, what: str) -> Reply:
    return visit.account.ask(what, visit.little, within_limit=False)


def tokens(visit: Visit) -> Iterator[Fact]:
    """Give the life of a token and their number in an hour, if they may be used up."""
    life = ("how long a token lives", "doc", f"{_TOKEN_LIFE} minutes")
    many = ("more than ten tokens an hour", "field", "Max limit exceeded for the eleventh")
    if not visit.options.tokens:
        for name in (life, many):
            yield unseen(*name, "not tried: --tokens tries it, in more than an hour")
        return
    if visit.token_works:
        yield _token_life(visit, *life)
    else:
        yield unseen(*life, "a token alone does not let in")
    made = 0
    reply = visit.account.make_token("one of many tokens")
    while reply.token and not reply.is_limited and made < 2 * _TOKENS_AN_HOUR:
        made += 1
        reply = visit.account.make_token("one of many tokens")
    yield judged(
        *many,
        f"{made} in a row, then {reply}",
        # Those before may count still.
        expected=_TOKENS_AN_HOUR - 1 <= made <= _TOKENS_AN_HOUR
        and reply.says("Max limit exceeded"),
    )


def _token_life(visit: Visit, name: str, source: str, granted: str) -> Fact:
    account = visit.account
    # The tokens made so far shall not count any more.
    account.wait_until(visit.account.clock.monotonic() + _HOUR)
    made = account.make_token("a token to wait for")
    asked = []
    for minutes in (_TOKEN_LIFE - 1, _TOKEN_LIFE + 1):
        account.wait_until(made.at + minutes * 60)
        what = f"the token after {minutes} minutes"
        asked.append((minutes, account.ask(what, visit.little, account.bearer(made.token))))
    if "apiKey" not in account.way:
        account.way = account.bearer(account.make_token("a token").token)
    return judged(
        name,
        source,
        granted,
        "; ".join(f"after {minutes} minutes: {reply}" for minutes, reply in asked),
        expected=[reply.is_success for _, reply in asked] == [True, False],
    )
