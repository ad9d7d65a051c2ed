"""What a gallery is given of many outputs: plain data and a Protocol, so that it knows no ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fal_nb.views.board_look import CellArtifact

__all__ = ["HIDDEN", "SORTS", "Facet", "GalleryOutputs", "OutputLook", "Query", "Written"]

HIDDEN = "hidden"
"""The tag of what a person does not want to see."""

SORTS = ("created", "rating", "cost", "total_s", "endpoint", "seed", "prompt")
"""What outputs can be sorted by; ``created`` is the order they were made in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which outputs are shown, and in what order.

    Attributes
    ----------
    words
        Texts that must all occur in the endpoint, the arguments, the note or the error.
    filters
        Column or argument → values of which one must be it; ``kind`` and ``tags`` as well.
    with_hidden
        Whether outputs that a person has hidden are shown, too.
    """

    words: tuple[str, ...] = ()
    filters: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sort: str = "created"
    is_descending: bool = True
    with_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one column, each with how many outputs or calls have it, most frequent first."""

    name: str
    counts: tuple[tuple[Any, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLook:
    """One output as its tile shows it; money in US dollars."""

    record: int
    position: int
    endpoint: str
    artifact: CellArtifact
    created: float
    prompt: str = ""
    seed: Any = None
    cost: float | None = None
    total_s: float | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    is_hidden: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A cell about an output, or its file's path.

    Attributes
    ----------
    notes
        What of its call could not be taken over, a line each.
    """

    text: str
    notes: tuple[str, ...] = ()


class GalleryOutputs(Protocol):
    """Outputs by their place, 0-based, newest first; every method but the properties reads the disk and may block."""

    @property
    def name(self) -> str:
        """What they are, in words."""

    @property
    def backend(self) -> str:
        """Where they come from: ``simulator`` where none is from a real server."""

    @property
    def records(self) -> Sequence[int]:
        """The record of each place."""

    @property
    def ratios(self) -> Sequence[float]:
        """Width over height of each place; 1 where it has no size."""

    def subset(self, places: Iterable[int]) -> GalleryOutputs:
        """Return only the outputs of some places, in the same order."""

    def find(self, query: Query) -> list[int]:
        """Return the places that pass, in order."""

    def facets(self) -> list[Facet]:
        """Return what can be filtered by."""

    def looks(self, places: Sequence[int]) -> dict[int, OutputLook]:
        """Return what the tiles of some places show."""

    def thumbnails(self, places: Sequence[int]) -> dict[int, tuple[str, bytes]]:
        """Return (digest, WebP) of those of some places that have a small picture."""

    def rate(self, places: Sequence[int], rating: int | None) -> None:
        """Rate the calls of some places, or take the rating back."""

    def tag(self, places: Sequence[int], tag: str, *, is_on: bool) -> None:
        """Put a tag on the calls of some places, or take it off."""

    def note(self, place: int, text: str) -> None:
        """Write a note on the call of a place; an empty one takes it off."""

    def records_in(self, calls: Any) -> Sequence[int]:
        """Return the record numbers that something means: numbers, or a frame that has them."""

    def code(self, place: int, what: str, endpoint: str = "") -> Written:
        """Return what can be made of an output, as `what` says; `endpoint` for those that need one."""

    def offers(self, place: int, what: str) -> list[str]:
        """Return endpoints that an output, or its call, can be given to."""
