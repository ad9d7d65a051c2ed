"""The canvas: what a person fills in and draws comes in, frames go out, and the newest ones can be pinned.

How its data flows, and what bounds it at each step:

- page → kernel: one message an input, the drawing as a JPEG beside it, at most `AHEAD` that no frame has answered yet,
  and 25 a second;
- kernel → endpoint: `fal_nb.engine.frame_line`, few on their way, the newest input wins;
- kernel → page: frames beside the hub's ticks, two that the page has not said it has shown
  (`fal_nb.views.frame_window`), of those that wait only the newest.

So nothing piles up anywhere, however slow the endpoint, the kernel or the page. All else of the canvas is state, and
goes with the hub's ticks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from fal_nb.forms.fields import form_fields
from fal_nb.plain import one_line, plain_text
from fal_nb.views.answers import Answers
from fal_nb.views.canvas_look import LiveCanvas, Pinned, ShownFrame
from fal_nb.views.canvas_twin import canvas_text, canvas_twin
from fal_nb.views.form_files import IncomingFiles, small_picture
from fal_nb.views.form_state import exact, fields_state, problem_state, sound_values
from fal_nb.views.frame_window import FrameWindow
from fal_nb.views.view import View

__all__ = ["CanvasView"]

AHEAD = 3
"""Inputs of one page that no frame has answered yet; the page holds to it."""
DRAWING_BYTES = 2_000_000
"""Of one drawing; more is none of ours."""
_MOST_PROBLEMS = 30
_WORDS_CHARS = 400
_CELL_CHARS = 4_000
_ID_CHARS = 40
_QUIET_S = 1.5
_BEST = 5
_NUMBER = 2**53


class CanvasView(View):
    """A canvas as it is seen in a cell."""

    name: ClassVar[str] = "canvas"
    sends_deltas: ClassVar[bool] = True

    def __init__(self, canvas: LiveCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        fields = [field for field in form_fields(canvas.schema) if field.name != canvas.drawing_input]
        self._fields = tuple(fields)
        self._shown_fields, self._left_out = fields_state(self._fields)
        self._window = FrameWindow(self._send_frame)
        self._edit: tuple[str, int] = ("", 0)
        self._files: IncomingFiles | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._used_at = -_QUIET_S
        self._sent_picture = 0
        self._answers = Answers("canvas")

    @property
    def is_settled(self) -> bool:
        """True: it may be let go at any time, and its session ends with it."""
        return True

    def close(self) -> None:
        """Let go of the canvas, which ends its session if no other view shows it."""
        super().close()
        if self._settling is not None:
            self._settling.cancel()
        if self._files is not None:
            self._files.close()
        self._canvas.left(self)

    def left(self) -> None:
        """Let the canvas know, so that nobody pays for a session that nobody sees."""
        self._canvas.left(self)

    def state(self) -> dict[str, Any]:
        """Return what the page needs, without pictures."""
        canvas, look = self._canvas, self._canvas.look()
        return {
            "view": self.id,
            "endpoint": one_line(canvas.schema.endpoint, 300),
            "category": one_line(canvas.schema.category, 100),
            "backend": canvas.backend,
            "fields": self._shown_fields,
            "left_out": self._left_out,
            "values": exact(canvas.values),
            "edit": list(self._edit),
            "looked": list(self._edit),
            "problems": [problem_state(problem) for problem in look.problems[:_MOST_PROBLEMS]],
            "drawing": one_line(canvas.drawing_input, 100),
            "size": list(canvas.size),
            "start": canvas.start_picture[0],
            "ahead": AHEAD,
            "line": look.line,
            "why": one_line(look.why, _WORDS_CHARS),
            "is_paused": look.is_paused,
            "idle_s": look.idle_s,
            "idle_until": None if look.idle_left_s is None else round(time.time() + look.idle_left_s),
            "frames": look.frames,
            "most_in_flight": look.most_in_flight,
            "session_record": look.session_record,
            "pins": [_pin_state(each) for each in look.pins],
            "error": one_line(look.error, _WORDS_CHARS),
        }

    def twin(self) -> str:
        """Return the newest frame, what was filled in, and how many frames came how fast."""
        canvas = self._canvas
        return canvas_twin(canvas.schema.endpoint, canvas.values, canvas.look(), canvas.thumbnail())

    def text(self) -> str:
        """Return the same as text."""
        return canvas_text(self._canvas.schema.endpoint, self._canvas.values, self._canvas.look())

    # -- from the canvas, on the loop's thread -----------------------------------------------------------

    def changed(self) -> None:
        """Send what has changed with the next tick."""
        self._changed()

    def show_frame(self, frame: ShownFrame) -> None:
        """Send a frame to the page, or as soon as it has shown an earlier one."""
        look = self._canvas.look()
        content = {
            "kind": "frame",
            "page": frame.page,
            "input": frame.input,
            "content_type": frame.content_type,
            "wire_ms": round(frame.wire_ms, 1),
            "in_flight": look.in_flight,
        }
        self._window.offer(frame.number, content, frame.data)
        self._changed()

    def filled(self) -> None:
        """Take notice that the notebook has filled in the fields or drawn."""
        self._edit = ("", self._edit[1] + 1)
        self._changed()

    def settle(self) -> None:
        """Bring the twin up to date, but not under somebody's hand: the front end puts a new output in its place."""
        loop = asyncio.get_running_loop()
        wait = self._used_at + _QUIET_S - loop.time()
        if wait <= 0:
            self._changed(settled=True)
        elif self._settling is None or self._settling.when() <= loop.time():
            self._settling = loop.call_later(wait, self.settle)

    # -- from the page -----------------------------------------------------------------------------------

    def receive_bytes(self, content: Mapping[str, Any], data: bytes) -> None:
        """Take in an input with a drawing; anything else is ignored."""
        if content.get("kind") == "input" and len(data) <= DRAWING_BYTES and data.startswith(b"\xff\xd8\xff"):
            self._take_input(content, data)

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in an input, a click or a part of a file; anything else is ignored."""
        canvas = self._canvas
        match content.get("kind"):
            case "input":
                self._take_input(content, None)
            case "seen" | "pin" | "rate" | "start" as kind:
                self._receive_number(kind, content)
            case "picture":
                self._send_picture(_number(content.get("start")) or 0)
            case "pause":
                canvas.pause()
            case "go":
                canvas.go()
            case "stop":
                canvas.end()
            case "pinned":
                self._send_pins()
            case "file":
                self._answers.start(self._incoming().receive(content))
            case "preview":
                self._answers.start(self._send_preview(content.get("value")))
            case _:
                pass

    def _receive_number(self, kind: str, content: Mapping[str, Any]) -> None:
        """Take in what is about a frame or a record."""
        number = _number(content.get("frame" if kind in {"seen", "pin"} else "record"))
        rating = content.get("rating")
        if number is None:
            return
        if kind == "seen":
            self._window.seen(number)
        elif kind == "pin":
            self._canvas.pin_frame(number)
        elif kind == "start":
            self._canvas.start_from(number)
        elif rating is None or (_number(rating) is not None and rating <= _BEST):
            self._canvas.rate_pin(number, rating)

    def _take_input(self, content: Mapping[str, Any], drawing: bytes | None) -> None:
        page, number, edit = content.get("page"), _number(content.get("input")), _number(content.get("edit"))
        if not isinstance(page, str) or len(page) > _ID_CHARS or number is None:
            return
        values = None
        if "values" in content:
            values = sound_values(content["values"])
            if values is None or edit is None:
                return
            self._edit = (one_line(page, _ID_CHARS), edit)
        self._used_at = asyncio.get_running_loop().time()
        self._window.heard()
        self._canvas.take(self, page, number, values, drawing)

    # -- pictures ----------------------------------------------------------------------------------------

    def _send_frame(self, content: Mapping[str, Any], data: bytes) -> None:
        if self.outlet is not None:
            self.outlet.frame(self, content, data)

    def _send_picture(self, start: int) -> None:
        """Answer a page that has just come: what is drawn on, unless it has that, and the newest frame."""
        self._canvas.shown(self)
        number, data = self._canvas.start_picture
        if data is not None and start != number:
            self._post({"kind": "start", "start": number}, data)
        self._window.reset()
        if self._canvas.newest is not None:
            self.show_frame(self._canvas.newest)

    def _send_pins(self) -> None:
        for each in self._canvas.look().pins:
            if each.thumbnail is not None:
                self._post({"kind": "pinned", "record": each.record}, each.thumbnail)

    # -- files of other inputs ---------------------------------------------------------------------------

    def _incoming(self) -> IncomingFiles:
        if self._files is None:
            self._files = IncomingFiles(self._canvas.input_folder, self._post)
        return self._files

    async def _send_preview(self, value: object) -> None:
        if not isinstance(value, str) or not value.startswith("@") or len(value) > _WORDS_CHARS:
            return
        data = await asyncio.to_thread(small_picture, Path(value[1:].strip()))
        self._post({"kind": "preview", "value": plain_text(value), "found": data is not None}, data)


def _pin_state(pinned: Pinned) -> dict[str, Any]:
    cell = exact(pinned.cell)
    return {
        "record": pinned.record,
        "cell": cell if len(cell) <= _CELL_CHARS else exact(""),
        "rating": pinned.rating,
    }


def _number(value: object) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < _NUMBER else None  # type: ignore[operator, return-value]
