"""How an account lets in: the header ``apiKey``, tokens, both, neither, and wrong ones."""

from __future__ import annotations

import base64
import binascii
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from ozonetel_sandbox.probe_account import Reply
from ozonetel_sandbox.probe_facts import Fact, judged, learned, unseen, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ozonetel_sandbox.probe_visit import Visit

_NO_CREDENTIALS = "Missing userName or apiKey"
#: Clients wait 2 to 31 s for a new token. [field]
_TOKEN_IS_OLD = 40


class NoWayInError(Exception):
    """The account lets nobody in, or nothing answers; the facts so far stand all the same."""


def ways_in(visit: Visit) -> Iterator[Fact]:
    """Give which ways let in, and go on by one that does.

    Raises:
        NoWayInError: None does.
    """
    account = visit.account
    by_key = account.ask("the header apiKey alone", visit.little, account.key())
    yield judged(
        "the header apiKey alone", "field", "lets in", str(by_key), expected=by_key.is_success
    )
    made = account.make_token("a token")
    yield from _token_facts(made)
    by_token = Reply(None, failure="no token")
    if made.token:
        bearer = account.bearer(made.token)
        by_token = account.ask("the token alone", visit.little, bearer)
        yield from _new_token(visit, made, by_token, bearer)
        both = account.ask("both headers", visit.little, account.key() | bearer)
        yield judged("both headers", "field", "let in", str(both), expected=both.is_success)
        visit.refusals["both headers"] = both
    if by_key.is_success:
        account.way = account.key()
    elif visit.token_works:
        account.way = account.bearer(made.token)
    else:
        raise NoWayInError(
            f"Nothing lets in: the header apiKey alone: {by_key}; a token alone: {by_token}"
        )
    if visit.token_works:
        yield _ended_token(visit, made)
    # Any header but those that prove who asks.
    nobody = account.ask("no credentials", visit.little, {"Accept": "*/*"})
    visit.refusals["no credentials"] = nobody
    yield judged(
        "no credentials",
        "doc",
        _NO_CREDENTIALS,
        str(nobody),
        expected=nobody.says(_NO_CREDENTIALS),
    )


def _new_token(
    visit: Visit, made: Reply, first: Reply, bearer: Mapping[str, str]
) -> Iterator[Fact]:
    """Give what a new token is good for, at once and after a while."""
    last = first
    if not first.is_success:
        visit.account.wait_until(made.at + _TOKEN_IS_OLD)
        last = visit.account.ask("the token alone, again", visit.little, bearer)
    visit.token_works = last.is_success
    visit.refusals["a token alone"] = last
    granted = f"refused with HTTP 401 and {_NO_CREDENTIALS}"
    yield judged(
        "a Bearer token alone",
        "field",
        f"{granted}; the vendor's page lets it in",
        str(last),
        expected=last.status == HTTPStatus.UNAUTHORIZED and last.says(_NO_CREDENTIALS),
    )
    name, granted = "a new token", "may be refused for some seconds"
    if not last.is_success:
        yield unseen(name, "field", granted, "a token alone does not let in")
    elif first.is_success:
        yield learned(name, "field", granted, "let in at once")
    else:
        seen = f"refused at once ({first}), let in {last.at - made.at:.0f} s after it was made"
        yield learned(name, "field", granted, seen)


def _ended_token(visit: Visit, first: Reply) -> Fact:
    """Tell what is said of a token that a newer one has ended, and go on with the newer one."""
    account = visit.account
    second = account.make_token("another token")
    ended = account.ask("the token before it", visit.little, account.bearer(first.token))
    if second.token and "apiKey" not in account.way:
        account.wait_until(second.at + _TOKEN_IS_OLD)
        account.way = account.bearer(second.token)
    visit.refusals["an ended token"] = ended
    return judged(
        "a token that a newer one has ended",
        "field",
        "refused, in the words of any 401 or Token Expired",
        str(ended),
        expected=not ended.is_success
        and (ended.status == HTTPStatus.UNAUTHORIZED or ended.says("Token Expired")),
    )


def wrong_keys(visit: Visit) -> Iterator[Fact]:
    """Give what is said to those who are not let in, if wrong keys may be tried."""
    account = visit.account
    wrong = account.key("wrong") if "apiKey" in account.way else account.bearer("wrong")
    nobody = {**visit.little, "userName": "no-such-account-here"}
    questions: tuple[tuple[str, str, Callable[[str], Reply]], ...] = (
        (
            "records by a wrong key",
            "userName or apiKey is Invalid",
            lambda name: account.ask(name, visit.little, wrong),
        ),
        (
            "records by a wrong account",
            "userName or apiKey is Invalid",
            lambda name: account.ask(name, nobody),
        ),
        (
            "a token by a wrong key",
            "Invalid userName or apiKey",
            lambda name: account.make_token(name, account.key("wrong")),
        ),
        (
            "a token without userName",
            "UserName is null",
            lambda name: account.make_token(name, userName=None),
        ),
    )
    for name, granted, ask in questions:
        if not visit.options.wrong_keys:
            yield unseen(name, "doc", granted, "not tried: --wrong-keys tries it")
            continue
        reply = ask(name)
        visit.refusals[name] = reply
        # Both endpoints have the same words, in another order.
        yield judged(name, "doc", granted, str(reply), expected=granted in str(reply))


def _token_facts(made: Reply) -> Iterator[Fact]:
    """Give the forms of generateToken's success, and of its token."""
    fields = {
        words(str(name)) or "…": "text" if isinstance(value, str) and value else words(str(value))
        for name, value in made.envelope.items()
    }
    form = ", ".join(f"{name}: {value or 'blank'}" for name, value in sorted(fields.items()))
    granted = "message: blank, token: text"
    seen = f"HTTP {made.status}, {form}{' in a JSON string' if made.in_string else ''}"
    if not made.token:
        yield judged("generateToken's success", "doc", granted, str(made), expected=False)
        return
    yield judged(
        "generateToken's success", "doc", granted, seen, expected=seen == f"HTTP 200, {granted}"
    )
    begins = "begins with eyJ" if made.token.startswith("eyJ") else "begins otherwise"
    lifetime = _lifetime(made.token)
    yield learned(
        "the token's form",
        "field",
        "eyJ…, a JSON Web Token of 60 minutes",
        f"{begins}, {made.token.count('.') + 1} parts, "
        + ("names no lifetime" if lifetime is None else f"a lifetime of {lifetime:g} minutes"),
    )


def _lifetime(token: str) -> float | None:
    """Return the minutes that a token says it lives, if it says so."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return round(float(claims["exp"] - claims["iat"]) / 60, 1)
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
