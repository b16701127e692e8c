"""What the page shows, read from the marts: figures, and no word of how they look."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]
"""What answers a query, one of those below, with the chosen account and days."""

WEEK = 7
MOST = 20
"""Rows that a table shows of many."""

NEWEST = """
    select call_date, start_time, started_at
    from ozonetel_calls
    where account = coalesce($account, account) and call_date is not null
    order by call_date desc, start_time desc
    limit 1
"""
ACCOUNTS = """
    select distinct account
    from ozonetel_hours
    where account = coalesce($account, account) and call_date between $first and $last
    order by account
"""
CAMPAIGN_DAYS = """
    select *
    from ozonetel_campaign_days
    where account = coalesce($account, account) and call_date between $first and $last
"""
TIMES = """
    select
        call_date,
        campaign,
        direction,
        count(case when direction = 'inbound' then wait_seconds end) as waits,
        sum(case when direction = 'inbound' then wait_seconds end) as waited,
        count(handling_seconds) as handlings,
        sum(handling_seconds) as handled
    from ozonetel_calls
    where
        account = coalesce($account, account) and call_date between $first and $last
        and is_answered
    group by call_date, campaign, direction
"""
HOURS = """
    select
        call_date,
        start_hour,
        sum(calls) as calls,
        sum(answered) as answered,
        sum(abandoned) as abandoned
    from ozonetel_hours
    where
        account = coalesce($account, account) and call_date between $first and $last
        and direction = 'inbound' and start_hour is not null
    group by call_date, start_hour
"""
AGENT_DAYS = """
    select *
    from ozonetel_agent_days
    where account = coalesce($account, account) and call_date between $first and $last
    order by call_date
"""
CUSTOMERS = """
    select
        max(repeat_days) as days,
        min(first_call_date) as since,
        sum(inbound_calls) as inbound,
        sum(repeat_calls) as repeats,
        count(case when inbound_calls > 0 then 1 end) as customers,
        count(case when repeat_calls > 0 then 1 end) as repeaters
    from ozonetel_customers
    where account = coalesce($account, account)
"""
REPEATERS = """
    select customer, inbound_calls, abandoned, repeat_calls, last_call_date
    from ozonetel_customers
    where account = coalesce($account, account) and repeat_calls > 0
    order by repeat_calls desc, inbound_calls desc, customer
    limit 10
"""


class NoCallsError(Exception):
    """The marts hold no call."""


@dataclass
class Calls:
    """How many calls, and what became of them; sums that can be added up."""

    calls: int = 0
    inbound: int = 0
    offered: int = 0
    """Inbound calls that were offered, as ``ozonetel_campaign_days`` has it; so the next three."""
    answered: int = 0
    abandoned: int = 0
    in_time: int = 0
    dialed: int = 0
    """Calls of the other directions; so the next one."""
    connected: int = 0
    waits: int = 0
    """Of how many inbound answered calls the wait is known, and how long they are together."""
    waited: int = 0
    handlings: int = 0
    """Of how many answered calls the handling is known, and how long they are together."""
    handled: int = 0

    def __add__(self, other: Calls) -> Calls:
        """Return both together."""
        return Calls(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Calls)))

    @property
    def other(self) -> int:
        """Calls that were neither answered nor abandoned: dialed in vain, short, or running."""
        return self.calls - self.answered - self.connected - self.abandoned

    @property
    def answered_share(self) -> float | None:
        """Of the inbound calls offered, how many were answered."""
        return share(self.answered, self.offered)

    @property
    def abandoned_share(self) -> float | None:
        """Of the inbound calls offered, how many were abandoned."""
        return share(self.abandoned, self.offered)

    @property
    def service_level(self) -> float | None:
        """Of the inbound calls offered, how many were answered in time."""
        return share(self.in_time, self.offered)

    @property
    def connected_share(self) -> float | None:
        """Of the dialed calls, how many were answered."""
        return share(self.connected, self.dialed)

    @property
    def average_wait(self) -> float | None:
        """How many seconds the callers who were answered had waited."""
        return share(self.waited, self.waits)

    @property
    def average_handling(self) -> float | None:
        """How many seconds an answered call kept its agents."""
        return share(self.handled, self.handlings)


@dataclass
class Day:
    """A day of the calendar."""

    date: date
    calls: Calls
    state: str = "whole"
    """``whole``, ``running`` (today), ``partial`` (the last one loaded), or ``missing``."""


@dataclass
class Campaign:
    """A campaign in one direction."""

    name: str | None
    direction: str | None
    calls: Calls


@dataclass
class Agent:
    """An agent over the period."""

    agent_id: str
    name: str
    days: int
    calls: int
    answered: int
    connected: int
    talk: int
    handling: int
    longest_gap: int | None

    @property
    def answered_share(self) -> float | None:
        """Of the calls that tried this agent, how many the agent answered."""
        return share(self.answered, self.calls)

    @property
    def average_handling(self) -> float | None:
        """Handling of an answered call in seconds."""
        return share(self.handling, self.answered)


@dataclass
class Cell:
    """An hour of a weekday, over the whole days of the period."""

    weekday: int
    """0 is Monday."""
    hour: int
    days: int
    """On how many days."""
    calls: int = 0
    answered: int = 0
    abandoned: int = 0

    @property
    def average(self) -> float:
        """Inbound calls in this hour of such a day."""
        return self.calls / self.days

    @property
    def abandoned_share(self) -> float | None:
        """Of the calls that were answered or abandoned, how many were abandoned."""
        return share(self.abandoned, self.answered + self.abandoned)


@dataclass
class Repeats:
    """Customers who called again."""

    days: int
    since: date
    inbound: int
    repeats: int
    customers: int
    """How many customers called."""
    repeaters: int
    """How many of them called again within ``days``."""
    top: list[Row] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """Of the inbound calls, how many came within ``days`` of the caller's call before."""
        return share(self.repeats, self.inbound)


