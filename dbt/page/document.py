"""The page: figures in words and tables, around the charts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import charts
import jinja2
from figures import MOST, WEEK, Calls, Day, Figures, Repeats, add
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

NOTHING = "\N{EN DASH}"
MINUTE, HOUR = 60, 3600


@dataclass
class Cell:
    """A cell of a table, with a bar below it if it is a ``part`` of something."""

    text: str
    part: float | None = None
    color: str | None = None


@dataclass
class Table:
    """A table; the columns of ``texts`` are not numbers."""

    headings: Sequence[str]
    rows: list[list[Cell]]
    texts: Sequence[str] = ()


@dataclass
class Key:
    """A key figure."""

    id: str
    name: str
    value: str
    meaning: str
    change: str = ""
    before: str = ""
    verdict: str = ""


@dataclass
class Part:
    """A section that is a table."""

    id: str
    title: str
    note: str
    table: Table


def count(number: float | None) -> str:
    """Return a number of things."""
    return NOTHING if number is None else f"{number:,.0f}"


def percent(part: float | None) -> str:
    """Return a share."""
    return NOTHING if part is None else f"{100 * part:.1f} %"


def seconds(number: float | None) -> str:
    """Return a length of time: seconds below a minute, else minutes, else hours."""
    if number is None:
        return NOTHING
    whole = round(number)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02} h"


def short(day: date) -> str:
    """Return a day as people write it."""
    return f"{day:%a} {day.day} {day:%b}"


def period(days: Sequence[Day]) -> str:
    """Return from when to when days last."""
    first, last = days[0].date, days[-1].date
    return short(first) if first == last else f"{short(first)} to {short(last)} {last.year}"


def masked(number: str) -> str:
    """Return the last four characters of a number."""
    return "…\u2060" + number[-4:]  # not to be parted


@dataclass(frozen=True)
class Kind:
    """How a key figure is shown, and whether more of it is better."""

    id: str
    name: str
    meaning: str
    value: Callable[[Calls], float | None]
    text: Callable[[float | None], str]
    more_is: str = ""


def kinds(level: int) -> list[Kind]:
    """Return the key figures."""
    return [
        Kind(
            "inbound",
            "Inbound calls",
            "Calls in which a customer called.",
            lambda c: c.inbound,
            count,
        ),
        Kind(
            "answered",
            "Answered",
            "Of the inbound calls, how many reached an agent.",
            lambda c: c.answered_share,
            percent,
            "better",
        ),
        Kind(
            "abandoned",
            "Abandoned",
            "Of the inbound calls, how many ended before an agent answered.",
            lambda c: c.abandoned_share,
            percent,
            "worse",
        ),
        Kind(
            "service-level",
            "Service level",
            f"Of the inbound calls, how many were answered within {level} s.",
            lambda c: c.service_level,
            percent,
            "better",
        ),
        Kind(
            "wait",
            "Average wait",
            "From the first event of a call to an agent's answer; answered inbound calls only.",
            lambda c: c.average_wait,
            seconds,
            "worse",
        ),
        Kind(
            "handling",
            "Average handling",
            "Talk and wrap-up of an answered call.",
            lambda c: c.average_handling,
            seconds,
        ),
        Kind("dialed", "Dialed calls", "Manual and progressive calls.", lambda c: c.dialed, count),
        Kind(
            "connected",
            "Connected",
            "Of the dialed calls, how many were answered.",
            lambda c: c.connected_share,
            percent,
            "better",
        ),
    ]


def change(kind: Kind, now: float | None, before: float | None) -> tuple[str, str]:
    """Return how much a figure has changed, and whether that is better or worse."""
    if now is None or not before:
        return "", ""
    if kind.text is percent:
        points = round(100 * (now - before), 1)
        text, rises = f"{abs(points):.1f} points", points
    elif kind.text is seconds:
        rises = round(now) - round(before)
        text = seconds(abs(rises))
    else:
        rises = round(100 * (now / before - 1))
        text = f"{abs(rises)} %"
    if not rises:
        return "unchanged", ""
    verdict = kind.more_is
    if rises < 0 and verdict:
        verdict = {"better": "worse", "worse": "better"}[verdict]
    return f"{'▲' if rises > 0 else '▼'} {text}", verdict


def key_figures(figures: Figures) -> tuple[list[Key], str, str]:
    """Return the key figures of the last seven days that are over, their title and a note."""
    week, before = figures.week(), figures.week(1)
    if not add(day.calls for day in week).calls:
        week = [day for day in figures.days if day.calls.calls][-1:]
        before = []
    compared = len(before) == WEEK
    now, then = add(d.calls for d in week), add(d.calls for d in before)
    keys = []
    for kind in kinds(figures.service_level_seconds):
        value = kind.value(now)
        key = Key(kind.id, kind.name, kind.text(value), kind.meaning)
        if compared:
            key.change, key.verdict = change(kind, value, kind.value(then))
            key.before = f"from {kind.text(kind.value(then))}" if key.change else ""
        keys.append(key)
    title = f"The last {len(week)} whole days" if len(week) > 1 else short(week[0].date)
    note = period(week) if len(week) > 1 else ""
    if compared:
        note += f", compared with the {WEEK} days before"
    return keys, title, note


def lead(figures: Figures) -> Markup:
    """Return the page in two sentences."""
    calls = add(day.calls for day in figures.week())
    if not calls.offered:
        return Markup("")
    text = Markup(
        "<b>{} of {} inbound calls</b> of the last {} days were answered,"
        " {} of all within {}\u00a0s."
    ).format(
        count(calls.answered),
        count(calls.offered),
        len(figures.week()),
        f"{calls.service_level:.0%}".replace("%", "\u00a0%"),
        figures.service_level_seconds,
    )
    worst = [
        cell
        for cell in figures.cells
        if cell.abandoned_share is not None and cell.answered + cell.abandoned >= 4 * charts.FEWEST
    ]
    if worst and calls.abandoned:
        cell = max(worst, key=lambda cell: (cell.abandoned_share, cell.abandoned))
        text += Markup(
            " <b>{} callers were lost</b>; most likely on {} from {:02}:00 to {:02}:00."
        ).format(
            count(calls.abandoned),
            ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")[
                cell.weekday
            ],
            cell.hour,
            (cell.hour + 1) % 24,
        )
    newest = figures.days[-1]
    if newest.state == "running" and newest.calls.offered:
        text += Markup(" Today until {}: {} of {} answered.").format(
            (figures.last_start or "")[:5],
            count(newest.calls.answered),
            count(newest.calls.offered),
        )
    return text


STATES = {
    "running": "still running",
    "partial": "last one loaded, perhaps not whole",
    "missing": "no calls loaded",
}


def day_name(day: Day) -> Cell:
    """Return the first cell of a day's row, with what is the matter with the day."""
    note = STATES.get(day.state)
    return Cell(f"{short(day.date)} ({note})" if note else short(day.date))


