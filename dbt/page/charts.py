"""The charts, as SVG that can stand in the page: drawn by Vega-Lite, coloured by the page.

Colours are the page's CSS variables, so that a chart follows it into the dark and onto paper. Each
is drawn twice, for a screen and for a phone, since type does not shrink well.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import vl_convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from figures import Cell, Day

Spec = dict[str, Any]

SVG = "http://www.w3.org/2000/svg"
WIDE, NARROW = 560, 350
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
KINDS = {"answered": "Answered", "abandoned": "Abandoned", "other": "Other"}
UNFINISHED = {"running", "partial"}
NEEDLESS = ("role", "aria-roledescription", "aria-hidden", "pointer-events", "class", "font-family")
"""Attributes that the drawing does without: the page has one font, a chart one accessible name."""
LONG = re.compile(r"-?[0-9]+\.[0-9]{2,}")
"""A number with more decimal places than can be seen."""

FEWEST = 5
"""Calls that a share of an hour is made of at least: below, it says nothing."""


def svg(spec: Spec, label: str, name: str) -> str:
    """Return a chart as one SVG element with an accessible name; a mark's own is its title."""
    drawn = vl_convert.vegalite_to_svg(
        {
            "background": "transparent",
            "padding": 2,
            "config": {
                "font": "sans-serif",
                "view": {"stroke": None},
                "axis": {
                    "labelColor": "var(--muted)",
                    "labelFontSize": 12,
                    "gridColor": "var(--line)",
                    "domain": False,
                    "ticks": False,
                    "title": None,
                },
            },
            **spec,
        },
        vl_version="6.4",
    )
    ET.register_namespace("", SVG)
    root = ET.fromstring(drawn)  # noqa: S314 - it was drawn here
    for element in root.iter():
        told = element.attrib.pop("aria-label", None)
        if told and element.tag == f"{{{SVG}}}path":
            ET.SubElement(element, f"{{{SVG}}}title").text = told
        for attribute in NEEDLESS:
            element.attrib.pop(attribute, None)
        for attribute in {"d", "transform", "x2", "y2"} & element.attrib.keys():
            element.set(
                attribute, LONG.sub(lambda m: f"{float(m[0]):.1f}", element.get(attribute, ""))
            )
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("class", name)
    root.set("role", "img")
    root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


def both(draw: Any, label: str) -> str:  # noqa: ANN401
    """Return a chart drawn for a screen and for a phone; the page shows one of them."""
    return svg(draw(WIDE), label, "wide") + svg(draw(NARROW), label, "narrow")


def day_axis(days: Sequence[Day]) -> Spec:
    """Return the axis of days: weekday over day of the month; ``*`` marks an unfinished one."""
    labels = {
        str(day.date): f"{WEEKDAYS[day.date.weekday()][:2]}|{day.date.day}"
        + ("*" if day.state in UNFINISHED else "")
        for day in days
    }
    chosen = " : ".join(
        f"datum.value == '{key}' ? split('{label}', '|')" for key, label in labels.items()
    )
    return {
        "field": "day",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": list(labels), "paddingInner": 0.25, "paddingOuter": 0.1},
        "axis": {"labelExpr": f"{chosen} : ''", "labelAngle": 0, "labelOverlap": True},
    }


def calls_by_day(days: Sequence[Day], label: str) -> str:
    """Return stacked bars: a day's calls, answered, abandoned and other."""
    values = []
    for day in days:
        for number, (kind, word) in enumerate(KINDS.items()):
            calls = day.calls
            count = calls.answered + calls.connected if kind == "answered" else getattr(calls, kind)
            told = f"{day.date:%A, %d %B}: {count:,} {word.lower()}"
            unfinished = day.state in UNFINISHED
            values.append(
                {"day": str(day.date), "kind": kind, "order": number, "count": count}
                | {"unfinished": unfinished, "told": told}
            )
    missing = [{"day": str(day.date)} for day in days if day.state == "missing"]

    def draw(width: int) -> Spec:
        bars = {
            "mark": {"type": "bar", "cornerRadius": 1},
            "encoding": {
                "x": day_axis(days),
                "y": {
                    "field": "count",
                    "type": "quantitative",
                    "axis": {"tickCount": 4, "format": ",d"},
                },
                "color": {
                    "field": "kind",
                    "scale": {
                        "domain": list(KINDS),
                        "range": [f"var(--{kind})" for kind in KINDS],
                    },
                    "legend": None,
                },
                "order": {"field": "order"},
                "opacity": {"condition": {"test": "datum.unfinished", "value": 0.45}, "value": 1},
                "description": {"field": "told"},
            },
        }
        none = {
            "data": {"values": missing},
            "mark": {"type": "text", "angle": 270, "align": "left", "dx": 6, "text": "no calls"}
            | {"color": "var(--muted)", "fontSize": 12},
            "encoding": {"x": {"field": "day"}, "y": {"datum": 0}},
        }
        return {
            "width": width,
            "height": 210,
            "autosize": {"type": "fit-x", "contains": "padding"},
        } | {
            "data": {"values": values},
            "layer": [bars, none] if missing else [bars],
        }

    return both(draw, label)


