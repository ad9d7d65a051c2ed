"""Calls against two numbers: a gallery whose outputs lie where their numbers are, what none beats on a line."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from fal_nb.plain import plain_text
from fal_nb.views.gallery import GalleryView
from fal_nb.views.gallery_look import GalleryOutputs
from fal_nb.views.pareto_look import Axis, Points
from fal_nb.views.pareto_twin import ParetoTwin, pareto_text
from fal_nb.views.twin import BlobPath

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_POINTS", "ParetoView"]

MOST_POINTS = 10_000
"""How many are drawn: their numbers are one message under the hub's limit."""

_NOWHERE = 2**32 - 1
_LINE_CHARS = 300
_NAME_CHARS = 60


class ParetoView(GalleryView):
    """The calls of a frame against two of its columns; points open, compare, take ratings and are selected.

    Attributes
    ----------
    frame
        The frame with one more column, ``pareto``: True for calls that no other beats, False for those behind,
        missing where a call lacks a number.
    """

    name: ClassVar[str] = "pareto"

    def __init__(
        self,
        outputs: GalleryOutputs,
        points: Points,
        frame: pd.DataFrame,
        blob_path: BlobPath,
        frame_of: Callable[[Sequence[int]], pd.DataFrame],
        later: Callable[..., None],
    ) -> None:
        super().__init__(outputs, blob_path, frame_of, later)
        self.frame = frame
        self._points = points
        self._pareto_twin = ParetoTwin(outputs, points)

    def __len__(self) -> int:
        """Return how many calls no other beats."""
        return len(self._points.best)

    @property
    def best(self) -> pd.DataFrame:
        """The rows of the frame that no other beats."""
        return self.frame[self.frame["pareto"].fillna(False)]

    def state(self) -> dict[str, Any]:
        """Return what the page needs beside the points, which travel as bytes."""
        points = self._points
        return {
            **super().state(),
            "name": plain_text(points.name, _LINE_CHARS),
            "count": points.count,
            "best": len(points.best),
            "x": _axis(points.x),
            "y": _axis(points.y),
            "steps": [[round(x, 5), round(y, 5)] for x, y in points.steps()],
            "told": [plain_text(line, _LINE_CHARS) for line in points.told],
        }

    def twin(self) -> str:
        """Return the plot and the pictures of the front as static HTML."""
        return self._pareto_twin.html()

    def text(self) -> str:
        """Return the front as an aligned table."""
        return pareto_text(self._outputs, self._points)

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a question or a mark as a gallery does; the order is that of the points, and never another."""
        match content.get("kind"):
            case "order":
                self._post_points()
            case "query":
                pass
            case _:
                super().receive(content)

    def _post_points(self) -> None:
        """Send the points by `x`: x and y (float64), place and record (uint32), whether it is on the front (uint8)."""
        points = self._points.points
        places = (_NOWHERE if point.place is None else point.place for point in points)
        parts = (
            array("d", (point.x for point in points)),
            array("d", (point.y for point in points)),
            array("I", places),
            array("I", (point.record for point in points)),
        )
        if sys.byteorder == "big":
            for part in parts:
                part.byteswap()
        data = b"".join(part.tobytes() for part in parts) + bytes(point.is_best for point in points)
        self._post({"kind": "points", "count": len(points)}, data)


def _axis(axis: Axis) -> dict[str, Any]:
    scale = axis.scale
    return {
        "name": plain_text(axis.name, _NAME_CHARS),
        "title": plain_text(axis.title, _NAME_CHARS),
        "kind": axis.kind,
        "better": axis.better,
        "low": scale.low,
        "high": scale.high,
        "is_log": scale.is_log,
        "ticks": [[number, words] for number, words in scale.ticks],
    }
