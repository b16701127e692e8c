"""What happened: the made-up calls of a day as events, before anybody writes records of them.

The kinds of calls, their sequences and shares are those measured in one account of 2026. Names,
numbers, campaigns, and how long things take are made up, so that averages come out as measured.
The same seed, account and day always give the same calls.
"""

from __future__ import annotations

import dataclasses
import math
import random
from typing import TYPE_CHECKING, Literal, NamedTuple

from ozonetel_sandbox.ids import DAY, Ids
from ozonetel_sandbox.people import CAMPAIGNS, PLAIN_COMMENTS, RICH_COMMENTS, Campaign, Direction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

Kind = Literal["agent", "queue", "skill_transfer", "disconnect", "customer", "dial_out"]

#: Seconds from an event's end until its record is there. [measured]
LISTED_AFTER = 3

#: Days of so many records or more show every kind of call at least once.
BUSY = 100
#: The longest call, in records. [measured]
MOST_EVENTS = 75

#: Calls by hour of the day: quiet nights, peaks at 11 and 17.
_CURVE = (1, 1, 1, 1, 1, 2, 4, 10, 24, 44, 58, 62, 52, 42, 48, 54, 58, 60, 46, 30, 18, 10, 5, 2)
#: The records of one agent in a day, which sets how many agents there are.
_RECORDS_PER_AGENT = 60
_REGULARS = 300
_CUSTOMERS = 1_000_000

# What happens in a call, one letter an event. Inbound: A and a are an agent who answers or does
# not, Q the queue, S a change of skill, D the disconnect, O and o a dial out that is answered or
# not. Manual and progressive: A, a, and C for a customer who is dialled before any agent.
_KINDS: dict[str, Kind] = {
    "A": "agent",
    "a": "agent",
    "Q": "queue",
    "S": "skill_transfer",
    "D": "disconnect",
    "C": "customer",
    "O": "dial_out",
    "o": "dial_out",
}
_ANSWERED = frozenset("AO")
_ROW, _MIXTURE = "row", "mixture"

#: Inbound calls by their events, in thousandths. [measured]
INBOUND = {
    "Q": 210,
    "A": 200,
    "QS": 130,
    "QD": 120,
    "QSA": 50,
    "a": 30,
    "D": 10,
    "DQ": 20,
    "QA": 20,
    "aA": 20,
    "AA": 3,
    "QO": 2,
    "Qo": 2,
    _ROW: 15,
    _MIXTURE: 168,
}
#: Calls by direction. Three records an inbound call make these 40, 40 and 20 % of the records.
_DIRECTIONS: dict[Direction, int] = {"inbound": 182, "manual": 545, "progressive": 273}
_MANUAL = {"A": 390, "a": 610}
_PROGRESSIVE = {"A": 350, "a": 70, "C": 580}


class Story(NamedTuple):
    """A call in outline: its direction, and a letter for each event."""

    direction: Direction
    steps: str
    #: Tried and dropped within moments, as in the long sequences.
    is_hasty: bool = False


#: What a busy day begins with, so that it lacks no kind.
_EVERY_KIND = (
    *(Story("inbound", steps) for steps in INBOUND if steps not in {_ROW, _MIXTURE}),
    Story("inbound", "aaaaa", is_hasty=True),
    Story("inbound", "QSaaSaQaA", is_hasty=True),
    Story("manual", "a"),
    Story("progressive", "A"),
    Story("progressive", "a"),
    Story("progressive", "C"),
)

