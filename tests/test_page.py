from __future__ import annotations

import subprocess
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from browser import Browser, a_browser
from made_calls import FIRST, SILENT, TODAY, Call, Event, calls_of, make_calls, rows_of, truth
from runs_dbt import (
    DBT,
    PACKAGE,
    InDuckDB,
    InPostgreSQL,
    dbt,
    insert,
    make_table,
    need_dbt,
)
from servers import a_server, database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 12, 6, 30, tzinfo=timezone.utc)
ODD = '<img src="https://elsewhere.example/x.png"> & "Söhne"'
"""A campaign's name that is no HTML."""
DASH = "\N{EN DASH}"
DAYS = [FIRST + timedelta(days=n) for n in range((TODAY - FIRST).days + 1)]
WHOLE = [day for day in DAYS if day not in {SILENT, TODAY}]
WEEK = [day for day in DAYS if day != TODAY][-7:]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Say plainly where dbt is missing."""
    need_dbt()


def make_page(database: str, page: Path, *options: str, fails: bool = False) -> str:
    """Make the page of what dbt has built, and return what was said of it."""
    done = subprocess.run(
        [DBT.with_name("python"), PACKAGE / "page", database, page, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all files."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Return the events of one account, without those over midnight."""
    events = make_calls("alpha")
    late = {event.call_id for event in events if (event.start.hour, event.start.minute) == (23, 59)}
    events = [event for event in events if event.call_id not in late]
    for event in events:
        if event.campaign == "Campaign 1":
            event.campaign = ODD
    return events


@pytest.fixture(scope="module")
def built(events: list[Event], folder: Path) -> InDuckDB:
    """Return what dbt builds of them."""
    built = InDuckDB(folder)
    built.load(rows_of(events, include_account=False))
    dbt(folder, "run", env=built.variables)
    return built


@pytest.fixture(scope="module")
def page(built: InDuckDB, folder: Path) -> Path:
    """Return the page that is made of it at noon."""
    file = folder / "page.html"
    make_page(str(built.file), file, f"--now={NOON.isoformat()}")
    return file


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    """Yield a browser."""
    with a_browser(folder) as browser:
        yield browser


TABLES = """
return Object.fromEntries([...document.querySelectorAll('table')].map(table => [
    table.closest('figure')?.id ?? table.closest('.card').previousElementSibling.id,
    [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))
]))
"""


@pytest.fixture(scope="module")
def tables(browser: Browser, page: Path) -> dict[str, list[list[str]]]:
    """Return the tables of the page as the browser has them, without their headings."""
    browser.open(page)
    return {name: rows[1:] for name, rows in browser.run(TABLES).items()}


# What the page should say, from the calls


def spell(value: float | None, how: Callable[[float], str]) -> str:
    """Return a value as the page has it."""
    return DASH if value is None else how(value)


def count(value: float | None) -> str:
    """Return a number of things."""
    return spell(value, lambda v: f"{v:,.0f}")


def percent(part: int, whole: int) -> str:
    """Return a share."""
    return spell(part / whole if whole else None, lambda v: f"{100 * v:.1f} %")


def length(values: list[int] | float | None) -> str:
    """Return a length of time, or the mean of several."""
    if isinstance(values, list):
        values = sum(values) / len(values) if values else None
    if values is None:
        return DASH
    whole = round(values)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def day_name(day: date) -> str:
    """Return a day as the page has it."""
    return f"{day:%a} {day.day} {day:%b}"


class Count:
    """Calls counted."""

    def __init__(self, calls: list[Call]) -> None:
        """Count these."""
        inbound = [call for call in calls if call.first.direction == "inbound"]
        answered = [call for call in inbound if call.answered]
        dialed = [call for call in calls if call.first.direction != "inbound"]
        self.calls = len(calls)
        self.inbound = len(inbound)
        self.answered = len(answered)
        self.abandoned = sum(call.abandoned for call in inbound)
        self.offered = self.answered + self.abandoned
        self.in_time = sum(call.wait is not None and call.wait <= 20 for call in answered)
        self.waits = [call.wait for call in answered if call.wait is not None]
        self.dialed = len(dialed)
        self.connected = sum(call.answered for call in dialed)
        handlings = [call.handling for call in calls if call.answered]
        self.handlings = [handling for handling in handlings if handling is not None]


@pytest.fixture(scope="module")
def counted(events: list[Event]) -> Callable[..., Count]:
    """Return what counts the calls of some days, and of what else is asked for."""
    calls = calls_of(events)

    def count_calls(days: list[date], of: Callable[[Call], bool] = lambda _: True) -> Count:
        return Count([call for call in calls if call.first.start.date() in days and of(call)])

    return count_calls


# The tests


