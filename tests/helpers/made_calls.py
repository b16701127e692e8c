"""Calls whose truth is known, the rows that the tap makes of them, and every mart counted by hand.

Nothing here is shared with the tap, the sandbox or the dbt package: the forms of the rows come from
what was measured of the API, and the marts are counted in plain Python.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Row = dict[str, Any]

TODAY = date(2026, 3, 12)
"""The day that the API still has as its current one; a Thursday."""
FIRST = TODAY - timedelta(days=10)
SILENT = TODAY - timedelta(days=4)
"""A Sunday without calls."""
ZONES = {"alpha": ZoneInfo("Asia/Kolkata"), "beta": ZoneInfo("America/New_York")}
AGENTS = [(f"agent{n}", f"Agent {chr(65 + n)}") for n in range(6)]
SKILLS = ["English", "Hindi", "Tamil"]
INBOUND = (
    "queue",
    "answered",
    "queue skill answered",
    "queue disconnect",
    "tried",
    "tried tried queue answered",
    "handed-on answered",
    "handed-on tried",
    "outside",
    "queue tried skill disconnect",
)
"""The events of inbound calls."""


@dataclass
class Event:
    """What happened, and what is true of it."""

    account: str
    call_id: str
    ucid: str
    start: datetime
    """In the account's zone."""
    direction: str
    kind: str
    lasted: int
    """From start to end."""
    campaign: str | None = None
    customer: str | None = None
    reference: str | None = None
    skill: str | None = None
    agent: tuple[str, str] | None = None
    rang: int | None = None
    """Until the pick-up; None unless it was answered."""
    wrap_up: int = 0
    wrapping_up: bool = False
    """The agent has not finished the wrap-up."""
    running: bool = False
    hold: int = 0
    queue: int = 0
    disposition: str | None = None
    hangup_by: str | None = None
    transfer: bool = False
    rating: int | None = None
    recording: str | None = None

    @property
    def answered(self) -> bool:
        """Whether somebody picked up."""
        return self.rang is not None

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.start.astimezone(timezone.utc)

    @property
    def picked_up_at(self) -> datetime | None:
        """When somebody picked up."""
        return None if self.rang is None else self.started_at + timedelta(seconds=self.rang)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it runs."""
        return None if self.running else self.started_at + timedelta(seconds=self.lasted)

    @property
    def wrapped_up_at(self) -> datetime | None:
        """When the agent's wrap-up ended; None where there was none, or it has not ended."""
        if self.running or self.wrapping_up or not self.wrap_up:
            return None
        return self.started_at + timedelta(seconds=self.lasted + self.wrap_up)

    @property
    def talk(self) -> int | None:
        """How long agent and customer talked; None while they do, and where they did not."""
        return None if self.rang is None or self.running else self.lasted - self.rang

    @property
    def wrapped(self) -> int | None:
        """How long the wrap-up took; None where there was none, or it has not ended."""
        return None if self.running or self.wrapping_up else self.wrap_up or None

    @property
    def handling(self) -> int | None:
        """Talk and wrap-up; None where there was neither, or one has not ended."""
        if self.running or self.wrapping_up:
            return None
        return self.wrap_up + self.talk if self.talk is not None else self.wrap_up or None


# The rows of the tap

PAST_WORDS = {
    "agent": "Agent Dials",
    "queue": "Queue",
    "skill_transfer": "Skill Transfers",
    "disconnect": "Disconnect",
    "customer": "Customer Dials",
    "dial_out": "Dial Out",
}
CURRENT_WORDS = {**PAST_WORDS, "agent": "AgentDial"}
PAST_TYPES = {"inbound": "Inbound", "manual": "Manual", "progressive": "Progressive"}
CURRENT_TYPES = {**PAST_TYPES, "inbound": "InBound"}


def hms(seconds: int) -> str:
    """Return seconds as HH:MM:SS."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def clock(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return the time of day of an instant; blank without one."""
    return f"{moment.astimezone(zone):%H:%M:%S}" if moment else ""