@dataclass
class Figures:
    """All that the page shows."""

    accounts: list[str]
    days: list[Day]
    last_start: str | None
    """The local time of day of the newest call."""
    service_level_seconds: int
    cells: list[Cell]
    campaigns: list[Campaign]
    agents: list[Agent]
    repeats: Repeats | None

    @property
    def whole(self) -> list[Day]:
        """The days that are over and have calls."""
        return [day for day in self.days if day.state == "whole"]

    def week(self, back: int = 0) -> list[Day]:
        """The last seven days that are over, or those ``back`` weeks before them."""
        over = [day for day in self.days if day.state in {"whole", "missing"}]
        end = len(over) - WEEK * back
        return over[max(0, end - WEEK) : max(0, end)]

    @property
    def total(self) -> Calls:
        """All whole days together."""
        return add(day.calls for day in self.whole)


def share(part: float, whole: float) -> float | None:
    """Return part / whole; None of nothing."""
    return part / whole if whole else None


def add(calls: Iterable[Calls]) -> Calls:
    """Return all together."""
    return sum(calls, Calls())


class UnreadableError(Exception):
    """What a database says of why it cannot be read."""


Database = Callable[[str, "dict[str, Any]"], list[Row]]
"""What answers a query with values for its $names."""


@contextmanager
def database(address: str, schema: str | None) -> Iterator[Database]:
    """Yield what asks a DuckDB file, or PostgreSQL at a postgresql:// address, for rows.

    The driver of the one that is not asked need not be there.

    Raises:
        UnreadableError: The database cannot be opened, or a mart is not there.
    """
    try:
        with _opened(address, schema) as ask:
            yield ask
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"duckdb", "_duckdb", "psycopg2"}:
            raise
        raise UnreadableError(str(error).partition("\n")[0].rstrip(". ")) from None


@contextmanager
def _opened(address: str, schema: str | None) -> Iterator[Database]:
    connection: Any
    in_postgresql = address.startswith(("postgresql://", "postgres://"))
    if in_postgresql:
        import psycopg2  # noqa: PLC0415

        connection = psycopg2.connect(address)
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('search_path', %s, false)", [schema or "ozonetel_cdr"])
    else:
        import duckdb  # noqa: PLC0415

        connection = duckdb.connect(address, read_only=True)
        cursor = connection.cursor()
        quoted = (schema or "main").replace("'", "''")
        cursor.execute(f"SET schema = '{quoted}'")

    def ask(query: str, values: dict[str, Any]) -> list[Row]:
        used = {name: values[name] for name in re.findall(r"\$(\w+)", query)}
        cursor.execute(re.sub(r"\$(\w+)", r"%(\1)s", query) if in_postgresql else query, used)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    try:
        yield ask
    finally:
        connection.close()


def read(query: Database, *, days: int, account: str | None, now: datetime) -> Figures:
    """Read the last ``days`` days that are over, and the one that is not.

    ``now`` tells whether the newest day is still running. Raises ``NoCallsError`` where there is no
    call to show.
    """
    newest, last_start, today = _newest(query(NEWEST, {"account": account}), now)
    chosen = {"account": account, "first": newest - timedelta(days=days), "last": newest}
    level, by_campaign = _calls(lambda text: query(text, chosen))
    by_day: dict[date, Calls] = defaultdict(Calls)
    for (day, _, _), calls in by_campaign.items():
        by_day[day] += calls
    calendar = []
    start = min(by_day)
    for number in range((newest - start).days + 1):
        day = start + timedelta(days=number)
        state = "whole" if day in by_day else "missing"
        if day == newest:
            state = "running" if day >= today else "partial"
        calendar.append(Day(day, by_day.get(day, Calls()), state))
    over = [day.date for day in calendar if day.state == "whole"]
    if over:
        chosen["last"] = over[-1]

    def ask(text: str) -> list[Row]:
        return query(text, chosen)

    return Figures(
        [row["account"] for row in ask(ACCOUNTS)],
        calendar,
        last_start,
        level,
        _cells(ask(HOURS), over),
        _campaigns(by_campaign, newest if over else None),
        _agents(ask(AGENT_DAYS)),
        _repeats(ask),
    )


