"""The truth about calls, apart from any spelling: what a test counts by."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from ozonetel_sandbox.ids import agent_id, e164

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from ozonetel_sandbox.calls import Call, Event, Kind
    from ozonetel_sandbox.people import Direction


@dataclasses.dataclass(frozen=True)
class MadeEvent:
    """One event of a call. Times are those of the account's clock, without a zone; spans seconds.

    The API has one record of it, with the id ``ucid``.
    """

    ucid: str
    kind: Kind
    started: datetime
    ended: datetime
    is_answered: bool
    #: When somebody picked up; None where nobody did, whatever the record says.
    picked_up: datetime | None
    talk: int
    #: None where no wrap-up took place.
    wrap_up: int | None
    hold: int
    #: Waited in the queue.
    queue: int
    agent_id: str | None
    skill: str | None
    disposition: str | None
    comment: str | None
    #: ``UserHangup``, ``AgentHangup``, ``SystemHangup``, or None.
    hangup_by: str | None
    rating: int | None
    #: The agent who took over.
    transferred_to: str | None
    #: From when on the record is listed in any state, and complete.
    listed: datetime
    settled: datetime


@dataclasses.dataclass(frozen=True)
class MadeCall:
    """One call of an account, as it was once all of it was over."""

    account: str
    call_id: str
    direction: Direction
    campaign: str
    #: The number as ``E164`` has it.
    customer: str
    #: When the caller came, before the menus: no record says it, but for the id.
    arrived: datetime
    #: ``UUI``; None where there is none.
    reference: str | None
    #: In the order in which they happened.
    events: tuple[MadeEvent, ...]

    @property
    def is_answered(self) -> bool:
        """Whether any event was."""
        return any(event.is_answered for event in self.events)

    @property
    def started(self) -> datetime:
        """The start of the first event."""
        return self.events[0].started

    @property
    def ended(self) -> datetime:
        """The last end of an event."""
        return max(event.ended for event in self.events)

    @property
    def answered_at(self) -> datetime | None:
        """The first pick-up by somebody who answered."""
        return next((event.picked_up for event in self.events if event.is_answered), None)

    @property
    def wait(self) -> int:
        """Seconds from the first event to the answer, or to the end."""
        return int(((self.answered_at or self.ended) - self.started).total_seconds())

    @property
    def talk(self) -> int:
        """Seconds, in all answered events."""
        return sum(event.talk for event in self.events)


def calls_of(account: str, day: date, events: Iterable[Event]) -> list[MadeCall]:
    """Return the calls of a day's ``events``, by the start of their first event."""
    midnight = datetime.combine(day, time())
    calls = {id(event.call): event.call for event in events}
    return [_made_call(account, midnight, call) for call in calls.values()]


def _made_call(account: str, midnight: datetime, call: Call) -> MadeCall:
    return MadeCall(
        account=account,
        call_id=str(call.id),
        direction=call.campaign.direction,
        campaign=call.campaign.name,
        customer=e164(call.customer),
        arrived=midnight + timedelta(seconds=call.arrived),
        reference=call.reference or None,
        events=tuple(_made_event(midnight, event) for event in call.events),
    )


def _made_event(midnight: datetime, event: Event) -> MadeEvent:
    def moment(second: int) -> datetime:
        return midnight + timedelta(seconds=second)

    is_answered = event.is_answered and event.pickup is not None
    return MadeEvent(
        ucid=str(event.ucid),
        kind=event.kind,
        started=moment(event.start),
        ended=moment(event.end),
        is_answered=event.is_answered,
        picked_up=moment(event.pickup or 0) if is_answered else None,
        talk=event.talk,
        wrap_up=event.wrap,
        hold=event.hold,
        queue=event.duration if event.kind == "queue" else 0,
        agent_id=None if event.agent is None else agent_id(event.agent),
        skill=event.skill or None,
        disposition=event.disposition or None,
        comment=event.comment or None,
        hangup_by=event.hangup or None,
        rating=event.rating or None,
        transferred_to=None if event.transferred_to is None else agent_id(event.transferred_to),
        listed=moment(event.listed),
        settled=moment(event.settled),
    )
