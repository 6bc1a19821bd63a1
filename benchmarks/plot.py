"""Line charts as SVG, on logarithmic axes, without a library for it: three dozen lines of text do not need one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 60, 170, 40, 50
COLOURS = ("#c0392b", "#2471a3", "#7d8a8f", "#b7950b", "#6c3483", "#1e8449")

Line = Sequence[tuple[float, float]]


def chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Line], x_ticks: Sequence[float], y_ticks: Sequence[float]) -> str:
    """Return an SVG document; both axes are logarithmic and end at their first and last tick."""

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / x_ticks[0]) / math.log(x_ticks[-1] / x_ticks[0])

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(value / y_ticks[0]) / math.log(y_ticks[-1] / y_ticks[0])

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in x_ticks:
        parts += [_grid(x(tick), TOP, x(tick), HEIGHT - BOTTOM), _text(x(tick), HEIGHT - BOTTOM + 16, f"{tick:g}", "middle")]
    for tick in y_ticks:
        parts += [_grid(LEFT, y(tick), WIDTH - RIGHT, y(tick)), _text(LEFT - 6, y(tick) + 4, f"{tick:g}", "end")]
    parts += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label, "middle"), _text(LEFT - 45, TOP - 6, y_label, "start")]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(a):.1f},{y(min(max(b, y_ticks[0]), y_ticks[-1])):.1f}" for a, b in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 10 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