def test_nothing_is_asked_for_and_nothing_goes_wrong(browser: Browser, page: Path) -> None:
    """The file is all there is to it, in every width and scheme."""
    for width in (1400, 400):
        for scheme in ("light", "dark"):
            browser.requests()
            browser.open(page, width, scheme=scheme)
            assert browser.requests() == [page.as_uri()]
            assert browser.console() == []
            assert browser.run("return document.documentElement.scrollWidth") == width


def test_key_figures(browser: Browser, page: Path, counted: Callable[..., Count]) -> None:
    """Those of the last seven days that are over."""
    browser.open(page)
    script = """
    return [...document.querySelectorAll('[data-figure]')]
        .map(e => [e.dataset.figure, e.textContent])
    """
    week = counted(WEEK)
    assert dict(browser.run(script)) == {
        "inbound": count(week.inbound),
        "answered": percent(week.answered, week.offered),
        "abandoned": percent(week.abandoned, week.offered),
        "service-level": percent(week.in_time, week.offered),
        "wait": length(week.waits),
        "handling": length(week.handlings),
        "dialed": count(week.dialed),
        "connected": percent(week.connected, week.dialed),
    }


def test_days(tables: dict[str, list[list[str]]], counted: Callable[..., Count]) -> None:
    """Every day of the calendar has a row; what is the matter with a day stands beside it."""
    notes = {SILENT: " (no calls loaded)", TODAY: " (still running)"}
    calls, levels = [], []
    for day in DAYS:
        c = counted([day])
        name = day_name(day) + notes.get(day, "")
        answered = c.answered + c.connected
        other = c.calls - answered - c.abandoned
        calls.append([name, *map(count, (c.calls, answered, c.abandoned, other))])
        levels.append([name, count(c.offered), count(c.in_time), percent(c.in_time, c.offered)])
    assert tables["calls-by-day"] == calls
    assert tables["service-level"] == levels


def test_bars_show_the_numbers_of_the_table(browser: Browser, page: Path) -> None:
    """Each part of a bar is as high as its count, and says it."""
    browser.open(page)
    script = """
    return [...document.querySelectorAll('#calls-by-day svg.wide path')]
        .filter(path => path.querySelector('title') && path.getBBox().height)
        .map(path => [path.querySelector('title').textContent, path.getBBox().height])
    """
    bars = [
        (int(told.split(": ")[1].split()[0].replace(",", "")), height)
        for told, height in browser.run(script)
    ]
    assert len(bars) > 25
    unit = sum(height for _, height in bars) / sum(number for number, _ in bars)
    assert unit > 0.5
    for number, height in bars:
        assert height == pytest.approx(number * unit, abs=0.5)


def test_hours(tables: dict[str, list[list[str]]], counted: Callable[..., Count]) -> None:
    """Averages over the whole days of a weekday."""
    weekdays = sorted({day.weekday() for day in WHOLE})
    busy, lost = tables["busy-hours"], tables["lost-hours"]
    assert len(busy) == len(lost) > 8
    for row, lost_row in zip(busy, lost, strict=True):
        hour = int(row[0][:2])
        for weekday, average, abandoned in zip(weekdays, row[1:], lost_row[1:], strict=True):
            days = [day for day in WHOLE if day.weekday() == weekday]
            c = counted(days, lambda call, hour=hour: call.first.start.hour == hour)
            assert average == f"{c.inbound / len(days):.1f}"
            assert abandoned == f"{c.abandoned} of {c.offered}"


def test_campaigns(tables: dict[str, list[list[str]]], counted: Callable[..., Count]) -> None:
    """One row for each campaign and direction, and names are text."""
    names = Counter((row[0], row[7]) for row in tables["campaigns"])
    assert set(names.values()) == {1}
    assert ODD in {name for name, _ in names}
    for row in tables["campaigns"]:
        campaign = None if row[0] == "(no campaign)" else row[0]
        c = counted(
            WHOLE,
            lambda call, campaign=campaign, row=row: (
                call.first.campaign == campaign and call.first.direction == row[7]
            ),
        )
        inbound = row[7] == "inbound"
        share = (c.answered, c.offered) if inbound else (c.connected, c.dialed)
        assert row[1:7] == [
            count(c.calls),
            percent(*share),
            percent(c.in_time, c.offered),
            percent(c.abandoned, c.offered),
            length(c.waits),
            length(c.handlings),
        ]
    assert sum(int(row[1].replace(",", "")) for row in tables["campaigns"]) == counted(WHOLE).calls


def test_agents(tables: dict[str, list[list[str]]], events: list[Event]) -> None:
    """The days of an agent added up, and the longest gap of any."""
    days = truth("ozonetel_agent_days", events).values()
    days = [row for row in days if row["call_date"] in WHOLE]
    expected = []
    for agent in {row["agent_id"] for row in days}:
        rows = [row for row in days if row["agent_id"] == agent]

        def total(column: str, rows: list[dict[str, Any]] = rows) -> int:
            return sum(row[column] or 0 for row in rows)

        answered, tried = total("answered"), total("calls")
        expected.append(
            [
                rows[0]["agent_name"],
                count(answered),
                percent(answered, tried),
                length(total("talk_seconds")),
                length(total("handling_seconds") / answered),
                count(tried),
                count(len(rows)),
                length(max(row["longest_gap_seconds"] or 0 for row in rows)),
            ]
        )
    assert sorted(tables["agents"]) == sorted(expected)
    answered_most = [int(row[1].replace(",", "")) for row in tables["agents"]]
    assert answered_most == sorted(answered_most, reverse=True)