# DialStatus and AgentDialStatus of an agent who does not answer, at once or after ringing; and
# DialStatus with CustomerDialStatus of a customer who does not. The words are measured, the pairs
# are made up.
_AT_ONCE = (
    ("InvalidAgent", "InvalidNumber"),
    ("NormalUnspecified", "NormalUnspecified"),
    ("InvalidNumber", "InvalidNumber"),
    ("error", ""),
    ("Rejected", "NotDialed"),
)
_AFTER_RINGING = (
    ("NoAnswer", "NoAnswer"),
    ("agent_disconnect", "NormalUnspecified"),
    ("MaxDialTimeExceeded", "MaxDialTimeExceeded"),
    ("user_disconnected", "user_disconnected"),
)
_NO_CUSTOMER = (
    *[("NormalUnspecified", "NormalUnspecified")] * 6,
    *[("not_answered", "not_answered")] * 4,
    *[("user_disconnected", "user_disconnected")] * 2,
    ("NoResponse", "NoResponse"),
    ("InvalidNumberFormat", "InvalidNumberFormat"),
    ("Expired", "Expired"),
    ("InvalidNumber", "NormalUnspecified"),
    ("NetworkOutOfOrder", "NormalUnspecified"),
    ("InterWorkingUnspecified", "NormalUnspecified"),
    ("ProtocolError", "NormalUnspecified"),
    ("TemporaryFailureAtServiceProvider", "NormalUnspecified"),
    ("DestinationOutOfOrder", "NormalUnspecified"),
)

#: The queue's time, and its size, past which a call goes on: as the words of ``DialStatus`` say.
_QUEUE_SECONDS = 45
_QUEUE_TIME_EXCEEDED = f"QTimeExceeded{{{_QUEUE_SECONDS}}}"
_QUEUE_SIZE_EXCEEDED = "QSizeExceeded{1}"


def dice(*about: object) -> random.Random:
    """Return random numbers that depend on nothing but ``about``."""
    return random.Random("/".join(map(str, about)))  # noqa: S311 - made-up calls, no secrets


def _spread(weights: dict[str, int]) -> tuple[str, ...]:
    """Return each word as often as its weight says."""
    return tuple(word for word, weight in weights.items() for _ in range(weight))


def _exponential(mean: float) -> tuple[int, ...]:
    """Return 256 whole seconds that are spread like waiting times with this mean."""
    return tuple(round(-mean * math.log(1 - (step + 0.5) / 256)) for step in range(256))


_STEPS = {
    "inbound": _spread(INBOUND),
    "manual": _spread(_MANUAL),
    "progressive": _spread(_PROGRESSIVE),
}
_DIRECTION = tuple(name for name, weight in _DIRECTIONS.items() for _ in range(weight))
_HOURS = tuple(hour for hour, weight in enumerate(_CURVE) for _ in range(weight))

_MENU = tuple(1 + seconds for seconds in _exponential(7))
_RINGING = tuple(1 + seconds for seconds in _exponential(6.2))
_DIALLING = tuple(2 + seconds for seconds in _exponential(14))
_ABANDONED = tuple(2 + seconds for seconds in _exponential(25))
_BRIEF = _exponential(6)
_TALK = tuple(20 + seconds for seconds in _exponential(190))
_WRAP = tuple(1 + seconds for seconds in _exponential(18))
#: Of ten tries in a hasty sequence, eight end at once, and one rings for long.
_HASTE = (0, 0, 0, 0, 0, 1, 1, 2, 4, 30)
_LONG_TALK = 3600


@dataclasses.dataclass(slots=True, eq=False)
class Event:
    """One thing that happened to a call: what a record will be about. Seconds are of the day."""

    call: Call
    ucid: int
    kind: Kind
    start: int
    end: int
    is_answered: bool
    #: As the record will say: an unanswered Manual call has mostly one that is none. [measured]
    pickup: int | None
    #: Seconds; None where no wrap-up took place.
    wrap: int | None = None
    #: From when on disposition and comment are there.
    noted: int = 0
    agent: int | None = None
    skill: str = ""
    dial: str = ""
    agent_dial: str = ""
    customer_dial: str = ""
    hangup: str = ""
    disposition: str = ""
    comment: str = ""
    transferred_to: int | None = None
    #: Seconds of the talk; rare things, and a customer's rating, 0 for none.
    hold: int = 0
    conference: int = 0
    rating: int = 0
    #: How often what may change after a call has changed.
    changes: int = 0
    #: Its place among the day's events by start, from 0.
    number: int = 0

    @property
    def duration(self) -> int:
        """Seconds from start to end."""
        return self.end - self.start

    @property
    def talk(self) -> int:
        """Seconds from an answer to the end."""
        return self.end - self.pickup if self.is_answered and self.pickup is not None else 0

    @property
    def listed(self) -> int:
        """The second from which a record is there, in whatever state."""
        if self.is_answered and self.pickup is not None:
            return self.pickup + LISTED_AFTER
        # Calls in the queue were listed as well. [measured]
        if self.kind == "queue":
            return self.start + LISTED_AFTER
        return self.end + LISTED_AFTER

    @property
    def settled(self) -> int:
        """The second from which the record is complete."""
        return max(self.end + LISTED_AFTER, self.end + (self.wrap or 0), self.noted)

    def change_late(self, revision: int) -> None:
        """Change what may change after a call, ``revision`` times in all: every other event."""
        self.changes = revision if (self.number + revision) % 2 else revision - 1
        if not self.changes:
            return
        self.disposition = f"Changed late :{self.changes}"
        self.comment = f"{self.comment} (changed late: {self.changes})".strip()
        if self.wrap is not None:
            self.wrap += self.changes


