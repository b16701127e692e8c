"""Getting in: what each way costs in requests and tokens, and the line that a user sees."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from api_server import (
    DAY,
    DAYS,
    EXPIRED,
    INVALID,
    KEY,
    LIMIT,
    MISSING,
    NEXT,
    THIRD,
    Api,
    PassingClock,
    Reply,
    client_of,
    fetch,
    refusal,
    success,
)

from tap_ozonetel_cdr.errors import NOTHING_LOST, RefusedError, UnavailableError
from tap_ozonetel_cdr.settings import CONFIG_JSONSCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

SAVES = (
    "The account takes a token, and not the header apiKey alone: auth_method: token would save a "
    "request in every run"
)
CHECK = "Check user_name and api_key"
CHECK_ALL = (
    "Check user_name and api_key, api_url (India: in1-ccaas-api.ozonetel.com, international: "
    "api.ccaas.ozonetel.com, or a partner's own), and API authentication in the account's "
    "administration"
)
WRONG = "Invalid userName or apiKey"


@pytest.fixture
def clock() -> PassingClock:
    """Begin at noon in India."""
    return PassingClock()


@pytest.fixture
def api(clock: PassingClock) -> Iterator[Api]:
    """An account that takes either way."""
    with Api(clock) as running:
        yield running


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    """Catch what a user sees."""
    caplog.set_level("INFO", "tap")


def line_of(api: Api, **settings: object) -> str:
    """Fetch a day in vain, and return the line that ends the run."""
    with pytest.raises(RefusedError) as caught:
        fetch(client_of(api, **settings), DAY)
    line = caught.value.line
    assert line.endswith(f". {NOTHING_LOST}")
    assert "\n" not in line
    assert KEY not in line
    assert "eyJ" not in line
    return line.removesuffix(f". {NOTHING_LOST}")


def ways(api: Api) -> list[str]:
    """Return the ways that the requests for records tried, in order."""
    return [asked.way for asked in api.records_asked()]


def test_the_default_is_to_find_out() -> None:
    """Nobody has to know how the account is set."""
    assert CONFIG_JSONSCHEMA["properties"]["auth_method"]["default"] == "auto"
    assert CONFIG_JSONSCHEMA["properties"]["auth_method"]["enum"] == ["auto", "token", "api_key"]


# Finding out


def test_the_header_is_tried_first(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Where it works it costs nothing, and nothing is said of it."""
    client = client_of(api)
    assert (client.standing.way_in, client.standing.finding_out) == (None, 1)
    assert fetch(client, DAY, NEXT) == [3, 3]
    assert (client.standing.way_in, client.standing.finding_out) == ("api_key", 0)
    assert ways(api) == ["api_key", "api_key"]
    assert api.cost() == (2, 0, 0)
    assert caplog.messages == []