def _newest(rows: list[Row], now: datetime) -> tuple[date, str | None, date]:
    """Return the newest day, when its last call began, and today in the zone of that call."""
    if not rows:
        raise NoCallsError
    (row,) = rows
    offset = timedelta()
    if row["start_time"] and row["started_at"]:
        local = datetime.combine(row["call_date"], time.fromisoformat(row["start_time"]))
        started_at = row["started_at"]
        if started_at.tzinfo:
            started_at = started_at.astimezone(timezone.utc).replace(tzinfo=None)
        offset = local - started_at
    today = (now.astimezone(timezone.utc).replace(tzinfo=None) + offset).date()
    return row["call_date"], row["start_time"], today


CampaignDays = dict[tuple[Any, ...], Calls]
"""Calls by day, campaign and direction."""


def _calls(ask: Ask) -> tuple[int, CampaignDays]:
    """Return the service level's limit in seconds, and the calls."""
    level = 0
    found: CampaignDays = defaultdict(Calls)
    for row in ask(CAMPAIGN_DAYS):
        level = row["service_level_seconds"]
        if row["direction"] == "inbound":
            counted = Calls(
                calls=row["calls"],
                inbound=row["calls"],
                offered=row["offered"],
                answered=row["answered"],
                abandoned=row["abandoned"],
                in_time=row["answered_in_time"],
            )
        else:
            counted = Calls(calls=row["calls"], dialed=row["calls"], connected=row["answered"])
        found[row["call_date"], row["campaign"], row["direction"]] += counted
    for row in ask(TIMES):
        found[row["call_date"], row["campaign"], row["direction"]] += Calls(
            waits=row["waits"],
            waited=int(row["waited"] or 0),
            handlings=row["handlings"],
            handled=int(row["handled"] or 0),
        )
    return level, found


def _cells(rows: list[Row], over: list[date]) -> list[Cell]:
    """Return the hours of the weekdays, from the first to the last in which anybody called."""
    hours = [row["start_hour"] for row in rows]
    days = [sum(day.weekday() == weekday for day in over) for weekday in range(WEEK)]
    cells = {
        (weekday, hour): Cell(weekday, hour, days[weekday])
        for weekday in range(WEEK)
        for hour in (range(min(hours), max(hours) + 1) if hours else ())
        if days[weekday]
    }
    for row in rows:
        cell = cells.get((row["call_date"].weekday(), row["start_hour"]))
        if cell:
            cell.calls += int(row["calls"])
            cell.answered += int(row["answered"])
            cell.abandoned += int(row["abandoned"])
    return list(cells.values())


def _campaigns(by_campaign: CampaignDays, until: date | None) -> list[Campaign]:
    """Return the campaigns, those with most calls first; without the day ``until``."""
    totals: CampaignDays = defaultdict(Calls)
    for (day, name, direction), calls in by_campaign.items():
        if day != until:
            totals[name, direction] += calls
    campaigns = [Campaign(name, direction, calls) for (name, direction), calls in totals.items()]
    return sorted(campaigns, key=lambda c: (-c.calls.calls, c.name or "", c.direction or ""))


def _agents(rows: list[Row]) -> list[Agent]:
    """Return the agents, those who answered most first."""
    days: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        days[row["account"], row["agent_id"]].append(row)

    def total(each: list[Row], column: str) -> int:
        return int(sum(row[column] or 0 for row in each))

    agents = [
        Agent(
            agent_id,
            next((row["agent_name"] for row in reversed(each) if row["agent_name"]), agent_id),
            len(each),
            total(each, "calls"),
            total(each, "answered"),
            total(each, "connected"),
            total(each, "talk_seconds"),
            total(each, "handling_seconds"),
            max(
                (
                    row["longest_gap_seconds"]
                    for row in each
                    if row["longest_gap_seconds"] is not None
                ),
                default=None,
            ),
        )
        for (_, agent_id), each in days.items()
    ]
    return sorted(agents, key=lambda agent: (-agent.answered, -agent.calls, agent.agent_id))


def _repeats(ask: Ask) -> Repeats | None:
    """Return who called again, of all customers that the marts have."""
    (row,) = ask(CUSTOMERS)
    if not row["inbound"]:
        return None
    numbers = {name: int(row[name]) for name in row if name != "since"}
    return Repeats(since=row["since"], top=ask(REPEATERS), **numbers)