def rfc3339(moment: datetime | None) -> str | None:
    """Return an instant as the tap writes it."""
    return moment.isoformat() if moment else None


def row(event: Event, *, past: bool, include_account: bool = True) -> Row:
    """Return the tap's row of an event, in the spelling of past days or of the current one."""
    zone = ZONES[event.account]
    none = "" if past else None
    answered, running = event.answered, event.running
    waiting = running and not answered
    shown_end = event.picked_up_at if running and answered else event.ended_at or event.started_at
    # An unanswered manual call has a pick-up, equal to its end.
    picked_up = event.picked_up_at
    if not answered and not running and event.direction == "manual":
        picked_up = event.ended_at
    lasted = (event.rang or 0) if running else event.lasted
    talk = 1 if running and answered else event.talk or 0
    wrapped = None if event.wrapping_up or running else event.wrap_up
    handling = None if event.wrapping_up or (running and answered) else talk + (wrapped or 0)
    wrap_up_at = event.ended_at if event.wrap_up or event.wrapping_up else None
    row: Row = {
        "AgentDialStatus": "answered" if answered else "Queued" if waiting else "NoAnswer",
        "AgentID": event.agent[0] if event.agent else "",
        "AgentName": event.agent[1] if event.agent else "",
        "CallAudio": event.recording or "",
        "CallDate": str(event.start.date()),
        "CallID": event.call_id,
        "CampaignName": event.campaign or "",
        "CustomerDialStatus": "NotDialed" if waiting else "",
        "DialStatus": "answered" if answered else "",
        "Disposition": event.disposition or "",
        "Duration": hms(lasted),
        "E164": event.customer or "",
        "EndTime": clock(shown_end, zone),
        "Event": (PAST_WORDS if past else CURRENT_WORDS)[event.kind],
        "HandlingTime": none if handling is None else hms(handling),
        "HangupBy": event.hangup_by or "",
        "HoldDuration": hms(event.hold),
        "PickupTime": clock(picked_up, zone) or none,
        "Rating": event.rating if event.rating is not None else None if past else 0,
        "Skill": event.skill or "",
        "StartTime": f"{event.start:%H:%M:%S}",
        "Status": "Answered" if answered else "Unanswered",
        "TalkTime": hms(talk),
        "TransferType": "Agent" if event.transfer else "",
        "Type": (PAST_TYPES if past else CURRENT_TYPES)[event.direction],
        "UCID": event.ucid,
        "UUI": event.reference or "",
        "WrapupDuration": hms(wrapped) if wrapped or (past and wrapped is not None) else None,
        "QueueTime": hms(event.queue),
        "DialCount": 1,
        "DurationSeconds": lasted,
        "TalkTimeSeconds": talk,
        "HandlingTimeSeconds": handling,
        "TimeToAnswerSeconds": event.rang,
        "WrapupDurationSeconds": wrapped if wrapped or past else None,
        "HoldDurationSeconds": event.hold,
        "ConferenceDurationSeconds": 0,
        "CustomerRingTimeSeconds": 0,
        "QueueTimeSeconds": event.queue,
        "StartedAt": rfc3339(event.started_at),
        "PickedUpAt": rfc3339(picked_up),
        "EndedAt": rfc3339(shown_end),
        "WrapUpStartedAt": rfc3339(wrap_up_at),
        "WrapUpEndedAt": rfc3339(event.wrapped_up_at),
        "AdditionalFields": '{"CustomerMood": "new"}' if event.reference else None,
    }
    row["CallFlow"] = row["Event"]
    return {"UserName": event.account, **row} if include_account else row


# Calls