@dataclasses.dataclass(slots=True, eq=False)
class Call:
    """A call as it went."""

    id: int
    campaign: Campaign
    #: A number below a million that stands for who called, or was called.
    customer: int
    #: When the caller came, before the menus: in the ids only. Seconds of the day.
    arrived: int
    #: Whatever the account's own systems call it (``UUI``).
    reference: str
    events: list[Event] = dataclasses.field(default_factory=list)


class Maker:
    """Makes the calls of one day."""

    def __init__(  # noqa: PLR0913 - what sets one day apart from another
        self,
        account: str,
        zone: ZoneInfo,
        seed: int,
        day: date,
        count: int,
        *,
        is_rich: bool = True,
        has_extras: bool = False,
    ) -> None:
        """Make ``count`` events; ``is_rich`` and ``has_extras`` add what was not measured."""
        self._dice = dice(seed, account, day)
        self._random = self._dice.random
        self._bits = self._dice.getrandbits
        self._count = count
        self._ids = Ids(day, zone, dice(seed, account))
        self._agents = max(6, count // _RECORDS_PER_AGENT)
        self._comments: Sequence[str] = RICH_COMMENTS if is_rich else PLAIN_COMMENTS
        self._has_extras = has_extras
        #: Events with an agent's remark, disposition or talk so far: rare things go round.
        self._turn = self._bits(8)

    def events(self, revision: int = 0) -> list[Event]:
        """Return the day's events by their start, changed late ``revision`` times."""
        events = [event for call in self._calls() for event in call.events]
        events.sort(key=_start)
        for number, event in enumerate(events):
            event.number = number
            if revision:
                event.change_late(revision)
        return events

    def _calls(self) -> list[Call]:
        calls = []
        left = self._count
        if left >= BUSY:
            # The longest talk, and one that goes on past midnight.
            calls.append(self._make(Story("manual", "A"), DAY - 20))
            calls.append(self._make(Story("manual", "A"), 12 * 3600, longer=_LONG_TALK))
            calls.extend(self._make(story) for story in _EVERY_KIND)
            left -= sum(len(call.events) for call in calls)
        while left > 0:
            story = self._story()
            if len(story.steps) > left:
                story = Story("inbound", "Q") if left % 2 else Story("manual", "a")
            calls.append(self._make(story))
            left -= len(story.steps)
        return calls

    def _story(self) -> Story:
        direction = _DIRECTION[int(self._random() * len(_DIRECTION))]
        table = _STEPS[direction]
        steps = table[int(self._random() * len(table))]
        if steps == _ROW:
            tried = "a" * (3 + self._bits(3))
            return Story(direction, tried + "A" if self._bits(1) else tried, is_hasty=True)
        if steps == _MIXTURE:
            return Story(direction, self._mixture(), is_hasty=True)
        return Story(direction, steps)

    def _mixture(self) -> str:
        """Return one of the longer sequences, on average of nine or ten events."""
        length = 3 + int(-6.2 * math.log(1 - self._random()))
        if self._random() < 0.02:  # noqa: PLR2004 - one in fifty is very long
            length = 30 + self._bits(6)
        steps = ["Q" if self._random() < 0.7 else "a"]  # noqa: PLR2004 - most begin in the queue
        changes = 0
        for _ in range(min(length, MOST_EVENTS) - 2):
            step = "aaaaaaQSSa"[int(self._random() * 10)]
            changes += step == "S"
            # A call has up to six skills. [measured]
            steps.append("a" if step == "S" and changes > 5 else step)  # noqa: PLR2004
        # More than half are answered, so that 39 % of all inbound calls are. [measured]
        steps.append("A" if self._random() < 0.53 else "QDa"[self._bits(8) % 3])  # noqa: PLR2004
        return "".join(steps)

    def _make(self, story: Story, begin: int | None = None, longer: int = 0) -> Call:
        """Return a call; it begins at ``begin``, or at a time that depends on the hour."""
        direction, steps, is_hasty = story
        campaigns = CAMPAIGNS[direction]
        lengths = [
            self._length(direction, step, following, is_hasty=is_hasty)
            for step, following in zip(steps, [*steps[1:], ""], strict=True)
        ]
        lengths[-1] = lengths[-1][0], lengths[-1][1] + longer
        if begin is None:
            hour = _HOURS[int(self._random() * len(_HOURS))]
            begin = hour * 3600 + int(self._random() * 3600)
        # All of a call's events start on one day.
        begin = min(begin, DAY - 1 - sum(wait + talk for wait, talk in lengths[:-1]))
        call = Call(
            id=0,
            campaign=campaigns[int(self._random() * len(campaigns))],
            customer=self._customer(),
            arrived=begin,
            reference="" if self._bits(2) else f"order-{self._bits(20)}",
        )
        if direction == "inbound":
            call.arrived -= _MENU[self._bits(8)]
            call.id = self._ids.inbound(call.arrived)
        else:
            call.id = self._ids.outbound(begin)
        self._fill(call, steps, lengths, begin)
        return call

    def _customer(self) -> int:
        """Return who calls or is called: one in ten is somebody who does so often."""
        often = self._random() < 0.1  # noqa: PLR2004
        return int(self._random() * (_REGULARS if often else _CUSTOMERS))

    def _length(
        self, direction: Direction, step: str, following: str, *, is_hasty: bool
    ) -> tuple[int, int]:
        """Return the seconds of an event until it is answered or ends, and those of the talk."""
        bits = self._bits(16)
        low, high = bits & 255, bits >> 8
        if step in _ANSWERED:
            waiting = _RINGING if direction == "inbound" else _DIALLING
            # Nobody talks for long who has to be put through.
            return waiting[low], _TALK[high] if not following else 20 + high // 4
        if direction != "inbound":
            return _DIALLING[low] + high % 8, 0
        if step in "SD":
            return low % 3, 0
        if is_hasty:
            return _HASTE[low % 10], 0
        if step == "Q":
            return self._queue_length(low, high, following), 0
        return _BRIEF[low] + high % 4, 0

    def _queue_length(self, low: int, high: int, following: str) -> int:
        if not following:
            return _ABANDONED[low]
        # The time is over, or the queue is full at once, or the caller is put through.
        if following == "D" or (following == "S" and high % 8 == 0):
            return _QUEUE_SECONDS
        return _BRIEF[low] if high % 3 else high % 2

    def _fill(self, call: Call, steps: str, lengths: list[tuple[int, int]], begin: int) -> None:
        """Make the call's events, one after the other."""
        is_inbound = call.campaign.direction == "inbound"
        skills = call.campaign.skills
        # It has room for every change of skill.
        skill = self._bits(8) % max(1, len(skills) - steps.count("S"))
        start = begin
        for place, (step, (wait, talk)) in enumerate(zip(steps, lengths, strict=True)):
            skill += step == "S"
            event = Event(
                call=call,
                ucid=self._ucid(call, start) if is_inbound else call.id,
                kind=_KINDS[step],
                start=start,
                end=start + wait + talk,
                is_answered=step in _ANSWERED,
                pickup=start + wait if step in _ANSWERED else None,
                skill=skills[skill % len(skills)],
            )
            event.noted = event.end
            self._details(event, step, steps[place + 1 :])
            call.events.append(event)
            start = event.end
        if steps == "AA":
            call.events[0].transferred_to = call.events[1].agent

    def _ucid(self, call: Call, start: int) -> int:
        # A few hold another moment of the call. [measured]
        return self._ids.inbound(start if self._bits(8) else call.arrived - 5)

    def _details(self, event: Event, step: str, following: str) -> None:
        """Fill in what the kind of an event decides, as the table of measured rows has it."""
        if step == "A":
            self._answered_agent(event)
        elif step == "a":
            self._unanswered_agent(event)
        elif step == "O":
            event.dial = event.customer_dial = "answered"
            event.hangup = self._hangup()
        elif step in "oC":
            event.dial, event.customer_dial = self._pick(_NO_CUSTOMER)
            event.hangup = "UserHangup" if event.dial == "user_disconnected" else "SystemHangup"
            event.skill = event.skill if step == "o" else ""
        elif step == "Q":
            self._queue(event, following)
        elif step == "D":
            event.hangup = "SystemHangup" if self._bits(2) else "UserHangup"
        elif self._bits(4) == 0:  # Rarely does somebody hang up in a change of skill.
            event.hangup = "UserHangup"

    def _answered_agent(self, event: Event) -> None:
        event.agent = self._agent()
        event.dial = event.agent_dial = event.customer_dial = "answered"
        event.hangup = self._hangup()
        event.wrap = _WRAP[self._bits(8)] if self._random() < 0.85 else None  # noqa: PLR2004
        self._note(event)
        if self._has_extras:
            self._add_extras(event)

    def _unanswered_agent(self, event: Event) -> None:
        event.agent = self._agent()
        if event.call.campaign.direction == "manual":
            # The agent's own line was picked up, and the customer's was not. [measured]
            event.agent_dial = "answered"
            event.dial, event.customer_dial = self._pick(_NO_CUSTOMER)
            event.pickup = event.end if self._random() < 0.97 else None  # noqa: PLR2004
            event.wrap = _WRAP[self._bits(8)] if self._random() < 0.4 else None  # noqa: PLR2004
            event.hangup = self._hangup()
            self._note(event)
            return
        words = _AT_ONCE if event.duration < 3 else _AFTER_RINGING  # noqa: PLR2004
        event.dial, event.agent_dial = self._pick(words)
        event.hangup = "UserHangup" if event.dial == "user_disconnected" else "SystemHangup"

    def _queue(self, event: Event, following: str) -> None:
        event.agent_dial = "NotDialed"
        if event.duration == _QUEUE_SECONDS:
            event.dial = _QUEUE_TIME_EXCEEDED
        elif not following:
            event.dial = "user_disconnected"
            event.hangup = "" if self._bits(2) else "UserHangup"
        elif event.duration < 2 and following[0] in "SD":  # noqa: PLR2004
            event.dial = _QUEUE_SIZE_EXCEEDED
        if self._bits(5) == 0:
            event.skill = ""

    def _note(self, event: Event) -> None:
        """Let an agent note something, mostly while wrapping up."""
        self._turn += 1
        dispositions = event.call.campaign.dispositions
        event.disposition = dispositions[self._turn % len(dispositions)]
        if self._turn % 3 == 0:
            event.comment = self._comments[self._turn // 3 % len(self._comments)]
        event.noted = event.end + (event.wrap or 0)
        if self._turn % 20 == 0:
            # Some note it later, but none after the day. [measured]
            event.noted = max(event.noted, min(event.noted + 600 + self._bits(11), DAY - 1))

    def _add_extras(self, event: Event) -> None:
        """Add what the measured account did not have and others may."""
        if self._turn % 4 == 0:
            event.rating = 1 + self._turn // 4 % 5
        if self._turn % 5 == 0:
            event.hold = event.talk // 4
        if self._turn % 7 == 0:
            event.conference = event.talk // 3

    def _agent(self) -> int:
        return int(self._random() * self._agents)

    def _hangup(self) -> str:
        return "UserHangup" if self._bits(1) else "AgentHangup"

    def _pick(self, words: Sequence[tuple[str, str]]) -> tuple[str, str]:
        return words[int(self._random() * len(words))]


def _start(event: Event) -> int:
    return event.start
