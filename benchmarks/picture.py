"""Time and memory against the size of a day, as a picture for light and dark pages."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final

from measure import FLOOR, PLAIN, THIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from speed import Speed

_WIDTH, _HEIGHT = 860, 300
_PLOT_WIDTH, _PLOT_HEIGHT = 210, 190
_TOP = 62
_LEFTS: Final = (58, 490)
_LABEL_GAP = 17

_CLASSES: Final = {THIS: "this", PLAIN: "plain", FLOOR: "floor"}
_STYLE: Final = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
    .page { fill: #ffffff; }
    .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
    .note { fill: #59636e; }
    .grid { stroke: #d8dee4; }
    polyline { fill: none; stroke: currentColor; stroke-width: 2.5; stroke-linejoin: round; }
    circle, .label { fill: currentColor; }
    .label { font-weight: 600; }
    .this { color: #0969da; }
    .plain { color: #bc4c00; }
    .floor { color: #6e7781; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; }
      .title { fill: #f0f6fc; }
      .note { fill: #9198a1; }
      .grid { stroke: #30363d; }
      .this { color: #4493f8; }
      .plain { color: #f0883e; }
      .floor { color: #9198a1; }
    }
"""


def draw(measured: Sequence[Speed]) -> str:
    """Return the picture as SVG; the points are medians."""
    sizes = [speed.calls for speed in measured]
    seconds = {
        system: [median(cost.wall for cost in speed.costs[system]) for speed in measured]
        for system in _CLASSES
    }
    megabytes = {
        system: [median(cost.peak for cost in speed.costs[system]) for speed in measured]
        for system in _CLASSES
    }
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        'aria-label="Time and memory for a day of records">\n'
        f"  <style>{_STYLE}  </style>\n"
        f'  <rect class="page" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>\n'
        + _panel(_LEFTS[0], "Time for a day of records, in seconds", sizes, seconds)
        + _panel(_LEFTS[1], "Peak memory, in MB", sizes, megabytes)
        + "</svg>\n"
    )


def _panel(left: int, title: str, sizes: Sequence[int], series: dict[str, list[float]]) -> str:
    ticks = _ticks(max(max(values) for values in series.values()))
    bottom = _TOP + _PLOT_HEIGHT

    def x(size: float) -> float:
        return round(left + _PLOT_WIDTH * size / max(sizes), 1)

    def y(value: float) -> float:
        return round(bottom - _PLOT_HEIGHT * value / ticks[-1], 1)

    parts = [_text(left - 40, 30, title, "title")]
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{left}" x2="{left + _PLOT_WIDTH}" y1="{y(tick)}" '
            f'y2="{y(tick)}"/>'
        )
        parts.append(_text(left - 8, y(tick) + 4, f"{tick:,g}", "note", "end"))
    parts.extend(
        _text(x(size), bottom + 18, _short(size), "note", "middle")
        for size in sizes
        # The smallest stands at the edge, where its name would meet the axis's own.
        if size >= max(sizes) / 10
    )
    parts.append(_text(left + _PLOT_WIDTH / 2, bottom + 38, "records in the day", "note", "middle"))
    lowest: float = bottom + _LABEL_GAP
    for system, values in sorted(series.items(), key=lambda item: item[1][-1]):
        style = _CLASSES[system]
        points = [(x(size), y(value)) for size, value in zip(sizes, values, strict=True)]
        path = " ".join(f"{across},{down}" for across, down in points)
        parts.append(f'<polyline class="{style}" points="{path}"/>')
        parts.extend(
            f'<circle class="{style}" cx="{across}" cy="{down}" r="3.5"/>'
            for across, down in points
        )
        lowest = min(points[-1][1], lowest - _LABEL_GAP)
        shown = f"{values[-1]:,.0f}" if values[-1] >= 10 else f"{values[-1]:.1f}"  # noqa: PLR2004
        label = _text(points[-1][0] + 10, lowest + 4, f"{system} {shown}", f"label {style}")
        parts.append(label)
    return "".join(f"  {part}\n" for part in parts)


def _ticks(highest: float) -> list[float]:
    """Return round values from 0 to beyond the highest, at most seven."""
    step = 10.0 ** math.floor(math.log10(highest))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if highest / s <= 6)  # noqa: PLR2004
    return [step * number for number in range(math.ceil(highest / step) + 1)]


def _short(calls: int) -> str:
    if calls >= 1_000_000:  # noqa: PLR2004
        return f"{calls / 1_000_000:g} M"
    return f"{calls / 1_000:g} k"


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{style}" text-anchor="{anchor}">{text}</text>'