@dataclass
class Switch:
    """Makes calls up, the same ones every time."""

    account: str
    chance: random.Random
    customers: list[str]
    made: int = 0
    events: list[Event] = field(default_factory=list)

    def call(self, start: datetime, direction: str) -> Callable[..., Event]:
        """Begin a call; what is returned adds an event to it, from ``after`` its last one's end."""
        self.made += 1
        number = self.made
        at = start
        common = {
            "campaign": f"Campaign {number % 3}" if number % 17 else None,
            "customer": self.chance.choice(self.customers) if number % 23 else None,
            "reference": f"Order-{number}" if number % 7 == 0 else None,
        }

        def add(kind: str, lasted: int, after: int = 0, **facts: Any) -> Event:  # noqa: ANN401
            nonlocal at
            begin = at + timedelta(seconds=after)
            # An event's id orders nothing: it counts down here.
            ucid = f"{number:08}{900 - len(self.events) % 900}"
            event = Event(
                self.account,
                f"{number:08}000" if direction == "inbound" else ucid,
                ucid,
                begin,
                direction,
                kind,
                lasted,
                **{**common, **facts},
            )
            self.events.append(event)
            at = begin + timedelta(seconds=lasted)
            return event

        return add

    def answered(self, add: Callable[..., Event], **facts: Any) -> Event:  # noqa: ANN401
        """Add an agent who picks up."""
        rang = self.chance.randint(1, 25)
        talk = self.chance.choice([1, 4, 14, 15, 16, 60, 300, 1200])
        ucid = len(self.events)
        return add(
            "agent",
            rang + talk,
            **{
                "rang": rang,
                "agent": self.chance.choice(AGENTS),
                "hangup_by": self.chance.choice(["UserHangup", "AgentHangup"]),
                "wrap_up": self.chance.choice([0, 5, 45]),
                "disposition": self.chance.choice([None, "Sold", "Call back"]),
                "rating": self.chance.choice([None, None, 1, 5]),
                "hold": self.chance.choice([0, 0, 0, 12]),
                "recording": f"https://recordings.example/{self.account}/{ucid}.mp3",
                **facts,
            },
        )

    def inbound(self, start: datetime) -> None:
        """Make one call of one of the kinds that were measured."""
        add = self.call(start, "inbound")
        skill = self.chance.choice(SKILLS)
        queue = self.chance.choice([0, 3, 10, 19, 20, 21, 90])
        for event in self.chance.choice(INBOUND).split():
            agent = self.chance.choice(AGENTS)
            if event == "queue":
                add("queue", queue, queue=queue, skill=skill)
            elif event == "skill":
                skill = SKILLS[0]
                add("skill_transfer", 0, skill=skill)
            elif event == "disconnect":
                add("disconnect", 0, skill=skill, hangup_by="UserHangup")
            elif event == "tried":
                add("agent", 8, 1, agent=agent, skill=skill, hangup_by="SystemHangup")
            elif event == "outside":
                add("dial_out", 40, rang=self.chance.randint(2, 9), hangup_by="UserHangup")
            else:
                handed_on = event == "handed-on"
                self.answered(add, skill=skill, transfer=handed_on)

    def dialed(self, start: datetime) -> None:
        """Make one manual or progressive call: a call of one event."""
        kind = self.chance.randrange(5)
        if kind == 0:
            self.answered(self.call(start, "manual"))
        elif kind == 1:
            self.answered(self.call(start, "progressive"), skill=SKILLS[1])
        elif kind == 2:
            self.call(start, "progressive")("customer", 20, hangup_by="UserHangup")
        else:
            # Nobody picks up; the agent notes it all the same.
            agent, wrap_up = self.chance.choice(AGENTS), self.chance.choice([0, 8])
            facts = {"agent": agent, "wrap_up": wrap_up, "hangup_by": "UserHangup"}
            self.call(start, "manual")("agent", 30, disposition="No answer", **facts)

    def running(self, start: datetime) -> None:
        """Make calls that are under way: talking, about to be dialed, and in wrap-up."""
        add = self.call(start, "inbound")
        add("queue", 10, queue=10, skill=SKILLS[2])
        self.answered(add, running=True, hangup_by=None, wrap_up=0, disposition=None)
        self.call(start, "manual")("agent", 0, agent=AGENTS[0], running=True)
        self.call(start, "inbound")("queue", 0, running=True, skill=SKILLS[0])
        self.answered(self.call(start, "inbound"), wrapping_up=True, wrap_up=0)
        add = self.call(start, "inbound")
        self.answered(add, transfer=True, wrap_up=20)
        self.answered(add, wrapping_up=True, wrap_up=0)