def day_tables(figures: Figures) -> tuple[Table, Table]:
    """Return the tables behind the charts of days."""
    calls = Table(
        ["Day", "Calls", "Answered", "Abandoned", "Other"],
        [
            [
                day_name(day),
                *(
                    Cell(count(number))
                    for number in (
                        day.calls.calls,
                        day.calls.answered + day.calls.connected,
                        day.calls.abandoned,
                        day.calls.other,
                    )
                ),
            ]
            for day in figures.days
        ],
    )
    levels = Table(
        ["Day", "Offered", "In time", "Service level"],
        [
            [
                day_name(day),
                Cell(count(day.calls.offered)),
                Cell(count(day.calls.in_time)),
                Cell(percent(day.calls.service_level)),
            ]
            for day in figures.days
        ],
    )
    return calls, levels


def hour_tables(figures: Figures) -> tuple[Table, Table]:
    """Return the tables behind the heat maps: hours down, weekdays across."""
    cells = {(cell.weekday, cell.hour): cell for cell in figures.cells}
    hours = sorted({hour for _, hour in cells})
    weekdays = sorted({weekday for weekday, _ in cells})
    headings = ["Hour", *(charts.WEEKDAYS[weekday] for weekday in weekdays)]

    def table(text: Callable[..., str]) -> Table:
        return Table(
            headings,
            [
                [Cell(f"{hour:02}:00"), *(Cell(text(cells[weekday, hour])) for weekday in weekdays)]
                for hour in hours
            ],
        )

    return (
        table(lambda cell: f"{cell.average:.1f}"),
        table(lambda cell: f"{cell.abandoned} of {cell.answered + cell.abandoned}"),
    )


def campaigns(figures: Figures, whole: str) -> Part:
    """Return the section of campaigns."""
    most = max((c.calls.calls for c in figures.campaigns), default=1)
    rows = []
    for campaign in figures.campaigns[:MOST]:
        calls = campaign.calls
        inbound = campaign.direction == "inbound"
        rows.append(
            [
                Cell(campaign.name or "(no campaign)"),
                Cell(count(calls.calls), calls.calls / most, "other"),
                Cell(percent(calls.answered_share if inbound else calls.connected_share)),
                Cell(percent(calls.service_level), calls.service_level),
                Cell(percent(calls.abandoned_share)),
                Cell(seconds(calls.average_wait)),
                Cell(seconds(calls.average_handling)),
                Cell(campaign.direction or NOTHING),
            ]
        )
    headings = [
        *("Campaign", "Calls", "Answered", f"Within {figures.service_level_seconds} s"),
        *("Abandoned", "Average wait", "Average handling", "Direction"),
    ]
    text = note(f"{whole}; those with most calls first", len(figures.campaigns))
    return Part("campaigns", "Campaigns", text, Table(headings, rows, ["Direction"]))


