"""The static twin of a board and its plain text: what colleagues see, and what stays in the saved notebook.

Inline styles only, as in ``twin.py``. Its invariant: at most 300 kB, and it says what it leaves out.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape as escape_html

from fal_nb.plain import one_line
from fal_nb.states import State
from fal_nb.views.board_look import Axis, BoardSweep, CellLook, Placement, SweepTotals, placement
from fal_nb.views.format import STATE_COLOURS, STATE_WORDS, money, seconds

__all__ = ["TWIN_BYTES", "BoardTwin", "board_heading", "board_text", "totals_words"]

TWIN_BYTES = 300_000
_SIDE = 96
_MAX_CELLS = 240
_MAX_COLUMNS = 12
_TEXT_ROWS = 60
_WORDS = {**STATE_WORDS, "PREPARED": "waiting"}
_ORDER: tuple[State, ...] = (
    "SUCCEEDED", "RUNNING", "QUEUED", "SUBMITTING", "PREPARED", "FAILED", "UNKNOWN", "CANCELLED", "SKIPPED",
)  # fmt: skip
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;box-sizing:border-box;"
    "font-size:13px;line-height:1.5;overflow-x:auto"
)
_QUIET = "opacity:.68"
_TABLE = "border-collapse:collapse;border:none;margin:6px 0 0;table-layout:auto;font-size:12px"
_ROW = "background:transparent"
_HEAD = "padding:2px 8px 2px 0;border:none;text-align:left;vertical-align:top;font-weight:normal;white-space:normal"
_CELL = "padding:2px 6px 4px 0;border:none;text-align:left;vertical-align:top;white-space:normal;line-height:1.3"
_BOX = (
    f"box-sizing:border-box;border:1px dashed {_LINE};border-radius:5px;padding:4px 5px;overflow:hidden;"
    "font-size:11px;overflow-wrap:anywhere"
)
_FACTS = f"font-size:10px;{_QUIET};overflow:hidden"
_TABLE_WIDTH = 700
_SMALLEST_SIDE = 52
_UNKNOWN = "sent, answer lost; may have been charged"
_MARKS = {"video": "▶ ", "audio": "♪ "}


def escape(text: str, *, quote: bool = False) -> str:
    """Return text fit to be shown, as HTML."""
    return escape_html(one_line(text, 2_000), quote=quote)


class BoardTwin:
    """Draws the twin, and keeps the small pictures it is made of.

    Parameters
    ----------
    thumbnail
        Returns the WebP of a digest, or None.
    """

    def __init__(self, thumbnail: Callable[[str], bytes | None]) -> None:
        self._thumbnail = thumbnail
        self._small: dict[str, str] = {}

    def prepare(self, sweep: BoardSweep) -> None:
        """Make the small pictures that `html` will want; for a worker thread."""
        self.html(sweep)

    def html(self, sweep: BoardSweep) -> str:
        """Return the board as static HTML."""
        axes, cells = list(sweep.axes), list(sweep.cells.values())
        drawing = _Drawing(axes, cells, self._picture)
        body = drawing.flow() if len(axes) < 2 else drawing.tables()
        left = len(cells) - drawing.shown
        note = ""
        if left:
            note = (
                f'<div style="margin-top:6px;{_QUIET}">{drawing.shown} of {len(cells)} cells are in this picture of the'
                f" board; {left} more are on the live one and in the history.</div>"
            )
        return f'<div style="{_FRAME}">{_head(sweep)}{body}{note}</div>'

    def _picture(self, digest: str) -> str:
        """Return a small picture as a data URI; empty where there is none."""
        if digest not in self._small:
            data = self._thumbnail(digest)
            self._small[digest] = _shrink(data) if data else ""
        return self._small[digest]


class _Drawing:
    """One drawing of one moment, under its budget of bytes."""

    def __init__(self, axes: Sequence[Axis], cells: Sequence[CellLook], picture: Callable[[str], str]) -> None:
        self._axes = axes
        self._cells = cells
        self._picture = picture
        self._room = TWIN_BYTES - 6_000
        self._side = _SIDE
        self.shown = 0

    def flow(self) -> str:
        """Return the cells one after the other, each under its label."""
        parts = []
        for look in self._cells:
            if not self._has_room():
                break
            label = ", ".join(_labels(self._axes, look))
            part = (
                f'<div style="display:inline-block;vertical-align:top;width:{_SIDE}px;margin:6px 10px 4px 0">'
                f'<div style="font-size:12px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis" '
                f'title="{escape(label[:300], quote=True)}">{escape(label[:80])}</div>{self._cell(look)}</div>'
            )
            self._take(part)
            parts.append(part)
        return f"<div>{''.join(parts)}</div>"

    def tables(self) -> str:
        """Return one table for each value of the super rows and of the axes that lie nowhere."""
        place = placement(self._axes)
        at = _Lookup(self._cells)
        outer = [axis for axis in (*place.pickers, place.super_rows) if axis is not None]
        parts = []
        for values in itertools.product(*(range(len(self._axes[axis].labels)) for axis in outer)):
            if not self._has_room():
                break
            title = ", ".join(_named(self._axes[axis], value) for axis, value in zip(outer, values, strict=True))
            if title:
                parts.append(f'<div style="margin-top:8px;font-weight:600">{escape(title[:300])}</div>')
            parts.append(self._table(place, at, dict(zip(outer, values, strict=True))))
        return "".join(parts)

    def _table(self, place: Placement, at: _Lookup, fixed: dict[int, int]) -> str:
        columns = list(itertools.islice(_spread(self._axes, (place.super_columns, place.columns)), _MAX_COLUMNS))
        self._side = min(_SIDE, max(_SMALLEST_SIDE, _TABLE_WIDTH // max(1, len(columns)) - 8))
        rows_axis = self._axes[place.rows] if place.rows is not None else None
        rows = self._heads(place, columns)
        for row in range(len(rows_axis.labels) if rows_axis else 1):
            if not self._has_room():
                break
            where = fixed | ({place.rows: row} if place.rows is not None else {})
            looks = [at.find(where | column, len(self._axes)) for column in columns]
            cells = "".join(f'<td style="{_CELL}">{self._cell(look)}</td>' for look in looks)
            label = escape(rows_axis.labels[row][:120]) if rows_axis else ""
            part = f'<tr style="{_ROW}"><th style="{_HEAD};max-width:140px">{label}</th>{cells}</tr>'
            self._take(part)
            rows.append(part)
        return f'<table style="{_TABLE}">{"".join(rows)}</table>'

    def _heads(self, place: Placement, columns: Sequence[Mapping[int, int]]) -> list[str]:
        """Return the rows with the labels of the groups of columns and of the columns."""
        heads = []
        if place.super_columns is not None:
            groups = itertools.groupby(column[place.super_columns] for column in columns)
            axis = self._axes[place.super_columns]
            style = f"{_HEAD};font-weight:600"
            cells = "".join(
                f'<th colspan="{len(list(same))}" style="{style}">{escape(_named(axis, value)[:80])}</th>'
                for value, same in groups
            )
            heads.append(f'<tr style="{_ROW}"><th style="{_HEAD}"></th>{cells}</tr>')
        names = [
            f"{self._axes[at].name[:40]} {arrow}"
            for at, arrow in ((place.rows, "↓"), (place.columns, "→"))
            if at is not None
        ]
        corner = f'<th style="{_HEAD};{_QUIET};white-space:nowrap">{escape(" ".join(names))}</th>'
        labels = (
            self._axes[place.columns].labels[column[place.columns]] for column in columns if place.columns is not None
        )
        cells = "".join(f'<th style="{_HEAD};overflow-wrap:anywhere">{escape(label[:60])}</th>' for label in labels)
        return [*heads, f'<tr style="{_ROW}">{corner}{cells}</tr>']

    def _cell(self, look: CellLook | None) -> str:
        box = f"{_BOX};width:{self._side}px;height:{self._side}px"
        if look is None:
            return f'<div style="{box};{_QUIET}">no such call</div>'
        self.shown += 1
        artifact = look.artifact
        words = escape("; ".join(_labels(self._axes, look))[:200], quote=True)
        if artifact is not None and artifact.text:
            seen = f'<div style="{box}">{escape(artifact.text[:90])}</div>'
        else:
            picture = self._picture(artifact.digest) if artifact is not None and artifact.digest else ""
            style = f"display:block;margin:0;border-radius:5px;max-width:{self._side}px;max-height:{self._side}px"
            seen = f'<img src="{picture}" alt="{words}" style="{style}">' if picture else _state_box(look, box)
        mark = _MARKS.get(artifact.kind, "") if artifact is not None else ""
        facts = mark + " · ".join(_facts(look))
        return f'{seen}<div style="{_FACTS};max-width:{self._side}px">{escape(facts)}</div>'

    def _has_room(self) -> bool:
        return self.shown < _MAX_CELLS and self._room > 0

    def _take(self, part: str) -> None:
        # The next part will be about as long as this one; it must fit, too.
        length = len(part.encode())
        self._room -= length
        if self._room < length:
            self._room = 0


class _Lookup:
    """Cells by their coordinates; a cell to which an axis does not apply lies at each of its values."""

    def __init__(self, cells: Sequence[CellLook]) -> None:
        self._cells = {look.coordinates: look for look in cells}
        self._masks = {tuple(each < 0 for each in look.coordinates) for look in cells}

    def find(self, where: Mapping[int, int], count: int) -> CellLook | None:
        place = tuple(where.get(axis, 0) for axis in range(count))
        for mask in self._masks:
            masked = tuple(-1 if hidden else each for each, hidden in zip(place, mask, strict=False))
            if masked in self._cells:
                return self._cells[masked]
        return None


def board_text(sweep: BoardSweep) -> str:
    """Return the sweep as an aligned table of at most 60 cells."""
    axes, cells = list(sweep.axes), list(sweep.cells.values())
    names = list(dict.fromkeys(name for look in cells for name in look.scores))
    has_cost = any(look.cost is not None for look in cells)
    has_rating = any(look.rating for look in cells)
    head = [
        *(one_line(axis.name, 120) for axis in axes), "state", "time",
        *(["cost"] if has_cost else []), *(["rating"] if has_rating else []), *names, "",
    ]  # fmt: skip
    lines = [[one_line(each, 40) for each in head]]
    for look in cells[:_TEXT_ROWS]:
        line = [*(one_line(label, 120) for label in _labels(axes, look)), _state_words(look), seconds(look.total_s)]
        line += [money(look.cost, sweep.totals.currency)] if has_cost else []
        line += ["★" * (look.rating or 0)] if has_rating else []
        line += [f"{look.scores[name]:.4g}" if name in look.scores else "" for name in names]
        lines.append([one_line(each, 40) for each in [*line, look.reason or ""]])
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    table = ["  ".join(f"{each:<{width}}" for each, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if len(cells) > _TEXT_ROWS:
        table.append(f"… and {len(cells) - _TEXT_ROWS} more cells")
    return "\n".join([board_heading(sweep), *table])


def board_heading(sweep: BoardSweep) -> str:
    """Return the first line of that table: what is swept, and how far it is."""
    title = f"{one_line(sweep.name, 200)}  {one_line(sweep.endpoint_text, 300)}"
    return f"{title}  {totals_words(sweep.totals, sweep.backend)}"


def totals_words(totals: SweepTotals, backend: str) -> str:
    """Return counts, money and time left in one line."""
    count = sum(totals.counts.values())
    parts = [f"{count:,} {'cell' if count == 1 else 'cells'}"]
    parts += [f"{totals.counts[state]:,} {_WORDS[state]}" for state in _ORDER if totals.counts.get(state)]
    parts += ["paused"] if totals.is_paused else []
    parts += [f"spent {_spent(totals)}"]
    parts += [f"reserved {money(totals.reserved, totals.currency)}"] if totals.reserved else []
    parts += [f"about {seconds(totals.seconds_left)} left"] if totals.seconds_left is not None else []
    parts += ["simulated, nothing is billed"] if backend == "simulator" else []
    return " · ".join(parts)


def _spent(totals: SweepTotals) -> str:
    spent = money(totals.spent, totals.currency)
    return spent if totals.budget is None else f"{spent.split()[0]} of {money(totals.budget, totals.currency)}"


def _head(sweep: BoardSweep) -> str:
    words = escape(totals_words(sweep.totals, sweep.backend))
    return (
        f"<div><b>{escape(sweep.name[:200])}</b>&ensp;<span>{escape(sweep.endpoint_text[:300])}</span></div>"
        f'<div style="{_QUIET}">{words}</div>'
    )


def _state_box(look: CellLook, box: str) -> str:
    colour = STATE_COLOURS[look.state]
    reason = escape((look.reason or (_UNKNOWN if look.state == "UNKNOWN" else ""))[:80])
    words = escape(_state_words(look))
    return f'<div style="{box}"><span style="color:{colour}">●</span> {words}<br>{reason}</div>'


def _state_words(look: CellLook) -> str:
    words = _WORDS[look.state]
    if look.state == "RUNNING" and look.progress is not None:
        return f"{words} {round(look.progress * 100)} %"
    return f"{words}, from memo" if look.is_from_memo else words


def _facts(look: CellLook) -> list[str]:
    more = f"+{look.artifact_count - 1}" if look.artifact_count > 1 else ""
    stars = "★" * min(look.rating or 0, 5)
    memo = "memo" if look.is_from_memo else ""
    return [part for part in (seconds(look.total_s), memo, stars, more) if part]


def _labels(axes: Sequence[Axis], look: CellLook) -> list[str]:
    pairs = zip(axes, look.coordinates, strict=False)
    return [axis.labels[at] if 0 <= at < len(axis.labels) else "–" for axis, at in pairs]


def _named(axis: Axis, value: int) -> str:
    return f"{axis.name}: {axis.labels[value]}"


def _spread(axes: Sequence[Axis], places: Sequence[int | None]) -> Iterator[dict[int, int]]:
    """Yield each combination of the values of some axes, the last one running fastest."""
    used = [place for place in places if place is not None]
    for values in itertools.product(*(range(len(axes[place].labels)) for place in used)):
        yield dict(zip(used, values, strict=True))


def _shrink(data: bytes) -> str:
    """Return a thumbnail as a data URI of a still smaller WebP; empty where its bytes are no picture."""
    from PIL import Image  # noqa: PLC0415 - only where a board is drawn

    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
            picture.thumbnail((_SIDE, _SIDE))
            picture.save(buffer, "WEBP", quality=55, method=2)
    except (OSError, ValueError):
        return ""
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
