"""Charts as SVG, drawn by hand: bars for figures beside each other, a curve for what grows. Readable light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

WIDTH: Final = 720
_LABELS: Final = 250
_ROW, _BAR = 30, 18
_STYLE: Final = """<style>
  text { font: 14px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .quiet { fill: #59636e }
  .bar { fill: #8c959f } .ours { fill: #0969da } .line { stroke: #0969da; stroke-width: 2; fill: none }
  .axis { stroke: #8c959f; stroke-width: 1 } .even { stroke: #8c959f; stroke-dasharray: 4 4; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .bar { fill: #6e7681 } .ours { fill: #4493f8 }
    .line { stroke: #4493f8 } .axis, .even { stroke: #6e7681 }
  }
</style>"""


def bars(title: str, unit: str, groups: Mapping[str, Mapping[str, float]], ours: str = "Tocsin") -> str:
    """Horizontal bars in groups, by name; the one called `ours` stands out. Values are of one unit and not negative."""
    longest = max(value for group in groups.values() for value in group.values()) or 1.0
    drawn, y = [f'<text class="title" x="0" y="18">{escape(title)}</text>'], 44
    for name, group in groups.items():
        drawn.append(f'<text class="quiet" x="0" y="{y}">{escape(name)}</text>')
        y += 12
        for label, value in group.items():
            length = max(1.0, value / longest * (WIDTH - _LABELS - 110))
            kind = "ours" if label == ours else "bar"
            drawn += [
                f'<text x="12" y="{y + 14}">{escape(label)}</text>',
                f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>',
                f'<text x="{_LABELS + length + 6:.1f}" y="{y + 14}">{value:,.10g} {escape(unit)}</text>',
            ]
            y += _ROW
        y += 18
    return _svg(title, y, drawn)


def curve(title: str, across: str, points: Sequence[tuple[float, float]], unit: str) -> str:
    """One line through the points, and dashed what even growth from the first point would be."""
    left, top, wide, high = 60, 40, WIDTH - 180, 200
    most_x = max(x for x, _ in points)
    (first_x, first_y) = points[0]
    most_y = max(first_y / first_x * most_x, *(y for _, y in points))

    def at(x: float, y: float) -> str:
        return f"{left + x / most_x * wide:.1f},{top + high - y / most_y * high:.1f}"

    drawn = [
        f'<text class="title" x="0" y="18">{escape(title)}</text>',
        f'<path class="axis" fill="none" d="M{left},{top} V{top + high} H{left + wide}"/>',
        f'<path class="even" d="M{at(0, 0)} L{at(most_x, first_y / first_x * most_x)}"/>',
        f'<polyline class="line" points="{" ".join(at(x, y) for x, y in points)}"/>',
    ]
    for x, y in points:
        place_x, place_y = at(x, y).split(",")
        drawn += [
            f'<circle class="ours" cx="{place_x}" cy="{place_y}" r="4"/>',
            f'<text x="{float(place_x) + 8:.1f}" y="{float(place_y) + 20:.1f}">{y:,.10g} {escape(unit)}</text>',
            f'<text class="quiet" x="{place_x}" y="{top + high + 20}" text-anchor="middle">{x:g}</text>',
        ]
    drawn.append(f'<text class="quiet" x="{left + wide + 8}" y="{top + high + 20}">{escape(across)}</text>')
    return _svg(title, top + high + 40, drawn)


def _svg(title: str, height: int, drawn: Sequence[str]) -> str:
    inside = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title, quote=True)}">\n{_STYLE}\n{inside}\n</svg>\n'
    )
