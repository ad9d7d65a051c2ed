"""The static twin of a canvas and its plain text: the newest frame, what was filled in, how fast the frames came."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape as escape_html

from fal_nb.plain import one_line, plain_text
from fal_nb.protocol.status import JSON
from fal_nb.schemas.words import show_value
from fal_nb.views.canvas_look import CanvasLook

__all__ = ["canvas_text", "canvas_twin", "line_words"]

_MOST_VALUES = 40
_MOST_PINS = 50
_NAME_CHARS = 40
_VALUE_CHARS = 300
_LINE_CHARS = 400
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:760px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5"
)
_QUIET = "opacity:.68"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"
_WORDS = {"closed": "not connected", "connecting": "connecting", "open": "connected", "failed": "failed"}


def canvas_twin(endpoint: str, values: Mapping[str, JSON], look: CanvasLook, thumbnail: bytes | None) -> str:
    """Return the canvas as static HTML.

    Parameters
    ----------
    thumbnail
        The newest frame as a small WebP.
    """
    title = (
        f'<div><b>{_escape(endpoint)}</b> <span style="{_QUIET}">· canvas · {_escape(line_words(look))}</span></div>'
    )
    picture = ""
    if thumbnail is not None:
        data = base64.b64encode(thumbnail).decode("ascii")
        about = escape_html(one_line(str(values.get("prompt", "the newest frame")), _NAME_CHARS), quote=True)
        style = "max-width:100%;border-radius:6px;display:block;margin-top:8px"
        picture = f'<img src="data:image/webp;base64,{data}" alt="{about}" style="{style}">'
    rows = "".join(
        f'<div style="margin-top:2px;overflow-wrap:anywhere"><span style="{_MONO}">{_escape(name)}</span> '
        f"{_escape(value)}</div>"
        for name, value in _filled_in(values)
    )
    below = "".join(f'<div style="margin-top:6px">{_escape(line)}</div>' for line in (_pins(look), look.error) if line)
    return f'<div style="{_FRAME}">{title}{picture}<div style="margin-top:8px">{rows}</div>{below}</div>'


def canvas_text(endpoint: str, values: Mapping[str, JSON], look: CanvasLook) -> str:
    """Return the same as plain text."""
    lines = [f"{one_line(endpoint, 300)}  canvas  {one_line(line_words(look), _LINE_CHARS)}"]
    lines += [f"  {name} = {value}" for name, value in _filled_in(values)]
    lines += [one_line(line, _LINE_CHARS) for line in (_pins(look), look.error) if line]
    return plain_text("\n".join(lines))


def line_words(look: CanvasLook) -> str:
    """Return how the line stands, how many frames came and how fast, in a person's words."""
    state = "paused" if look.is_paused and look.line == "open" else _WORDS[look.line]
    parts = [f"{state}: {look.why}" if look.line == "failed" and look.why else state]
    if look.frames:
        parts.append("1 frame" if look.frames == 1 else f"{look.frames:,} frames")
    if look.p50_ms is not None and look.p95_ms is not None:
        parts.append(f"round trip {look.p50_ms:.0f} ms, 95 of 100 within {look.p95_ms:.0f} ms")
    return " · ".join(parts)


def _filled_in(values: Mapping[str, JSON]) -> list[tuple[str, str]]:
    shown = list(values.items())[:_MOST_VALUES]
    return [
        (one_line(name, _NAME_CHARS), one_line(show_value(value, _VALUE_CHARS), _VALUE_CHARS)) for name, value in shown
    ]


def _pins(look: CanvasLook) -> str:
    if not look.pins:
        return ""
    numbers = ", ".join(f"#{each.record}" for each in look.pins[:_MOST_PINS])
    left = len(look.pins) - _MOST_PINS
    return f"Pinned into the history: {numbers}" + (f" and {left} more." if left > 0 else ".")


def _escape(text: str) -> str:
    return escape_html(one_line(text, _LINE_CHARS), quote=False)