def test_repeat_callers(
    tables: dict[str, list[list[str]]], browser: Browser, page: Path, events: list[Event]
) -> None:
    """Those who called again most, of all that was loaded; only the end of a number is shown."""
    customers = list(truth("ozonetel_customers", events).values())
    often = sorted(
        (row for row in customers if row["repeat_calls"]),
        key=lambda row: (-row["repeat_calls"], -row["inbound_calls"], row["customer"]),
    )
    assert tables["repeats"] == [
        [
            "…\u2060" + row["customer"][-4:],
            count(row["inbound_calls"]),
            count(row["repeat_calls"]),
            count(row["abandoned"]),
            day_name(row["last_call_date"]),
        ]
        for row in often[:10]
    ]
    browser.open(page)
    said = browser.run("return document.querySelector('#repeats .note').textContent")
    repeats = sum(row["repeat_calls"] for row in customers)
    inbound = sum(row["inbound_calls"] for row in customers)
    assert f"{percent(repeats, inbound)} of {inbound:,} inbound calls" in said
    assert often[0]["customer"] not in page.read_text("utf-8")


def test_charts_have_names_and_tables(browser: Browser, page: Path) -> None:
    """Each figure shows one chart, which has an accessible name, and opens its table."""
    script = """
    return [...document.querySelectorAll('figure')].map(figure => {
        const shown = [...figure.querySelectorAll('svg')].filter(svg => svg.getClientRects().length)
        figure.querySelector('summary').click()
        return [
            shown.length, shown[0].getAttribute('role'),
            shown[0].getAttribute('aria-label').length > 20,
            figure.querySelector('table').getClientRects().length,
        ]
    })
    """
    for width in (1400, 400):
        browser.open(page, width)
        assert browser.run(script) == [[1, "img", True, 1]] * 4


def test_the_dark_is_dark_and_paper_is_white(browser: Browser, page: Path) -> None:
    """The charts' own colours follow the page's; on paper nothing is dark, or folded away."""
    colour = """
    const bar = document.querySelector('#calls-by-day svg.wide path[fill="var(--answered)"]')
    return [getComputedStyle(document.body).backgroundColor, getComputedStyle(bar).fill]
    """
    browser.open(page)
    light = browser.run(colour)
    browser.open(page, scheme="dark")
    dark = browser.run(colour)
    assert light == ["rgb(244, 245, 247)", "rgb(35, 104, 162)"]
    assert dark == ["rgb(18, 22, 29)", "rgb(108, 176, 232)"]
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    assert browser.run(colour) == ["rgb(255, 255, 255)", "rgb(35, 104, 162)"]
    browser.devtools("Emulation.setEmulatedMedia", media="")


def test_the_unfinished_day_is_marked(
    browser: Browser, page: Path, built: InDuckDB, folder: Path
) -> None:
    """Today is still running; a newest day that is not today may not be whole."""
    header = "return document.querySelector('header').textContent"
    browser.open(page)
    said = browser.run(header)
    assert "Thu 12 Mar is still running" in said
    assert "no calls loaded: Sun 8 Mar" in said
    later = folder / "later.html"
    make_page(str(built.file), later, f"--now={(NOON + timedelta(days=1)).isoformat()}")
    browser.open(later)
    assert "Thu 12 Mar is the last day loaded and perhaps not whole" in browser.run(header)


def test_postgresql_gives_the_same_page(page: Path, events: list[Event], folder: Path) -> None:
    """To the letter."""
    with a_server() as server:
        there = InPostgreSQL(database(server, "page"))
        rows = rows_of(events, include_account=False)
        make_table(there.address, "tap_ozonetel_cdr", "cdr", dict.fromkeys(rows[0], "text"))
        insert(there.address, "tap_ozonetel_cdr", "cdr", (row.values() for row in rows))
        dbt(folder, "run", "--target=postgres", env=there.variables)
        file = folder / "postgresql.html"
        make_page(there.address, file, "--schema=built", f"--now={NOON.isoformat()}")
        assert file.read_text("utf-8") == page.read_text("utf-8")


def test_without_calls_there_is_no_page(built: InDuckDB, folder: Path) -> None:
    """The command says so, and leaves no file."""
    file = folder / "none.html"
    said = make_page(str(built.file), file, "--account=nobody", fails=True)
    assert said == "There are no calls to show.\n"
    assert not file.exists()
    assert "Traceback" not in said
