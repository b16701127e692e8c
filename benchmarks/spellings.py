"""Records as a measured account's look, in the spelling of the current day and of a past one.

Made up, but for forms and shares, which are those of `docs/api.md` [measured]: 46 fields, records
as events of calls, newest first, blanks as each spelling has them, and nothing beyond ASCII.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

CURRENT: Final = "current"
PAST: Final = "past"

# Kind of call, event, whether it was answered, and how many of 100 records are such.
_MIXTURE: Final = (
    ("Manual", "Agent Dials", True, 6),
    ("Manual", "Agent Dials", False, 30),
    ("Progressive", "Agent Dials", True, 2),
    ("Progressive", "Customer Dials", False, 6),
    ("Inbound", "Agent Dials", True, 5),
    ("Inbound", "Agent Dials", False, 13),
    ("Inbound", "Queue", False, 20),
    ("Inbound", "Skill Transfers", False, 10),
    ("Inbound", "Disconnect", False, 8),
)
_CURRENT_WORDS: Final = {"Inbound": "InBound", "Agent Dials": "AgentDial"}
_DAY: Final = 86_400


def records(count: int, spelling: str, day: date, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Give a day's records, always the same for the same arguments."""
    dice = random.Random(f"{count}/{spelling}/{day}")  # noqa: S311  made-up calls, no secrets
    midnight = int(datetime.combine(day, time(), zone).timestamp())
    shares = [share for *_, share in _MIXTURE]
    starts = sorted(int(dice.triangular(8 * 3600, 21 * 3600)) for _ in range(count))
    for number, start in enumerate(reversed(starts)):
        kind, event, answered, _ = dice.choices(_MIXTURE, shares)[0]
        yield _record(dice, number, (kind, event, answered), start, (spelling, day, midnight))


def _record(
    dice: random.Random,
    number: int,
    what: tuple[str, str, bool],
    start: int,
    when: tuple[str, date, int],
) -> dict[str, Any]:
    kind, event, answered = what
    spelling, day, midnight = when
    past = spelling == PAST
    manual = kind != "Inbound"
    none = "" if past else None
    ring = dice.randrange(1, 30)
    talk = dice.randrange(5, 600) if answered else 0
    wrap = dice.randrange(2, 90) if answered else 0
    end = start + ring + talk
    picked_up = _hms(start + ring) if answered else _hms(end) if kind == "Manual" else none
    agent = event == "Agent Dials"
    name = f"{dice.randrange(40):03}"
    customer = f"9{dice.randrange(10**9):09}"
    began = midnight + start
    ucid = f"{10_000 + number % 90_000}{began}{number % 100:02}"
    call = ucid
    if not manual:
        call = f"{100 + number % 900}{(began - 6) % 10**8:08}{number % 10**6:06}"
        ucid = f"{100 + number % 900}{began % 10**8:08}{number % 10**6:06}"
    words = {} if past else _CURRENT_WORDS
    return {
        "AgentDialStatus": "answered" if answered else "NoAnswer" if agent else "",
        "AgentID": f"agent{name}" if agent else "",
        "AgentName": f"Agent Number {name}" if agent else "",
        "CallAudio": f"https://recordings.example.com/account/recording/{ucid}.mp3"
        if answered
        else "",
        "CallDate": day.isoformat(),
        "CallID": call if past else int(call),
        "CallerConfAudioFile": "",
        "CallerID": customer if manual else f"0091{customer}",
        "CampaignName": f"{kind}_918000000{number % 6:03}",
        "Comments": "",
        "ConferenceDuration": "00:00:00",
        "CustomerDialStatus": "answered" if answered else "NormalUnspecified" if manual else "",
        "CustomerRingTime": _hms(ring if manual else 0),
        "DID": f"918000000{number % 6:03}",
        "DialOutName": "",
        "DialStatus": "answered" if answered else "user_disconnected",
        "DialedNumber": f"{500_000 + dice.randrange(40)}" if agent else "",
        "Disposition": "Interested, call again" if answered else "",
        "Duration": _hms(end - start),
        "DynamicDID": "",
        "E164": f"+91{customer}",
        "EndTime": _hms(end),
        "Event": words.get(event, event),
        "HandlingTime": _hms(talk + wrap),
        "HangupBy": "UserHangup" if agent or event == "Disconnect" else "",
        "HoldDuration": "00:00:00",
        "Location": "Karnataka",
        "PickupTime": picked_up,
        "Rating": "" if past else 0,
        "RatingComments": "",
        "Skill": "" if kind == "Manual" or event == "Customer Dials" else f"Skill_{number % 6}",
        "StartTime": _hms(start),
        "Status": "Answered" if answered else "Unanswered",
        "TalkTime": _hms(talk),
        "TimeToAnswer": _hms(ring if picked_up else 0),
        "TransferType": "",
        "TransferredTo": "",
        "Type": words.get(kind, kind),
        "UCID": ucid if past else int(ucid),
        "UUI": "",
        "WrapUpEndTime": _hms(end + wrap) if answered else none,
        "WrapUpStartTime": _hms(end) if answered else none,
        "WrapupDuration": _hms(wrap) if past or answered else None,
        "CallFlow": words.get(event, event),
        "QueueTime": _hms(end - start if event == "Queue" else 0),
        "VideoRecordingURL": "",
    }


def _hms(seconds: int) -> str:
    seconds %= _DAY
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