def test_a_token_is_made_where_the_header_is_refused(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs one request for records in a run, and one line says how to save it."""
    api.takes = "token"
    client = client_of(api)
    assert fetch(client, DAY, NEXT, THIRD) == [3, 3, 3]
    assert (client.standing.way_in, client.standing.finding_out) == ("token", 0)
    assert ways(api) == ["api_key", "token", "token", "token"]
    assert api.cost() == (4, 1, 1)
    assert client.standing.tokens == 1
    assert caplog.messages == ["Token 1 of this run generated", SAVES]
    assert {record.levelname for record in caplog.records} == {"INFO"}


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
@pytest.mark.parametrize("word", ["false", "fail", "error", "success"])
@pytest.mark.parametrize("message", [MISSING, INVALID, WRONG, "UserName is null", EXPIRED])
def test_words_of_a_refusal_lead_to_the_token_under_any_status(
    api: Api, status: int, word: str, message: str
) -> None:
    """The words count, whatever comes around them."""
    api.says = [refusal(message, status, word)]
    assert fetch(client_of(api), DAY) == [3]
    assert ways(api) == ["api_key", "token"]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "body", [b"", b"<html>Sorry</html>", {"message": "Go away"}, {"details": []}, "Go away", []]
)
def test_401_and_403_lead_to_the_token_whatever_they_say(api: Api, status: int, body: Any) -> None:  # noqa: ANN401
    """A refusal without words, or in unknown ones, is one as well."""
    api.says = [Reply(status, body)]
    assert fetch(client_of(api), DAY) == [3]
    assert ways(api) == ["api_key", "token"]


@pytest.mark.parametrize(
    "limit", [refusal(LIMIT, s, "error") for s in (200, 401, 403, 429)] + [refusal(None, 429)]
)
def test_the_limits_refusal_settles_nothing(api: Api, limit: Reply) -> None:
    """The header is asked with again, and a token only where that is refused then."""
    api.takes = "token"
    api.says = [limit, limit]
    client = client_of(api)
    assert fetch(client, DAY) == [3]
    assert ways(api) == ["api_key", "api_key", "api_key", "token"]
    assert client.standing.way_in == "token"


def test_an_outage_settles_nothing(api: Api) -> None:
    """A way is settled by a response of the API alone."""
    api.takes = "token"
    api.says = [refusal(None, 503), Reply(200, b"<html>")]
    assert fetch(client_of(api), DAY) == [3]
    assert ways(api) == ["api_key", "api_key", "api_key", "token"]


@pytest.mark.parametrize("message", ["Invalid campaignName", "The moon is full"])
def test_a_refusal_for_something_else_is_none_of_the_way(api: Api, message: str) -> None:
    """It ends the run; no token is made for it."""
    api.says = [refusal(message, 400, "fail")]
    assert line_of(api).startswith(f"{DAY}: the API answered '{message}' (HTTP 400). ")
    assert api.cost() == (1, 0, 0)


def test_a_run_by_header_stops_as_refused(api: Api) -> None:
    """Once the header has worked, no token is tried."""
    api.says = [None, refusal(MISSING)]
    client = client_of(api)
    fetch(client, DAY)
    with pytest.raises(RefusedError) as caught:
        fetch(client, NEXT)
    assert caught.value.line == (
        f"{NEXT}: the API answered '{MISSING}' (HTTP 401) to the header apiKey. {CHECK}. "
        f"{NOTHING_LOST}"
    )
    assert api.cost() == (2, 0, 0)


def test_neither_way_works(api: Api, clock: PassingClock) -> None:
    """One line quotes both refusals, and says all that there is to check."""
    api.takes = "none"
    assert line_of(api) == (
        f"{DAY}: the API answered '{MISSING}' (HTTP 401) to the header apiKey, and '{MISSING}' "
        f"(HTTP 401) to a new token. {CHECK_ALL}"
    )
    # With the token it is tried again, within the limit, once it is old enough.
    assert ways(api) == ["api_key", "token", "token"]
    assert api.cost() == (3, 1, 1)
    assert 60 <= clock.passed < 61


@pytest.mark.parametrize("settings", [{"api_key": "another"}, {"user_name": "another"}])
def test_wrong_credentials_end_the_run(api: Api, settings: dict[str, str]) -> None:
    """The refusal of generateToken itself stops the run: no token was made."""
    assert line_of(api, **settings) == (
        f"generateToken: the API answered '{INVALID}' (HTTP 401) to the header apiKey, and "
        f"'{WRONG}' (HTTP 401) to generateToken. {CHECK_ALL}"
    )
    assert api.cost() == (1, 1, 0)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        *product([WRONG, INVALID, "UserName is null", MISSING], [200, 400, 401, 403]),
        *product([None], [400, 401, 403]),
    ],
)
def test_refused_credentials_of_generate_token_stop(
    api: Api, message: str | None, status: int
) -> None:
    """Under any status; nothing is tried again."""
    api.says_of_tokens = [refusal(message, status)]
    quoted = f"'{message}' (HTTP {status})" if message else f"HTTP {status}"
    assert line_of(api, auth_method="token") == (
        f"generateToken: the API answered {quoted}. {CHECK}, or try auth_method: api_key"
    )
    assert api.cost() == (0, 1, 0)


# What is set is meant


def test_a_header_that_is_set_and_refused(api: Api) -> None:
    """No token is tried; the hint says to."""
    api.takes = "token"
    assert line_of(api, auth_method="api_key") == (
        f"{DAY}: the API answered '{MISSING}' (HTTP 401) to the header apiKey. {CHECK}, or try "
        "auth_method: token"
    )
    assert api.cost() == (1, 0, 0)


def test_a_token_that_is_set_and_refused(api: Api) -> None:
    """The header is not tried; the hint says to."""
    api.takes = "api_key"
    assert line_of(api, auth_method="token") == (
        f"{DAY}: the API answered '{MISSING}' (HTTP 401) to a new token. {CHECK}, or try "
        "auth_method: api_key"
    )
    assert ways(api) == ["token"] * 3
    assert api.cost() == (3, 1, 1)


def test_a_token_that_is_set_serves_a_run(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """It is made once, and nothing is found out."""
    client = client_of(api, auth_method="token")
    assert client.standing.finding_out == 0
    assert fetch(client, *DAYS) == [3] * 16
    assert ways(api) == ["token"] * 16
    assert api.cost() == (16, 1, 1)
    assert api.tokens_asked()[0].way == "api_key"
    assert client.standing.way_in == "token"
    assert SAVES not in caplog.messages


@pytest.mark.parametrize("way", ["api_key", "token"])
@pytest.mark.parametrize("message", [INVALID, WRONG, "UserName is null"])
@pytest.mark.parametrize("status", [200, 401])
def test_wrong_credentials_stop_at_once(api: Api, way: str, message: str, status: int) -> None:
    """They are not what a new token is refused with, nor an account's other way."""
    api.says = [refusal(message, status)]
    line = line_of(api, auth_method=way)
    other = {"api_key": "token", "token": "api_key"}[way]
    assert line.startswith(f"{DAY}: the API answered '{message}' (HTTP {status}) to the ")
    assert line.endswith(f". {CHECK}, or try auth_method: {other}")
    assert len(api.records_asked()) == 1


# Tokens


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"token": "eyJ.x", "message": ""},
        {"token": "eyJ.x"},
        {"token": "eyJ.x", "message": "success", "status": "success"},
        {"token": " eyJ.x\r\n", "status": "false", "message": WRONG},
        {"token": "eyJ.x", "status": "error", "message": LIMIT},
        {"message": "Max limit exceeded", "details": 5, "token": "eyJ.x"},
        {"token": "eyJ.x", "status": 5, "details": [1]},
    ],
)
def test_any_200_with_a_token_is_a_success(api: Api, body: dict[str, Any], wrapped: bool) -> None:
    """A token wins over all that is beside it."""
    api.says_of_tokens = [Reply(200, json.dumps(body) if wrapped else body)]
    api.says = [success()]
    client = client_of(api, auth_method="token")
    assert fetch(client, DAY) == [3]
    assert api.records_asked()[0].token == "eyJ.x"  # noqa: S105
    assert (len(api.tokens_asked()), client.standing.tokens) == (1, 1)


