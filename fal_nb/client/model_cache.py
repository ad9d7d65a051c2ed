"""The whole catalogue of one server: read page by page once a day, kept on disk, good without a network."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fal_nb.catalogue.model import Model, as_json, read_model
from fal_nb.client.kept import keep
from fal_nb.client.models import Models
from fal_nb.errors import FalError
from fal_nb.protocol.status import JSON

__all__ = ["Listing", "ModelCache", "read_kept"]

_FRESH_S = 24 * 3600.0
_REFUSED_S = 30.0
_MOST_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listing:
    """The catalogue as far as it is known.

    Attributes
    ----------
    fetched_at
        Unix time at which it was read; 0 where it never was.
    is_whole
        Whether it was read to its end.
    trouble
        Why there is no newer one, in words; empty where there is nothing to say.
    """

    models: tuple[Model, ...] = ()
    fetched_at: float = 0.0
    is_whole: bool = False
    trouble: str = ""


class ModelCache:
    """Reads the catalogue of one server; used on one event loop.

    Parameters
    ----------
    file
        Where it is kept between kernels; None keeps it in memory alone.
    clock
        Unix time in seconds.
    """

    def __init__(self, models: Models, file: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._models = models
        self._file = file
        self._clock = clock
        self._listing = Listing()
        self._is_read = file is None
        self._reading: asyncio.Task[None] | None = None
        self._refused_until = 0.0
        self._observers: list[Callable[[], None]] = []

    @property
    def listing(self) -> Listing:
        """What is known now, whatever its age; any thread."""
        return self._listing

    def observe(self, function: Callable[[], None]) -> Callable[[], None]:
        """Have a function called on the loop whenever more is known; returns what ends that."""
        self._observers.append(function)
        return lambda: self._observers.remove(function) if function in self._observers else None

    async def open(self) -> Listing:
        """Return what is known at once, and read on in the background where it is not of today."""
        await self._from_disk()
        if not self._is_fresh and self._clock() >= self._refused_until:
            self._start()
        return self._listing

    async def whole(self, *, is_anew: bool = False) -> Listing:
        """Return the catalogue; waits for it where none is kept, or a newer one is wanted.

        One that is over a day old serves, and is read anew in the background. Where it cannot be had, what is kept
        serves, and says so in its ``trouble``.

        Raises
        ------
        FalError
            Where it cannot be had and nothing is kept.
        """
        await self._from_disk()
        if is_anew or not self._listing.models:
            await self._models.background.outcome(self._start())
        elif not self._is_fresh and self._clock() >= self._refused_until:
            self._start()
        return self._listing

    @property
    def _is_fresh(self) -> bool:
        known = self._listing
        return known.is_whole and 0 <= self._clock() - known.fetched_at < _FRESH_S

    def _start(self) -> asyncio.Task[None]:
        """Return the task that reads the catalogue; those who ask meanwhile share it."""
        if self._reading is None or self._reading.done():
            self._reading = self._models.background.start(self._read())
        return self._reading

    async def _read(self) -> None:
        """Read all pages; what was known before serves until they have all come."""
        before = self._listing
        found: list[Model] = []
        is_whole = True
        try:
            async for page in self._models.pages():
                found += page.models
                is_whole = page.is_whole
                if not before.models:
                    self._take(Listing(tuple(found)))
        except FalError as error:
            self._refused_until = self._clock() + _REFUSED_S
            kept = before if before.models else Listing(tuple(found))
            self._take(Listing(kept.models, kept.fetched_at, kept.is_whole, str(error)))
            if not kept.models:
                raise
            return
        trouble = "" if is_whole else "the list never came to its end, so that this may be only a part of it"
        self._take(Listing(tuple(found), self._clock(), is_whole, trouble))
        if self._file is not None and found:
            await asyncio.to_thread(keep, self._file, _kept_form(self._listing))

    def _take(self, listing: Listing) -> None:
        self._listing = listing
        for function in tuple(self._observers):
            function()

    async def _from_disk(self) -> None:
        if not self._is_read:
            self._is_read = True
            assert self._file is not None  # noqa: S101 - read counts as done without one
            kept = await asyncio.to_thread(read_kept, self._file)
            if kept is not None and not self._listing.models:
                self._take(kept)


def read_kept(file: Path) -> Listing | None:
    """Return the catalogue that is kept in a file; what cannot be read counts as absent. Blocks."""
    try:
        if file.stat().st_size > _MOST_FILE_BYTES:
            return None
        kept: Any = json.loads(file.read_bytes())
        models = tuple(model for entry in kept["models"] if (model := read_model(entry)) is not None)
        return Listing(models, float(kept["fetched_at"]), kept["is_whole"] is True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _kept_form(listing: Listing) -> JSON:
    return {
        "fetched_at": listing.fetched_at,
        "is_whole": listing.is_whole,
        "models": [as_json(model) for model in listing.models],
    }
