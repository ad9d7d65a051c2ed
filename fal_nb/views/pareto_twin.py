"""The static twin of calls against two numbers, and their plain text.

Front ends take `<svg>` out of a stranger's notebook but leave pictures in it, so the plot is a picture: an SVG inside
an `<img>`, where it can run nothing and load nothing. Its greys are read on light and on dark.
"""

from __future__ import annotations

import base64
from html import escape as escape_html

from fal_nb.plain import one_line
from fal_nb.views.gallery_look import GalleryOutputs
from fal_nb.views.gallery_twin import FRAME, QUIET, TWIN_BYTES, GalleryTwin
from fal_nb.views.pareto_look import Axis, Points

__all__ = ["ParetoTwin", "pareto_text"]

_WIDTH, _HEIGHT = 660, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 12, 44
_GREY, _LINE, _BLUE = "#7d7d7d", "rgba(128,128,128,.3)", "#3b7de0"
_MOST_DOTS = 3_000
_MOST_TILES = 16
_TEXT_ROWS = 40


class ParetoTwin:
    """Draws the twin."""

    def __init__(self, outputs: GalleryOutputs, points: Points) -> None:
        self._outputs = outputs
        self._points = points
        self._tiles = GalleryTwin(outputs)

    def html(self) -> str:
        """Return the plot, what is missing in it, and the pictures of the front, at most 200 kB."""
        points = self._points
        best = points.best
        simulated = " · simulated" if self._outputs.backend == "simulator" else ""
        head = (
            f'<div style="margin-bottom:6px"><b>{escape_html(points.name)}</b> '
            f'<span style="{QUIET}">{escape_html(_told(points))}{simulated}</span></div>'
        )
        svg = _svg(points)
        source = base64.b64encode(svg.encode("utf-8")).decode("ascii")
        about = escape_html(f"{points.name}: {_told(points)}", quote=True)
        plot = (
            f'<img src="data:image/svg+xml;base64,{source}" alt="{about}" '
            f'style="display:block;width:100%;max-width:{_WIDTH}px;height:auto;margin:0 0 6px">'
        )
        shown = [point for point in best if point.place is not None][:_MOST_TILES]
        captions = {
            point.place: f"#{point.record} {points.x.told(point.x)} · {points.y.told(point.y)}"
            for point in shown
            if point.place is not None
        }
        tiles = self._tiles.tiles(list(captions), TWIN_BYTES - len(plot) - 6_000, captions)
        lines = [*points.told]
        if len(best) > len(tiles):
            lines.append(f"{len(best) - len(tiles):,} more on the front are in the live view and in its frame")
        notes = "".join(f'<div style="{QUIET}">{escape_html(one_line(line, 300))}</div>' for line in lines)
        return f'<div style="{FRAME}">{head}{plot}<div>{"".join(tiles)}</div>{notes}</div>'


def _told(points: Points) -> str:
    count = len(points.best)
    calls = f"{count:,} of {points.count:,} calls {'is' if count == 1 else 'are'} beaten by no other"
    return f"{calls} ({one_line(points.directions, 160)} is better)"


def _svg(points: Points) -> str:
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    words = f'fill="{_GREY}" font-family="sans-serif" font-size="11"'

    def place(x: float, y: float) -> tuple[int, int]:
        return round(_LEFT + x * wide), round(_TOP + (1 - y) * high)

    def places(is_best: bool) -> list[tuple[int, int]]:  # noqa: FBT001 - which of the two
        chosen = [point for point in points.points if point.is_best is is_best]
        found = dict.fromkeys(place(points.x.scale.at(one.x), points.y.scale.at(one.y)) for one in chosen)
        return list(found)[:: -(-len(found) // _MOST_DOTS) or 1]

    parts = []
    for number, label in points.y.scale.ticks:
        _, y = place(0, points.y.scale.at(number))
        parts.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="{_LINE}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" {words}>{escape_html(label)}</text>')
    base = _HEIGHT - _BOTTOM
    for number, label in points.x.scale.ticks:
        x, _ = place(points.x.scale.at(number), 0)
        parts.append(f'<path d="M{x} {base}v4" stroke="{_GREY}"/>')
        parts.append(f'<text x="{x}" y="{base + 17}" text-anchor="middle" {words}>{escape_html(label)}</text>')
    parts.append(f'<path d="M{_LEFT} {base}H{_WIDTH - _RIGHT}" stroke="{_GREY}"/>')
    middle = _LEFT + wide // 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle" {words}>{_title(points.x)}</text>')
    turned = f'transform="rotate(-90 14 {_TOP + high // 2})" text-anchor="middle"'
    parts.append(f'<text x="14" y="{_TOP + high // 2}" {turned} {words}>{_title(points.y)}</text>')
    behind = "".join(f"M{x} {y}h0" for x, y in places(False))
    parts.append(
        f'<path d="{behind}" fill="none" stroke="{_GREY}" stroke-opacity=".55" stroke-width="6" '
        'stroke-linecap="round"/>'
    )
    line = "L".join(f"{x} {y}" for x, y in (place(*corner) for corner in points.steps()))
    parts.append(f'<path d="M{line}" stroke="{_BLUE}" stroke-width="1.5" fill="none"/>')
    parts += [f'<circle cx="{x}" cy="{y}" r="4.5" fill="{_BLUE}"/>' for x, y in places(True)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )


def _title(axis: Axis) -> str:
    return escape_html(f"{axis.title} ({'lower' if axis.better == 'low' else 'higher'} is better)")


def pareto_text(outputs: GalleryOutputs, points: Points) -> str:
    """Return the front as an aligned table, a line each, and what is missing."""
    best = points.best[:_TEXT_ROWS]
    looks = outputs.looks([point.place for point in best if point.place is not None])
    lines = [f"{points.name}: {_told(points)}"]
    for point in best:
        look = None if point.place is None else looks.get(point.place)
        words = "" if look is None else f"{one_line(look.endpoint, 36):<36} {one_line(look.prompt, 60)}"
        numbers = f"{points.x.words(point.x):>14} {points.y.words(point.y):>14}"
        lines.append(f"#{point.record:<6} {numbers}  {words}".rstrip())
    if len(points.best) > len(best):
        lines.append(f"… and {len(points.best) - len(best):,} more")
    return "\n".join([*lines, *(one_line(line, 300) for line in points.told)])
