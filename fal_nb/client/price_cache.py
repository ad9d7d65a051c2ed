"""Prices of units: asked for once a day, those wanted at the same time in one request, kept on disk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fal_nb.client.kept import keep
from fal_nb.client.platform import Platform
from fal_nb.errors import FalError
from fal_nb.pricing.unit import UnitPrice

__all__ = ["PriceCache"]

_FRESH_S = 24 * 3600.0
_UNKNOWN_S = 3600.0
_GATHER_S = 0.005


class PriceCache:
    """The price list of one server as far as it was asked for; used on one event loop.

    Parameters
    ----------
    file
        Where it is kept between kernels; None keeps it in memory alone.
    clock
        Unix time in seconds.
    """

    def __init__(self, platform: Platform, file: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._platform = platform
        self._file = file
        self._clock = clock
        self._known: dict[str, tuple[UnitPrice | None, float]] = {}
        self._wanted: set[str] = set()
        self._asking: asyncio.Task[None] | None = None
        self._is_read = file is None

    def known(self, endpoint: str) -> tuple[UnitPrice | None] | None:
        """Return what a fresh list says of an endpoint, in a tuple; None where it has to be asked for. Any thread."""
        if not self._is_read:
            self._known |= self._read()
            self._is_read = True
        known = self._known.get(endpoint)
        return None if known is None or not self._is_fresh(known) else (known[0],)

    async def unit_price(self, endpoint: str) -> UnitPrice | None:
        """Return what a unit costs; None where the list does not have the endpoint.

        A price older than a day is asked for anew; where that fails the old one serves.

        Raises
        ------
        FalError
            Where the list cannot be had and no price is kept.
        """
        if not self._is_read:
            self._known |= await asyncio.to_thread(self._read)
            self._is_read = True
        known = self._known.get(endpoint)
        if known is not None and self._is_fresh(known):
            return known[0]
        try:
            await self._ask_for(endpoint)
        except FalError:
            if known is None:
                raise
        return self._known.get(endpoint, (None, 0.0))[0]

    def _is_fresh(self, known: tuple[UnitPrice | None, float]) -> bool:
        return self._clock() - known[1] < (_UNKNOWN_S if known[0] is None else _FRESH_S)

    async def _ask_for(self, endpoint: str) -> None:
        """Ask for a price together with those that others want within a few milliseconds."""
        self._wanted.add(endpoint)
        if self._asking is None:
            self._asking = self._platform.background.start(self._ask())
        await self._platform.background.outcome(self._asking)

    async def _ask(self) -> None:
        await asyncio.sleep(_GATHER_S)
        wanted, self._wanted, self._asking = self._wanted, set(), None
        prices = await self._platform.unit_prices(wanted)
        now = self._clock()
        self._known |= {endpoint: (price, now) for endpoint, price in prices.items()}
        if self._file is not None:
            kept = {name: [price and asdict(price), at] for name, (price, at) in self._known.items()}
            await asyncio.to_thread(keep, self._file, kept)

    def _read(self) -> dict[str, tuple[UnitPrice | None, float]]:
        """Return what is kept on disk; what cannot be read counts as absent."""
        assert self._file is not None  # noqa: S101 - the caller looked
        try:
            kept: Any = json.loads(self._file.read_bytes())
            return {
                endpoint: (None if price is None else UnitPrice(**price), float(asked_at))
                for endpoint, (price, asked_at) in kept.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
