"""What a canvas shows, as plain data, and what it needs of the thing it shows, as a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fal_nb.engine.frame_line import LineState
from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.scalars import Problem

if TYPE_CHECKING:
    from fal_nb.views.canvas import CanvasView

__all__ = ["CanvasLook", "LiveCanvas", "Pinned", "ShownFrame"]


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """One frame as it goes to the page.

    Attributes
    ----------
    number
        Counted from 1.
    page, input
        Which page its input came from, and that page's number of it; an empty page where Python drew.
    data, content_type
        The picture, small enough for one message.
    wire_ms
        From the kernel to the endpoint and back.
    """

    number: int
    page: str
    input: int
    data: bytes
    content_type: str
    wire_ms: float


@dataclass(frozen=True, slots=True)
class Pinned:
    """A frame in the history: its record, the cell that makes the same call, its rating, its small picture."""

    record: int
    cell: str = ""
    rating: int | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class CanvasLook:
    """A canvas at one moment.

    Attributes
    ----------
    why
        Why the line is closed or has failed.
    idle_s, idle_left_s
        Seconds without an input after which it disconnects; how many are left, None where it is in use.
    p50_ms, p95_ms
        Round trips between kernel and endpoint; None before the first.
    most_in_flight
        Inputs that may be on their way at one time.
    session_record
        Of the session that is billed, where there is one.
    error
        What went wrong besides, in one line.
    """

    line: LineState = "closed"
    why: str = ""
    is_paused: bool = False
    idle_s: float = 0.0
    idle_left_s: float | None = None
    frames: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    frames_per_s: float = 0.0
    session_record: int | None = None
    problems: Sequence[Problem] = ()
    pins: Sequence[Pinned] = ()
    error: str = ""


class LiveCanvas(Protocol):
    """A canvas over one endpoint; every call is on the loop's thread and returns at once."""

    @property
    def schema(self) -> EndpointSchema:
        """What the endpoint takes."""

    @property
    def backend(self) -> str:
        """Where its session goes."""

    @property
    def drawing_input(self) -> str:
        """The input that the drawing is sent as; empty where the endpoint takes no picture."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawing."""

    @property
    def start_picture(self) -> tuple[int, bytes | None]:
        """What one draws on, a JPEG, and how manieth that is; None for white."""

    @property
    def values(self) -> Mapping[str, JSON]:
        """What is filled in."""

    @property
    def newest(self) -> ShownFrame | None:
        """The newest frame."""

    @property
    def input_folder(self) -> Path:
        """Where files that come from the page are kept."""

    def look(self) -> CanvasLook:
        """Return how it stands."""

    def thumbnail(self) -> bytes | None:
        """Return the newest frame as a small WebP, as of when it last came to rest."""

    def take(
        self,
        view: CanvasView,
        page: str,
        number: int,
        values: Mapping[str, JSON] | None,
        drawing: bytes | None,
    ) -> None:
        """Take in what a page filled in and drew; None leaves it as it was."""

    def pause(self) -> None:
        """Send no inputs until `go`."""

    def go(self) -> None:
        """Go on after a pause, a stop or a failure."""

    def end(self) -> None:
        """End the session at the endpoint, until `go`."""

    def pin_frame(self, number: int) -> None:
        """Put a frame into the history, if it is one of the last."""

    def rate_pin(self, record: int, rating: int | None) -> None:
        """Rate a frame that was pinned here."""

    def start_from(self, record: int) -> None:
        """Draw on the picture of a record."""

    def shown(self, view: CanvasView) -> None:
        """Take notice that a page has begun to show the view."""

    def left(self, view: CanvasView) -> None:
        """Take notice that a page shows the view no more."""
