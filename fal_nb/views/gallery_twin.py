"""The static twin of a gallery and its plain text: the first outputs, and how many more there are.

Inline styles only, as in ``twin.py``. Its invariant: at most 200 kB, and it says what it leaves out.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape as escape_html

from fal_nb.plain import one_line
from fal_nb.views.format import money
from fal_nb.views.gallery_look import GalleryOutputs, OutputLook

__all__ = ["FRAME", "QUIET", "TWIN_BYTES", "GalleryTwin", "empty_words", "gallery_text"]

TWIN_BYTES = 200_000
_MOST = 48
_HEIGHT = 110
_WIDEST = 3.0
_TEXT_ROWS = 40
_LINE = "rgba(128,128,128,.32)"
FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;box-sizing:border-box;"
    "font-size:13px;line-height:1.5"
)
QUIET = "opacity:.68"
_TILE = "display:inline-block;vertical-align:top;margin:0 8px 8px 0"
_CAPTION = f"font-size:10px;line-height:1.4;{QUIET};white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_MARKS = {"video": "▶ ", "audio": "♪ ", "mesh": "⬢ "}


def empty_words(outputs: GalleryOutputs) -> str:
    """Return what is empty and what to do about it, for outputs of which there are none."""
    if outputs.name == "history":
        return "Nothing has been made here yet: %fal run ENDPOINT PROMPT, or fal.submit, makes the first output."
    return "None of these calls has an output: those still open have none yet, %fal jobs shows them."


class GalleryTwin:
    """Draws the twin, and keeps the small pictures it is made of."""

    def __init__(self, outputs: GalleryOutputs) -> None:
        self._outputs = outputs
        self._small: dict[int, str] = {}

    def html(self, order: Sequence[int]) -> str:
        """Return the first outputs of an order as static HTML."""
        tiles = self.tiles(order[:_MOST], TWIN_BYTES - 4_000)
        left = len(order) - len(tiles)
        more = (
            f'<div style="{QUIET}">{left:,} more are in the live gallery and in the history.</div>' if left > 0 else ""
        )
        if not order:
            words = "Nothing passes these filters." if self._outputs.records else empty_words(self._outputs)
            more = f'<div style="{QUIET}">{escape_html(words)}</div>'
        return f'<div style="{FRAME}">{self._head(len(order))}<div>{"".join(tiles)}</div>{more}</div>'

    def tiles(self, order: Sequence[int], room: int, captions: Mapping[int, str] | None = None) -> list[str]:
        """Return the tiles of some places, as many as fit into so many characters.

        Parameters
        ----------
        captions
            By place, what is said below a tile in place of its record and its stars.
        """
        places = list(order)
        looks = self._outputs.looks(places)
        self._prepare([place for place in places if place not in self._small])
        captions = captions or {}
        tiles = []
        for place in places:
            look, source = looks.get(place), self._small.get(place, "")
            tile = "" if look is None else _tile(look, source, self._outputs.ratios[place], captions.get(place))
            if len(tile) > room:
                break
            room -= len(tile)
            tiles.append(tile)
        return tiles

    def _head(self, matching: int) -> str:
        count = len(self._outputs.records)
        told = (
            ("1 output" if count == 1 else f"{count:,} outputs")
            if matching == count
            else f"{matching:,} of {count:,} outputs"
        )
        simulated = " · simulated" if self._outputs.backend == "simulator" else ""
        return (
            f'<div style="margin-bottom:8px"><b>{escape_html(one_line(self._outputs.name, 120))}</b> '
            f'<span style="{QUIET}">{told}{simulated}</span></div>'
        )

    def _prepare(self, places: Sequence[int]) -> None:
        for place, (_, data) in self._outputs.thumbnails(places).items():
            self._small[place] = _shrink(data)


def _tile(look: OutputLook, source: str, ratio: float, told: str | None) -> str:
    width = round(_HEIGHT * min(ratio, _WIDEST))
    words = escape_html(one_line(look.prompt or look.endpoint, 300), quote=True)
    box = f"width:{width}px;height:{_HEIGHT}px;border-radius:5px;display:block"
    if source:
        inside = f'<img src="{source}" alt="{words}" style="{box};object-fit:cover;margin:0">'
    else:
        text = one_line(look.artifact.error or look.artifact.text or look.artifact.kind, 160)
        inside = (
            f'<div style="{box};box-sizing:border-box;border:1px dashed {_LINE};padding:4px 6px;overflow:hidden;'
            f'font-size:11px;line-height:1.35;overflow-wrap:anywhere">{escape_html(text)}</div>'
        )
    mark = _MARKS.get(look.artifact.kind, "")
    stars = f" {'★' * look.rating}" if look.rating else ""
    caption = f"{mark}#{look.record}{stars}" if told is None else escape_html(f"{mark}{one_line(told, 80)}")
    return f'<div style="{_TILE};width:{width}px" title="{words}">{inside}<div style="{_CAPTION}">{caption}</div></div>'


def _shrink(data: bytes) -> str:
    """Return a small picture, smaller still, as a data URI."""
    from PIL import Image  # noqa: PLC0415 - only where a gallery is shown

    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        small = picture.convert("RGB") if picture.mode not in {"RGB", "RGBA"} else picture.copy()
    small.thumbnail((round(_HEIGHT * _WIDEST), round(_HEIGHT * 1.5)))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=60, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def gallery_text(outputs: GalleryOutputs, order: Sequence[int]) -> str:
    """Return the first outputs as an aligned table, a line each."""
    places = list(order[:_TEXT_ROWS])
    looks = outputs.looks(places)
    if not outputs.records:
        return f"{one_line(outputs.name, 120)}: {empty_words(outputs)}"
    lines = [f"{one_line(outputs.name, 120)}: {len(order):,} of {len(outputs.records):,} outputs"]
    for place in places:
        if (look := looks.get(place)) is None:
            continue
        cost = "" if look.cost is None else money(look.cost, "USD")
        stars = "★" * (look.rating or 0)
        lines.append(
            f"#{look.record:<6} {look.artifact.kind:<6} {stars:<5} {cost:<12} "
            f"{one_line(look.endpoint, 36):<36} {one_line(look.prompt, 60)}".rstrip()
        )
    if len(order) > len(places):
        lines.append(f"… and {len(order) - len(places):,} more")
    return "\n".join(lines)