def service_level_by_day(days: Sequence[Day], label: str) -> str:
    """Return a line: a day's service level; it is broken where there is none."""
    values = [
        {
            "day": str(day.date),
            "level": day.calls.service_level,
            "shown": "" if day.calls.service_level is None else f"{day.calls.service_level:.0%}",
            "unfinished": day.state in UNFINISHED,
            "told": f"{day.date:%A, %d %B}: {day.calls.in_time:,} of {day.calls.offered:,} in time",
        }
        for day in days
    ]

    def draw(width: int) -> Spec:
        x = day_axis(days)
        y = {
            "field": "level",
            "type": "quantitative",
            "scale": {"domain": [0, 1]},
            "axis": {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]},
        }
        line = {
            "mark": {"type": "line", "color": "var(--answered)", "strokeWidth": 2.5}
            | {"invalid": "break-paths-show-path-domains"},
            "encoding": {"x": x, "y": y},
        }
        points = {
            "transform": [{"filter": "isValid(datum.level)"}],
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}
            | {"stroke": "var(--answered)", "strokeWidth": 2},
            "encoding": {
                "x": x,
                "y": y,
                "fill": {
                    "condition": {"test": "datum.unfinished", "value": "var(--paper)"},
                    "value": "var(--answered)",
                },
                "description": {"field": "told"},
            },
        }
        numbers = {
            "transform": [{"filter": "isValid(datum.level)"}],
            "mark": {"type": "text", "dy": -13, "fontSize": 11, "color": "var(--ink)"},
            "encoding": {"x": x, "y": y, "text": {"field": "shown"}},
        }
        size = {"width": width, "height": 210, "autosize": {"type": "fit-x", "contains": "padding"}}
        few = width == WIDE or len(days) <= len(WEEKDAYS)
        return size | {
            "data": {"values": values},
            "layer": [line, points, numbers] if few else [line, points],
        }

    return both(draw, label)


def heat_map(cells: Sequence[Cell], what: str, label: str) -> str:
    """Return the hours of the week: ``average`` inbound calls, or ``abandoned_share``.

    On a phone the hours run down the page.
    """
    values: list[dict[str, Any]] = []
    for cell in cells:
        value: float | None = getattr(cell, what)
        when = f"{WEEKDAYS[cell.weekday]}, {cell.hour:02}:00 to {cell.hour:02}:59"
        if what == "average":
            told = f"{when}: {cell.average:.1f} inbound calls on average"
            shown = f"{cell.average:.0f}".lstrip("0")
        else:
            offered = cell.answered + cell.abandoned
            told = f"{when}: {cell.abandoned:,} of {offered:,} abandoned"
            value = value if offered >= FEWEST else None
            shown = "" if value is None else f"{100 * value:.0f}"
        values.append(
            {"weekday": WEEKDAYS[cell.weekday], "hour": f"{cell.hour:02}"}
            | {"value": value, "shown": shown, "told": told}
        )
    hours = sorted({value["hour"] for value in values})
    highest = max((value["value"] or 0 for value in values), default=0) or 1

    def draw(width: int) -> Spec:
        across = width == WIDE
        hour = {"field": "hour", "type": "ordinal", "scale": {"domain": hours}}
        weekday = {"field": "weekday", "type": "ordinal", "scale": {"domain": list(WEEKDAYS)}}
        axis = {"axis": {"labelAngle": 0, "orient": "top", "labelPadding": 6}}
        x, y = (hour | axis, weekday) if across else (weekday | axis, hour)
        boxes = {
            "mark": {"type": "rect", "stroke": "var(--paper)", "strokeWidth": 2, "cornerRadius": 3},
            "encoding": {
                "x": x,
                "y": y,
                "color": {
                    "value": "var(--abandoned)" if what == "abandoned_share" else "var(--answered)"
                },
                "opacity": {
                    "field": "value",
                    "type": "quantitative",
                    "scale": {"domain": [0, highest], "range": [0.07, 1]},
                    "legend": None,
                },
                "description": {"field": "told"},
            },
        }
        numbers = {
            "mark": {"type": "text", "fontSize": 11},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "shown"},
                "color": {
                    "condition": {
                        "test": f"datum.value > {highest * 0.7}",
                        "value": "var(--on-heat)",
                    },
                    "value": "var(--ink)",
                },
            },
        }
        height = 7 * 30 if across else len(hours) * 26
        return {"width": width, "height": height} | {
            "autosize": {"type": "fit-x", "contains": "padding"},
            "data": {"values": values},
            "layer": [boxes, numbers],
        }

    return both(draw, label)