def make_calls(account: str) -> list[Event]:
    """Return the events of an account's calls, those of a call in their order."""
    chance = random.Random(f"calls of {account}")  # noqa: S311 - no secret
    customers = [f"+9198{chance.randrange(10**8):08}" for _ in range(60)]
    switch = Switch(account, chance, customers)
    zone = ZONES[account]

    def at(day: date, seconds: int) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=seconds)

    for n in range((TODAY - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        if day == SILENT:
            continue
        for _ in range(24):
            switch.inbound(at(day, chance.randrange(9 * 3600, 18 * 3600)))
            switch.dialed(at(day, chance.randrange(86_000)))
        if day < TODAY:
            # Over midnight: its last events are the next day's.
            add = switch.call(at(day, 86_390), "inbound")
            add("queue", 15, queue=15, skill=SKILLS[0])
            switch.answered(add)
    switch.running(at(TODAY, 50_000))
    return switch.events


def is_past(event: Event) -> bool:
    """Whether the API spells an event as one of a past day."""
    return event.start.date() < TODAY


def as_read_before(event: Event) -> Event:
    """Return what an earlier reading had of an event: it still ran, or was not yet disposed of."""
    if event.answered:
        return replace(event, running=True, hangup_by=None, disposition=None, rating=None)
    return replace(event, disposition=None)


def rows_of(events: Iterable[Event], **options: bool) -> list[Row]:
    """Return the rows of events, each in the spelling of its day."""
    return [row(event, past=is_past(event), **options) for event in events]


def rows_of_two_loads(events: Sequence[Event], **options: bool) -> tuple[list[Row], list[Row]]:
    """Return what two runs of the tap wrote, the first of them a day earlier.

    The day before the last is in both, in another spelling, and with what changed since.
    """
    yesterday = TODAY - timedelta(days=1)
    before = [event for event in events if event.start.date() < yesterday]
    twice = [event for event in events if event.start.date() == yesterday]
    after = [event for event in events if event.start.date() >= yesterday]
    return (
        rows_of(before, **options)
        + [row(as_read_before(event), past=False, **options) for event in twice],
        rows_of(after, **options),
    )


# The marts, counted


@dataclass
class Call:
    """The events of a call, in their order, and what they make of it."""

    events: list[Event]

    @property
    def first(self) -> Event:
        """The first event."""
        return self.events[0]

    @property
    def answers(self) -> list[Event]:
        """The answered events."""
        return [event for event in self.events if event.answered]

    @property
    def answered(self) -> bool:
        """Whether anybody answered."""
        return bool(self.answers)

    @property
    def running(self) -> bool:
        """Whether the call is under way."""
        return any(event.running for event in self.events)

    @property
    def abandoned(self) -> bool:
        """Whether the caller left, or was left, unanswered."""
        return self.first.direction == "inbound" and not self.answered and not self.running

    @property
    def ended_at(self) -> datetime | None:
        """When the last event ended; None while the call runs."""
        ends = [event.ended_at for event in self.events if event.ended_at]
        return None if self.running else max(ends)

    @property
    def wait(self) -> int | None:
        """How long the caller waited for an agent or left unanswered."""
        until = self.answers[0].picked_up_at if self.answers else self.ended_at
        if until is None or not (self.answered or self.abandoned):
            return None
        return int((until - self.first.started_at).total_seconds())

    @property
    def handling(self) -> int | None:
        """The talk and wrap-up of all; None while anybody is at it."""
        if self.running or any(event.answered and event.handling is None for event in self.events):
            return None
        return total(event.handling for event in self.events)


def total(values: Iterable[int | None]) -> int | None:
    """Return the sum of the values that there are; None if there are none."""
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def mean(values: Iterable[int | None]) -> float | None:
    """Return the mean of the values that there are; None if there are none."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def share(part: int, whole: int) -> float | None:
    """Return part / whole; None of nothing."""
    return part / whole if whole else None


def first_of(values: Iterable[Any]) -> Any:  # noqa: ANN401
    """Return the first value that is one, None if none is."""
    return next((value for value in values if value is not None), None)


def grouped(things: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Return things by their key."""
    groups = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return groups


def calls_of(events: Iterable[Event]) -> list[Call]:
    """Return the calls that events make up."""
    groups = grouped(events, lambda event: (event.account, event.call_id))
    return [
        Call(sorted(group, key=lambda event: (event.started_at, event.ucid)))
        for group in groups.values()
    ]


@dataclass(frozen=True)
class Variables:
    """The package's variables, at their defaults."""

    service_level_seconds: int = 20
    short_abandon_seconds: int = 0
    connected_seconds: int = 15
    repeat_days: int = 7


def stg_ozonetel_cdr__events(events: Sequence[Event], _: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    for e in events:
        yield {
            "account": e.account,
            "call_id": e.call_id,
            "ucid": e.ucid,
            "call_date": e.start.date(),
            "start_time": f"{e.start:%H:%M:%S}",
            "start_hour": e.start.hour,
            "direction": e.direction,
            "event": e.kind,
            "is_answered": e.answered,
            "is_in_progress": e.running,
            "campaign": e.campaign,
            "skill": e.skill,
            "agent_id": e.agent[0] if e.agent else None,
            "agent_name": e.agent[1] if e.agent else None,
            "customer": e.customer,
            "hangup_by": e.hangup_by,
            "disposition": e.disposition,
            "rating": e.rating,
            "reference": e.reference,
            "recording_url": e.recording,
            "started_at": e.started_at,
            "picked_up_at": e.picked_up_at,
            "ended_at": e.ended_at,
            "wrap_up_ended_at": e.wrapped_up_at,
            "duration_seconds": None if e.running else e.lasted,
            "talk_seconds": e.talk,
            "wrap_up_seconds": e.wrapped,
            "handling_seconds": e.handling,
            "time_to_answer_seconds": e.rang,
            "hold_seconds": None if e.running else e.hold,
            "queue_seconds": e.queue,
        }


def ozonetel_calls(events: Sequence[Event], variables: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    for call in calls_of(events):
        each, first, running = call.events, call.first, call.running
        answer = call.answers[0] if call.answers else None
        agent = answer.agent if answer else None
        skills = [event.skill for event in each if event.skill]
        abandoned, wait = call.abandoned, call.wait
        yield {
            "account": first.account,
            "call_id": first.call_id,
            "call_date": first.start.date(),
            "start_time": f"{first.start:%H:%M:%S}",
            "start_hour": first.start.hour,
            "direction": first.direction,
            "campaign": first.campaign,
            "customer": first.customer,
            "started_at": first.started_at,
            "answered_at": answer.picked_up_at if answer else None,
            "ended_at": call.ended_at,
            "is_answered": call.answered,
            "is_abandoned": abandoned,
            "is_short_abandoned": abandoned and (wait or 0) < variables.short_abandon_seconds,
            "is_in_progress": running,
            "wait_seconds": wait,
            "talk_seconds": None if running else total(event.talk for event in each),
            "wrap_up_seconds": None if running else total(event.wrapped for event in each),
            "handling_seconds": call.handling,
            "hold_seconds": None if running else sum(event.hold for event in each),
            "queue_seconds": sum(event.queue for event in each),
            "event_count": len(each),
            "agents_tried": len({event.agent[0] for event in each if event.agent}),
            "agent_id": agent[0] if agent else None,
            "agent_name": agent[1] if agent else None,
            "skill": (answer and answer.skill) or first_of(reversed(skills)),
            "skill_count": len(set(skills)),
            "is_transferred": any(event.transfer for event in each) or len(call.answers) > 1,
            "disposition": first_of(event.disposition for event in reversed(each)),
            "hangup_by": first_of(event.hangup_by for event in reversed(each)),
            "recording_url": first_of(event.recording for event in each),
            "reference": first.reference,
        }


def ozonetel_campaign_days(events: Sequence[Event], variables: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    limit = variables.service_level_seconds
    groups = grouped(
        calls_of(events),
        lambda call: (
            call.first.account,
            call.first.start.date(),
            call.first.campaign,
            call.first.direction,
        ),
    )
    for (account, day, campaign, direction), calls in groups.items():
        answered = [call for call in calls if call.answered]
        left = [call for call in calls if call.abandoned]
        short = [call for call in left if (call.wait or 0) < variables.short_abandon_seconds]
        open_ones = [call for call in calls if call.running and not call.answered]
        offered = len(calls) - len(short) - len(open_ones)
        lost = len(left) - len(short)
        inbound = direction == "inbound"
        in_time = sum(call.wait is not None and call.wait <= limit for call in answered)
        yield {
            "account": account,
            "call_date": day,
            "campaign": campaign,
            "direction": direction,
            "calls": len(calls),
            "in_progress": sum(call.running for call in calls),
            "offered": offered,
            "answered": len(answered),
            "abandoned": lost,
            "short_abandoned": len(short),
            "answered_share": share(len(answered), offered),
            "abandoned_share": share(lost, offered),
            "average_wait_seconds": mean(call.wait for call in answered),
            "longest_wait_seconds": max((call.wait or 0 for call in answered), default=None),
            "answered_in_time": in_time if inbound else None,
            "service_level": share(in_time, offered) if inbound else None,
            "service_level_of_answered": share(in_time, len(answered)) if inbound else None,
            "service_level_seconds": limit,
            "average_handling_seconds": mean(call.handling for call in answered),
        }


def ozonetel_hours(events: Sequence[Event], variables: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    groups = grouped(
        calls_of(events),
        lambda call: (
            call.first.account,
            call.first.start.date(),
            call.first.start.hour,
            call.first.direction,
        ),
    )
    for (account, day, hour, direction), calls in groups.items():
        yield {
            "account": account,
            "call_date": day,
            "start_hour": hour,
            "direction": direction,
            "calls": len(calls),
            "answered": sum(call.answered for call in calls),
            "abandoned": sum(
                call.abandoned and (call.wait or 0) >= variables.short_abandon_seconds
                for call in calls
            ),
        }


def ozonetel_agent_days(events: Sequence[Event], variables: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    groups = grouped(
        (event for event in events if event.agent),
        lambda event: (event.account, event.start.date(), event.agent[0]),
    )
    for (account, day, agent), unordered in groups.items():
        each = sorted(unordered, key=lambda event: (event.started_at, event.ucid))
        calls = list(grouped(each, lambda event: event.call_id).values())
        talks = [total(event.talk for event in call) for call in calls]
        answered = [call for call in calls if any(event.answered for event in call)]
        connected = sum(talk is not None and talk >= variables.connected_seconds for talk in talks)
        handling = total(event.handling for event in each)
        gaps = []
        busy_until = None
        for event in each:
            if busy_until is not None:
                gaps.append(max(0, int((event.started_at - busy_until).total_seconds())))
            ends = [busy_until, event.wrapped_up_at or event.ended_at]
            busy_until = max((end for end in ends if end), default=None)
        yield {
            "account": account,
            "call_date": day,
            "agent_id": agent,
            "agent_name": each[-1].agent[1],
            "calls": len(calls),
            "answered": len(answered),
            "connected": connected,
            "connected_share": share(connected, len(calls)),
            "connected_seconds": variables.connected_seconds,
            "talk_seconds": total(event.talk for event in each),
            "wrap_up_seconds": total(event.wrapped for event in each),
            "handling_seconds": handling,
            "average_handling_seconds": handling / len(answered) if handling and answered else None,
            "first_event_at": each[0].started_at,
            "last_event_at": each[-1].started_at,
            "first_event_time": f"{each[0].start:%H:%M:%S}",
            "last_event_time": f"{each[-1].start:%H:%M:%S}",
            "longest_gap_seconds": max(gaps, default=None),
        }


def ozonetel_customers(events: Sequence[Event], variables: Variables) -> Iterator[Row]:
    """Return what should stand in the model of this name."""
    known = [call for call in calls_of(events) if call.first.customer]
    groups = grouped(known, lambda call: (call.first.account, call.first.customer))
    for (account, customer), unordered in groups.items():
        calls = sorted(unordered, key=lambda call: call.first.started_at)
        came = [call.first.started_at for call in calls if call.first.direction == "inbound"]
        soon = timedelta(days=variables.repeat_days)
        yield {
            "account": account,
            "customer": customer,
            "calls": len(calls),
            "answered": sum(call.answered for call in calls),
            "inbound_calls": len(came),
            "abandoned": sum(
                call.abandoned and (call.wait or 0) >= variables.short_abandon_seconds
                for call in calls
            ),
            "repeat_calls": sum(later - earlier <= soon for earlier, later in pairwise(came)),
            "repeat_days": variables.repeat_days,
            "first_call_at": calls[0].first.started_at,
            "last_call_at": calls[-1].first.started_at,
            "first_call_date": calls[0].first.start.date(),
            "last_call_date": calls[-1].first.start.date(),
        }


MODELS = {
    function.__name__: function
    for function in (
        stg_ozonetel_cdr__events,
        ozonetel_calls,
        ozonetel_campaign_days,
        ozonetel_hours,
        ozonetel_agent_days,
        ozonetel_customers,
    )
}
KEYS = {
    "stg_ozonetel_cdr__events": ("account", "call_id", "ucid"),
    "ozonetel_calls": ("account", "call_id"),
    "ozonetel_campaign_days": ("account", "call_date", "campaign", "direction"),
    "ozonetel_hours": ("account", "call_date", "start_hour", "direction"),
    "ozonetel_agent_days": ("account", "call_date", "agent_id"),
    "ozonetel_customers": ("account", "customer"),
}


def keyed(rows: Iterable[Row], model: str) -> dict[tuple[object, ...], Row]:
    """Return a model's rows by their key; none may stand twice."""
    found: dict[tuple[object, ...], Row] = {}
    for each in rows:
        key = tuple(each[column] for column in KEYS[model])
        assert key not in found, key
        found[key] = each
    return found


def truth(model: str, events: Sequence[Event], variables: Variables | None = None) -> Any:  # noqa: ANN401
    """Return the rows that a model should hold, by their key."""
    return keyed(MODELS[model](events, variables or Variables()), model)


def differences(found: dict[Any, Row], true: dict[Any, Row]) -> list[tuple[object, ...]]:
    """Return what a model holds otherwise than it should: key, column, value, true value.

    Columns that the truth does not name are not compared.
    """
    missing = [(key, "row", "missing", "there") for key in true.keys() - found.keys()]
    invented = [(key, "row", "there", "missing") for key in found.keys() - true.keys()]
    return [
        *missing,
        *invented,
        *(
            (key, column, found[key].get(column, "(no such column)"), value)
            for key in true.keys() & found.keys()
            for column, value in true[key].items()
            if found[key].get(column, "(no such column)") != value
        ),
    ]
