"""What completion knows of the catalogue: endpoints, categories and tags, read again only once they have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fal_nb.catalogue.search import facets_of

if TYPE_CHECKING:
    from pathlib import Path

    from fal_nb.catalogue.model import Model

__all__ = ["KnownModels", "ModelsReader"]


@dataclass(frozen=True, slots=True)
class KnownModels:
    """Names, the most frequent first but the endpoints, which keep the catalogue's order."""

    endpoints: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class ModelsReader:
    """Keeps what it read last."""

    def __init__(self) -> None:
        self._mark: object = None
        self._known = KnownModels()

    def of(self, models: Sequence[Model]) -> KnownModels:
        """Return the names of a catalogue that is in memory."""
        return self._kept(models, models)

    def read(self, file: Path) -> KnownModels:
        """Return the names of a catalogue that is kept in a file; none where there is none."""
        try:
            mark = (str(file), os.stat(file).st_mtime_ns)  # noqa: PTH116 - one call, on the way of a key press
        except OSError:
            return KnownModels()
        if mark == self._mark:
            return self._known
        from fal_nb.client.model_cache import read_kept  # noqa: PLC0415 - only where something is kept

        kept = read_kept(file)
        return self._kept(mark, () if kept is None else kept.models)

    def _kept(self, mark: object, models: Iterable[Model]) -> KnownModels:
        if mark is not self._mark and mark != self._mark:
            listed = tuple(models)
            facets = facets_of(listed)
            named = {name: tuple(value for value, _ in counts) for name, counts in facets.items()}
            endpoints = tuple(model.endpoint for model in listed)
            self._known = KnownModels(endpoints, named.get("category", ()), named.get("tags", ()))
            self._mark = mark
        return self._known