def agents(figures: Figures, whole: str) -> Part:
    """Return the section of agents."""
    talk = max((agent.talk for agent in figures.agents), default=0) or 1
    rows = [
        [
            Cell(agent.name),
            Cell(count(agent.answered)),
            Cell(percent(agent.answered_share), agent.answered_share),
            Cell(seconds(agent.talk), agent.talk / talk, "other"),
            Cell(seconds(agent.average_handling)),
            Cell(count(agent.calls)),
            Cell(count(agent.days)),
            Cell(seconds(agent.longest_gap)),
        ]
        for agent in figures.agents[:MOST]
    ]
    headings = [
        *("Agent", "Answered", "Of those tried", "Talk", "Average handling", "Tried", "Days"),
        "Longest gap in a day",
    ]
    text = note(f"{whole}; those who answered most first", len(figures.agents))
    return Part("agents", "Agents", text, Table(headings, rows))


def repeat_callers(repeats: Repeats, *, show_numbers: bool) -> Part:
    """Return the section of customers who called again."""
    highest = max((row["repeat_calls"] for row in repeats.top), default=1)
    rows = [
        [
            Cell(row["customer"] if show_numbers else masked(row["customer"])),
            Cell(count(row["inbound_calls"])),
            Cell(count(row["repeat_calls"]), row["repeat_calls"] / highest, "other"),
            Cell(count(row["abandoned"])),
            Cell(short(row["last_call_date"])),
        ]
        for row in repeats.top
    ]
    text = (
        f"Since {short(repeats.since)}: {percent(repeats.share)} of {count(repeats.inbound)}"
        f" inbound calls came within {repeats.days} days of the caller's call before;"
        f" {count(repeats.repeaters)} of {count(repeats.customers)} callers called again."
    )
    headings = ("Caller", "Called", "Again in time", "Abandoned", "Last call")
    return Part("repeats", "Repeat callers", text, Table(headings, rows))


def parts(figures: Figures, *, show_numbers: bool) -> list[Part]:
    """Return the sections that are tables."""
    whole = f"{len(figures.whole)} whole days" if figures.whole else short(figures.days[-1].date)
    made = [campaigns(figures, whole)]
    if figures.agents:
        made.append(agents(figures, whole))
    if figures.repeats:
        made.append(repeat_callers(figures.repeats, show_numbers=show_numbers))
    return made


def note(text: str, rows: int) -> str:
    """Return a note above a table that shows the first rows."""
    return f"{text}; {MOST} of {rows} are shown." if rows > MOST else f"{text}."


def words(figures: Figures) -> list[tuple[str, str]]:
    """Return what the page's words mean."""
    level = figures.service_level_seconds
    return [
        (
            "Call",
            "All events of one call: the queue, each agent tried, the transfer, the disconnect.",
        ),
        ("Answered", "Any event of the call was answered."),
        ("Abandoned", "An inbound call that is over and that nobody answered."),
        ("Offered", "Inbound calls that were answered or abandoned."),
        ("Service level", f"Answered within {level} s, in % of those offered."),
        (
            "Wait",
            "From the call's first event; the way through the menus before it is not recorded.",
        ),
        ("Handling", "Talk and wrap-up together."),
        ("Gap", "From the end of an agent's wrap-up to the agent's next call, within a day."),
    ]


def render(figures: Figures, *, made: datetime, show_numbers: bool) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    days = figures.days
    keys, key_title, key_note = key_figures(figures)
    day_table, level_table = day_tables(figures)
    busy_table, lost_table = hour_tables(figures)
    (newest,) = days[-1:]
    states = {
        "running": f"{short(newest.date)} is still running, until {(figures.last_start or '')[:5]}",
        "partial": f"{short(newest.date)} is the last day loaded and perhaps not whole",
    }
    missing = [short(day.date) for day in days if day.state == "missing"]
    total = figures.total
    label = f"{period(days)}; the table below has the numbers"
    drawn = {
        "calls": charts.calls_by_day(days, f"Bars: calls by day, {label}"),
        "level": charts.service_level_by_day(days, f"Line: service level by day, {label}"),
        "busy": "",
        "lost": "",
    }
    if figures.cells:
        drawn["busy"] = charts.heat_map(
            figures.cells, "average", "Heat map: inbound calls by weekday and hour; " + label
        )
        drawn["lost"] = charts.heat_map(
            figures.cells, "abandoned_share", "Heat map: abandoned by weekday and hour; " + label
        )
    return environment.get_template("page.html").render(
        accounts=[name for name in figures.accounts if name != "default"],
        days=days,
        period=period,
        unfinished=states.get(newest.state, ""),
        missing=f"no calls loaded: {', '.join(missing)}" if missing else "",
        lead=lead(figures),
        keys=keys,
        key_title=key_title,
        key_note=key_note,
        day_note=f"{count(total.calls)} calls on {len(figures.whole)} whole days."
        + (f" * {STATES[newest.state]}: paler." if newest.state in STATES else ""),
        charts={name: Markup(chart) for name, chart in drawn.items()},  # noqa: S704 - drawn here
        day_table=day_table,
        level_table=level_table,
        busy_table=busy_table,
        lost_table=lost_table,
        level=figures.service_level_seconds,
        whole=len(figures.whole),
        fewest=charts.FEWEST,
        parts=parts(figures, show_numbers=show_numbers),
        words=words(figures),
        made=f"{made:%Y-%m-%d %H:%M} UTC",
    )
