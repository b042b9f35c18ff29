"""The measurements as a picture: seconds against packs, both logarithmic, a panel for each work, its limit and
baselines thin beside it. It is SVG with the colours of the reader's light or dark page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Any

from tests.bench.report import shown
from tests.bench.task import Kind

_PANELS: Mapping[Kind, str] = {
    Kind.VALIDATE: "validate",
    Kind.PLAN_ONE: "plan a pull request of 1 pack",
    Kind.PLAN_UNCHANGED: "plan everything, nothing changed",
    Kind.QUIET: "look for drift, nothing changed",
    Kind.PLAN_NEW: "plan everything, all new",
    Kind.APPLY: "apply, all new",
}
#: Class in the style sheet → what it is, and where it stands in a row.
_LINES: Mapping[str, str] = {
    "own": "sharepack",
    "limit": "the limit: calls that cannot be avoided, 16 in flight (validate: the bare parse)",
    "a": "A: one SDK call after another",
    "b": "B: one GET for each thing, 10 in flight",
    "slow": "B at 15 requests a second",
}
_YARDSTICKS = {"a": "A", "b": "B", "slow": "B throttled"}
_COLUMNS, _WIDTH, _HEIGHT = 3, 330, 250
_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 46, 18, 30
_LEGEND = 58
_STYLE = """
    text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 13px } .small { font-size: 11px; fill: #59636e }
    .grid { stroke: #d1d9e0; stroke-width: 1 }
    polyline, .key { fill: none; stroke-width: 1.5 }
    .own { stroke: #0969da; stroke-width: 3 } circle.own { fill: #0969da; stroke: none }
    .limit { stroke: #59636e } .a { stroke: #bc4c00; stroke-dasharray: 6 4 }
    .b { stroke: #8250df; stroke-dasharray: 2 3 } .slow { stroke: #8250df; stroke-dasharray: 9 3 2 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .small { fill: #9198a1 } .grid { stroke: #3d444d }
      .own { stroke: #4493f8 } circle.own { fill: #4493f8 } .limit { stroke: #9198a1 }
      .a { stroke: #f0883e } .b, .slow { stroke: #ab7df8 }
    }
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """Powers of ten at both ends of an axis, and where it lies in the picture."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "Scale":
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


@dataclass(frozen=True, slots=True)
class Axes:
    packs: Scale
    seconds: Scale


def picture(results: Mapping[str, Any]) -> str:
    """All panels share the scale of seconds, so that they can be compared."""
    panels = {kind: lines for kind in _PANELS if (lines := _lines(results["rows"], kind))}
    points = [point for lines in panels.values() for line in lines.values() for point in line]
    rows = ceil(len(panels) / _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT + _LEGEND
    seconds = Scale.around([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    packs = Scale.around([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    drawn = "".join(
        f'<g transform="translate({place % _COLUMNS * _WIDTH} {place // _COLUMNS * _HEIGHT})">\n'
        + "\n".join(_panel(kind, _latency(results["rows"], kind), panels[kind], Axes(packs, seconds)))
        + "\n</g>\n"
        for place, kind in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>Seconds against packs</title>\n<style>{_STYLE}</style>\n{drawn}"
        + "\n".join(_legend(rows * _HEIGHT))
        + "\n</svg>\n"
    )


def _latency(rows: Sequence[Mapping[str, Any]], kind: Kind) -> int:
    return max(int(row["latency_ms"]) for row in rows if row["kind"] == kind)


def _lines(rows: Sequence[Mapping[str, Any]], kind: Kind) -> dict[str, list[tuple[float, float]]]:
    """At the longest latency there is; points by class."""
    mine = [row for row in rows if row["kind"] == kind and not row["error"]]
    mine = [row for row in mine if row["latency_ms"] == _latency(mine, kind)]
    lines = {name: [(row["packs"], value) for row in mine if (value := _value(row, name))] for name in _LINES}
    return {name: sorted(points) for name, points in lines.items() if points}


def _value(row: Mapping[str, Any], name: str) -> float | None:
    match name:
        case "own":
            value = row["seconds"]
        case "limit":
            value = row["limit_seconds"]
        case _:
            value = row["yardsticks"].get(_YARDSTICKS[name])
    return None if value is None else float(value)


def _panel(kind: Kind, latency: int, lines: Mapping[str, list[tuple[float, float]]], axes: Axes) -> Iterator[str]:
    packs, seconds = axes.packs, axes.seconds
    about = f"an API call takes {latency} ms" if latency else "no API calls"
    yield f'<text class="title" x="{_LEFT}" y="16">{escape(_PANELS[kind])}</text>'
    yield f'<text class="small" x="{_LEFT}" y="32">{about}</text>'
    for tick in seconds.ticks:
        y = seconds.at(tick)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,g} s</text>'
    for tick in packs.ticks:
        x, anchor = (packs.at(tick), "middle") if tick < packs.ticks[-1] else (_WIDTH - 2, "end")
        place = f'x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="{anchor}"'
        yield f'<text class="small" {place}>{tick:,.0f} packs</text>'
    for name in reversed(list(_LINES)):
        if name in lines:
            places = [(packs.at(x), seconds.at(y)) for x, y in lines[name]]
            yield f'<polyline class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    for x, y in lines.get("own", ()):
        place = f'cx="{packs.at(x):.1f}" cy="{seconds.at(y):.1f}"'
        yield f'<circle class="own" {place} r="4"><title>{shown(y)} s</title></circle>'


def _legend(top: float) -> Iterator[str]:
    """Two lines of it."""
    x, y = float(_LEFT), top + 22
    for name, words in _LINES.items():
        yield f'<line class="key {name}" x1="{x}" x2="{x + 28}" y1="{y - 4}" y2="{y - 4}"/>'
        yield f'<text x="{x + 34}" y="{y}">{escape(words)}</text>'
        x += 60 + 6.4 * len(words)
        if name == "limit":
            x, y = float(_LEFT), y + 22
