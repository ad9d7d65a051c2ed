"""The module's function about canvases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.live_canvas import Canvas

__all__ = ["canvas"]


def canvas(
    endpoint: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    in_flight: int = 2,
    idle_s: float = 45.0,
    allow_unpriced: bool = False,
) -> Canvas:
    """Return a live canvas over a realtime endpoint; as the last line of a cell it shows itself.

    It connects when something is drawn or filled in. ``canvas.frame()`` sends what is there and returns the picture,
    ``canvas.pin()`` puts the newest into the history, ``canvas.widget`` is an ipywidget for layouts of your own.

    Parameters
    ----------
    arguments
        What is filled in at first: JSON, and paths of local files. The endpoint's picture is what one draws on: a path,
        bytes, a PIL image, an array, a result or one of its files, a URL.
    in_flight
        Inputs that may be on their way at one time, 1 to 16; the newest input wins.
    idle_s
        Seconds without an input after which it disconnects: realtime is billed by time.
    allow_unpriced
        Whether it goes under a budget, although nobody knows beforehand what a session will cost.

    Raises
    ------
    EndpointError
        Where it is no endpoint id.
    FileError
        Where an argument is neither JSON nor a path.
    ConfigError
        Where a number cannot be meant.
    FalError
        Where the schema cannot be had.
    """
    return current().canvas(endpoint, arguments, in_flight=in_flight, idle_s=idle_s, allow_unpriced=allow_unpriced)