@pytest.mark.parametrize(
    "token", ["eyJ\nX: y", "eyJ\r", "eyJ\x00", "eyJ\u200b", "eyJ\u20ac", "e y\tJ"]
)
def test_a_token_that_no_header_can_bear_ends_the_run(api: Api, token: str) -> None:
    """In one line without it, unless blanks and line ends are only around it."""
    api.says_of_tokens = [Reply(200, {"token": token + "z"})]
    assert line_of(api, auth_method="token") == (
        "generateToken: the API answered a token that does not fit into a header. Ask Ozonetel's "
        "support why it holds more than letters, digits and signs"
    )
    assert api.cost()[:2] == (0, 1)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, {"status": "success", "message": "success"}), "a success without a token"),
        (Reply(200, {"status": True, "message": "success"}), "a success without a token"),
        (Reply(200, {"message": ""}), "a success without a token"),
        (Reply(200, {"token": "", "message": ""}), "a success without a token"),
        (Reply(200, {"token": " \n", "status": "true"}), "a success without a token"),
        (Reply(200, {"token": 5}), "a success without a token"),
        (Reply(200, {}), "a success without a token"),
        (Reply(200, []), "a success without a token"),
        (Reply(200, b""), "a body that is not one whole JSON value"),
        (Reply(200, b"<html>"), "a body that is not one whole JSON value"),
        (Reply(200, {"token": "eyJ"}, cut=3), "no complete response (IncompleteRead)"),
    ],
)
def test_a_200_with_neither_token_nor_refusal_counts(
    api: Api, reply: Reply, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have made one: eight of them end the run."""
    api.says_of_tokens = [reply] * 20
    assert line_of(api, auth_method="token") == (
        f"generateToken: the API answered {reason}. This run has requested 8 of the ten tokens "
        "that an account has an hour: ask Ozonetel's support why none comes"
    )
    assert api.cost() == (0, 8, 0)
    assert caplog.messages[0].startswith(f"generateToken: {reason}; retrying in ")


def test_all_that_may_have_made_a_token_counts_towards_the_eight(api: Api) -> None:
    """One without, then seven that end in turn: the account keeps two of its ten."""
    api.says_of_tokens = [Reply(200, {"message": ""})]
    api.says = [None, refusal(EXPIRED)] * 20
    client = client_of(api, auth_method="token")
    with pytest.raises(RefusedError, match="This run has generated 8 of the ten tokens that an"):
        fetch(client, *DAYS)
    assert api.cost()[1:] == (8, 7)


def test_an_outage_of_generate_token_does_not_count(api: Api) -> None:
    """No token comes with a server's error."""
    api.says_of_tokens = [Reply(503, b"")] * 12
    client = client_of(api, auth_method="token")
    assert fetch(client, DAY) == [3]
    assert client.standing.tokens == 1


@pytest.mark.parametrize(
    "reply",
    [
        refusal(MISSING),
        refusal(MISSING, 200),
        refusal(EXPIRED),
        refusal("Not yet"),
        refusal(None, 403),
    ],
)
def test_a_new_token_may_be_refused_for_some_seconds(
    api: Api, reply: Reply, clock: PassingClock
) -> None:
    """It is tried again, and no other is made."""
    api.new_token_refused = (3, reply)
    assert fetch(client_of(api, auth_method="token"), DAY) == [3]
    assert api.cost() == (2, 1, 1)
    assert 4 <= clock.passed < 4.1


def test_a_new_token_is_tried_within_the_limit(api: Api, clock: PassingClock) -> None:
    """Finding out has used the first period up; the next try comes with the second."""
    api.takes = "token"
    api.new_token_refused = (3, refusal(MISSING))
    assert fetch(client_of(api), DAY) == [3]
    assert api.cost() == (3, 1, 1)
    assert 60 <= clock.passed < 61


@pytest.mark.parametrize(("seconds", "accepted"), [(29.9, True), (30, True), (31, False)])
def test_the_last_try_with_a_new_token_is_half_a_minute_after_it_was_made(
    api: Api, clock: PassingClock, seconds: float, accepted: bool
) -> None:
    """Whatever the limit allows: after 4, 12 and 30 seconds."""
    api.new_token_refused = (seconds, refusal(MISSING))
    client = client_of(api, auth_method="token", rate_limit_requests=1000)
    if accepted:
        assert fetch(client, DAY) == [3]
    else:
        with pytest.raises(RefusedError, match="to a new token"):
            fetch(client, DAY)
    assert [round(asked.at) for asked in api.records_asked()] == [0, 4, 12, 30]
    assert 30 <= clock.passed < 30.1
    assert len(api.tokens) == 1


def test_a_second_token_before_the_first_response_only_for_token_expired(api: Api) -> None:
    """Another client may have ended the first; a third is not made."""
    api.says = [refusal(EXPIRED)] * 20
    line = line_of(api, auth_method="token", rate_limit_requests=1000)
    assert line.startswith(f"{DAY}: the API answered '{EXPIRED}' (HTTP 401) to a new token. ")
    assert api.cost() == (8, 2, 2)


@pytest.mark.parametrize("accepted", [4, 5])
def test_the_second_token_may_work(api: Api, accepted: int) -> None:
    """Where the first has ended for good, the run goes on with it."""
    api.says = [refusal(EXPIRED)] * accepted
    assert fetch(client_of(api, auth_method="token", rate_limit_requests=1000), DAY) == [3]
    assert api.cost() == (accepted + 1, 2, 2)


ENDED = [
    *(refusal(EXPIRED, status) for status in (200, 400, 401, 403)),
    replace(refusal(EXPIRED), body=json.dumps(refusal(EXPIRED).body)),
    *(refusal(MISSING, status) for status in (200, 400, 401, 403)),
    *(refusal(message) for message in (INVALID, WRONG, "Unauthorized", "The moon is full")),
    *(refusal(message, 403) for message in ("Forbidden", "The moon is full", None)),
    refusal(None),
    Reply(401, b""),
]


@pytest.mark.parametrize("method", ["auto", "token"])
@pytest.mark.parametrize("ended", ENDED, ids=lambda reply: f"{reply.status} {reply.body}"[:60])
def test_a_token_that_has_ended_is_replaced(api: Api, method: str, ended: Reply) -> None:
    """After an accepted response any 401 or 403 says so, and Missing… under any status."""
    api.takes = "token"
    found_out: list[Reply | None] = [None] if method == "auto" else []
    api.says = [*found_out, None, ended]
    assert fetch(client_of(api, auth_method=method), DAY, NEXT, THIRD) == [3, 3, 3]
    assert ways(api)[-4:] == ["token"] * 4
    assert api.cost()[1:] == (2, 2)
    assert len(api.records_asked()) == (5 if method == "auto" else 4)


@pytest.mark.parametrize("message", [INVALID, "Invalid campaignName", "The moon is full"])
def test_what_ends_a_run_under_200_ends_no_token(api: Api, message: str) -> None:
    """Words that are none of the token's, under no 401, mean what they say."""
    api.says = [None, refusal(message, 200, "fail")]
    client = client_of(api, auth_method="token")
    fetch(client, DAY)
    with pytest.raises(RefusedError, match=message):
        fetch(client, NEXT)
    assert api.cost() == (2, 1, 1)


def test_one_new_token_in_place_of_one_that_has_ended(api: Api) -> None:
    """If that is refused, too, the run ends: another client ends them all the time."""
    api.says = [None] + [refusal(EXPIRED)] * 20
    client = client_of(api, auth_method="token")
    fetch(client, DAY)
    with pytest.raises(RefusedError) as caught:
        fetch(client, NEXT)
    assert caught.value.line == (
        f"{NEXT}: the API answered '{EXPIRED}' (HTTP 401) to a new token. Check whether another "
        f"client of the account generates tokens all the time. {NOTHING_LOST}"
    )
    assert len(api.tokens) == 2


def test_a_token_beside_a_refusal_does_no_harm(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The limit's refusal under 200 may bear one: it is waited out, and the token not said."""
    body = {"status": "error", "message": f"{LIMIT} eyJ.fresh", "token": "eyJ.fresh"}
    api.says = [None, Reply(200, body)]
    client = client_of(api, auth_method="token")
    assert fetch(client, DAY, NEXT) == [3, 3]
    assert {asked.token for asked in api.records_asked()} == {api.tokens[0][0]}
    assert "limit is used up" in caplog.text
    assert "eyJ" not in caplog.text


def test_the_ten_tokens_of_an_hour_are_used_up(
    api: Api, clock: PassingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is waited for as the limit is, and said; then the run ends with what to look for."""
    api.takes = "token"
    api.says_of_tokens = [refusal("Max limit exceeded", 200)] * 2
    assert fetch(client_of(api), DAY) == [3]
    assert caplog.messages[0] == (
        "generateToken: the account's ten tokens an hour are used up; retrying in 60 s, giving up "
        "in 900 s"
    )
    assert api.cost() == (2, 3, 1)
    assert 120 <= clock.passed < 121
    api.says_of_tokens = [refusal("Max limit exceeded", 200)] * 100
    with pytest.raises(UnavailableError) as caught:
        fetch(client_of(api, auth_method="token"), DAY)
    assert caught.value.line == (
        "generateToken: no complete response within 900 s (retry_timeout). Last failure: 'Max "
        "limit exceeded' (HTTP 200). Look for another client that generates tokens: the account's "
        f"ten tokens an hour are used up. {NOTHING_LOST}"
    )


def test_a_refusal_is_named_where_there_is_no_time_to_try_again(api: Api) -> None:
    """With a short retry_timeout the line still says what was refused."""
    api.takes = "none"
    assert line_of(api, retry_timeout=5).endswith(f"to a new token. {CHECK_ALL}")
    assert len(api.tokens) == 1
