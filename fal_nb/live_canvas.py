"""``Canvas``: a drawing and an endpoint's inputs, sent over a realtime line as they change; frames come back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.canvas_feed import CanvasFeed
from fal_nb.engine.intent import Terms
from fal_nb.errors import ConfigError
from fal_nb.filled_form import filled_in
from fal_nb.forms.values import arguments_of
from fal_nb.schemas.types import Text, options_of
from fal_nb.views.canvas import CanvasView

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.engine.job import Job
    from fal_nb.engine.live_picture import CanvasFrame
    from fal_nb.protocol.status import JSON
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.workbench import Workbench

__all__ = ["Canvas", "CanvasStats"]

_MOST_IN_FLIGHT = 16
_SEED = "seed"
_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class CanvasStats:
    """How a canvas has done so far.

    Attributes
    ----------
    frames, sent
        Results that came back, inputs that went out.
    skipped, lost
        Inputs that a newer one overtook before they were sent, and those that were never answered.
    most_in_flight
        The most inputs that were on their way at once.
    p50_s, p95_s
        Round trips between this kernel and the endpoint, in seconds; None before any.
    """

    frames: int
    sent: int
    skipped: int
    lost: int
    most_in_flight: int
    connections: int
    p50_s: float | None
    p95_s: float | None
    frames_per_s: float


class Canvas:
    """A live canvas of one realtime endpoint; showing it shows the live one. May be used from any thread.

    Made by ``fal.canvas(endpoint)`` or ``%fal canvas ENDPOINT``. It connects when something is drawn or filled in, and
    disconnects when it is idle, stopped, or no longer seen: realtime is billed by the time the session is open. A seed
    is filled in where none is given, so that the picture follows the hand and nothing else.

    Attributes
    ----------
    endpoint
        Its id.
    schema
        What it takes.
    """

    def __init__(
        self,
        bench: Workbench,
        schema: EndpointSchema,
        arguments: Mapping[str, Any],
        *,
        in_flight: int = 2,
        idle_s: float = 45.0,
        allow_unpriced: bool = False,
    ) -> None:
        _check(in_flight, idle_s)
        self.endpoint = schema.endpoint
        self.schema = schema
        self._bench = bench
        self._runtime = bench.session.runtime
        drawing = _drawing_input(schema)
        given = dict(arguments)
        self._start = given.pop(drawing, None) if drawing else None
        if _SEED in schema and _SEED not in given:
            given[_SEED] = secrets.randbelow(_SEEDS)  # without one every frame would be another picture
        terms, values = Terms(allow_unpriced=allow_unpriced), filled_in(schema, given)
        self._feed = CanvasFeed(bench.session, schema, values, drawing, terms, most=in_flight, idle_s=idle_s)
        self._view: CanvasView | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What is filled in, but the drawing, as arguments: only what differs from the defaults; files are paths."""
        return arguments_of(self.schema, self._feed.values)

    @arguments.setter
    def arguments(self, arguments: Mapping[str, Any]) -> None:
        given = {name: value for name, value in arguments.items() if name != self._feed.drawing_input}
        self._runtime.call(self._fill(filled_in(self.schema, given)))

    def draw(self, picture: Any) -> None:
        """Draw a picture: a path, bytes, a PIL image, an array, a result or one of its files, a URL; blocks.

        Raises
        ------
        ConfigError
            Where the endpoint takes no picture.
        FalError
            Where it is no picture, or cannot be had.
        """
        if isinstance(picture, str) and not picture.startswith(("data:", "https://", "http://")):
            # Nothing but a picture can be meant here; inside arguments a text is never a path.
            picture = Path(picture).expanduser()
        self._runtime.call(self._feed.draw(picture))

    def frame(self, timeout_s: float = 60.0) -> CanvasFrame:
        """Send what is filled in and drawn, and return the frame that answers it; blocks.

        Raises
        ------
        ArgumentsError
            Where the arguments do not fit the endpoint's schema; nothing is sent.
        FalError
            Where the line fails, or the result holds no picture.
        TimeoutError
            After `timeout_s` seconds.
        """
        self.prepare()
        return self._runtime.call(self._feed.one_frame(), timeout_s)

    def pin(self, frame: CanvasFrame | None = None) -> Job:
        """Put a frame into the history with its arguments and its picture, and return its job; blocks.

        Parameters
        ----------
        frame
            One of the last 48; None is the newest.

        Raises
        ------
        ConfigError
            Where there is no such frame.
        FalError
            Where it cannot be written, or its inputs cannot be uploaded.
        """
        return self._runtime.call(self._feed.pin(None if frame is None else frame.number))

    def pause(self) -> None:
        """Send nothing until `go`; the line stays connected until it has been idle for long. Returns at once."""
        self._runtime.post(self._feed.pause)

    def go(self) -> None:
        """Go on after a pause, a stop or a failure. Returns at once."""
        self._runtime.post(self._feed.go)

    def stop(self) -> None:
        """End the session at the endpoint in order; blocks until it has ended. `go` or `frame` begins another."""
        self._runtime.call(self._feed.stop("Stopped."))

    @property
    def frames(self) -> tuple[CanvasFrame, ...]:
        """The last 48 frames, oldest first."""
        return tuple(self._feed.frames)

    @property
    def pins(self) -> tuple[int, ...]:
        """The records of the frames that were pinned here, oldest first."""
        return tuple(each.record for each in self._feed.pins)

    @property
    def stats(self) -> CanvasStats:
        """How it has done so far."""
        line = self._feed.line
        return CanvasStats(
            frames=line.answered,
            sent=line.sent,
            skipped=line.skipped,
            lost=line.lost,
            most_in_flight=line.most_seen,
            connections=line.connections,
            p50_s=_to_be_read(line.timings.quantile(0.5)),
            p95_s=_to_be_read(line.timings.quantile(0.95)),
            frames_per_s=round(line.timings.frames_per_s, 2),
        )

    @property
    def widget(self) -> AnyWidget:
        """The canvas as a widget: for ``VBox``, ``Tab``, ``observe``, ``link``, Voilà and marimo."""
        if self._view is None:
            self.prepare()
            self._view = self.new_view()
        return self._view.widget

    def _ipython_display_(self) -> None:
        self._bench.show_canvas(self)

    def __repr__(self) -> str:
        line = self._feed.line
        return f"<Canvas of {self.endpoint}, {line.state}, {line.answered} frames>"

    # -- for the workbench -------------------------------------------------------------------------------

    def new_view(self) -> CanvasView:
        """Return one more view of this canvas; all show the same frames."""
        view = CanvasView(self._feed)
        view.outlet = self._bench.display.hub
        self._runtime.call(self._add(view))
        return view

    def prepare(self) -> None:
        """Have the start picture drawn, the settings known and the twin's picture ready; blocks.

        Raises
        ------
        FalError
            Where the start picture is none, or cannot be had.
        """
        _ = self._bench.session.settings
        start, self._start = self._start, None
        if start is not None:
            self._runtime.call(self._feed.draw(start))
        self._runtime.call(self._feed.refresh())

    async def _add(self, view: CanvasView) -> None:
        self._feed.views.add(view)

    async def _fill(self, values: Mapping[str, JSON]) -> None:
        self._feed.fill(values)


def _drawing_input(schema: EndpointSchema) -> str:
    """Return the input that a drawing is sent as: the first picture, a required one before others, no mask."""
    pictures = [
        field
        for field in schema
        if any(isinstance(option, Text) and option.file == "image" for option in options_of(field.type))
        and "mask" not in field.name
    ]
    return next((field.name for field in pictures if field.required), pictures[0].name if pictures else "")


def _check(in_flight: Any, idle_s: Any) -> None:
    if isinstance(in_flight, bool) or not isinstance(in_flight, int) or not 1 <= in_flight <= _MOST_IN_FLIGHT:
        raise ConfigError(f"in_flight is a whole number from 1 to {_MOST_IN_FLIGHT}, not {in_flight!r:.40}.")
    if isinstance(idle_s, bool) or not isinstance(idle_s, (int, float)) or not idle_s > 0:
        raise ConfigError(f"idle_s is a number of seconds above 0, not {idle_s!r:.40}.")


def _to_be_read(seconds: float | None) -> float | None:
    """Return seconds to the millisecond: more of them is noise, and is what a person would have to read."""
    return None if seconds is None else round(seconds, 3)
