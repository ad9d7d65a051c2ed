"""``CanvasFeed``: the canvas on the loop's side: inputs from pages and from Python in, frames and pins out."""

from __future__ import annotations

import asyncio
import io
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.engine.frame_line import Frame, FrameConnection, FrameLine
from fal_nb.engine.inputs import LocalFile, has_local_files, read_inputs, upload_inputs
from fal_nb.engine.intent import NO_TERMS, Terms
from fal_nb.engine.live_picture import CanvasFrame, as_json, fitted_frame, opened_picture, picture_in, start_picture
from fal_nb.engine.pin import pin
from fal_nb.engine.preflight import check_inputs
from fal_nb.errors import ArgumentsError, ConfigError, FalError, FileError
from fal_nb.forms.values import arguments_of
from fal_nb.magics.format import format_line
from fal_nb.protocol.files import FileRef, decode_data_uri, encode_data_uri
from fal_nb.protocol.status import JSON
from fal_nb.results import Result, ResultFile
from fal_nb.views.canvas_look import CanvasLook, Pinned, ShownFrame

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.schemas.scalars import Problem
    from fal_nb.views.canvas import CanvasView

__all__ = ["CanvasFeed"]

SIDE = 512
"""Of the drawing, in pixels, unless a start picture has other proportions: what realtime image models are made for."""
_KEPT_FRAMES = 48
_MOST_PINS = 200
_LEFT_S = 3.0
_ECHO = "request_id"
_NO_PICTURE = "The endpoint's result holds no picture, and a canvas shows pictures only."


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where an input came from, and what it was."""

    page: str
    input: int
    arguments: Mapping[str, Any]
    drawing: bytes | None


class CanvasFeed:
    """One canvas; every method belongs to the loop's thread and returns at once, unless it is a coroutine."""

    def __init__(
        self,
        session: Session,
        schema: EndpointSchema,
        values: Mapping[str, JSON],
        drawing: str,
        terms: Terms = NO_TERMS,
        **line: Any,
    ) -> None:
        self.schema = schema
        self.drawing_input = drawing
        self.size = (SIDE, SIDE)
        self.start_picture: tuple[int, bytes | None] = (0, None)
        self.newest: ShownFrame | None = None
        self.frames: deque[CanvasFrame] = deque(maxlen=_KEPT_FRAMES)
        self.pins: list[Pinned] = []
        self.views: weakref.WeakSet[CanvasView] = weakref.WeakSet()
        self._session = session
        self._terms = terms
        self._lock = threading.Lock()
        self._values = dict(values)
        self._drawing: bytes | None = None
        self._problems: tuple[Problem, ...] = ()
        self._error = ""
        self._ready: tuple[Mapping[str, JSON], Mapping[str, JSON]] | None = None
        self._origins: dict[int, _Origin] = {}
        self._last = ("", 0)
        self._count = self._answered = 0
        self._session_record: int | None = None
        self._waiting: Frame | None = None
        self._thumbnail: bytes | None = None
        self._preparing: asyncio.Task[Any] | None = None
        self._showing: asyncio.Task[Any] | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._has_changed = asyncio.Event()
        echo = _ECHO if _ECHO in schema and _ECHO not in values else None
        self.line = FrameLine(self._connect, self._track, self._take_frame, self._line_changed, echo=echo, **line)

    # -- what views read ---------------------------------------------------------------------------------

    @property
    def backend(self) -> str:
        """Where its session goes."""
        return self._session.settings.backend

    @property
    def values(self) -> Mapping[str, JSON]:
        """What the fields hold; a local file is ``@path``. Any thread."""
        with self._lock:
            return self._values

    @property
    def input_folder(self) -> Path:
        """Where files that come from the page are kept."""
        return self._session.home / "inputs"

    def look(self) -> CanvasLook:
        """Return how it stands. Any thread."""
        line, timings = self.line, self.line.timings
        p50, p95 = timings.quantile(0.5), timings.quantile(0.95)
        return CanvasLook(
            line=line.state,
            why=line.why,
            is_paused=line.is_paused,
            idle_s=line.idle_s,
            idle_left_s=line.idle_left_s,
            frames=line.answered,
            in_flight=line.in_flight,
            most_in_flight=line.most,
            p50_ms=None if p50 is None else p50 * 1000,
            p95_ms=None if p95 is None else p95 * 1000,
            frames_per_s=timings.frames_per_s,
            session_record=self._session_record,
            problems=self._problems,
            pins=tuple(self.pins),
            error=self._error,
        )

    def thumbnail(self) -> bytes | None:
        """Return the newest frame as a small WebP, as of when it last came to rest. Any thread."""
        return self._thumbnail

    # -- what views say ----------------------------------------------------------------------------------

    def take(
        self, view: CanvasView, page: str, number: int, values: Mapping[str, JSON] | None, drawing: bytes | None
    ) -> None:
        """Take in what a page filled in and drew, and send it as soon as there is room."""
        self._stay()
        if drawing is not None:
            self._drawing = drawing
        if values is not None:
            self.fill(values, view)
        self._last = page, number
        self.send()

    def fill(self, values: Mapping[str, JSON], by: CanvasView | None = None) -> None:
        """Fill in all fields anew; the views other than the one that did it are told."""
        with self._lock:
            self._values = dict(values)
        for view in list(self.views):
            if view is not by:
                view.filled()

    def pause(self) -> None:
        """Send no inputs until `go`."""
        self.line.pause()

    def go(self) -> None:
        """Go on after a pause, a stop or a failure."""
        self._stay()
        self._error = ""
        self.line.go()

    def end(self) -> None:
        """End the session at the endpoint, until `go`."""
        self.line.is_paused = True
        self._track(self.line.stop())

    def pin_frame(self, number: int) -> None:
        """Put a frame into the history, if it is one of the last; what goes wrong is shown."""
        self._track(self._told(self.pin(number)))

    def rate_pin(self, record: int, rating: int | None) -> None:
        """Rate a frame that was pinned here."""
        if any(each.record == record for each in self.pins):
            self._track(self._told(self._rate(record, rating)))

    def start_from(self, record: int) -> None:
        """Draw on the picture of a record."""
        self._track(self._told(self._start_from(record)))

    def shown(self, view: CanvasView) -> None:
        """Go on: the page that was left was loaded anew, or another one shows the canvas."""
        del view
        self._stay()

    def left(self, view: CanvasView) -> None:
        """End the session soon, unless somebody shows or uses the canvas meanwhile."""
        del view
        if self._leaving is None and self.line.state != "closed":
            self._leaving = asyncio.get_running_loop().call_later(_LEFT_S, self._leave)

    # -- inputs ------------------------------------------------------------------------------------------

    def send(self) -> None:
        """Send what is filled in and drawn, as soon as there is room; what does not fit the schema is not sent."""
        if self._ready is not None and self._ready[0] is self.values:
            self._offer(self._ready[1])
        elif self._preparing is None or self._preparing.done():
            self._preparing = self._track(self._told(self._prepare()))

    async def _prepare(self) -> None:
        """Check the newest values and upload their files, then send; values that come meanwhile follow."""
        while True:
            values = self.values
            inputs = await self._inputs(values)
            if inputs is not None:
                self._ready = values, inputs
                self._error = ""
                self._offer(inputs)
            if values is self.values:
                return

    async def _inputs(self, values: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
        """Return the arguments that values mean, their files uploaded; None where they do not fit the schema."""
        arguments = arguments_of(self.schema, values)
        inputs = await asyncio.to_thread(read_inputs, arguments)
        checked = check_inputs(self.schema, {**inputs, **self._pictured(b"")})
        self._problems = checked.problems
        self._tell()
        if checked.problems:
            return None
        inputs = {name: value for name, value in checked.arguments.items() if name != self.drawing_input}
        if not has_local_files(inputs):
            return inputs
        wire = await self._session.wire()
        return dict(await upload_inputs(inputs, wire.upload))

    def _offer(self, inputs: Mapping[str, JSON]) -> None:
        drawing = self._drawn() if self.drawing_input else None
        self._count += 1
        self._origins[self._count] = _Origin(*self._last, inputs, drawing)
        for number in [number for number in self._origins if number < self._count - _KEPT_FRAMES]:
            del self._origins[number]
        self.line.offer(self._count, {**inputs, **self._pictured(drawing)})

    def _pictured(self, drawing: bytes | None) -> dict[str, JSON]:
        return {} if drawing is None or not self.drawing_input else {
            self.drawing_input: encode_data_uri(drawing, "image/jpeg")
        }  # fmt: skip

    def _drawn(self) -> bytes:
        """Return the drawing; white where nobody has drawn."""
        if self._drawing is None:
            from PIL import Image  # noqa: PLC0415 - only where nothing was drawn

            buffer = io.BytesIO()
            Image.new("RGB", self.size, "white").save(buffer, "JPEG", quality=85)
            self._drawing = buffer.getvalue()
        return self._drawing

    # -- the drawing -------------------------------------------------------------------------------------

    async def draw(self, picture: Any) -> None:
        """Draw a picture of any kind, and tell the pages.

        Raises
        ------
        FalError
            Where it is none, or cannot be had.
        """
        if not self.drawing_input:
            raise ConfigError(f"{self.schema.endpoint} takes no picture, so there is nothing to draw on.")
        data = await self._bytes_of(picture)
        self._drawing, self.size = await asyncio.to_thread(start_picture, data, SIDE)
        self.start_picture = (self.start_picture[0] + 1, self._drawing)
        self._tell()

    async def _bytes_of(self, picture: Any) -> bytes:
        if isinstance(picture, Result):
            picture = next((file for file in picture.files if file.kind == "image"), None)
        if isinstance(picture, ResultFile):
            picture = picture.path
        if isinstance(picture, str):
            if picture.startswith("data:"):
                return decode_data_uri(picture)[0]
            if picture.startswith(("https://", "http://")):
                wire = await self._session.wire()
                return await wire.read(FileRef((), picture, "image"))
        found = await asyncio.to_thread(read_inputs, picture)
        if not isinstance(found, LocalFile):
            raise FileError(f"A canvas is drawn on a picture (a path, bytes, an image, a result), not {picture!r:.60}.")
        return found.data if found.data is not None else await asyncio.to_thread(found.path.read_bytes)  # type: ignore[union-attr]

    async def _start_from(self, record: int) -> None:
        session = self._session
        artifacts = await asyncio.to_thread(session.history.artifacts, record)
        found = next((each.digest for each in artifacts if each.kind == "image" and each.digest), None)
        if found is None:
            raise ConfigError(f"#{record} has no picture in this history: `%fal gallery` shows those that have.")
        await self.draw(session.artifacts.path(found))
        self._last = ("", 0)
        self.send()

    # -- frames ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[FrameConnection]:
        from fal_nb.client.pace import Pace  # noqa: PLC0415 - imports aiohttp

        # As many as may be on their way are held for the app, so that none of them is dropped there.
        connection = self._session.live(
            self.schema.endpoint,
            options={"max_buffering": self.line.most},
            pace=Pace(reconnect=False),
            terms=self._terms,
        )
        async with connection:
            self._session_record = connection.job.record_id if connection.job is not None else None
            yield connection

    def _take_frame(self, frame: Frame) -> None:
        """Show a frame; of those that come while one is made ready only the newest."""
        self._waiting = frame
        self._tell()
        if self._showing is None or self._showing.done():
            self._showing = self._track(self._told(self._show()))

    async def _show(self) -> None:
        while self._waiting is not None:
            frame, self._waiting = self._waiting, None
            picture = await picture_in(frame.result, self._read)
            if picture is None:
                raise ConfigError(_NO_PICTURE)
            data, content_type = await self._fitted(picture)
            origin = self._origins.get(frame.input) or _Origin("", 0, {}, None)
            self.frames.append(
                CanvasFrame(
                    frame.number, origin.arguments, origin.drawing, as_json(frame.result), picture, frame.wire_s
                )
            )
            shown = ShownFrame(frame.number, origin.page, origin.input, data, content_type, frame.wire_s * 1000)
            self.newest = shown
            self._answered = max(self._answered, frame.input)
            for view in list(self.views):
                view.show_frame(shown)
            self._has_changed.set()

    async def _read(self, ref: FileRef) -> bytes:
        return await (await self._session.wire()).read(ref)

    async def _fitted(self, picture: bytes) -> tuple[bytes, str]:
        if len(picture) < 100_000:  # looked at by its first bytes alone
            return fitted_frame(picture)
        return await asyncio.to_thread(fitted_frame, picture)

    async def one_frame(self) -> CanvasFrame:
        """Send what is filled in and drawn, and return the frame that answers it, or a later one.

        Raises
        ------
        ArgumentsError
            Where it does not fit the schema.
        FalError
            Where the line fails, or the result has no picture.
        """
        self.go()
        self._last = ("", 0)
        inputs = await self._inputs(self.values)
        if inputs is None:
            raise ArgumentsError(self.schema.endpoint, [str(problem) for problem in self._problems])
        self._ready = self.values, inputs
        self._offer(inputs)
        wanted = self._count
        while self._answered < wanted:
            if self.line.state == "failed":
                raise FalError(self.line.why)
            if self._error:
                raise FalError(self._error)
            self._has_changed.clear()
            await self._has_changed.wait()
        return self.frames[-1]

    # -- pins --------------------------------------------------------------------------------------------

    async def pin(self, number: int | None = None) -> Job:
        """Put a frame into the history, the newest where none is named, and return its job.

        Raises
        ------
        ConfigError
            Where it is not among those that are kept.
        FalError
            Where it cannot be written, or an input cannot be uploaded.
        """
        frame = next((each for each in reversed(self.frames) if number in {None, each.number}), None)
        if frame is None:
            what = "There is no frame yet" if number is None else f"Frame {number} is not kept any more"
            raise ConfigError(f"{what}: the last {_KEPT_FRAMES} can be pinned.")
        inputs: dict[str, Any] = dict(frame.arguments)
        if frame.drawing is not None:
            inputs[self.drawing_input] = LocalFile("drawing.jpg", "image/jpeg", data=frame.drawing)
        wire = await self._session.wire()
        of = self._session_record
        job = await pin(
            self._session, wire, self.schema.endpoint, inputs, frame.result, session_record=of, frame=frame.number
        )
        thumbnail = next((each.thumbnail for each in job.snapshot.artifacts if each.thumbnail), None)
        self.pins.append(Pinned(job.record_id, self._cell(job), None, thumbnail))
        del self.pins[:-_MOST_PINS]
        await self._rest()
        return job

    def _cell(self, job: Job) -> str:
        try:
            return format_line("run", self.schema.endpoint, job.snapshot.arguments, self.schema)
        except FalError:
            return ""

    async def _rate(self, record: int, rating: int | None) -> None:
        await asyncio.to_thread(self._session.rate, record, rating)
        self.pins[:] = [replace(each, rating=rating) if each.record == record else each for each in self.pins]
        self._tell()

    # -- the line ----------------------------------------------------------------------------------------

    async def stop(self, why: str) -> None:
        """End the session at the endpoint in order."""
        self.line.is_paused = True
        await self.line.stop(why)
        await self._rest()

    def _line_changed(self) -> None:
        self._tell()
        self._has_changed.set()
        if self.line.state in {"closed", "failed"} and self.line.connections:
            self._track(self._rest())

    async def _rest(self) -> None:
        """Bring the twins up to date."""
        await self.refresh()
        for view in list(self.views):
            view.settle()

    async def refresh(self) -> None:
        """Have the small picture of the newest frame ready, for a twin that is drawn now."""
        if self.newest is not None:
            self._thumbnail = await asyncio.to_thread(_thumbnail, self.newest.data)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _leave(self) -> None:
        self._leaving = None
        self._track(self.line.stop("Nobody shows it any more."))

    async def _told(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something for a page; what goes wrong is said on the canvas."""
        try:
            await work
        except (FalError, OSError) as error:
            self._error = str(error)
            self._tell()
            self._has_changed.set()

    def _tell(self) -> None:
        for view in list(self.views):
            view.changed()

    def _track(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self._session.track(coroutine, _fetch_error)


def _fetch_error(task: asyncio.Task[Any]) -> None:
    """Take note of how a task has ended, so that asyncio does not say that nobody did."""
    if not task.cancelled():
        task.exception()


def _thumbnail(data: bytes) -> bytes | None:
    from fal_nb.artifacts.thumbnails import encode_thumbnail  # noqa: PLC0415 - loads Pillow

    try:
        return encode_thumbnail(opened_picture(data))
    except FalError:
        return None
