from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tap_ozonetel_cdr.errors import StateError
from tap_ozonetel_cdr.state import bookmark, understood

ENTRY = {"replication_key": "CallDate", "replication_key_value": "2026-11-20"}
STATE = {"bookmarks": {"cdr": ENTRY}}
OTHERS = {"bookmarks": {"calls": {"replication_key_value": 5}, "agents": {}}}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param({}, {}, id="empty"),
        pytest.param({"bookmarks": {}}, {"bookmarks": {}}, id="no bookmarks"),
        pytest.param({"bookmarks": {"cdr": {}}}, {"bookmarks": {"cdr": {}}}, id="an empty one"),
        pytest.param(OTHERS, OTHERS, id="other streams'"),
        pytest.param(STATE, STATE, id="the SDK's"),
        pytest.param(
            {"bookmarks": {**OTHERS["bookmarks"], **STATE["bookmarks"]}},
            {"bookmarks": {**OTHERS["bookmarks"], **STATE["bookmarks"]}},
            id="beside others'",
        ),
        pytest.param(
            {"bookmarks": {"cdr": {**ENTRY, "partitions": [{"x": 1}], "progress_markers": 5}}},
            STATE,
            id="with what others write beside it",
        ),
        pytest.param({"type": "STATE", "value": STATE}, STATE, id="a STATE message"),
        pytest.param({"type": "STATE", "value": {}}, {}, id="an empty STATE message"),
        pytest.param({"singer_state": STATE}, STATE, id="as Meltano prints it"),
        pytest.param({"singer_state": {"type": "STATE", "value": STATE}}, STATE, id="both"),
        pytest.param(
            {"bookmarks": {"cdr": {"CallDate": "2026-11-20"}}}, STATE, id="singer-python's"
        ),
        pytest.param(
            {"bookmarks": {"cdr": {"partitions": []}}},
            {"bookmarks": {"cdr": {}}},
            id="no partitions",
        ),
        pytest.param(
            {"bookmarks": {"cdr": ENTRY, "CDR": {}}},
            {"bookmarks": {"cdr": ENTRY, "CDR": {}}},
            id="another case beside it",
        ),
    ],
)
def test_a_state_that_has_one_reading(state: object, expected: dict[str, Any]) -> None:
    """It is given in the SDK's shape."""
    assert understood(state, "cdr", "CallDate") == expected


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (None, "there is no object in it"),
        ([STATE], "there is no object in it"),
        ({"type": "STATE", "value": None}, "there is no object in it"),
        ({"singer_state": "{}"}, "there is no object in it"),
        ({"Bookmarks": {"cdr": ENTRY}}, "it has no 'bookmarks'"),
        ({"cdr": "2026-11-20"}, "it has no 'bookmarks'"),
        ({"cdr": ENTRY}, "it has no 'bookmarks'"),
        ({"value": STATE}, "it has no 'bookmarks'"),
        ({"completed": {"singer_state": STATE}}, "it has no 'bookmarks'"),
        ({"currently_syncing": "cdr"}, "it has no 'bookmarks'"),
        ({"bookmarks": None}, "its 'bookmarks' are not an object"),
        ({"bookmarks": "2026-11-20"}, "its 'bookmarks' are not an object"),
        ({"bookmarks": [ENTRY]}, "its 'bookmarks' are not an object"),
        ({"bookmarks": {"cdr": None}}, "'cdr' in 'bookmarks' is not an object"),
        ({"bookmarks": {"cdr": "2026-11-20"}}, "'cdr' in 'bookmarks' is not an object"),
        ({"bookmarks": {"calls": None}}, "'calls' in 'bookmarks' is not an object"),
        ({"bookmarks": {"CDR": ENTRY}}, "it names 'CDR', but the stream is called 'cdr'"),
        ({"bookmarks": {" cdr ": ENTRY}}, "it names ' cdr ', but the stream is called 'cdr'"),
        (
            {"bookmarks": {"cdr": {"partitions": [{"context": {}, **ENTRY}]}}},
            "its bookmark is in 'partitions'",
        ),
        (
            {"bookmarks": {"cdr": {"replication_key": "CallDate"}}},
            "its bookmark has no 'replication_key_value'",
        ),
        (
            {"bookmarks": {"cdr": {"replication_key_value": None}}},
            "its bookmark has no 'replication_key_value'",
        ),
        ({"bookmarks": {"cdr": {"CallDate": None}}}, "its bookmark has no 'replication_key_value'"),
        (
            {"bookmarks": {"cdr": {"progress_markers": ENTRY}}},
            "its bookmark has no 'replication_key_value'",
        ),
    ],
    ids=str,
)
def test_a_state_that_would_begin_anew_in_silence(state: object, problem: str) -> None:
    """It is refused in one line that shows the right shape."""
    with pytest.raises(StateError) as refused:
        understood(state, "cdr", "CallDate")
    assert refused.value.line == (
        f"The state cannot be read: {problem}. Nothing was requested. It has to look like "
        '{"bookmarks": {"cdr": {"replication_key": "CallDate", "replication_key_value": '
        '"2026-11-23"}}}, or {} to begin anew'
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, None),
        (ENTRY, date(2026, 11, 20)),
        ({"replication_key_value": "2026-11-20"}, date(2026, 11, 20)),
        ({"replication_key_value": "2026-11-20T23:00:00-05:00"}, date(2026, 11, 20)),
    ],
)
def test_a_bookmark_is_a_date_or_a_date_time(entry: dict[str, Any], expected: date | None) -> None:
    """A date, or a date-time, which counts as the date that it is written with."""
    assert bookmark(entry, "CallDate", date(2026, 11, 20)) == expected
