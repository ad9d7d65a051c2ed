"""What a board is given of a sweep: plain data and a Protocol, so that a board knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from fal_nb.protocol.files import MediaKind
from fal_nb.states import State

if TYPE_CHECKING:
    from fal_nb.artifacts.artifact import Artifact

__all__ = [
    "Axis",
    "BoardSweep",
    "CellArtifact",
    "CellLook",
    "Placement",
    "SweepObserver",
    "SweepTotals",
    "cell_artifact",
    "placement",
]

SweepObserver: TypeAlias = Callable[[AbstractSet[str]], None]
"""Is called with the keys of the cells that have changed, on the loop's thread; with none for totals or axes alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One name and its values as they are shown, in order."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellArtifact:
    """What is known of the file that a cell shows; `digest` is None until it is stored."""

    kind: MediaKind
    content_type: str
    digest: str | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    size_bytes: int | None = None
    text: str | None = None
    error: str | None = None


def cell_artifact(file: Artifact) -> CellArtifact:
    """Return what a board shows of a stored file."""
    return CellArtifact(
        kind=file.kind,
        content_type=file.content_type,
        digest=file.digest,
        width=file.width,
        height=file.height,
        duration_s=file.duration_s,
        size_bytes=file.size_bytes,
        text=file.text,
        error=file.error,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLook:
    """One moment of one cell.

    Attributes
    ----------
    key
        Stays the same for as long as the sweep knows the cell.
    coordinates
        One 0-based index into the labels of each axis; -1 where the axis does not apply to the cell.
    reason
        Why there is nothing to see: the line of its error, or the rule, budget or lock that kept it from being sent.
    progress
        Share done, 0 to 1; None where nothing is known.
    cost, estimate
        In the currency of the totals.
    rating
        1 to 5, or None.
    artifact, artifact_count
        The first file of its result, and how many there are.
    """

    key: str
    coordinates: tuple[int, ...]
    state: State = "PREPARED"
    reason: str | None = None
    progress: float | None = None
    record_id: int | None = None
    request_id: str | None = None
    cost: float | None = None
    estimate: float | None = None
    total_s: float | None = None
    rating: int | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    is_from_memo: bool = False
    artifact: CellArtifact | None = None
    artifact_count: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepTotals:
    """What the head of a board says; money in `currency`, `budget` and `seconds_left` None where there is none."""

    counts: Mapping[State, int]
    spent: float = 0.0
    reserved: float = 0.0
    budget: float | None = None
    currency: str | None = None
    seconds_left: float | None = None
    is_paused: bool = False
    is_at_rest: bool = False
    """Whether what waits is not called by itself: nothing runs, or not yet."""


class BoardSweep(Protocol):
    """What a board needs of a sweep. Commands return at once: they set a flag or post to the loop."""

    @property
    def name(self) -> str:
        """What the person calls it."""

    @property
    def endpoint_text(self) -> str:
        """Its endpoint, or its endpoints in a few words."""

    @property
    def backend(self) -> str:
        """``fal``, ``server``, ``proxy`` or ``simulator``."""

    @property
    def axes(self) -> Sequence[Axis]:
        """The axes, in the order of the plan."""

    @property
    def cells(self) -> Mapping[str, CellLook]:
        """The cells by key, in the order of the plan; read on any thread."""

    @property
    def totals(self) -> SweepTotals:
        """Counts and money now."""

    def observe(self, observer: SweepObserver) -> None:
        """Call the observer after every change, on the loop's thread."""

    def unobserve(self, observer: SweepObserver) -> None:
        """Stop calling the observer."""

    def pause(self) -> None:
        """Send nothing new."""

    def resume(self) -> None:
        """Go on sending."""

    def cancel(self) -> None:
        """Stop what is open and send nothing new."""

    def retry(self) -> None:
        """Send the failed cells once more."""

    def cancel_cell(self, key: str) -> None:
        """Stop one cell."""

    def rate(self, key: str, rating: int | None) -> None:
        """Keep a rating of 1 to 5, or take it back."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Which axis lies where on a board, by its place among the axes."""

    rows: int | None = None
    columns: int | None = None
    super_rows: int | None = None
    super_columns: int | None = None
    pickers: tuple[int, ...] = ()


def placement(axes: Sequence[Axis]) -> Placement:
    """Return where the axes lie at first; the live board (``js/src/board/layout.ts``) does the same.

    The last axis becomes the columns; of four, the shortest other one makes groups of columns, so that a board is
    rather high than wide.
    """
    count = len(axes)
    if count <= 1:
        return Placement(columns=0 if count else None)
    if count == 2:
        return Placement(rows=0, columns=1)
    if count == 3:
        return Placement(super_rows=0, rows=1, columns=2)
    placed = [0, 1, 2]
    shortest = min(reversed(placed), key=lambda place: len(axes[place].labels))
    super_rows, rows = (place for place in placed if place != shortest)
    return Placement(rows, count - 1, super_rows, shortest, tuple(range(3, count - 1)))
